"""The receiver: what arrives in time is put together and decoded; for every source frame a picture is on show.

All that it gets is a :class:`~vidlink.types.Wire`. What was sent, and how the source looked, it cannot see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vidlink.receiver.decode import decode
from vidlink.receiver.depacketize import Depacketizer
from vidlink.receiver.start import follow_starts
from vidlink.types import CLOCK_HZ, Shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.codec.recipe import Codec
    from vidlink.types import Picture, SegmentIndex, Wire


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Arrival:
    """What arrived in time of one segment, before decoding."""

    index: SegmentIndex
    """What was signalled of the segment."""
    units: tuple[tuple[int, tuple[bytes, ...]], ...]
    """(source frame, NAL units that arrived in time) of the pictures to be decoded, in decoding order."""
    to_show: frozenset[int]
    """Source frames whose pictures may be shown, if the decoder gives any."""
    parameter_sets: tuple[bytes, ...]
    """Parameter sets as received."""
    side_data: bytes
    """Side data as received; empty where it did not arrive."""
    weights: tuple[bytes, ...] = ()
    """Messages of weights as received in time; empty where none was sent or none arrived."""
    due_s: NDArray[np.float64]
    """When each picture had to have arrived in seconds, in decoding order, shape (samples,)."""
    qp: dict[int, float] = field(default_factory=dict)
    """Mean QP of each decoded picture by source frame; filled while it is decoded."""


class Receiver:
    """Collects packets, decodes, and holds the last picture where there is no new one.

    Parameters
    ----------
    codec
        The codec recipe, as the sender signalled it: its decoder and payload format.
    latency_s
        Seconds from the capture of a picture to the moment at which the sender has sent it, by design.
    deadline_s
        Seconds that the playout waits beyond that.
    waits
        Whether it waits longer for packets that left later than designed. Live it does not: it would fall behind.
    timestamp_offset
        RTP timestamp of presentation time 0, as signalled by the sender.
    """

    def __init__(
        self, codec: Codec, *, latency_s: float, deadline_s: float, waits: bool = True, timestamp_offset: int = 0
    ) -> None:
        self._codec, self._waits = codec, waits
        self._latency_s, self._deadline_s = latency_s, deadline_s
        self._depacketizer = Depacketizer(payload=codec.payload, timestamp_offset=timestamp_offset)
        self._on_show: tuple[int, Picture, float] | None = None  # source frame, picture, QP

    def collect(self, wire: Wire) -> Arrival:
        """Sort out what arrived in time. Call once for each segment, in order."""
        samples = wire.index.samples
        due_s = self._due_s(wire.index)
        # The stream holds 90 kHz timestamps, so that is what tells the units apart.
        ticks = [round(sample.time_s * CLOCK_HZ) for sample in samples]
        received = self._depacketizer.depacketize(wire.packets, due_s=dict(zip(ticks, due_s.tolist(), strict=True)))
        by_tick = {unit.timestamp: unit.nals for unit in received if unit.nals}
        nals = {sample.frame: by_tick[tick] for sample, tick in zip(samples, ticks, strict=True) if tick in by_tick}
        uses = list(zip(samples, follow_starts(samples, nals), strict=True))
        return Arrival(
            index=wire.index,
            units=tuple(
                (sample.frame, nals[sample.frame]) for sample, use in uses if sample.frame in nals and use.decode
            ),
            to_show=frozenset(sample.frame for sample, use in uses if use.show),
            parameter_sets=received[0].parameter_sets if received else (),
            side_data=received[0].side_data if received else b"",
            weights=received[0].weights if received else (),
            due_s=due_s,
        )

    def decode(self, arrival: Arrival) -> dict[int, Picture]:
        """Decode one segment; needs no order and may run in any thread."""
        index = arrival.index
        return decode(
            arrival.units,
            codec=self._codec,
            size=(index.width, index.height),
            parameter_sets=arrival.parameter_sets,
            colour=index.colour,
            qp=arrival.qp,
        )

    def hold(self, arrival: Arrival, pictures: dict[int, Picture]) -> list[Shown]:
        """What is on show at the time of every source frame of a segment. Call once for each segment, in order."""
        shown = []
        for frame in range(arrival.index.first_frame, arrival.index.first_frame + len(arrival.index.times_s)):
            fresh = frame in pictures and frame in arrival.to_show
            if fresh:
                self._on_show = frame, pictures[frame], arrival.qp.get(frame, math.nan)
            of, picture, qp = self._on_show or (None, None, math.nan)
            shown.append(Shown(frame=frame, picture=picture, fresh=fresh, of=of, qp=qp))
        return shown

    def _due_s(self, index: SegmentIndex) -> NDArray[np.float64]:
        """When each picture must have arrived in seconds, shape (samples,).

        That is the deadline after the design latency, and (where the playout waits) never less than the deadline after
        it was sent.
        """
        due_s = np.array([sample.time_s for sample in index.samples]) + self._latency_s
        if self._waits:
            due_s = np.maximum(due_s, [sample.sent_s for sample in index.samples])
        return due_s + self._deadline_s
