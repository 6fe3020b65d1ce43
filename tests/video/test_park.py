"""Large pictures wait on disk, and come back as they were; the memory of a run does not grow with them."""

import gc
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pictured import planes, psnr

from vidlink.errors import UserError
from vidlink.video import park as parking
from vidlink.video.open import open_source
from vidlink.video.park import Parking, Pictures, fetched, in_order, is_large

SIZE = 2600, 1502


def picture(seed, size=SIZE):
    width, height = size
    small = np.random.default_rng(seed).integers(0, 256, (30, 52), np.uint8)
    frame = av.VideoFrame.from_ndarray(
        np.kron(small, np.ones((75, 50), np.uint8))[: height * 3 // 2, :width], "yuv420p"
    )
    frame.pts, frame.time_base, frame.duration = 3000 * seed, Fraction(1, 90_000), 3000
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = 1, 1, 1, 1
    return frame


def test_pictures_come_back_as_they_were():
    park = Parking()
    put = [picture(seed) for seed in range(3)]
    parked = [park(frame) for frame in put]
    for _ in range(2):
        for frame, again in zip(put, Pictures(parked), strict=True):
            assert np.array_equal(planes(frame), planes(again))
            for tag in ("pts", "time_base", "duration", "colorspace", "color_range", "color_primaries", "color_trc"):
                assert getattr(frame, tag) == getattr(again, tag)
    assert parked[1].duration == 3000
    assert np.array_equal(planes(Pictures(parked)[1:][0]), planes(put[1]))


def test_small_pictures_stay_where_they_are():
    frame = picture(0, (320, 240))
    assert Parking()(frame) is frame
    assert fetched(frame) is frame
    assert in_order([frame]) == (frame,)
    assert not is_large(1920, 1080)
    assert is_large(2560, 1440)


def test_no_room_is_said(monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(UserError, match="No space left on device"):
        Parking()(picture(0))


def frames_alive():
    return sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())


def test_nothing_is_left_once_pictures_are_not_needed(make_clip, tmp_path):
    path = make_clip(tmp_path / "a.mp4", count=12)
    source = open_source(str(path))
    gc.collect()
    before = frames_alive()
    gc.disable()
    try:
        for _, frame in source.frames():
            del frame
        assert frames_alive() <= before
    finally:
        gc.enable()


def test_parked_or_not_the_tables_are_the_same(tmp_path, make_clip, simulated, coarse, monkeypatch):
    path = make_clip(tmp_path / "a.mp4", count=25)
    arguments = [path, "--bitrate", "64k", "--scales", "1,2", "--codec", coarse]
    arguments += ["--channel", "bernoulli-5", "--recognizer", "none", "--no-plot"]
    wanted = simulated(tmp_path / "plain", *arguments)
    monkeypatch.setattr(parking, "_LARGE", 1000)
    found = simulated(tmp_path / "parked", *arguments)
    for name in ("segments", "frames", "packets", "predictions"):
        assert (wanted.path / f"{name}.csv").read_bytes() == (found.path / f"{name}.csv").read_bytes()
    films = [list(av.open(str(run.path / "received.mp4")).decode(video=0)) for run in (wanted, found)]
    for one, other in zip(*films, strict=True):
        assert psnr(planes(one), planes(other)) > 35  # coded by other threads


PEAK = """
import sys
from vidlink.options import parse_arguments, settings_from
from vidlink.simulate import run_into
from pathlib import Path
run_into(Path(sys.argv[1]), settings_from(parse_arguments(sys.argv[2:])), quiet=True)
# Not ru_maxrss, which begins with what the parent had.
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_a_clip_in_4k(tmp_path, ffmpeg):
    path = tmp_path / "large.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=0x406080:s=3840x2160:r=12:d=2", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", path),
    )
    arguments = [
        path,
        "--scale",
        "4",
        "--quality",
        "40",
        "--recognizer",
        "none",
        "--no-scores",
        "--no-plot",
        "--no-video",
    ]
    made = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "run", *arguments], capture_output=True, text=True, check=True
    )
    # The source's pictures alone are 300 MB, and Python with its libraries takes as much.
    assert int(made.stdout.split()[-1]) < 700
