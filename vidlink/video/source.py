"""A clip as frames with times, and as segments that stream by and are never held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from av.video.frame import PictureType

from vidlink.errors import UserError
from vidlink.types import CLOCK, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import av
    import pandas as pd

    from vidlink.types import Clip

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

    def segments(self, seconds: float | Cut) -> Iterator[Segment]:
        """Cut the clip into segments of about ``seconds`` by its own timestamps, or where somebody says.

        With a length a tail shorter than half a segment joins the segment before it. Who cuts is asked before every
        frame but the first, and sees no more of the clip than has been captured then; the tail is what it is.

        Parameters
        ----------
        seconds
            Length of a segment in seconds, or what says where a segment ends.

        Raises
        ------
        UserError
            No frame could be decoded.
        """
        if callable(seconds):
            yield from self._captured(seconds)
            return
        period = float(1 / self.clip.frame_rate)
        index = first = 0
        held: list[tuple[float, av.VideoFrame]] = []
        filling: list[tuple[float, av.VideoFrame]] = []
        slot = 0
        for time_s, frame in self.frames():
            if int((time_s + period / 100) / seconds) > slot and filling:
                if held:
                    yield _segment(index, first, held, filling[0][0], last=False)
                    index, first = index + 1, first + len(held)
                held, filling = filling, []
            slot = int((time_s + period / 100) / seconds)
            filling.append((time_s, frame))
        end_s = filling[-1][0] + self._lasts_s(filling[-1][1])
        if held and end_s - filling[0][0] < seconds / 2:
            held, filling = held + filling, []
        if held:
            yield _segment(index, first, held, filling[0][0] if filling else end_s, last=not filling)
            index, first = index + 1, first + len(held)
        if filling:
            yield _segment(index, first, filling, end_s, last=True)

    def _captured(self, cut: Cut) -> Iterator[Segment]:
        index = first = 0
        captured: list[tuple[float, av.VideoFrame]] = []
        for time_s, frame in self.frames():
            if captured and cut(captured[0][0], time_s):
                yield _segment(index, first, captured, time_s, last=False)
                index, first, captured = index + 1, first + len(captured), []
            captured.append((time_s, frame))
        yield _segment(index, first, captured, captured[-1][0] + self._lasts_s(captured[-1][1]), last=True)

    def _lasts_s(self, last: av.VideoFrame) -> float:
        """Seconds that the last picture lasts: by the container, or one frame period within a clock's rounding."""
        period_s, stated_s = float(1 / self.clip.frame_rate), float(last.duration * CLOCK)
        if not stated_s or abs(stated_s - period_s) <= min(0.001, 0.1 * period_s):
            return period_s
        return stated_s


def _segment(index: int, first: int, timed: list[tuple[float, av.VideoFrame]], next_s: float, *, last: bool) -> Segment:
    times = np.array([time_s for time_s, _ in timed])
    return Segment(
        index=index,
        first_frame=first,
        frames=tuple(frame for _, frame in timed),
        times_s=times,
        duration_s=next_s - timed[0][0],
        last=last,
    )
