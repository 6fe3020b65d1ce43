"""Video in: containers, timestamps, sizes, pixel formats, rotation, interlacing, and how a clip is cut."""

import itertools
import json
import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.types import CLOCK, Clip
from vidlink.video.source import Source, open_source


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


def timed_source(times, rate):
    """A source of tiny pictures at given times."""
    clip = Clip(
        name="fake", width=2, height=2, frame_rate=Fraction(rate), pixel_format="yuv420p", seconds=None, notes=()
    )
    return Source(clip, lambda _: ((float(time_s), av.VideoFrame(2, 2, "yuv420p")) for time_s in times))


def cut_by_hand(times, period, seconds):
    """Frame counts of segments: by slots of the clock; a tail shorter than half a segment joins the one before."""
    slots = np.floor((times + period / 100) / seconds).astype(int)
    counts = [int((slots == slot).sum()) for slot in sorted(set(slots))]
    start = times[len(times) - counts[-1]]
    if len(counts) > 1 and times[-1] + period - start < seconds / 2:
        counts[-2:] = [counts[-2] + counts[-1]]
    return counts


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    rate=st.sampled_from([5, 12, 25, 30]),
    tenths=st.sampled_from([1, 5, 10, 20]),
)
def test_segments_follow_the_rule_for_any_times(steps, rate, tenths):
    times = (np.cumsum(steps) - steps[0]) / 100
    seconds = tenths / 10
    segments = list(timed_source(times, rate).segments(seconds))
    assert [len(segment.frames) for segment in segments] == cut_by_hand(times, 1 / rate, seconds)
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert np.concatenate([segment.times_s for segment in segments]) == pytest.approx(times)
    assert [segment.first_frame for segment in segments] == np.cumsum(
        [0] + [len(segment.frames) for segment in segments[:-1]]
    ).tolist()
    assert [segment.last for segment in segments] == [False] * (len(segments) - 1) + [True]
    for segment, after in itertools.pairwise(segments):
        assert segment.end_s == pytest.approx(after.start_s)
    assert segments[-1].end_s == pytest.approx(times[-1] + 1 / rate)


@pytest.mark.parametrize(
    ("count", "counts"),
    [(25, [25]), (37, [37]), (38, [25, 13]), (50, [25, 25]), (51, [25, 26]), (62, [25, 37]), (63, [25, 25, 13])],
)
def test_a_tail_shorter_than_half_a_segment_joins_the_one_before(count, counts):
    assert [len(segment.frames) for segment in timed_source(np.arange(count) / 25, 25).segments(1.0)] == counts


def test_ntsc_rates_fill_segments_evenly():
    times = np.arange(300) * 1001 / 30_000
    counts = [len(segment.frames) for segment in timed_source(times, Fraction(30_000, 1001)).segments(1.0)]
    assert sum(counts) == 300
    assert set(counts[:-1]) <= {29, 30}


def test_times_that_stand_still_or_run_back_are_moved_on_and_said():
    source = timed_source([0, 0.1, 0.1, 0.05, 0.3, 0.4], 10)
    times = [time_s for time_s, _ in source.frames()]
    assert np.all(np.diff(times) > 1e-4)
    assert len(times) == 6
    assert times[:2] == [0, pytest.approx(0.1)]
    assert times[-1] <= 0.4 + 3 * 0.1
    assert any("timestamps" in note for note in source.notes)


def test_a_source_reads_the_same_again_and_again(small_clip):
    source = open_source(str(small_clip))
    first, second = ([(t, planes(p).tobytes()) for t, p in source.frames()] for _ in range(2))
    assert first == second


def test_segments_stream_one_at_a_time():
    taken = []

    def read(_):
        for index in range(1000):
            taken.append(index)
            yield index / 25, av.VideoFrame(2, 2, "yuv420p")

    clip = Clip(name="long", width=2, height=2, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=None)
    segments = Source(clip, read).segments(1.0)
    next(segments)
    assert len(taken) <= 2 * 25 + 1
    next(segments)
    assert len(taken) <= 3 * 25 + 1


def test_an_empty_source_is_an_error():
    with pytest.raises(UserError, match="no frame"):
        list(timed_source([], 25).segments(1.0))


def test_frames_carry_their_time_on_the_clock(small_clip):
    for time_s, picture in open_source(str(small_clip)).frames():
        assert picture.time_base == CLOCK
        assert picture.pts == round(time_s * 90_000)
        assert picture.format.name == "yuv420p"


@pytest.mark.skipif(not os.environ.get("VIDLINK_SLOW"), reason="takes minutes: set VIDLINK_SLOW=1")
def test_memory_stays_flat_on_ten_minutes(tmp_path, ffmpeg):
    clip = tmp_path / "long.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=640x480:r=25:d=600", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", clip),
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    subprocess.run(
        [
            *(sys.executable, "-m", "vidlink.simulate", str(clip), "--scale", "2", "--quality", "35"),
            *("--out", str(tmp_path / "run")),
        ],
        check=True,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak RSS: {peak / 1e6:.3f} GB (the clip's encoder: {before / 1e6:.3f} GB)")
    assert peak < 1_000_000, "kilobytes"
    frames = json.loads((tmp_path / "run" / "summary.json").read_text())["frames"]
    assert sum(frames.values()) == 15_000
