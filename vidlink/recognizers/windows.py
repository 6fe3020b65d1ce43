"""Cut a stream of pictures into the windows that a recognizer of classes wants."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Wants


LONGEST_GAP_S = 10.0
"""Seconds without a picture that windows fill with the picture before."""


class Windower:
    """Says which pictures make up which window, while their times come in.

    A window starts every ``stride_s`` seconds from the first picture on, and holds the pictures nearest to its own
    instants. One more ends with the last picture where the others leave more than half a stride of the clip unseen. A
    clip shorter than one window gives one, in which the last picture is held. There is no window within a gap of more
    than :data:`LONGEST_GAP_S`: it would show one picture and nothing else.

    Parameters
    ----------
    wants
        Frames of a window, their rate, and the stride.
    frame_rate
        Frames a second of the clip, for recognizers that take them as they come.
    """

    def __init__(self, wants: Wants, frame_rate: float) -> None:
        rate = wants.frame_rate or frame_rate
        self._instants_s = np.arange(wants.frames) / rate
        self._span_s = float(self._instants_s[-1])
        self._stride_s = wants.stride_s or max(wants.frames / rate / 2, 1 / rate)
        self._slack_s = 0.5 / frame_rate
        self._times_s: list[float] = []
        self._first = 0  # position of the first time that is still held
        self._next_s: float | None = None
        self._seen_s = -np.inf

    @property
    def oldest(self) -> int:
        """Position of the oldest picture that a window to come may need."""
        return self._first

    def add(self, times_s: Sequence[float]) -> list[NDArray[np.int64]]:
        """Take in the times of the next pictures, rising.

        Returns
        -------
        list
            Of each window that is complete, the positions of its pictures counted from the first one, shape (frames,).
        """
        windows = []
        for time_s in times_s:
            self._times_s.append(float(time_s))
            if self._next_s is None:
                self._next_s = float(time_s)
            before_s = self._times_s[-2] if len(self._times_s) > 1 else time_s
            gap = time_s - before_s > LONGEST_GAP_S
            while self._next_s + self._span_s <= time_s + self._slack_s:
                if gap and self._next_s > before_s + self._slack_s:
                    missed = math.ceil((time_s - self._slack_s - self._span_s - self._next_s) / self._stride_s)
                    self._next_s += missed * self._stride_s
                    gap = False
                    continue
                windows.append(self._window(self._next_s))
                self._next_s += self._stride_s
        self._forget()
        return windows

    def finish(self) -> list[NDArray[np.int64]]:
        """The window that is left at the end of the clip, if there is one."""
        if not self._times_s:
            return []
        last_s = self._times_s[-1]
        if last_s - self._seen_s <= self._stride_s / 2:
            return []
        return [self._window(max(last_s - self._span_s, self._times_s[0]))]

    def _window(self, start_s: float) -> NDArray[np.int64]:
        times_s = np.array(self._times_s)
        wanted_s = start_s + self._instants_s
        after = np.clip(np.searchsorted(times_s, wanted_s), 1, max(1, len(times_s) - 1))
        before = after - 1
        after = np.minimum(after, len(times_s) - 1)
        nearest = np.where(wanted_s - times_s[before] <= times_s[after] - wanted_s, before, after)
        self._seen_s = max(self._seen_s, start_s + self._span_s)
        return self._first + nearest

    def _forget(self) -> None:
        """Drop times that no window to come can need; the last one may end with the last picture."""
        if self._next_s is None:
            return
        keep_s = min(self._next_s, self._times_s[-1] - self._span_s) - 2 * self._slack_s
        gone = int(np.searchsorted(np.array(self._times_s), keep_s))
        self._times_s = self._times_s[gone:]
        self._first += gone


def window_positions(wants: Wants, times_s: Sequence[float], frame_rate: float) -> list[NDArray[np.int64]]:
    """Positions of the pictures of every window of a whole clip.

    Examples
    --------
    Windows of two pictures, five a second, a new one every 0.4 s, out of ten frames a second. The last is moved to the
    clip's end:

    >>> from vidlink.recognizers.recognizer import Wants
    >>> wants = Wants(region="frame", height=8, width=8, colour="luma", frames=2, frame_rate=5, stride_s=0.4)
    >>> [window.tolist() for window in window_positions(wants, [k / 10 for k in range(10)], 10.0)]
    [[0, 2], [4, 6], [7, 9]]
    """
    windower = Windower(wants, frame_rate)
    return windower.add(times_s) + windower.finish()
