"""The clock of a file: jumps, gaps that are meant, how long the last picture lasts, and high frame rates."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.video.clock import Clock, mended, nominal_rate
from vidlink.video.film import Film
from vidlink.video.open import open_source


def end_s(source):
    """When the last segment ends."""
    return list(source.segments(1.0))[-1].end_s


@pytest.fixture(scope="module")
def streams(tmp_path_factory, make_clip, ffmpeg):
    """The same clip of 15 frames as transport streams whose clocks start at 0 and at given times."""
    folder = tmp_path_factory.mktemp("streams")
    clip = make_clip(folder / "clip.mp4", count=15)
    found = {}
    for offset in (0, 12, 100, 3600, 24_000, 90_000):
        path = folder / f"{offset}.ts"
        ffmpeg("-i", clip, "-c", "copy", "-output_ts_offset", offset, path)
        found[offset] = path.read_bytes()
    return found


@pytest.mark.parametrize(
    ("offsets", "said"),
    [
        ((0, 12), "ahead by 11"),
        ((0, 3600), "ahead by 3599"),
        ((0, 24_000), "ahead by 2399"),
        ((0, 90_000), "jumps"),
        ((3600, 0), "back by 3600"),
        ((24_000, 0), "back by 24000"),
        ((0, 3600, 0, 24_000), "ahead by 3599"),
        ((0, 0), "backwards"),
        ((12, 0), "backwards"),
    ],
)
def test_joined_transport_streams_follow_at_once(tmp_path, streams, offsets, said):
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(streams[offset] for offset in offsets))
    source = open_source(str(path))
    times = [time_s for time_s, _ in source.frames()]
    assert times == pytest.approx(np.arange(15 * len(offsets)) / 25, abs=1e-3)
    assert end_s(source) == pytest.approx(0.6 * len(offsets), abs=2e-3)
    assert any(said in note for note in source.notes), source.notes
    assert not any("ends early" in note for note in source.notes)


def test_a_run_on_a_clock_that_jumps_keeps_its_rate(tmp_path, streams, simulated):
    path = tmp_path / "joined.ts"
    path.write_bytes(streams[0] + streams[24_000])
    run = simulated(tmp_path / "run", path, "--scale", "1", "--quality", "30", "--recognizer", "none")
    assert run.summary["input"]["seconds"] == pytest.approx(1.2, abs=0.01)
    assert any("jumps" in note for note in run.summary["notes"])


def test_a_gap_of_seconds_in_a_transport_stream_is_kept_and_said(tmp_path, make_clip):
    times = np.concatenate([np.arange(10), np.arange(10) + 110]) / 25
    source = open_source(str(make_clip(tmp_path / "gap.ts", count=20, times_s=times)))
    assert [time_s for time_s, _ in source.frames()] == pytest.approx(times, abs=1e-3)
    assert any("no picture for 4.04 s" in note for note in source.notes)


@pytest.mark.parametrize(("suffix", "gap_s"), [("mp4", 60), ("mp4", 20_000), ("mkv", 60), ("mkv", 30_000)])
def test_gaps_that_the_container_means_are_kept(tmp_path, make_clip, suffix, gap_s):
    times = np.concatenate([np.arange(10), np.arange(10) + 25 * gap_s]) / 25
    path = make_clip(tmp_path / f"gap.{suffix}", count=20, times_s=times, options={"crf": "20", "bf": "0"})
    source = open_source(str(path))
    assert [time_s for time_s, _ in source.frames()] == pytest.approx(times, abs=2e-3)
    assert source.clip.frame_rate == pytest.approx(25, rel=0.1), "not the average over the gap"
    assert source.notes == []


@pytest.mark.parametrize("arguments", [("--scale", "1", "--quality", "30"), ("--bitrate", "64k", "--scales", "1")])
def test_a_run_over_a_gap_of_hours_has_a_film_with_the_gap(tmp_path, make_clip, simulated, coarse, arguments):
    times = np.concatenate([np.arange(20), np.arange(20) + 25 * 30_000]) / 25
    path = make_clip(tmp_path / "gap.mkv", count=40, times_s=times)
    run = simulated(tmp_path / "run", path, *arguments, "--codec", coarse, "--recognizer", "none")
    assert run.table("frames")["time_s"].to_numpy() == pytest.approx(times, abs=1e-4)
    with av.open(str(run.path / "received.mp4")) as film:
        film_times = [frame.time for frame in film.decode(video=0)]
        assert film.duration / av.time_base == pytest.approx(30_000.8, abs=0.1)
    assert {round(time_s, 2) for time_s in times} <= {round(time_s, 2) for time_s in film_times}
    assert max(np.diff(film_times)) <= 3000


def frames_at(times_s, *, lasts_s=0.0):
    for time_s in times_s:
        frame = av.VideoFrame(2, 2, "yuv420p")
        frame.time_base, frame.duration = Fraction(1, 1000), round(lasts_s * 1000)
        yield float(time_s), frame


@pytest.mark.parametrize(
    ("clock", "times", "right"),
    [
        # Pictures that are always so far apart are no jumps.
        ({"period_s": 0.04, "may_jump": True, "stated_s": None}, [0, 5, 20, 50, 90], [0, 5, 20, 50, 90]),
        ({"period_s": 15, "may_jump": True, "stated_s": None}, [0, 15, 45, 60], [0, 15, 45, 60]),
        ({"period_s": 15, "may_jump": True, "stated_s": None}, [0, 15, 4000, 4015], [0, 15, 30, 45]),
        # Two jumps.
        ({"period_s": 1, "may_jump": True, "stated_s": None}, [0, 1, 101, 102, 1000], [0, 1, 2, 3, 4]),
        # A format whose clock does not start anew may go past what the file states by little only.
        ({"period_s": 1, "may_jump": False, "stated_s": 103.0}, [0, 1, 101, 102], [0, 1, 101, 102]),
        ({"period_s": 1, "may_jump": False, "stated_s": 4.0}, [0, 1, 101, 102], [0, 1, 2, 3]),
        ({"period_s": 1, "may_jump": False, "stated_s": None}, [0, 1, 101, 102], [0, 1, 101, 102]),
    ],
)
def test_which_gaps_are_jumps(clock, times, right):
    notes = []
    found = list(mended(frames_at(times), Clock(**clock), notes.append))
    assert [time_s for time_s, _ in found] == right
    assert bool([note for note in notes if "jumps" in note]) == (times != right)


def test_after_a_jump_the_next_picture_comes_when_the_last_one_ends():
    clock = Clock(period_s=0.04, may_jump=True, stated_s=None)
    found = list(mended(frames_at([7, 107], lasts_s=0.5), clock, lambda _: None))
    assert [time_s for time_s, _ in found] == [7, 7.5]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "gif"])
@pytest.mark.parametrize("last_s", [0.04, 2.0])
def test_the_last_picture_lasts_what_the_container_says(tmp_path, make_clip, ffmpeg, ffprobe, suffix, last_s):
    lasts = [0.1, 0.3, 0.04, 0.5, 0.2, last_s]
    path = tmp_path / f"vfr.{suffix}"
    codec, pixel_format = {"webm": ("libvpx", "yuv420p"), "gif": ("gif", "rgb8")}.get(suffix, ("libx264", "yuv420p"))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
        stream.options = {"bf": "0"} if codec == "libx264" else {}
        packets = []
        for time_s in np.cumsum([0, *lasts[:-1]]):
            frame = av.VideoFrame(96, 64, pixel_format)
            for plane in frame.planes:
                plane.update(bytes([round(40 * time_s)]) * plane.buffer_size)
            frame.pts, frame.time_base = round(time_s * 100), Fraction(1, 100)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, seconds in zip(packets, lasts, strict=True):
            packet.duration = round(seconds / packet.time_base)
            container.mux(packet)
    stated = float(ffprobe("-show_entries", "format=duration", "-of", "csv=p=0", path))
    assert stated == pytest.approx(sum(lasts), abs=0.02)
    source = open_source(str(path))
    assert [time_s for time_s, _ in source.frames()] == pytest.approx(np.cumsum([0, *lasts[:-1]]), abs=1e-3)
    assert end_s(source) == pytest.approx(stated, abs=2e-3)
    assert not any("ends early" in note for note in source.notes)
    film = tmp_path / "film.mp4"
    with Film(film, source.clip) as shown:
        for segment in source.segments(1.0):
            shown.show(segment.frames, segment)
    assert float(ffprobe("-show_entries", "format=duration", "-of", "csv=p=0", film)) == pytest.approx(stated, abs=2e-3)


def test_sound_that_goes_on_does_not_make_the_last_picture_longer(tmp_path, make_clip, ffmpeg):
    clip = make_clip(tmp_path / "clip.mp4", count=20)
    for suffix in ("mp4", "mkv"):
        path = tmp_path / f"sound.{suffix}"
        ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=d=5", "-c:v", "copy", path)
        source = open_source(str(path))
        assert end_s(source) == pytest.approx(0.8, abs=2e-3)
        assert source.notes == []


def test_the_last_picture_of_a_cut_file_is_not_held_to_the_stated_end(tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mkv", count=75)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    source = open_source(str(path))
    last_s = [time_s for time_s, _ in source.frames()][-1]
    assert last_s < 2.5
    assert end_s(source) == pytest.approx(last_s + 0.04, abs=2e-3)
    assert any("ends early" in note for note in source.notes)


@pytest.mark.parametrize(("suffix", "rate"), [("mp4", 2000), ("mp4", 10_000), ("mov", 1200), ("ts", 1500)])
def test_high_frame_rates(tmp_path, make_clip, suffix, rate):
    source = open_source(str(make_clip(tmp_path / f"fast.{suffix}", count=50, rate=rate)))
    assert source.clip.frame_rate == pytest.approx(rate, rel=0.01)
    assert [time_s for time_s, _ in source.frames()] == pytest.approx(np.arange(50) / rate, abs=1e-4)
    assert end_s(source) == pytest.approx(50 / rate, abs=2e-3)


def test_rates_above_the_clock_of_the_container(tmp_path, make_clip):
    source = open_source(str(make_clip(tmp_path / "fast.mkv", count=100, rate=2000)))  # whose ticks are milliseconds
    assert source.clip.frame_rate > 1500
    assert end_s(source) == pytest.approx(0.05, abs=2e-3)


def test_what_is_no_rate_at_all():
    stream = SimpleNamespace(average_rate=None, guessed_rate=Fraction(90_000), time_base=Fraction(1, 90_000))
    assert nominal_rate(stream, [0, 0.04, 0.08], "a.ts") == 25
    assert nominal_rate(stream, [0], "a.ts") == 25
    stream = SimpleNamespace(average_rate=Fraction(200_000), guessed_rate=None, time_base=Fraction(1, 200_000))
    with pytest.raises(UserError, match=r"a\.mp4: 200000 frames a second; at most 45000"):
        nominal_rate(stream, [0, 0.000005, 0.00001], "a.mp4")
