"""What a channel is: the settings in a TOML file of the ``channels`` shelf."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vidlink.channel.fields import MOST_BYTES, BesideProfile, PositiveSeconds, Probability, Rate, Seconds, Table
from vidlink.channel.losses import Loss, NoLoss
from vidlink.types import IPV4_UDP_RTP_BYTES

LARGEST_USUAL_PACKET = 1500
"""Bytes of an Ethernet-sized datagram: what a queue must hold to be of use."""


class Trace(Table):
    """A recorded link capacity over time. It starts with the clip and repeats."""

    path: BesideProfile
    """The recording; a relative path starts at the profile's folder."""
    format: Literal["mahimahi", "json", "csv"] | None = None
    """See :mod:`vidlink.channel.trace`; absent: what its content is."""


class CoDel(Table):
    """Controlled delay (RFC 8289): drops packets that have waited too long, at the head of the queue."""

    target_s: PositiveSeconds = 0.005
    """Acceptable standing wait in seconds."""
    interval_s: PositiveSeconds = 0.1
    """Seconds for which the wait must stay above the target before the first drop."""


class ChannelProfile(Table):
    """A channel: bottleneck with a queue, then propagation, loss, jitter and duplication.

    Validate with ``context={"folder": Path}`` so that relative paths start at the profile's own folder.
    """

    description: str
    """One line for lists."""
    rate: Rate | None = None
    """Constant capacity in bits per second; absent: unlimited."""
    trace: Trace | None = None
    """Capacity over time instead."""
    queue_bytes: int | None = Field(default=None, ge=LARGEST_USUAL_PACKET, le=MOST_BYTES)
    """Drop-tail: most bytes waiting and in transmission, the new packet included; absent: no limit."""
    queue_s: Seconds | None = None
    """Drop-tail: longest wait in seconds until transmission starts; absent: no limit."""
    codel: CoDel | None = None
    """Active queue management beside the limit."""
    delay_s: Seconds | None = None
    """One-way propagation in seconds. Absent: half the latency that a JSON trace records, otherwise 0."""
    return_delay_s: Seconds | None = None
    """Seconds that feedback (NACK) takes from receiver to sender; absent: as one-way propagation."""
    jitter_s: Seconds = 0.0
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
