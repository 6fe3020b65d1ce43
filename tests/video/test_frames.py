"""Frames out of a file: pixel formats, rotation, interlacing, sizes that change, damage."""

import os
import subprocess

import av
import numpy as np
import pytest
from pictured import planes, psnr, raw_pictures

from vidlink.video.open import open_source

FORMATS = {
    "yuv420p10le": ("libx265", {"preset": "ultrafast", "crf": "10", "x265-params": "log-level=none"}),
    "gray": ("ffv1", {}),
    "yuv444p": ("ffv1", {}),
    "yuv422p10le": ("ffv1", {}),
    "gray10le": ("ffv1", {}),
    "yuvj420p": ("mjpeg", {"q": "2"}),
    "bgr0": ("ffv1", {}),
    "yuv410p": ("ffv1", {}),
}


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_pixel_formats_are_converted_as_ffmpeg_does_and_said(tmp_path, make_clip, ffmpeg, pixel_format):
    codec, options = FORMATS[pixel_format]
    path = make_clip(tmp_path / "clip.mkv", count=10, codec=codec, pixel_format=pixel_format, options=options)
    source = open_source(str(path))
    assert source.clip.pixel_format == pixel_format
    assert any(pixel_format in note for note in source.notes)
    found = [planes(picture) for _, picture in source.frames()]
    expected = raw_pictures(ffmpeg, path, 96, 64)
    assert len(found) == len(expected) == 10
    for picture, other in zip(found, expected, strict=True):
        luma = 96 * 64
        assert psnr(picture[:luma], other[:luma]) > 42
        assert psnr(picture[luma:], other[luma:]) > 32


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotated_clips_stand_upright(tmp_path, make_clip, ffmpeg, simulated, turn):
    plain = make_clip(tmp_path / "plain.mp4", count=12, size=(96, 64))
    path = tmp_path / "turned.mp4"
    try:
        ffmpeg("-display_rotation", turn, "-i", plain, "-c", "copy", path)
    except subprocess.CalledProcessError:  # before FFmpeg 6
        ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", f"rotate={turn}", path)
    width, height = (96, 64) if turn == 180 else (64, 96)
    source = open_source(str(path))
    assert (source.clip.width, source.clip.height) == (width, height)
    assert any("upright" in note for note in source.notes)
    found = [planes(picture) for _, picture in source.frames()]
    assert np.array_equal(found, raw_pictures(ffmpeg, path, width, height))
    # The bright corner of the picture, top left in the file, has moved.
    luma = found[0][: width * height].reshape(height, width)
    assert luma[{90: (-1, 0), 180: (-1, -1), 270: (0, -1)}[turn]] > 200
    assert luma[0, 0] < 200
    run = simulated(tmp_path / "run", path, "--scale", "1", "--quality", "20", "--recognizer", "none")
    assert (run.summary["input"]["width"], run.summary["input"]["height"]) == (width, height)
    with av.open(str(run.path / "received.mp4")) as film:
        shown = next(film.decode(video=0)).to_ndarray()[:height]
    assert psnr(shown.ravel(), found[0][: width * height]) > 30


