"""Where one picture follows another that it has nothing to do with: a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.video.pictures import luma

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

_SIZE = (32, 18)
"""Width and height at which pictures are compared: at this size small motion does not show."""
_LEAST = 14.0
"""Mean difference in grey levels below which nothing is a cut."""
_TIMES = 4.0
"""A cut differs so many times as much as pictures did lately."""
_MEMORY = 0.8
"""Share of what is usual that lasts from picture to picture."""
SHORTEST_S = 0.2
"""Two cuts less than so many seconds apart are a flash: the second one counts for nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenes:
    """Segments end at cuts, and within a scene after so many seconds."""

    seconds: float
    """Length of a segment in seconds."""


class CutDetector:
    """Says of picture after picture whether it begins a scene.

    Pictures are compared as means of 32 x 18 areas, with what is left of the difference once the change of the mean
    brightness is taken off: light that is switched on is no cut. A cut differs by far more than pictures lately did.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._usual = 0.0
        self._began_s = -np.inf

    def __call__(self, time_s: float, picture: av.VideoFrame) -> bool:
        """Whether the picture at a time in seconds begins a scene; pictures come in order."""
        small = cv2.resize(luma(picture), _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self._before = self._before, small
        if before is None:
            self._began_s = time_s
            return False
        change = small - before
        differs = float(np.abs(change - change.mean()).mean())
        cut = differs > max(_LEAST, _TIMES * self._usual) and time_s - self._began_s > SHORTEST_S - 1e-6
        if cut:
            self._began_s = time_s
        else:
            self._usual = _MEMORY * self._usual + (1 - _MEMORY) * differs
        return cut
