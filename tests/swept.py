"""What tests of sweeps share: a tiny clip, a grid over it, and executors of one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np

GRID = {
    "settings": {"input": "clip.mp4", "scale": 1, "recognizer": "none", "no-scores": True, "segment": 0.2},
    "grid": {"quality": [30, 40, 50], "channel": ["perfect", "bernoulli-10"]},
    "points": [{"quality": 99}],
}
COUNT = 7


def write_clip(path: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Threads:
    """Executors for tests: one thread of this process."""

    scratch = None

    def __init__(self):
        self.executor = ThreadPoolExecutor(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.executor.shutdown(cancel_futures=True)

    def slots(self):
        return 1

    def renew(self):
        raise AssertionError("a thread does not die")


def same_tables(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in ("results.parquet", "results.csv"))
