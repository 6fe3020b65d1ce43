"""SSIM of luma against the source, at HR, as FFmpeg's filter ``ssim`` computes it.

Wang et al. 2004 over 8x8 blocks that overlap by half, not the Gaussian window: the SSIM that video coding mostly
reports. That of a segment or a run is the mean over its frames.
"""

from __future__ import annotations

import av
import av.filter

from vidlink.scores.measure import FrameMeasure
from vidlink.types import CLOCK


class Ssim:
    """SSIM of luma, frame by frame.

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


SSIM = FrameMeasure(
    column="ssim", name="SSIM", digits=6, decimals=4, headline=False, make=lambda clip: Ssim(clip.width, clip.height)
)
