"""Labelled faces in memory, whatever data set they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceSet:
    """Faces of one split with what is known of them, one row a face."""

    name: str
    """Where they come from, as in a spec, without the path."""
    split: str
    """``train``, ``valid`` or what the data set calls it."""
    images: NDArray[np.uint8]
    """Luma, shape (n, height, width)."""
    affect: NDArray[np.float32]
    """Valence and arousal, shape (n, 2), each within [-1, 1]."""
    distribution: NDArray[np.float32]
    """Share of the votes for each of :data:`~vidlink.labels.affect.EMOTIONS`, shape (n, 8); NaN where nobody voted."""
    majority: NDArray[np.int64]
    """Index of the emotion that more than half of the votes named, shape (n,); -1 where none is."""
    skipped: int = 0
    """Rows of the data set that carry no usable label."""

    def __len__(self) -> int:
        """Count the faces."""
        return len(self.images)

    @property
    def plurality(self) -> NDArray[np.int64]:
        """Index of the emotion with most votes (the first of equals), shape (n,); -1 where nobody voted."""
        voted = np.isfinite(self.distribution).all(axis=1)
        return np.where(voted, np.nan_to_num(self.distribution).argmax(axis=1), -1)

    def at_size(self, side: int) -> FaceSet:
        """The same faces as squares of so many pixels: smaller by area, larger by bicubic interpolation."""
        import cv2

        def resized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
            how = cv2.INTER_AREA if side < min(image.shape) else cv2.INTER_CUBIC
            return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)

        if self.images.shape[1:] == (side, side):
            return self
        return replace(self, images=np.stack([resized(image) for image in self.images]))

    def take(self, rows: NDArray) -> FaceSet:
        """Pick the faces at ``rows`` (indices, a mask or a slice)."""
        columns = ("images", "affect", "distribution", "majority")
        return replace(self, **{column: getattr(self, column)[rows] for column in columns})
