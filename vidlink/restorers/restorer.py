"""What a restorer is: it brings received pictures to full size before anybody looks at them.

Anyone can write one. It is a class that says how many pictures it looks at, and gives luma at full size:

>>> import cv2
>>> class Sharper:
...     '''Bicubic interpolation, and an unsharp mask.'''
...     frames, multiply_adds = 1, 26.0
...     def __call__(self, looks):
...         large = looks[0].large
...         return cv2.addWeighted(large, 1.5, cv2.GaussianBlur(large, (0, 0), 1), -0.5, 0)

It is found as ``package.module:Sharper``, by a file of weights, or by name, see :mod:`vidlink.restorers.registry`. Its
constructor is called with ``device`` (a ``torch.device``) if it takes that. Chroma is always interpolated.

One that can do with more or less takes ``budget`` as well: what a picture may take, multiply-adds a pixel, or None. Its
``least(height, width)`` says what a picture of that size takes at the least, and ``patches``, where it has that, how
many patches of the last picture took each path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Look:
    """A received picture as a restorer sees it."""

    small: NDArray[np.uint8]
    """Luma as decoded, shape (LR height, LR width)."""
    large: NDArray[np.uint8]
    """The same at full size by bicubic interpolation, shape (height, width)."""
    scale: float = 1.0
    """Scale factor at which it was coded."""
    quality: float = math.nan
    """Value of the codec's quality knob."""
    qp: float = math.nan
    """Mean quantization parameter, NaN where the decoder does not say it."""
    status: str = "ok"
    """:class:`~vidlink.types.Status` of the frame from which it is on show."""


class Restorer(Protocol):
    """Brings pictures to full size."""

    frames: int
    """Pictures that it looks at: 1, 3, 5, ..."""
    multiply_adds: float
    """Multiplications with an addition that the last call took, a pixel of the result. 0 where it gave the interpolated
    picture as it was, because it has nothing to add at this scale factor."""

    def __call__(self, looks: Sequence[Look], /) -> NDArray[np.uint8]:
        """Restore the first picture.

        Parameters
        ----------
        looks
            ``frames`` of them: the picture that is asked about, then its neighbours, the nearest in time first. Planned
            runs have earlier and later ones, of the same segment; live there are earlier ones alone. Where there are
            too few, the picture that is asked about stands in for the rest.

        Returns
        -------
        NDArray
            Luma, shape (height, width).
        """
        ...


class Bicubic:
    """Bicubic interpolation, as FFmpeg scales: the default."""

    frames = 1
    multiply_adds = 0.0

    def __call__(self, looks: Sequence[Look]) -> NDArray[np.uint8]:
        """The interpolated picture."""
        return looks[0].large
