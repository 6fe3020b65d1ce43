"""Windows for recognizers of dimensions: one about each picture of a track, as soon as its later pictures are there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.recognizers.recognizer import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Wants


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """One window of a track."""

    position: int
    """Which picture of the track it is about, counted from its first one."""
    rows: NDArray[np.int64]
    """Positions of its pictures, shape (frames,)."""
    offset_s: NDArray[np.float64]
    """Seconds from that picture to each of them."""


@dataclass(kw_only=True)
class Follower:
    """Says which pictures make up the window about each picture, while their times come in.

    A window holds the pictures nearest to its instants, which are evenly spaced about its own picture, or up to it
    where later ones may not be used. Beyond the first and the last picture of a track nothing is nearer than these.
    """

    wants: Wants
    """Frames of a window, and their rate."""
    frame_rate: float
    """Pictures a second of the track, for recognizers that take them as they come."""
    later: bool
    """Whether later pictures may be used."""
    _times_s: list[float] = field(default_factory=list)
    _first: int = 0  # position of the first time that is still held
    _done: int = 0  # windows given

    @property
    def asked(self) -> int:
        """Which picture of each window it is about."""
        return asked_of(self.wants, later=self.later)

    @property
    def oldest(self) -> int:
        """Position of the oldest picture that a window to come may need."""
        return self._first

    def add(self, times_s: Sequence[float]) -> list[Window]:
        """Take in the times of the next pictures, rising; gives the windows that are whole now."""
        self._times_s += [float(time_s) for time_s in times_s]
        return self._whole(last=False)

    def finish(self) -> list[Window]:
        """The windows that are left at the end of the track."""
        return self._whole(last=True)

    def _whole(self, *, last: bool) -> list[Window]:
        times_s, rate = np.array(self._times_s), self.wants.frame_rate or self.frame_rate
        instants_s = (np.arange(self.wants.frames) - self.asked) / rate
        windows = []
        while (place := self._done - self._first) < len(times_s):
            # What comes later is no nearer to the last instant once a picture has reached it.
            if not last and self.later and times_s[-1] < times_s[place] + instants_s[-1] - 1e-6:
                break
            given = times_s if self.later else times_s[: place + 1]
            rows = nearest(given, times_s[place] + instants_s)
            rows[self.asked] = place
            offset_s = np.round(times_s[rows] - times_s[place], 6)
            windows.append(Window(position=self._done, rows=rows + self._first, offset_s=offset_s))
            self._done += 1
        self._forget(-float(instants_s[0]))
        return windows

    def _forget(self, reach_s: float) -> None:
        """Drop times that no window to come can need: but for one, those before the next window's first instant."""
        place = self._done - self._first
        if not self._times_s:
            return
        next_s = self._times_s[min(place, len(self._times_s) - 1)]
        gone = max(0, int(np.searchsorted(np.array(self._times_s), next_s - reach_s)) - 1)
        self._times_s = self._times_s[gone:]
        self._first += gone


def asked_of(wants: Wants, *, later: bool) -> int:
    """Which picture of a window of dimensions it is about: the middle one, or the last."""
    return wants.frames // 2 if later else wants.frames - 1


def nearest(times_s: NDArray[np.float64], wanted_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of rising times those nearest to the wanted ones, as positions; the earlier of two that are as near."""
    after = np.searchsorted(times_s, wanted_s).clip(0, len(times_s) - 1)
    before = (after - 1).clip(0)
    return np.where(wanted_s - times_s[before] <= np.abs(times_s[after] - wanted_s) + 1e-9, before, after)


def alone(wants: Wants, count: int) -> list[Window]:
    """Windows of ``count`` pictures that have nothing to do with one another: each is held for a whole window."""
    still = np.zeros(wants.frames)
    return [Window(position=k, rows=np.full(wants.frames, k), offset_s=still) for k in range(count)]


def context_of(windows: Sequence[Window], context: Context, *, asked: int, later: bool, first: int = 0) -> Context:
    """What is known of the pictures of windows; ``context`` is that of the track from position ``first`` on."""
    taken = context.take(np.stack([window.rows for window in windows]) - first)
    offsets: Any = np.stack([window.offset_s for window in windows])
    return replace(taken, offset_s=offsets, asked=asked, later=later)
