"""Faces by OpenCV's Haar cascade: no extra is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.errors import UserError
from vidlink.faces.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
_LONGEST_SIDES = (320, 640)
"""The picture is searched at the first of these sizes, and at the next where nothing was found; a face of less than the
cascade's 24 pixels there is missed."""
_LEAST = 24
_NEIGHBOURS, _NEIGHBOURS_NEAR = 5, 3
"""So many overlapping detections make one of a whole picture, and of a window in which a face is expected."""
_NEAR = (36, 106)
"""Sides that a face may have in a window of 128 pixels, where it had 64. In a window of 96 boxes come out 12 %
larger than in whole pictures, in this one 5 %."""
_TURNS = (0, 20, -20, 40, -40)
"""Degrees by which a window is turned until the face is found: the cascade knows only upright ones."""


class Haar:
    """OpenCV's cascade for frontal faces (Viola and Jones 2001); small pictures first, then near the last place.

    Raises
    ------
    UserError
        This OpenCV has no cascades, as 5.x.
    """

    def __init__(self) -> None:
        if not hasattr(cv2, "CascadeClassifier") or not _CASCADE.exists():
            raise UserError(
                f"--face-detector haar: OpenCV {cv2.__version__} has no cascades; "
                'pip install --force-reinstall "opencv-python-headless>=4.10,<5"'
            )
        self._cascade = cv2.CascadeClassifier(str(_CASCADE))

    def __call__(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """Frontal faces of a luma picture, shape (height, width): boxes of shape (4,) each."""
        found: list[NDArray[np.float64]] = []
        for longest in _LONGEST_SIDES:
            factor = max(1.0, max(picture.shape) / longest)
            size = tuple(max(1, round(side / factor)) for side in picture.shape[::-1])
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if factor > 1 else picture
            boxes = self._cascade.detectMultiScale(
                np.ascontiguousarray(small), 1.1, _NEIGHBOURS, minSize=(_LEAST, _LEAST)
            )
            found = [factor * np.array(box, float) for box in boxes]
            if found or factor == 1:
                break
        return found

    def near(self, picture: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The face that was in a box, or None; it may have turned its head by 50 degrees to a shoulder."""
        window = Window(picture, box)
        middle = window.box[:2] + window.box[2:] / 2
        least, most = _NEAR
        for degrees in _TURNS:
            boxes = self._cascade.detectMultiScale(
                window.turned(degrees) if degrees else window.picture,
                1.1,
                _NEIGHBOURS_NEAR,
                minSize=(least, least),
                maxSize=(most, most),
            )
            if len(boxes):
                found = np.array(boxes, float)
                away = np.linalg.norm(found[:, :2] + found[:, 2:] / 2 - middle, axis=1)
                return window.outside(found[away.argmin()], degrees)
        return None
