"""A bucket that is deeper than a segment: segments that gain more from bits borrow from those after them."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.link.lossless import decode_all
from vidlink.scores.objective import PictureObjective
from vidlink.scores.psnr import PSNR
from vidlink.sender.encode import encode
from vidlink.sender.plan import curves_of
from vidlink.types import Rung
from vidlink.video.open import open_source

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


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Seconds of moving stripes, and of a finer pattern under grain: bits are worth more to the first."""
    rng = np.random.default_rng(0)
    width, height = SIZE
    x, y = np.arange(width), np.arange(height)[:, None]
    path = tmp_path_factory.mktemp("mixed") / f"mixed_{width}x{height}_25fps.yuv"
    with path.open("wb") as file:
        for k in range(100):
            fine = k // 25 % 2
            wave = np.sin((x + 1.3 * k + y) / (3 - fine)) * np.cos((y - k) / 4)
            luma = 128 + 50 * wave + rng.normal(0, 2 + 8 * fine, (height, width))
            file.write(np.clip(luma, 0, 255).astype(np.uint8).tobytes())
            file.write(np.full(width * height // 2, 128, np.uint8).tobytes())
    return path


def slopes_of(plan, path, recipe):
    """What another bit is worth to each segment at its rung in dB, by encodes a little finer and a little coarser."""
    source, codec = open_source(str(path)), load_codec(str(recipe))
    measure = PictureObjective(PSNR, knob_worth=0.5, clip=source.clip)
    found = []
    for segment, row in zip(source.segments(1.0), plan, strict=True):
        both = []
        for aside in (-2, 2):
            rung = Rung(scale=row["scale"], frame_divisor=row["frame_divisor"], quality=row["quality"] + aside)
            coded = encode(segment, rung, clip=source.clip, codec=codec)
            shown = []
            for frame, picture in sorted(decode_all(coded, codec=codec).items()):
                shown += [shown[-1]] * (frame - segment.first_frame - len(shown)) + [picture] if shown else [picture]
            shown += [shown[-1]] * (len(segment.frames) - len(shown))
            bits = 8 * sum(len(nal) for unit in coded.units for nal in unit.nals)
            both.append((bits, measure(segment, shown, b"")))
        found.append((both[0][1] - both[1][1]) / (both[0][0] - both[1][0]))
    return np.array(found)


def test_where_the_bucket_holds_nobody_back_another_bit_is_worth_the_same_everywhere(
    simulated, mixed, tmp_path, coarse
):
    recipe = tmp_path / "fine.toml"
    recipe.write_text(coarse.read_text().replace("worst = 51", "worst = 51\nstep = 0.1"))
    how = ("--bitrate", "40k", "--recognizer", "none", "--no-video", "--no-report", "--codec", recipe, "--gop", "1")
    how += ("--scales", "1", "--divisors", "1")
    plans = [simulated(tmp_path / depth, mixed, *how, "--buffer", depth).summary["plan"] for depth in ("1", "8")]
    shallow, deep = (np.log(slopes_of(plan, mixed, recipe)) for plan in plans)
    assert np.std(deep) < 0.15
    assert np.std(deep) < np.std(shallow) / 3


def attempts(points):
    return [SimpleNamespace(wire_bits=bits, quality=quality) for bits, quality in points]


def test_the_curves_of_groups():
    octaves = np.array([0.0, -0.6, 0.7])
    steep, flat = (
        attempts(zip(1000 * 2**octaves, 30 + slope * octaves - 0.5 * octaves**2, strict=True)) for slope in (3, 1.5)
    )
    found = np.array(curves_of([steep, flat, flat], [1000, 1000, 500], [9.0] * 3))
    assert found == pytest.approx(np.array([(3, -0.5), (1.5, -0.5), (2.5, -0.5)]), abs=0.4)
    assert found[:2] == pytest.approx(np.array([(3, -0.5), (1.5, -0.5)]))
    # What bends up is drawn straight, what falls is flat, and what is known at one place only is as usual.
    assert curves_of([attempts([(1000, 30), (500, 28), (2000, 34)])], [1000], [9.0])[0] == pytest.approx((3, 0))
    assert curves_of([attempts([(1000, 30), (500, 31)])], [1000], [9.0]) == [(0, 0)]
    assert curves_of([attempts([(1000, 30), (1001, 35)])], [1000], [9.0]) == [(9, 0)]
    ((slope, bend),) = curves_of([attempts([(1000, 30), (500, 20), (2000, 31)])], [1000], [9.0])
    assert slope + 2 * bend >= 0
