"""How good a picture is: luma PSNR and SSIM against the source, at HR.

An LR picture is first brought to HR size by bicubic interpolation, as a display would.

PSNR = 10 log10(255² / MSE) in dB, over the luma plane; identical pictures count as 100 dB. SSIM is FFmpeg's ``ssim``
filter on luma (Wang et al. 2004 over 8x8 blocks that overlap by half, not the Gaussian window), the one that video
coding mostly reports.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import av
import av.filter
import numpy as np

from vidlink.types import CLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

PSNR_CEILING_DB = 100.0
"""What identical pictures count as, in dB."""


def psnr_db(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """PSNR of one plane in dB, at most :data:`PSNR_CEILING_DB`; both of shape (height, width)."""
    difference = np.subtract(picture, reference, dtype=np.int16).astype(np.float32)
    squared_error = float(np.vdot(difference, difference)) / picture.size
    return PSNR_CEILING_DB if squared_error == 0 else min(PSNR_CEILING_DB, 10 * math.log10(255**2 / squared_error))


class Ssim:
    """SSIM of luma, frame by frame, by FFmpeg's ``ssim`` filter.

    Parameters
    ----------
    width, height
        Size of the pictures in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._graph = graph = av.filter.Graph()
        self._inputs = [
            graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=CLOCK)
            for _ in range(2)
        ]
        ssim = graph.add("ssim")
        self._output = graph.add("buffersink")
        for pad, node in enumerate(self._inputs):
            node.link_to(ssim, 0, pad)
        ssim.link_to(self._output)
        graph.configure()

    def __call__(self, picture: av.VideoFrame, reference: av.VideoFrame) -> float:
        """SSIM of one HR picture against its reference, both ``yuv420p``; references come in order of time."""
        # The filter pairs frames by their times. The picture is the caller's own; the reference is shared.
        picture.pts, picture.time_base = reference.pts, reference.time_base
        for node, frame in zip(self._inputs, (picture, reference), strict=True):
            node.push(frame)
        return float(self._output.pull().metadata["lavfi.ssim.Y"])
