"""Pictures in tests: as the machine's own ffmpeg decodes them, made worse, and how far apart they are."""

import json
import struct

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


def planes(picture):
    """Y, U and V of a ``yuv420p`` picture, one after the other."""
    sides = [
        np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in picture.planes
    ]
    return np.concatenate([side.ravel() for side in sides])


def raw_pictures(ffmpeg, path, width, height, *arguments):
    """What the machine's own ffmpeg makes of a clip: flat ``yuv420p`` pictures, shape (frames, bytes)."""
    made = ffmpeg(*arguments, "-i", path, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
    return np.frombuffer(made, np.uint8).reshape(-1, size)


def probed_times(ffprobe, path):
    """Presentation times in seconds by the machine's own ffprobe, from 0; no good for the last four in AVI."""
    shown = ffprobe("-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "json", path)
    times = np.array([float(f.get("best_effort_timestamp_time", "nan")) for f in json.loads(shown)["frames"]])
    return times - times[0]


def psnr(a, b):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float)) ** 2)))


def put_matrix(source, target, nine):
    """Copy an MP4 file with another matrix in its track header."""
    content = bytearray(source.read_bytes())
    place = content.find(b"tkhd") + 44
    content[place : place + 36] = struct.pack(">9i", *nine)
    target.write_bytes(content)
    return target
