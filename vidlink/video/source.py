"""A clip as frames with times, and as segments that stream by and are never held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from av.video.frame import PictureType

from vidlink.errors import UserError
from vidlink.types import CLOCK, Segment
from vidlink.video.park import Parking, in_order
from vidlink.video.scenes import CutDetector, Scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import av
    import pandas as pd

    from vidlink.types import Clip, Picture

Cut: TypeAlias = "Callable[[float, float], bool]"
"""Whether a segment that began at one time ends at another, both in seconds."""


class Source:
    """A clip that can be read as often as one likes, each time from its start.

    Attributes
    ----------
    clip : Clip
        Size, rate and duration, known before decoding.
    notes : list of str
        What was done to, or found wrong with, the video; grows while it is read.
    labels : pandas.DataFrame or None
        Labels that came with the clip (the built-in one has some).
    """

    def __init__(
        self,
        clip: Clip,
        read: Callable[[Source], Iterator[tuple[float, av.VideoFrame]]],
        labels: pd.DataFrame | None = None,
    ) -> None:
        self.clip = clip
        self.notes = list(clip.notes)
        self.labels = labels
        self._read = read

    def note(self, text: str) -> None:
        """Remember, once, something that the user should know."""
        if text not in self.notes:
            self.notes.append(text)

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Yield (time in seconds, HR picture in ``yuv420p``); the first is at 0 and times rise strictly.

        Pictures carry their time as ``pts`` on the 90 kHz clock. What the container says of how long they last is their
        ``duration`` on that clock, 0 where it says nothing; it matters for the last one.

        Raises
        ------
        UserError
            No frame could be decoded.
        """
        start = previous = None
        shift = 0.0
        period = float(1 / self.clip.frame_rate)
        for time_s, frame in self._read(self):
            if start is None or previous is None:
                start = time_s
            else:
                if time_s - start + shift <= previous + 1e-6:
                    self.note("timestamps that stood still or ran backwards were moved on by one frame period")
                    shift = previous + period - (time_s - start)
                elif shift and time_s - start > previous + 1e-6:
                    shift = 0.0
            previous = time_s - start + shift
            lasts = frame.duration * (frame.time_base or 0)
            frame.pts, frame.duration, frame.time_base = round(previous / CLOCK), round(lasts / CLOCK), CLOCK
            frame.pict_type = PictureType.NONE  # or an encoder would repeat the source's choice
            yield previous, frame
        if previous is None:
            raise UserError(f"{self.clip.name}: no frame could be decoded")

    def segments(self, seconds: float | Cut | Scenes) -> Iterator[Segment]:
        """Cut the clip into segments of about ``seconds`` by its own timestamps, or where somebody says.

        With a length a tail shorter than half a segment joins the segment before it; with scenes so does the tail of
        each scene. Who cuts is asked before every frame but the first, and sees no more of the clip than has been
        captured then; the tail is what it is.

        Parameters
        ----------
        seconds
            Length of a segment in seconds, for the clip as a whole or for each of its scenes, or what says where a
            segment ends.

        Raises
        ------
        UserError
            No frame could be decoded.
        """
        if callable(seconds):
            yield from self._captured(seconds)
        elif isinstance(seconds, Scenes):
            yield from self._even(seconds.seconds, CutDetector())
        else:
            yield from self._even(seconds, None)

    def _even(self, seconds: float, cuts: CutDetector | None) -> Iterator[Segment]:
        """Segments of about ``seconds``, counted from the start of the clip or of the scene."""
        period = float(1 / self.clip.frame_rate)
        make = _Segments()
        slot, began_s = 0, 0.0
        held: list[tuple[float, Picture]] = []
        filling: list[tuple[float, Picture]] = []
        park = Parking()
        for time_s, frame in self.frames():
            if cuts is not None and cuts(time_s, frame) and filling:
                yield from make.ending(held, filling, time_s, seconds, last=False)
                held, filling, slot, began_s = [], [], 0, time_s
                make.new_scene = True
            elif int((time_s - began_s + period / 100) / seconds) > slot and filling:
                if held:
                    yield make(held, filling[0][0])
                held, filling = filling, []
            slot = int((time_s - began_s + period / 100) / seconds)
            filling.append((time_s, park(frame)))
        yield from make.ending(held, filling, filling[-1][0] + self._lasts_s(filling[-1][1]), seconds, last=True)

    def _captured(self, cut: Cut) -> Iterator[Segment]:
        index = first = 0
        captured: list[tuple[float, Picture]] = []
        park = Parking()
        for time_s, frame in self.frames():
            if captured and cut(captured[0][0], time_s):
                yield _segment(index, first, captured, time_s, last=False)
                index, first, captured = index + 1, first + len(captured), []
            captured.append((time_s, park(frame)))
        yield _segment(index, first, captured, captured[-1][0] + self._lasts_s(captured[-1][1]), last=True)

    def _lasts_s(self, last: Any) -> float:
        """Seconds that the last picture lasts: by the container, or one frame period within a clock's rounding."""
        period_s, stated_s = float(1 / self.clip.frame_rate), float(last.duration * CLOCK)
        if not stated_s or abs(stated_s - period_s) <= min(0.001, 0.1 * period_s):
            return period_s
        return stated_s


class _Segments:
    """Makes segments one after the other from pictures with their times."""

    def __init__(self) -> None:
        self._index = self._first = 0
        self.new_scene = False
        """Whether the next one follows a cut."""

    def __call__(self, timed: list[tuple[float, Picture]], next_s: float, *, last: bool = False) -> Segment:
        made = _segment(self._index, self._first, timed, next_s, last=last, new_scene=self.new_scene)
        self._index, self._first, self.new_scene = self._index + 1, self._first + len(timed), False
        return made

    def ending(
        self,
        held: list[tuple[float, Picture]],
        filling: list[tuple[float, Picture]],
        end_s: float,
        seconds: float,
        *,
        last: bool,
    ) -> Iterator[Segment]:
        """The segments of what is left of a clip or a scene; a short tail joins the one before."""
        if held and end_s - filling[0][0] < seconds / 2:
            held, filling = held + filling, []
        if held:
            yield self(held, filling[0][0] if filling else end_s, last=last and not filling)
        if filling:
            yield self(filling, end_s, last=last)


def _segment(
    index: int,
    first: int,
    timed: list[tuple[float, Picture]],
    next_s: float,
    *,
    last: bool,
    new_scene: bool = False,
) -> Segment:
    times = np.array([time_s for time_s, _ in timed])
    return Segment(
        index=index,
        first_frame=first,
        frames=in_order([picture for _, picture in timed]),
        times_s=times,
        duration_s=next_s - timed[0][0],
        last=last,
        new_scene=new_scene,
    )