def test_interlaced_video_is_deinterlaced_and_said(tmp_path, ffmpeg):
    path = tmp_path / "interlaced.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=96x64:r=50:d=2", "-vf", "interlace"),
        *("-c:v", "libx264", "-flags", "+ildct+ilme", "-crf", "5", "-pix_fmt", "yuv420p", path),
    )
    source = open_source(str(path))
    found = [planes(picture) for _, picture in source.frames()]
    assert any("deinterlaced" in note for note in source.notes)
    expected = raw_pictures(ffmpeg, path, 96, 64)
    filtered = ffmpeg("-i", path, "-vf", "bwdif=mode=send_frame", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    filtered = np.frombuffer(filtered, np.uint8).reshape(expected.shape)
    assert len(found) == len(expected) == 50
    assert np.mean([psnr(a, b) for a, b in zip(found, filtered, strict=True)]) > 45
    assert np.mean([psnr(a, b) for a, b in zip(found, expected, strict=True)]) < 40, "the fields are still there"
    assert [time_s for time_s, _ in source.frames()] == pytest.approx(np.arange(50) / 25, abs=2e-3)


def test_pictures_that_change_size_are_scaled_and_said(tmp_path, make_clip, ffmpeg):
    for name, size in (("a", (96, 64)), ("b", (64, 48))):
        make_clip(tmp_path / f"{name}.264", count=10, size=size)
    (tmp_path / "both.264").write_bytes((tmp_path / "a.264").read_bytes() + (tmp_path / "b.264").read_bytes())
    source = open_source(str(tmp_path / "both.264"))
    sizes = {(picture.width, picture.height) for _, picture in source.frames()}
    assert sizes == {(96, 64)}
    assert sum(1 for _ in source.frames()) == 20
    assert any("96x64" in note for note in source.notes)


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mkv", count=75, options={"crf": "20", "g": "10", "bf": "0"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    (tmp_path / "hurt.mkv").write_bytes(content)
    frames = list(open_source(str(tmp_path / "hurt.mkv")).frames())
    assert 40 <= len(frames) <= 75
    assert np.all(np.diff([time_s for time_s, _ in frames]) > 0)


def on_cores(count, path):
    """Pictures and times of a clip, read on so many processor cores."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:count])
    try:
        source = open_source(str(path))
        found = [(time_s, planes(picture).tobytes()) for time_s, picture in source.frames()]
    finally:
        os.sched_setaffinity(0, all_cores)
    return found, source


def several_cores():
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this machine has one core, or does not say which")


@pytest.mark.parametrize("pattern", ["%02d.png", "*.png"])
def test_an_image_that_is_missing_or_broken_costs_none_that_was_decoded(tmp_path, make_clip, ffmpeg, pattern):
    make_clip(tmp_path / "%02d.png", count=12, codec="png", pixel_format="rgb24", options={})
    (tmp_path / "04.png").unlink()
    (tmp_path / "09.png").write_bytes((tmp_path / "09.png").read_bytes()[:60])
    found, source = on_cores(1, tmp_path / pattern)
    arguments = ("-pattern_type", "glob") if "*" in pattern else ()
    expected = raw_pictures(ffmpeg, tmp_path / pattern, 96, 64, "-f", "image2", *arguments)
    assert len(found) == len(expected) == (10 if "*" in pattern else 3)
    assert any("damaged" in note for note in source.notes)
    several_cores()
    assert on_cores(2, tmp_path / pattern)[0] == found


CODECS = {
    "libx264": {"crf": "20", "g": "30"},
    "libx265": {"crf": "20", "preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"},
    "libsvtav1": {"preset": "10", "svtav1-params": "log-level=0"},
    "mpeg4": {"bf": "2"},
}


@pytest.mark.parametrize("codec", CODECS)
def test_damaged_and_cut_files_give_the_same_on_any_number_of_cores(tmp_path, make_clip, codec):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = make_clip(tmp_path / "clip.mkv", count=40, codec=codec, options=CODECS[codec])
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for cut in (1.0, 0.9, 0.6):
        content = bytearray(whole[: int(len(whole) * cut)])
        for place in rng.integers(len(content) // 3, len(content) - 8, 3 if cut > 0.8 else 0):
            content[place : place + 8] = rng.bytes(8)
        path.write_bytes(content)
        found, source = on_cores(1, path)
        assert 1 <= len(found) <= 40
        several_cores()
        again, notes = on_cores(2, path)
        assert again == found
        assert notes.notes == source.notes


def test_an_mp4_cut_in_the_middle_gives_as_many_pictures_as_ffmpeg(tmp_path, make_clip, ffmpeg):
    clip = make_clip(tmp_path / "clip.mp4", count=60)
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "+faststart", tmp_path / "front.mp4")
    content = (tmp_path / "front.mp4").read_bytes()
    for share in (0.95, 0.8, 0.6):
        (tmp_path / "cut.mp4").write_bytes(content[: int(len(content) * share)])
        found, source = on_cores(1, tmp_path / "cut.mp4")
        assert len(found) == len(raw_pictures(ffmpeg, tmp_path / "cut.mp4", 96, 64))
        assert any("ends early" in note or "damaged" in note for note in source.notes)
