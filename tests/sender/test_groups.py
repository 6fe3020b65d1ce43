"""Segments joined into groups of pictures: what is joined, what travels with it, and what a run makes of it."""

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.faces.tracks import join_parts, pack_tracks, split_parts
from vidlink.link.lossless import decode_all
from vidlink.sender.encode import encode
from vidlink.sender.groups import grouped, join, windows
from vidlink.sender.risk import damaged_share
from vidlink.types import Rung
from vidlink.video.open import open_source
from vidlink.video.scenes import Scenes

FAST = ("--recognizer", "none", "--scales", "2,4", "--divisors", "1,2", "--no-video")


@pytest.fixture(scope="module")
def seconds():
    return [(segment, b"") for segment in open_builtin().segments(1.0)]


@pytest.fixture(scope="module")
def with_cut(tmp_path_factory, make_clip):
    """The built-in clip's first 1.6 s, then moving noise: a cut that is at no whole second."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("cut") / "cut_96x64_25fps.yuv"
    x, y = np.arange(96), np.arange(64)[:, None]
    with path.open("wb") as file:
        for k in range(100):
            luma = 60 + 20 * np.sin((x + k + y) / 9) if k < 40 else 170 + 40 * np.sin((x - y + 2 * k) / 5)
            file.write(np.clip(luma + rng.normal(0, 1, (64, 96)), 0, 255).astype(np.uint8).tobytes())
            file.write(np.full(96 * 64 // 2, 128, np.uint8).tobytes())
    return path


def test_a_group_is_its_segments_one_after_the_other(seconds):
    clip = open_builtin().clip
    group, _ = join(seconds[2:5], 7)
    assert (group.index, group.first_frame, len(group.frames)) == (7, 50, 75)
    assert group.start_s == 2.0
    assert group.duration_s == pytest.approx(3.0)
    assert [part.index for part in group.each] == [2, 3, 4]
    coded = encode(group, Rung(scale=4, quality=40), clip=clip, codec=load_codec("x264"))
    assert [unit.key for unit in coded.units].count(True) == 1
    assert sorted(decode_all(coded, codec=load_codec("x264"))) == list(range(50, 125))


def test_windows_are_no_longer_than_asked_and_end_at_cuts(seconds, with_cut):
    clip = open_builtin().clip
    assert [len(window) for window in windows(seconds, 4, clip)] == [4, 4, 2]
    source = open_source(str(with_cut))
    cut = [(segment, b"") for segment in source.segments(Scenes(seconds=1.0))]
    assert [len(segment.frames) for segment, _ in cut] == [25, 15, 25, 35]
    assert [segment.new_scene for segment, _ in cut] == [False, False, True, False]
    assert [len(window) for window in windows(cut, 8, source.clip)] == [2, 2]
    assert [segment.first_frame for segment, _ in grouped(cut, [2, 1, 1])] == [0, 40, 65]


def test_large_pictures_are_not_joined(seconds):
    from dataclasses import replace

    large = replace(open_builtin().clip, width=3840, height=2160)
    assert [len(window) for window in windows(seconds, 8, large)] == [1] * 10


def test_tracks_of_a_group_are_those_of_its_segments():
    one, two = (pack_tracks({face: np.full((3, 4), 10.0 * face + 10)}) for face in (0, 1))
    parts = [(25, one), (25, one), (13, b""), (25, one + two), (300, one + two)]
    assert split_parts(join_parts(parts)) == parts
    assert split_parts(one) == []
    for length in range(3, len(join_parts(parts))):
        with pytest.raises(ValueError, match="inside"):
            split_parts(join_parts(parts)[:length])


def test_damage_grows_with_the_packets_of_a_group():
    shares = [damaged_share(packets, 0.05) for packets in (0, 5, 20, 80, 400)]
    assert shares == sorted(shares)
    assert shares[0] == 0 < shares[1] < 0.2 < 0.9 < shares[-1] < 1


@pytest.mark.parametrize("search", ["guided", "exhaustive", "best-fixed", "ladder"])
def test_groups_save_bits_keep_the_budget_and_begin_at_cuts(simulated, with_cut, coarse, tmp_path, search):
    how = (with_cut, "--bitrate", "16k", *FAST, "--codec", coarse, "--search", search)
    runs = [simulated(tmp_path / gop, *how, "--gop", gop) for gop in ("1", "auto")]
    segments = runs[1].table("segments")
    assert (segments["wire_bits"] <= 16_000 * segments["duration_s"]).all()
    assert 1.6 in segments["start_s"].tolist()
    one, auto = (run.summary["quality"]["psnr_db"] for run in runs)
    if search == "exhaustive":  # its grid of qualities is so coarse that single segments may fill the budget better
        assert auto > one - 0.2
    else:
        assert auto > one
        assert len(segments) < len(runs[0].summary["plan"])
    assert runs[1].summary["frames"]["ok"] == 100
    assert runs[1].summary["sender"]["latency_s"] > runs[0].summary["sender"]["latency_s"]


def test_what_leaves_keeps_to_the_budget_over_every_window(simulated, with_cut, coarse, tmp_path):
    run = simulated(tmp_path / "run", with_cut, "--bitrate", "16k", *FAST, "--codec", coarse)
    packets = run.table("packets").sort_values("send_s")
    ends = packets["send_s"] + 8 * packets["bytes"] / 16_000
    assert (packets["send_s"].to_numpy()[1:] >= ends.to_numpy()[:-1] - 1e-6).all()


def test_groups_of_segments_are_recognized_as_segments_are(simulated, face_clip, coarse, tmp_path):
    how = (
        face_clip / "face.mp4",
        "--segment",
        "0.5",
        "--scale",
        "2",
        "--quality",
        "22",
        "--codec",
        coarse,
        "--no-video",
        "--no-scores",
    )
    tables = [simulated(tmp_path / gop, *how, "--gop", gop).table("predictions") for gop in ("0.5", "2")]
    columns = ["time_s", "face", "x", "y", "width", "height", "valence_pristine", "arousal_pristine"]
    np.testing.assert_allclose(tables[0][columns], tables[1][columns], atol=1e-5)


def test_groups_are_short_where_packets_are_lost(simulated, coarse, tmp_path):
    how = ("--bitrate", "32k", *FAST, "--codec", coarse, "--no-scores")
    counts = [
        simulated(tmp_path / channel, *how, "--channel", channel).summary["sender"]["groups"]
        for channel in ("perfect", "bernoulli-5")
    ]
    assert counts[0] <= 3
    assert counts[1] >= 2 * counts[0]


@pytest.mark.parametrize("channel", ["perfect", "bernoulli-2"])
def test_a_group_of_one_segment_is_a_segment(simulated, with_cut, coarse, tmp_path, channel):
    how = (with_cut, "--bitrate", "16k", *FAST, "--codec", coarse, "--channel", channel)
    runs = [
        simulated(tmp_path / name, *how, "--gop", gop, "--segment", segment).summary
        for name, gop, segment in (("a", "1", "1"), ("b", "1", "2"))
    ]
    for run in runs:
        for volatile in ("timing_s", "settings"):
            run.pop(volatile)
    assert runs[0] == runs[1]
    assert runs[0]["sender"]["longest_group_s"] == 1.0


def test_a_group_shorter_than_two_pictures_is_refused(command, with_cut):
    ended = command(with_cut, "--bitrate", "16k", "--gop", "0.1", "--framerate", "15")
    assert ended.status == 2
    assert "--gop 0.1: shorter than two frames" in ended.err


def test_a_group_longer_than_the_clip_is_noted(simulated, with_cut, coarse, tmp_path):
    run = simulated(tmp_path / "run", with_cut, "--bitrate", "16k", *FAST, "--codec", coarse, "--gop", "30")
    assert any("shorter than --gop 30" in note for note in run.summary["notes"])


def test_groups_that_memory_cuts_short_are_noted(simulated, with_cut, coarse, tmp_path, monkeypatch):
    monkeypatch.setattr("vidlink.sender.groups.LARGEST_BYTES", 50 * 96 * 64 * 3 // 2)
    how = (with_cut, "--scale", "2", "--quality", "44", "--codec", coarse, "--recognizer", "none", "--no-video")
    run = simulated(tmp_path / "run", *how, "--no-scores", "--gop", "999")
    assert any(
        "--gop 999: memory allows key frames that are at most 2.0 s apart" in note for note in run.summary["notes"]
    )
    assert run.table("segments")["duration_s"].max() <= 2
