"""What a face detector is, and how one is found: by name, or as ``package.module:Class``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vidlink.errors import UserError
from vidlink.plugins import RAISED, Catalogue, reason, source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Boxes = list[NDArray[np.float64]]
    Remember = Callable[[NDArray[np.uint8], Callable[[NDArray[np.uint8]], Boxes], str], Boxes]

DEFAULT = "haar"
"""It comes with OpenCV and needs no extra."""
DETECTORS = Catalogue(
    what="face detector",
    label="--face-detector {name}",
    shipped={"haar": "vidlink.faces.haar:Haar", "centerface": "vidlink.faces.centerface:CenterFace"},
)
"""The face detectors by name."""


class FaceDetector(Protocol):
    """Finds faces in a picture. It is made without arguments.

    One may also have a method ``near(picture, box)``: where the face is that was last seen in a box (x, y, width,
    height), or None where it is no longer there. Known faces are then followed by that, five times a second, and the
    whole picture is searched once a second and where a face was lost. Without it the whole picture is searched each
    time.
    """

    def __call__(self, picture: NDArray[np.uint8], /) -> Sequence[ArrayLike]:
        """Find all faces.

        Parameters
        ----------
        picture
            Luma at full size, shape (height, width).

        Returns
        -------
        sequence
            Boxes x, y, width, height in pixels of the picture: an array of shape (n, 4), or a list of four numbers
            each. A face may be partly outside.
        """
        ...


class Detector:
    """A face detector that is asked, checked, and not asked twice.

    Parameters
    ----------
    name
        One that comes along, or ``package.module:Class``.
    remember
        Gives what is found in a luma picture, by a key that says who was asked what, and may know it from before; None
        asks the detector each time.

    Raises
    ------
    UserError
        There is none of that name, or it cannot be imported, made or called.
    """

    def __init__(self, name: str = DEFAULT, remember: Remember | None = None) -> None:
        self._called, self._remember = DETECTORS.called(name), remember or _ask
        self._made: Any = DETECTORS.make(name, {})
        if not callable(self._made):
            raise UserError(f"{self._called}: cannot be called; expected __call__(picture)")
        self._who = name + (source_digest(name, what=self._called) if ":" in name else "")
        self.follows = callable(getattr(self._made, "near", None))
        """Whether it can look for a known face near its last place."""

    def whole(self, picture: NDArray[np.uint8]) -> Boxes:
        """All faces of a luma picture: boxes of shape (4,) each.

        Raises
        ------
        UserError
            The detector fails, or gives what are no boxes of the picture; it is named.
        """
        return self._remember(picture, lambda seen: self._checked(seen, self._made), f"{self._who} whole")

    def near(self, picture: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The face that was last seen in a box, or None. Raises as :meth:`whole`."""

        def look(picture: NDArray[np.uint8]) -> Boxes:
            def one(seen: NDArray[np.uint8]) -> list[Any]:
                found = self._made.near(seen, box)
                return [] if found is None else [found]

            return self._checked(picture, one)

        found = self._remember(picture, look, f"{self._who} near {box.tolist()}")
        return found[0] if found else None

    def _checked(self, picture: NDArray[np.uint8], detect: Callable[[NDArray[np.uint8]], Any]) -> Boxes:
        try:
            given = detect(picture)
        except UserError:
            raise
        except RAISED as error:
            raise UserError(f"{self._called}: raised {reason(error)}") from error
        try:
            boxes = np.asarray(given, float)
        except (TypeError, ValueError):
            boxes = None
        if boxes is None or given is None:
            raise UserError(f"{self._called}: gave {type(given).__name__}, expected boxes x, y, width, height")
        if not boxes.size:
            return []
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise UserError(f"{self._called}: gave shape {boxes.shape}, expected (faces, 4): x, y, width, height each")
        if not np.isfinite(boxes).all():
            raise UserError(f"{self._called}: gave a box that is not finite, expected x, y, width, height in pixels")
        height, width = picture.shape
        corner, size = boxes[:, :2], boxes[:, 2:]
        touches = (corner < [width, height]).all(axis=1) & (corner + size > 0).all(axis=1)
        wrong = ~touches | (size <= 0).any(axis=1) | (size.max(axis=1) > 2 * max(width, height))
        if wrong.any():
            box = ",".join(f"{side:g}" for side in boxes[int(wrong.argmax())])
            raise UserError(
                f"{self._called}: gave the box {box}, expected x, y, width, height of a face in a picture of "
                f"{width}x{height}"
            )
        return list(boxes)


def check_detector(name: str) -> None:
    """Refuse a name that is neither shipped nor ``package.module:Class``; raises UserError."""
    DETECTORS.target(name)


def list_detectors() -> dict[str, str]:
    """Name and one line of every face detector that comes along."""
    return DETECTORS.summaries()


def _ask(picture: NDArray[np.uint8], detect: Callable[[NDArray[np.uint8]], Boxes], _: str) -> Boxes:
    return detect(picture)
