"""A trial encode: code a segment at a rung, see what it costs and what it is worth."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vidlink.faces.tracks import split_parts
from vidlink.sender.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vidlink.codec.recipe import Codec
    from vidlink.types import Clip, CodedSegment, Picture, Rung, Segment


class Objective(Protocol):
    """What a plan maximizes."""

    @property
    def knob_worth(self) -> float:
        """About what one unit of the codec's quality knob is worth; a first guess for planners that learn it."""

    def __call__(self, segment: Segment, pictures: Sequence[Picture], side_data: bytes) -> float:
        """Quality of what the receiver would show; higher is better. May run in any thread.

        Parameters
        ----------
        segment
            The source.
        pictures
            LR pictures, one for each frame of the segment.
        side_data
            What travels with the segment (face boxes).
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One trial encode."""

    coded: CodedSegment
    """What came out."""
    wire_bits: int
    """What it costs on the wire."""
    quality: float
    """What it is worth, higher is better; minus infinity where it was too large to be measured."""
    qualities: tuple[float, ...] = ()
    """The same of each segment that was joined in it; ``quality`` is their mean, weighted by frames."""

    @property
    def knob(self) -> float:
        """Value of the codec's quality knob."""
        return self.coded.rung.quality

    @property
    def key_share(self) -> float:
        """The key picture's share of the payload."""
        sizes = [sum(map(len, unit.nals)) for unit in self.coded.units]
        return sizes[0] / max(sum(sizes), 1)


class Trials:
    """Makes trial encodes, and counts what coding them takes.

    Parameters
    ----------
    clip, codec
        What is coded, and how.
    objective
        What a trial is worth.
    decode
        LR pictures of a coded segment by source frame, as if nothing were lost.
    wire_bits
        Wire bits of a coded segment.
    memory
        What need not be computed twice.
    """

    def __init__(
        self,
        *,
        clip: Clip,
        codec: Codec,
        objective: Objective,
        decode: Callable[[CodedSegment], dict[int, Picture]],
        wire_bits: Callable[[CodedSegment], int],
        memory: Memory | None = None,
    ) -> None:
        self._clip, self._codec, self._objective = clip, codec, objective
        self._decode, self.wire_bits = decode, wire_bits
        self._memory = memory or Memory()
        self._lock = threading.Lock()
        self.encode_cpu_s = 0.0
        """Processor seconds of all encodes so far, of those too that were remembered."""
        self.count = 0
        """Encodes so far."""

    def make(
        self,
        segment: Segment,
        rung: Rung,
        side_data: bytes,
        *,
        largest_bits: float | None = None,
        by: Named | None = None,
    ) -> Attempt:
        """Code a segment at a rung and measure it; may run in any thread.

        Parameters
        ----------
        segment, rung, side_data
            As for :func:`~vidlink.sender.encode.encode`.
        largest_bits
            Beyond so many wire bits the quality is not measured.
        by
            Another objective to measure it by.
        """
        coded, cpu_s = self._memory.encode_timed(segment, rung, clip=self._clip, codec=self._codec, side_data=side_data)
        with self._lock:
            self.encode_cpu_s += cpu_s
            self.count += 1
        bits = self.wire_bits(coded)
        if largest_bits is not None and bits > largest_bits:
            return Attempt(coded=coded, wire_bits=bits, quality=-math.inf)
        return self.measured(segment, coded, side_data, by=by)

    def measured(self, segment: Segment, coded: CodedSegment, side_data: bytes, *, by: Named | None = None) -> Attempt:
        """What a coded segment is worth, by the objective of the plan or by another."""
        parts = segment.each
        sides = [data for _, data in split_parts(side_data)] if len(parts) > 1 else [side_data]
        objective = by.objective if by else self._objective

        def measure() -> list[float]:
            decoded = self._decode(coded)
            shown: list[Picture] = []
            for frame in range(segment.first_frame, segment.first_frame + len(segment.frames)):
                shown.append(decoded[frame] if frame in decoded else shown[-1])
            worths, start = [], 0
            for part, side in zip(parts, sides or [b""] * len(parts), strict=True):
                stop = start + len(part.frames)
                worths.append(objective(part, shown[start:stop], side))
                start = stop
            return worths

        qualities = self._memory.worth(
            segment,
            coded.rung,
            clip=self._clip,
            codec=self._codec,
            side_data=side_data,
            measure=measure,
            by=by.name if by else "",
        )
        weights = [len(part.frames) for part in parts]
        mean = sum(w * q for w, q in zip(weights, qualities, strict=True)) / sum(weights)
        return Attempt(
            coded=coded,
            wire_bits=self.wire_bits(coded),
            quality=mean if len(parts) > 1 else qualities[0],
            qualities=tuple(qualities),
        )


class Named(NamedTuple):
    """An objective beside that of the plan."""

    name: str
    objective: Objective
