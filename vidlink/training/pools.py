"""Pools of clips: where training windows are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.figures import ACTIONS, FRAME_RATE, draw_clips
from vidlink.training.windows import Variation, draw_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.data.classfolders import ClipSet

    Window = tuple[NDArray, NDArray, str]


class Pool:
    """Clips to draw training windows from, all classes alike often.

    Parameters
    ----------
    clips, labels, widths
        The clips, the name of each one's class, and the width of each source in pixels.
    frame_rate
        Frames a second.
    """

    def __init__(
        self, clips: Sequence[NDArray], labels: Sequence[str], widths: Sequence[int], frame_rate: float
    ) -> None:
        self._clips, self._labels, self._widths, self._frame_rate = clips, labels, widths, frame_rate
        counts = {label: labels.count(label) for label in labels}
        weights = np.array([1 / counts[label] for label in labels])
        self._shares = weights / weights.sum()

    def draw(self, count: int, variation: Variation, rng: np.random.Generator) -> list[Window]:
        """Draw ``count`` windows; see :func:`~vidlink.training.windows.draw_window`."""
        chosen = rng.choice(len(self._clips), count, p=self._shares)
        return [
            draw_window(self._clips[k], self._frame_rate, self._widths[k], self._labels[k], variation, rng)
            for k in chosen.tolist()
        ]


def pool_of(found: ClipSet, rows: NDArray) -> Pool:
    """The pool of some clips of a set."""
    labels = [found.files[row].label for row in rows]
    return Pool([found.clips[row] for row in rows], labels, [found.sizes[row][0] for row in rows], found.frame_rate)


def pool_of_figures(count: int, seed: int) -> Pool:
    """The pool of so many generated clips."""
    clips, labels = draw_clips(np.random.default_rng(seed), count)
    return Pool(clips, [ACTIONS[label] for label in labels], [320] * count, FRAME_RATE)
