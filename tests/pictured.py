"""Pictures made worse for tests, and pictures as raw video for the machine's own ffmpeg."""

import av
import numpy as np

from vidlink.types import CLOCK


def noisy(picture, sigma, seed=0):
    """A copy with noise."""
    planes = picture.to_ndarray()
    noise = np.random.default_rng(seed).normal(0, sigma, planes.shape)
    copy = av.VideoFrame.from_ndarray(np.clip(planes + noise, 0, 255).astype(np.uint8), format="yuv420p")
    copy.pts, copy.time_base = picture.pts, CLOCK
    return copy


def write_raw(folder, *videos):
    """Write each list of pictures into a folder; gives the arguments by which ffmpeg, started there, reads them."""
    arguments = []
    for number, pictures in enumerate(videos):
        (folder / f"{number}.yuv").write_bytes(b"".join(picture.to_ndarray().tobytes() for picture in pictures))
        size = f"{pictures[0].width}x{pictures[0].height}"
        arguments += ["-f", "rawvideo", "-video_size", size, "-i", f"{number}.yuv"]
    return arguments
