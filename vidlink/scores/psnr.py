"""PSNR of luma against the source, at HR.

PSNR = 10 log10(255² / MSE) in dB; identical pictures count as 100 dB. That of a segment or a run is the mean over its
frames.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.scores.measure import FrameMeasure
from vidlink.video.pictures import luma

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

    from vidlink.scores.measure import PictureMeter
    from vidlink.types import Clip

CEILING_DB = 100.0
"""What identical pictures count as, in dB."""
_LEAST_WEIGHT = 0.05
"""What an error counts where nothing matters, beside 1 where all does."""


def psnr_db(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """PSNR of one plane in dB, at most :data:`CEILING_DB`; both of shape (height, width)."""
    squared_error = cv2.norm(picture, reference, cv2.NORM_L2SQR) / picture.size  # a sum of integers: exact
    return CEILING_DB if squared_error == 0 else min(CEILING_DB, 10 * math.log10(255**2 / squared_error))


def psnr_where_it_matters(interest: NDArray[np.float32], clip: Clip) -> PictureMeter:
    """PSNR of luma in which each pixel's error counts by how much it matters, and a little in any case.

    Parameters
    ----------
    interest
        From 0 to 1, shape (rows, columns) of a grid over the picture.
    clip
        Gives the HR size.
    """
    weights = cv2.resize(interest, (clip.width, clip.height), interpolation=cv2.INTER_NEAREST) + _LEAST_WEIGHT
    weights /= weights.sum()

    def meter(picture: av.VideoFrame, reference: av.VideoFrame) -> float:
        difference = np.subtract(luma(picture), luma(reference), dtype=np.int16).astype(np.float32)
        squared_error = float(np.vdot(weights, np.square(difference)))
        return CEILING_DB if squared_error == 0 else min(CEILING_DB, 10 * math.log10(255**2 / squared_error))

    return meter


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
    of_luma=True,
    drawn_up_to=60,
)
