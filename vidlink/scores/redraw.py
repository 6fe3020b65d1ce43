"""The same coded segments over the same channel once more: what another seed, or protection, would have shown.

A run over a lossy link is one draw of many. What was coded does not depend on the draw, so it is kept (packets only,
no pictures) and carried again: pacing, channel, retransmission, repair and depacketizing are those of the run. Pictures
are not decoded; which of them could be shown, and with which status, follows from the packet log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.channel.channel import Channel
from vidlink.channel.profile import ChannelProfile
from vidlink.link.planned import Link
from vidlink.receiver.receive import Receiver
from vidlink.scores.receptions import Receptions
from vidlink.sender.fec import parse_fec
from vidlink.sender.groups import without_pictures
from vidlink.sender.protect import Protector
from vidlink.types import Fate, Kind, Shown, Status
from vidlink.units import LEAST_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from vidlink.codec.recipe import Codec
    from vidlink.settings import Settings
    from vidlink.types import CodedSegment, Packets, Segment

    Sent = tuple[Segment, CodedSegment, Packets]

MOST_BYTES = 64_000_000
"""A run that sends more is not kept, and has no other draws."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """What another draw of the channel would have shown, frame by frame."""

    status: NDArray[np.str_]
    """:class:`~vidlink.types.Status` of each source frame, shape (frames,)."""
    on_show: NDArray[np.int64]
    """The source frame whose picture is on show, -1 before there is any, shape (frames,)."""
    late: float
    """Share of frames whose packets came, but too late."""
    wire_bytes: int
    """Bytes that left the sender."""

    @property
    def damaged(self) -> float:
        """Share of frames that are not as they were sent."""
        return float(np.mean(self.status != str(Status.OK)))


class Redraws:
    """Keeps what a run sends, and sends it again.

    Parameters
    ----------
    settings
        Of the run.
    codec, profile
        Recipe and channel.
    latency_s
        Of the sender, in seconds.
    """

    def __init__(self, settings: Settings, codec: Codec, profile: ChannelProfile, *, latency_s: float) -> None:
        self._settings, self._codec, self._profile, self._latency_s = settings, codec, profile, latency_s
        self._sent: list[Sent] = []
        self._bytes = 0
        # Live, what is coded follows the link, so another draw is another run.
        self._keeps = not settings.live and (at_random(profile) or bool(profile.rate or profile.trace))

    @property
    def settings(self) -> Settings:
        """Of the run."""
        return self._settings

    def watch(self, segments: Iterable[Sent]) -> Iterator[Sent]:
        """Let segments pass and keep their packets."""
        for segment, coded, packets in segments:
            self._bytes += int(packets.bytes.sum())
            if self._keeps and self._bytes <= MOST_BYTES:
                # Without the pictures: they are large, and no draw looks at them.
                self._sent.append((without_pictures(segment), coded, packets))
            elif self._keeps:
                self._keeps = False
                self._sent.clear()
            yield segment, coded, packets

    @property
    def at_random(self) -> bool:
        """Whether another seed may give another run."""
        return at_random(self._profile)

    def capacity_bps(self, seconds: float) -> float | None:
        """What the link carries on average in so many seconds; None where it has no limit."""
        return Channel(self._profile, rng=np.random.default_rng(0)).capacity_bps(0.0, seconds)

    def packets(self) -> int:
        """How many packets one draw carries; 0 where nothing was kept."""
        return sum(len(packets) for *_, packets in self._sent)

    def draw(
        self,
        seed: int,
        *,
        nack: bool | None = None,
        fec: str | None = None,
        deadline_s: float | None = None,
        lossless: bool = False,
    ) -> Draw:
        """Carry what was kept once more.

        Parameters
        ----------
        seed
            Of the channel. What is shown is what a run with this ``--seed`` shows.
        nack, fec, deadline_s
            As in :class:`~vidlink.settings.Settings`, where they are to differ from the run's. Packets are coded and
            cut as they were, so parity and copies come on top of the budget.
        lossless
            Over a link that loses and delays nothing.
        """
        settings = self._settings
        deadline_s = settings.deadline_s if deadline_s is None else deadline_s
        sent = self._again(fec)
        link = Link(
            ChannelProfile(description="") if lossless else self._profile,
            rate_bps=self._rate_bps(sent, copies=bool(nack) and not settings.nack),
            deadline_s=deadline_s,
            nack=settings.nack if nack is None else nack,
            rng=np.random.default_rng(seed),
        )
        receiver = Receiver(self._codec, latency_s=self._latency_s, deadline_s=deadline_s)
        receptions, statuses, late_s, on_show, last, wire_bytes = Receptions(), [], [], [], -1, 0
        for carried in link.carry(sent):
            arrival = receiver.collect(carried.wire)
            there = {frame for frame, _ in arrival.units} & arrival.to_show
            index = arrival.index
            shown = [
                Shown(frame=frame, picture=None, fresh=frame in there)
                for frame in range(index.first_frame, index.first_frame + len(index.times_s))
            ]
            for each in receptions.add(carried.ledger, arrival, shown):
                last = each.frame if each.frame in there else last
                statuses.append(str(each.status))
                late_s.append(each.late_s)
                on_show.append(last)
            packets = carried.ledger.packets
            wire_bytes += int(packets.bytes[(packets.fate != Fate.DISCARDED) & ~carried.ledger.doubled].sum())
        return Draw(
            status=np.array(statuses),
            on_show=np.array(on_show),
            late=float(np.mean(np.nan_to_num(late_s) > 0)),
            wire_bytes=wire_bytes,
        )

    def _again(self, fec: str | None) -> list[Sent]:
        """What was kept, with other parity than it had where one is named."""
        if fec is None:
            return self._sent
        code = parse_fec(fec).at(self._profile.loss.expected())
        protector = Protector(code, header_bytes=self._profile.header_bytes)
        return [
            (segment, coded, protector.protect(packets.take(packets.kind != Kind.PARITY)))
            for segment, coded, packets in self._sent
        ]

    def _rate_bps(self, sent: list[Sent], *, copies: bool) -> float | None:
        """The rate at which a draw is sent: with as much more room as a run would have kept free in its budget."""
        rate_bps = self._settings.bitrate_bps
        if rate_bps is None:
            return None
        if copies:
            rate_bps /= max(LEAST_SHARE, 1 - self._profile.loss.expected())
        before = sum(int(packets.bytes.sum()) for *_, packets in self._sent)
        return rate_bps * sum(int(packets.bytes.sum()) for *_, packets in sent) / max(1, before)


def at_random(profile: ChannelProfile) -> bool:
    """Whether a channel's seed makes a difference: it loses, delays or duplicates by chance."""
    return bool(profile.jitter_s or profile.duplicate or profile.loss.model not in ("none", "recorded"))
