"""Recipes with ``program = "ffmpeg"``: the machine's own encoders, from coding to the scores."""

import pytest

from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.receiver.decode import decode
from vidlink.sender import external
from vidlink.sender.encode import encode
from vidlink.types import Rung
from vidlink.video.open import open_source

RECIPES = {
    "libx264": """
description = "x264 of the machine's own ffmpeg"
encoder = "libx264"
decoder = "h264"
payload = "h264"
program = "ffmpeg"
[options]
preset = "veryfast"
x264-params = "keyint=infinite:scenecut=0:bframes=2:slice-max-size=1400"
[quality]
option = "crf"
best = 10
worst = 51
grid = [30, 44]
""",
    "libaom-av1": """
description = "AV1 by libaom"
encoder = "libaom-av1"
decoder = "libdav1d"
payload = "generic"
program = "ffmpeg"
min_side = 16
[options]
cpu-used = "8"
usage = "realtime"
b = "0"
[quality]
option = "crf"
best = 10
worst = 63
grid = [30, 50]
""",
    "libx265": """
description = "x265 of the machine's own ffmpeg"
encoder = "libx265"
decoder = "hevc"
payload = "hevc"
program = "ffmpeg"
min_side = 32
[options]
preset = "veryfast"
x265-params = "log-level=none:keyint=-1:scenecut=0:cutree=0"
[quality]
option = "crf"
best = 10
worst = 51
grid = [30, 44]
""",
}


@pytest.fixture(params=RECIPES)
def recipe(request, tmp_path, ffmpeg):
    if f" {request.param} " not in ffmpeg("-encoders").decode():
        pytest.skip(f"this machine's ffmpeg has no {request.param}")
    (tmp_path / "mine.toml").write_text(RECIPES[request.param])
    return tmp_path / "mine.toml"


def test_one_unit_a_picture_and_all_decode(recipe, small_clip):
    source = open_source(str(small_clip))
    codec = load_codec(str(recipe))
    segment = list(source.segments(1.0))[1]
    found = encode(segment, Rung(scale=1, quality=30), clip=source.clip, codec=codec)
    assert sorted(unit.frame for unit in found.units) == list(range(25, 50))
    assert found.units[0].key
    pictures = decode([(u.frame, u.nals) for u in found.units], codec=codec, parameter_sets=found.parameter_sets)
    assert sorted(pictures) == list(range(25, 50))


def test_end_to_end(recipe, small_clip, simulated, tmp_path):
    run = simulated(
        tmp_path / "run", small_clip, "--codec", recipe, "--bitrate", "128k", "--scales", "1,2", "--recognizer", "none"
    )
    assert run.summary["frames"]["ok"] == 50
    assert run.summary["quality"]["psnr_db"] > 25
    assert run.summary["rate"]["wire_bps"] <= 128_000


def test_variable_times_survive_the_pipe(recipe, tmp_path, make_clip, simulated):
    times = [0, 0.04, 0.05, 0.2, 0.21, 0.3, 0.7, 0.71, 0.72, 0.9]
    clip = make_clip(tmp_path / "vfr.mp4", count=10, times_s=times)
    run = simulated(
        tmp_path / "run", clip, "--codec", recipe, "--scale", "1", "--quality", "30", "--recognizer", "none"
    )
    assert run.table("frames")["time_s"].tolist() == pytest.approx(times, abs=1e-3)
    assert set(run.table("frames")["status"]) == {"ok"}


@pytest.fixture
def fresh():
    external._encoders.cache_clear()
    yield
    external._encoders.cache_clear()


def written(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    return str(tmp_path / "mine.toml")


def test_a_missing_program_is_said(command, small_clip, tmp_path, monkeypatch, fresh):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = written(tmp_path, RECIPES["libx264"])
    ended = command(small_clip, "--bitrate", "64k", "--codec", path, "--recognizer", "none")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert '"ffmpeg"' in ended.err
    assert "install" in ended.err


def test_a_missing_encoder_is_said_with_the_nearest(command, small_clip, tmp_path, ffmpeg):
    path = written(tmp_path, RECIPES["libx264"].replace('encoder = "libx264"', 'encoder = "libx264x"'))
    ended = command(small_clip, "--bitrate", "64k", "--codec", path, "--recognizer", "none")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert "'libx264x'" in ended.err
    assert "did you mean 'libx264'" in ended.err
    assert " =," not in ended.err


def test_options_that_it_refuses_are_said(small_clip, tmp_path, ffmpeg):
    codec = load_codec(written(tmp_path, RECIPES["libx264"].replace("veryfast", "warp")))
    source = open_source(str(small_clip))
    with pytest.raises(UserError, match="ffmpeg's libx264 failed"):
        encode(next(source.segments(1.0)), Rung(scale=1, quality=30), clip=source.clip, codec=codec)
