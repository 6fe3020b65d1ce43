"""PSNR of luma against the source, at HR.

PSNR = 10 log10(255² / MSE) in dB; identical pictures count as 100 dB. That of a segment or a run is the mean over its
frames.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vidlink.scores.measure import FrameMeasure
from vidlink.video.pictures import luma

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

CEILING_DB = 100.0
"""What identical pictures count as, in dB."""


def psnr_db(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """PSNR of one plane in dB, at most :data:`CEILING_DB`; both of shape (height, width)."""
    difference = np.subtract(picture, reference, dtype=np.int16).astype(np.float32)
    squared_error = float(np.vdot(difference, difference)) / picture.size
    return CEILING_DB if squared_error == 0 else min(CEILING_DB, 10 * math.log10(255**2 / squared_error))


def luma_psnr_db(picture: av.VideoFrame, reference: av.VideoFrame) -> float:
    """PSNR of two ``yuv420p`` pictures of one size in dB."""
    return psnr_db(luma(picture), luma(reference))


PSNR = FrameMeasure(
    column="psnr_db",
    name="PSNR",
    unit="dB",
    digits=4,
    decimals=2,
    make=lambda clip: luma_psnr_db,
    drawn_up_to=60,
)
