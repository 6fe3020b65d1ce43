"""A bucket that is deeper than a segment: segments that gain more from bits borrow from those after them."""

import re

import numpy as np
import pytest

SIZE = (96, 64)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Two seconds of moving stripes, which bits make much better, then four of grain, which they hardly do."""
    rng = np.random.default_rng(0)
    width, height = SIZE
    x, y = np.arange(width), np.arange(height)[:, None]
    path = tmp_path_factory.mktemp("uneven") / f"uneven_{width}x{height}_25fps.yuv"
    with path.open("wb") as file:
        for k in range(100):
            grain = rng.normal(0, 1 if k < 50 else 25, (height, width))
            luma = 128 + 50 * np.sin((x + 1.3 * k + y) / 3) * np.cos((y - k) / 4) + grain
            file.write(np.clip(luma, 0, 255).astype(np.uint8).tobytes())
            file.write(np.full(width * height // 2, 128, np.uint8).tobytes())
    return path


def drains(plan, rate_bps, depth_s):
    """Whether a plan keeps to the bucket, simulated from its description."""
    free = 0.0
    for k, row in enumerate(plan):
        end_s = plan[k + 1]["start_s"] if k + 1 < len(plan) else row["start_s"] + 1
        free = max(free, end_s) + row["wire_bits"] / rate_bps
        if free > end_s + (depth_s if k + 1 < len(plan) else 1.0) + 1e-9:
            return False
    return True


def test_segments_borrow_and_the_bucket_is_kept(simulated, uneven, tmp_path, coarse):
    how = ("--bitrate", "24k", "--recognizer", "none", "--no-video", "--codec", coarse, "--scales", "1,2", "--gop", "1")
    runs = [simulated(tmp_path / depth, uneven, *how, "--buffer", depth).summary for depth in ("1", "3")]
    shallow, deep = (run["plan"] for run in runs)
    assert all(row["wire_bits"] <= 24_000 for row in shallow)
    assert max(row["wire_bits"] for row in deep) > 25_000
    assert drains(shallow, 24_000, 1.0)
    assert drains(deep, 24_000, 3.0)
    assert not drains(deep, 24_000, 1.0)
    assert runs[1]["rate"]["utilisation"] <= 1
    assert runs[1]["quality"]["psnr_db"] > runs[0]["quality"]["psnr_db"]


def test_near_the_lowest_rate_nobody_lends_what_it_needs(command, uneven, coarse):
    how = ("--recognizer", "none", "--no-video", "--no-scores", "--codec", coarse, "--scales", "2", "--buffer", "3")
    ended = command(uneven, "--bitrate", "1k", *how)
    named = re.search(r"the lowest rate that works is (\S+)", ended.err)[1]
    assert command(uneven, "--bitrate", named, *how).status == 0
