"""What a channel is: the settings in a TOML file of the ``channels`` shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from vidlink.errors import UserError
from vidlink.types import IPV4_UDP_RTP_BYTES
from vidlink.units import parse_rate

LARGEST_USUAL_PACKET = 1500
"""Bytes of an Ethernet-sized datagram: what a queue must hold to be of use."""


def _rate(value: Any) -> float:
    try:
        return parse_rate(value)
    except UserError as error:
        raise ValueError(str(error)) from None


def _beside(value: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return value if folder is None else Path(folder) / value


Rate = Annotated[float, BeforeValidator(_rate)]
Probability = Annotated[float, Field(ge=0, le=1)]
BesideProfile = Annotated[Path, AfterValidator(_beside)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Trace(_Settings):
    """A recorded link capacity over time. It starts with the clip and repeats."""

    path: BesideProfile
    """The recording; a relative path starts at the profile's folder."""
    format: Literal["mahimahi", "json", "csv"]
    """See :mod:`vidlink.channel.trace`."""


class CoDel(_Settings):
    """Controlled delay (RFC 8289): drops packets that have waited too long, at the head of the queue."""

    target_s: float = Field(default=0.005, gt=0)
    """Acceptable standing wait in seconds."""
    interval_s: float = Field(default=0.1, gt=0)
    """Seconds for which the wait must stay above the target before the first drop."""


class NoLoss(_Settings):
    """Nothing is lost."""

    model: Literal["none"] = "none"


class Bernoulli(_Settings):
    """Each packet is lost independently of the others."""

    model: Literal["bernoulli"]
    probability: Probability
    """Of losing a packet."""


class GilbertElliott(_Settings):
    """Losses in bursts: a good and a bad state that change from packet to packet (Gilbert 1960, Elliott 1963).

    Either ``p`` and ``r`` (and ``k``, ``h``), or ``mean_loss`` and ``mean_burst``. The names are those of Hasslinger
    and Hohlfeld, "The Gilbert-Elliott Model for Packet Loss in Real Time Services on the Internet" (MMB 2008).
    """

    model: Literal["gilbert-elliott"]
    p: Probability | None = None
    """Probability of going from good to bad with the next packet."""
    r: Probability | None = None
    """Probability of going from bad to good with the next packet."""
    h: Probability = 0.0
    """Probability that a packet arrives in the bad state."""
    k: Probability = 1.0
    """Probability that a packet arrives in the good state."""
    mean_loss: float | None = Field(default=None, ge=0, lt=1)
    """Share of packets lost in the long run, with h = 0 and k = 1."""
    mean_burst: float | None = Field(default=None, ge=1)
    """Mean number of packets lost in a row, with h = 0 and k = 1."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_states = (self.p is not None, self.r is not None)
        by_means = (self.mean_loss is not None, self.mean_burst is not None)
        if not (all(by_states) and not any(by_means)) and not (all(by_means) and not any(by_states)):
            raise ValueError("give p and r (and h, k), or mean_loss and mean_burst")
        if all(by_means) and self.model_fields_set & {"h", "k"}:
            raise ValueError("mean_loss and mean_burst imply h = 0 and k = 1")
        self.chances()
        return self

    def chances(self) -> tuple[float, float, float, float]:
        """(p, r, h, k); from the means r = 1 / burst and p = r loss / (1 - loss)."""
        if self.p is not None and self.r is not None:
            return self.p, self.r, self.h, self.k
        assert self.mean_loss is not None and self.mean_burst is not None  # noqa: PT018
        r = 1 / self.mean_burst
        p = r * self.mean_loss / (1 - self.mean_loss)
        if p > 1:
            least = self.mean_loss / (1 - self.mean_loss)
            raise ValueError(f"mean_burst {self.mean_burst}: at a mean_loss of {self.mean_loss} at least {least:.3g}")
        return p, r, 0.0, 1.0


class Recorded(_Settings):
    """A recorded sequence, repeated: a character a packet, ``1`` lost, ``0`` not; blanks and line ends do not count."""

    model: Literal["recorded"]
    path: BesideProfile
    """Text file with the sequence; a relative path starts at the profile's folder."""


class BitErrors(_Settings):
    """Bits are hit independently; a packet with one or more is dropped by its checksum, so long packets suffer more."""

    model: Literal["bit-errors"]
    rate: Probability
    """Probability that a bit is wrong (BER)."""


Loss = Annotated[NoLoss | Bernoulli | GilbertElliott | Recorded | BitErrors, Field(discriminator="model")]


class ChannelProfile(_Settings):
    """A channel: bottleneck with a queue, then propagation, loss, jitter and duplication.

    Validate with ``context={"folder": Path}`` so that relative paths start at the profile's own folder.
    """

    description: str
    """One line for lists."""
    rate: Rate | None = None
    """Constant capacity in bits per second; absent: unlimited."""
    trace: Trace | None = None
    """Capacity over time instead."""
    queue_bytes: int | None = Field(default=None, ge=LARGEST_USUAL_PACKET)
    """Drop-tail: most bytes waiting and in transmission, the new packet included; absent: no limit."""
    queue_s: float | None = Field(default=None, ge=0)
    """Drop-tail: longest wait in seconds until transmission starts; absent: no limit."""
    codel: CoDel | None = None
    """Active queue management beside the limit."""
    delay_s: float | None = Field(default=None, ge=0)
    """One-way propagation in seconds. Absent: half the latency that a JSON trace records, otherwise 0."""
    return_delay_s: float | None = Field(default=None, ge=0)
    """Seconds that feedback (NACK) takes from receiver to sender; absent: as one-way propagation."""
    jitter_s: float = Field(default=0.0, ge=0)
    """Mean of the exponentially distributed delay that comes on top, in seconds."""
    reordering: bool = False
    """Whether jitter may let a packet overtake another."""
    duplicate: Probability = 0.0
    """Probability that a delivered packet arrives twice."""
    header_compression: Literal["none", "rohc-u"] = "none"
    """Whether the link compresses IPv4, UDP and RTP headers; see :attr:`header_bytes`."""
    loss: Loss = NoLoss()
    """Which packets are lost after the bottleneck."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rate is not None and self.trace is not None:
            raise ValueError("rate and trace: give one of them")
        if self.queue_bytes is not None and self.queue_s is not None:
            raise ValueError("queue_bytes and queue_s: give one of them")
        if self.rate is None and self.trace is None:
            for key in ("queue_bytes", "queue_s", "codel"):
                if getattr(self, key) is not None:
                    raise ValueError(f"{key}: needs rate or trace, there is no queue before an unlimited link")
        return self

    @property
    def header_bytes(self) -> int:
        """Bytes of IPv4, UDP and RTP headers a packet has on this channel: 40, compressed 4.

        ROHC (RFC 3095, profile 1) in unidirectional mode, steady state, context identifier 0: the smallest packet that
        renews sequence number and timestamp is UO-1, two bytes (section 5.7.3), and the UDP checksum follows as it is,
        two bytes. Context refreshes are left out.
        """
        return IPV4_UDP_RTP_BYTES if self.header_compression == "none" else 4
