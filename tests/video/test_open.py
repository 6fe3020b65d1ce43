"""Video in: containers, image sequences, raw video, sizes and timestamps, as the machine's own ffmpeg reads them."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
from pictured import planes, probed_times, psnr, raw_pictures

from vidlink.video.open import open_source

CONTAINERS = {
    "clip.mp4": {},
    "clip.mkv": {},
    "clip.avi": {},
    "clip.mov": {},
    "clip.ts": {},
    "clip.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"}},
    "clip.y4m": {"codec": "wrapped_avframe", "options": {}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "clip.mpg": {"codec": "mpeg2video", "options": {"bf": "2"}},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_give_the_pictures_and_times_that_ffmpeg_gives(tmp_path, make_clip, ffmpeg, ffprobe, name):
    path = make_clip(tmp_path / name, count=40, **CONTAINERS[name])
    source = open_source(str(path))
    frames = list(source.frames())
    pictures = raw_pictures(ffmpeg, path, 96, 64)
    assert len(frames) == len(pictures) == 40
    assert (source.clip.width, source.clip.height, source.clip.frame_rate) == (96, 64, 25)
    assert np.array_equal([planes(picture) for _, picture in frames], pictures)
    times = np.array([time_s for time_s, _ in frames])
    assert times[:36] == pytest.approx(probed_times(ffprobe, path)[:36], abs=1e-3)
    assert times == pytest.approx(np.arange(40) / 25, abs=1e-3)
    assert [picture.pts for _, picture in frames] == np.round(times * 90_000).astype(int).tolist()
    assert source.notes == [] or name == "clip.mpg"  # FFmpeg repeats times where a PES packet holds several pictures


def test_raw_h264_runs_at_the_nominal_rate(tmp_path, make_clip, ffmpeg):
    path = make_clip(tmp_path / "clip.264", count=40)
    source = open_source(str(path))
    frames = list(source.frames())
    assert np.array_equal([planes(picture) for _, picture in frames], raw_pictures(ffmpeg, path, 96, 64))
    assert [time_s for time_s, _ in frames] == pytest.approx(np.arange(40) / 25)
    faster = open_source(str(path), frame_rate=Fraction(50))
    assert faster.clip.frame_rate == 50
    assert [time_s for time_s, _ in faster.frames()] == pytest.approx(np.arange(40) / 50)


@pytest.mark.parametrize("pattern", ["img%03d.png", "img*.png"])
def test_image_sequences(tmp_path, make_clip, ffmpeg, pattern):
    make_clip(tmp_path / "img%03d.png", count=12, codec="png", pixel_format="rgb24", options={})
    assert (tmp_path / "img001.png").is_file()
    source = open_source(str(tmp_path / pattern), frame_rate=Fraction(10))
    frames = list(source.frames())
    arguments = ("-pattern_type", "glob") if "*" in pattern else ()
    expected = raw_pictures(ffmpeg, tmp_path / pattern, 96, 64, "-f", "image2", *arguments)
    assert len(frames) == len(expected) == 12
    assert all(psnr(planes(picture), other) > 45 for (_, picture), other in zip(frames, expected, strict=True))
    assert [time_s for time_s, _ in frames] == pytest.approx(np.arange(12) / 10)
    assert any("rgb24" in note for note in source.notes)


def test_raw_yuv_by_name_and_by_option(tmp_path):
    content = np.random.default_rng(1).integers(0, 256, (5, 48 * 32 * 3 // 2), dtype=np.uint8)
    for name, size, rate in (("a_48x32_12fps.yuv", None, None), ("b.yuv", (48, 32), Fraction(12))):
        (tmp_path / name).write_bytes(content.tobytes())
        source = open_source(str(tmp_path / name), video_size=size, frame_rate=rate)
        frames = list(source.frames())
        assert source.clip.frame_rate == 12
        assert np.array_equal([planes(picture) for _, picture in frames], content)
        assert [time_s for time_s, _ in frames] == pytest.approx(np.arange(5) / 12)


def uneven_times(count):
    """Irregular times on the 90 kHz clock, one gap of 2.5 s among them."""
    steps = np.random.default_rng(3).choice([0.02, 0.04, 0.11, 1 / 30], count)
    steps[count // 2] = 2.5
    return np.round((np.cumsum(steps) - steps[0]) * 1000) / 1000


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("arguments", [("--scale", "2", "--quality", "35"), ("--bitrate", "128k", "--scales", "1,2")])
def test_variable_frame_rate_keeps_its_times_to_the_end(
    tmp_path, make_clip, simulated, ffprobe, suffix, arguments, coarse
):
    times = uneven_times(60)
    path = make_clip(tmp_path / f"vfr.{suffix}", count=60, times_s=times)
    found = probed_times(ffprobe, path)
    assert found == pytest.approx(times, abs=2e-3)
    assert [time_s for time_s, _ in open_source(str(path)).frames()] == pytest.approx(found, abs=1e-6)
    run = simulated(tmp_path / "run", path, *arguments, "--codec", coarse, "--recognizer", "none")
    assert run.table("frames")["time_s"].to_numpy() == pytest.approx(found, abs=1e-5)
    assert set(run.table("frames")["status"]) == {"ok"}
    film = json.loads(ffprobe("-show_entries", "frame=pts_time", "-of", "json", run.path / "received.mp4"))["frames"]
    assert [float(frame["pts_time"]) for frame in film] == pytest.approx(found, abs=2e-5)


def test_times_that_start_late_start_at_zero(tmp_path, make_clip):
    path = make_clip(tmp_path / "late.mkv", count=20, times_s=7 + np.arange(20) / 10)
    assert [time_s for time_s, _ in open_source(str(path)).frames()] == pytest.approx(np.arange(20) / 10, abs=2e-3)


@pytest.mark.parametrize("size", [(97, 65), (98, 65), (97, 64)])
def test_odd_sizes(tmp_path, make_clip, simulated, ffmpeg, size):
    path = make_clip(tmp_path / "odd.mkv", count=30, size=size, codec="ffv1", options={})
    source = open_source(str(path))
    frames = [planes(picture) for _, picture in source.frames()]
    assert (source.clip.width, source.clip.height) == size
    assert np.array_equal(frames, raw_pictures(ffmpeg, path, *size))
    run = simulated(tmp_path / "run", path, "--scale", "1", "--quality", "15", "--recognizer", "none")
    assert run.summary["frames"]["ok"] == 30
    assert run.summary["quality"]["psnr_db"] > 30
    segments = run.table("segments")
    assert not (segments[["width", "height"]] % 2).any(axis=None)
    with av.open(str(run.path / "received.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (size[0] // 2 * 2, size[1] // 2 * 2)
