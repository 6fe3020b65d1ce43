"""The sender of a live stream: cuts segments as they are captured, and codes each once for what the link now carries.

There is no look-ahead. Where a segment ends, what it may cost and how it is coded are decided when it has been
captured, from reports that have reached the sender by then and from segments coded before. It is coded once, and once
more where that missed its budget by far. While it is sent it is coded at another rung too, only to learn from.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from vidlink.errors import UserError
from vidlink.sender.adapt import segment_budget
from vidlink.sender.live_model import ContentModel
from vidlink.sender.protect import protected_wire_bits
from vidlink.sender.sender import Sender
from vidlink.settings import SMALLEST_MTU

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

    from vidlink.sender.adapt import RateControl
    from vidlink.sender.moments import Features
    from vidlink.sender.regions import Interest
    from vidlink.sender.trial import Attempt, Objective
    from vidlink.settings import Settings
    from vidlink.types import CodedSegment, Picture, Segment
    from vidlink.video.source import Cut

_OVER, _UNDER = 1.1, 0.8
"""A trial outside these shares of its budget is corrected."""
_RETRIES = 3
"""A trial above its budget is corrected so many times at most, for codecs that differ much from the first guess."""
_FALL = 0.7
"""A segment ends early where the rate has fallen below this share of what it was when it began."""


def largest_packet(rate_bps: float) -> int:
    """Bytes of the largest packet at a rate: small ones wait less, large ones have fewer headers.

    It grows with the square root, from 300 bytes at 30 kb/s, which take 80 ms, to 950 at 300 kb/s, which take 25 ms.
    """
    return round(300 * math.sqrt(rate_bps / 30_000))


class Wire(Protocol):
    """What the sender sees of the link."""

    control: RateControl
    """Its own rate control, which has heard what came back so far."""

    @property
    def backlog_bits(self) -> int:
        """Bits of earlier segments that have not left yet."""
        ...

    def advance(self, until_s: float) -> None:
        """Let time pass up to a moment."""
        ...


class LiveSender(Sender):
    """Codes and sends one clip as it is captured.

    Parameters
    ----------
    settings
        Of the run.
    wire
        The link.
    given
        As for :class:`~vidlink.sender.sender.Sender`.

    Raises
    ------
    UserError
        As for the sender; or the shortest segment is shorter than two frames.
    """

    def __init__(self, settings: Settings, *, wire: Wire, **given: Any) -> None:
        super().__init__(settings, **given)
        self._wire, self._control = wire, wire.control
        frame_rate = float(self._clip.frame_rate)
        if settings.shortest_segment_s * frame_rate < 1.99:
            raise UserError(
                f"--shortest-segment {settings.shortest_segment_s:g}: is less than two frames at {frame_rate:g} "
                f"frames/s; at least {2 / frame_rate:.3g}"
            )
        self._began_bps = self._control.rate_bps
        self._length_s = settings.segment_s
        self.decisions: list[dict[str, float]] = []
        """A row for each segment: what was known when it was coded, and what was decided."""

    @property
    def cut(self) -> Cut:
        """Where segments end: at their length, which changes."""
        return self._ends

    def _ends(self, start_s: float, now_s: float) -> bool:
        """Whether the segment that began at ``start_s`` ends now. Time passes on the link up to then."""
        self._wire.advance(now_s)
        settings, captured_s = self._settings, now_s - start_s
        half_frame_s = 0.5 / float(self._clip.frame_rate)
        wanted_s = self._control.segment_s(shortest_s=settings.shortest_segment_s, longest_s=settings.segment_s)
        fallen = self._control.rate_bps < _FALL * self._began_bps
        self._length_s = settings.shortest_segment_s if fallen else min(self._length_s, wanted_s)
        if captured_s < self._length_s - half_frame_s:
            return False
        self._began_bps, self._length_s = self._control.rate_bps, wanted_s
        return True

    def coded(
        self,
        read: Callable[[str], Iterable[Segment]],
        *,
        objective: Objective,
        decode: Callable[[CodedSegment], dict[int, Picture]],
        pool: Executor,
        features: Features | None = None,
        interest: Interest | None = None,
    ) -> Iterator[tuple[Segment, CodedSegment]]:
        """Choose a rung for each segment and code it, as it is captured; see :class:`~vidlink.sender.sender.Sender`."""
        self._features, self._interest = features, interest
        self._follow_rate()
        task = self._task(self._control.rate_bps, objective, decode, pool)
        model = ContentModel(
            scales=task.scales, divisors=task.divisors, knob=task.knob, knob_worth=objective.knob_worth
        )
        trial: Future[Attempt] | None = None
        for segment, side_data in self._sided(read("send")):
            self._wire.advance(segment.end_s)
            if trial is not None:
                model.learn(trial.result(), sent=False)
            self._follow_rate()
            backlog_bits = self._wire.backlog_bits
            budget_bits = segment_budget(
                self._control.rate_bps,
                segment.duration_s,
                backlog_bits=backlog_bits,
                longest_s=self._settings.segment_s,
            )
            made = self._code_near(model, segment, side_data, budget_bits)
            rung = model.curious(budget_bits=budget_bits, frames=len(segment.frames))
            trial = pool.submit(task.trials.make, segment, rung, side_data) if rung else None
            self.decisions.append(
                {
                    "segment": segment.index,
                    "time_s": round(segment.end_s, 6),
                    "segment_s": round(segment.duration_s, 6),
                    "estimate_bps": round(self._control.rate_bps, 1),
                    "budget_bps": round(budget_bits / segment.duration_s, 1),
                    "waiting_bits": backlog_bits,
                    "wire_bits": made.wire_bits,
                }
            )
            yield segment, made.coded

    def _code_near(self, model: ContentModel, segment: Segment, side_data: bytes, budget_bits: float) -> Attempt:
        """Code a segment at the rung that the model promises most of, and again where that missed by far.

        What is too large is coded again until it fits, a few times at most; what is too small once.
        """
        assert self.trials is not None
        frames = len(segment.frames)
        pixels = float(self._clip.width * self._clip.height * frames)
        rung = model.choose(budget_bits=budget_bits, frames=frames, pixels=pixels)
        nearest = self.trials.make(segment, rung, side_data)
        model.learn(nearest, sent=True)
        tried = {rung}
        for turn in range(_RETRIES):
            too_large = nearest.wire_bits > _OVER * budget_bits
            if not too_large and (turn or nearest.wire_bits >= _UNDER * budget_bits):
                break
            rung = model.choose(budget_bits=budget_bits, frames=frames, pixels=pixels)
            if rung in tried:
                break
            tried.add(rung)
            again = self.trials.make(segment, rung, side_data)
            nearer = min((again, nearest), key=lambda attempt: abs(math.log(attempt.wire_bits / budget_bits)))
            model.learn(again, sent=nearer is again)
            nearest = nearer
        return nearest

    def _follow_rate(self) -> None:
        """Packets as large, and pictures as close, as suits the rate: what is coded next goes out so."""
        rate_bps = self._control.rate_bps
        largest = max(largest_packet(rate_bps), SMALLEST_MTU + self._reserved_bytes)
        self._packetizer.mtu = min(self._settings.mtu, largest) - self._reserved_bytes
        self._packetizer.aggregate_s = self._aggregate_s(rate_bps)

    def _wire_bits(self, coded: CodedSegment, rate_bps: float) -> int:
        return protected_wire_bits(
            coded,
            fec=self._fec,
            mtu=self._packetizer.mtu + self._fec.overhead_bytes,
            aggregate_s=self._packetizer.aggregate_s,
            header_bytes=self._header_bytes,
        )
