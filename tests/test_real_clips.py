"""Real clips over the shelf's channels: the budget holds, every frame has its row, and runs repeat to the byte."""

import json

import numpy as np
import pandas as pd
import pytest

CLIPS = {
    "carphone": "clips/carphone_pristine.mp4",
    "bikes": "clips/bikes.mp4",
    "arid": "arid6/Jump/Jump_8_1.mp4",
    "raw": "clips/CiscoVT2people_320x192_12fps.yuv",
}
RATES = ("16k", "64k", "256k")
CHANNELS = ("perfect", "bernoulli-10", "gilbert-elliott")


@pytest.fixture(scope="session")
def cut(data, tmp_path_factory, ffmpeg, ffprobe):
    """Short cuts of the clips, with what ffprobe says of their times."""
    folder = tmp_path_factory.mktemp("cuts")
    made = {}

    def get(name):
        if name not in made:
            path = data / CLIPS[name]
            if name == "bikes":
                ffmpeg(
                    "-i", path, "-t", "1.6", "-c:v", "libx264", "-crf", "12", "-preset", "veryfast", folder / "b.mp4"
                )
                path = folder / "b.mp4"
            elif name == "carphone":
                ffmpeg(
                    "-i", path, "-t", "2.3", "-c:v", "libx264", "-crf", "12", "-preset", "veryfast", folder / "c.mp4"
                )
                path = folder / "c.mp4"
            if path.suffix == ".yuv":
                made[name] = path, np.arange(path.stat().st_size // (320 * 192 * 3 // 2)) / 12
            else:
                shown = ffprobe("-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "json", path)
                times = np.array([float(frame["pts_time"]) for frame in json.loads(shown)["frames"]])
                made[name] = path, times - times[0]
        return made[name]

    return get


def check(run, times, budget):
    """What holds of every run, whatever was lost."""
    tables = {name: pd.read_csv(run.path / f"{name}.csv") for name in ("segments", "frames", "packets", "predictions")}
    frames, packets, segments = tables["frames"], tables["packets"], tables["segments"]
    assert frames["frame"].tolist() == list(range(len(times)))
    assert frames["time_s"].to_numpy() == pytest.approx(times, abs=1e-3)
    assert set(frames["status"]) <= {"ok", "concealed", "drifting", "frozen"}
    counts = frames["status"].value_counts()
    assert {status: int(counts.get(status, 0)) for status in run.summary["frames"]} == run.summary["frames"]
    assert sum(run.summary["frames"].values()) == len(times) == run.summary["input"]["frames"]
    assert frames["psnr_db"].between(5, 100).all()
    assert frames["ssim"].between(-1, 1).all()
    # The budget: over the clip, in every second, and over every run of packets.
    assert run.summary["rate"]["wire_bps"] <= budget
    assert 8 * packets["bytes"].sum() <= budget * run.summary["input"]["seconds"] + 1e-6
    assert segments["wire_bits"].sum() == 8 * packets["bytes"].sum()
    send, sizes = packets["send_s"].to_numpy(), packets["bytes"].to_numpy()
    assert (np.diff(send) >= 0).all()
    before = np.concatenate(([0], np.cumsum(8 * sizes)))
    for start, first in zip(send, range(len(send)), strict=True):
        window = before[np.searchsorted(send, start + 1)] - before[first]
        assert window <= budget + 8 * sizes.max()
    # Nothing is sent before it was captured, and nothing arrives before it was sent.
    starts = segments.set_index("segment")[["start_s", "duration_s"]].sum(axis=1)
    assert (send >= starts.loc[packets["segment"]].to_numpy() - 1e-6).all()
    assert not (packets["arrival_s"] < packets["send_s"]).any()
    assert packets["fate"].isin(["delivered", "lost", "dropped"]).all()
    assert (packets["kind"] != "parameters").any()
    assert not ((packets["kind"] == "parameters") & (packets["fate"] != "delivered")).any()
    return tables


@pytest.mark.parametrize(
    ("clip", "rate", "channel"),
    # Every clip at every rate, every clip and every rate over every channel.
    [(clip, rate, CHANNELS[(k + n) % 3]) for n, clip in enumerate(CLIPS) for k, rate in enumerate(RATES)],
)
def test_budget_rows_and_counts(cut, simulated, coarse, tmp_path, clip, rate, channel):
    path, times = cut(clip)
    arguments = (path, "--bitrate", rate, "--channel", channel, "--codec", coarse, "--scales", "2,4,8")
    judge = () if (clip, rate) == ("carphone", "64k") else ("--recognizer", "none")
    run = simulated(tmp_path / "run", *arguments, "--divisors", "1,3", "--no-video", *judge)
    tables = check(run, times, 1000 * float(rate[:-1]))
    frames, packets = tables["frames"], tables["packets"]
    if channel == "perfect":
        assert set(frames["status"]) == {"ok"}
        assert set(packets["fate"]) == {"delivered"}
        assert (packets["arrival_s"] == packets["send_s"]).all()
    else:
        delay = (packets["arrival_s"] - packets["send_s"]).dropna()
        assert delay.to_numpy() == pytest.approx(0.05, abs=2e-6)
        if not (packets["fate"] == "lost").any():
            assert set(frames["status"]) == {"ok"}


def test_the_seed_decides_and_nothing_else(cut, simulated, coarse, tmp_path):
    path, _ = cut("carphone")
    arguments = (path, "--bitrate", "64k", "--channel", "bernoulli-10", "--codec", coarse)
    arguments += ("--scales", "1,2", "--no-video")
    runs = [simulated(tmp_path / f"{k}", *arguments, "--seed", seed) for k, seed in enumerate((3, 3, 4))]
    for name in ("segments", "frames", "packets", "predictions"):
        content = [(run.path / f"{name}.csv").read_bytes() for run in runs]
        assert content[0] == content[1]
    fates = [run.table("packets")["fate"].tolist() for run in runs]
    assert fates[0] != fates[2]


@pytest.mark.parametrize(
    ("clip", "rate", "channel"), [("carphone", "64k", "gilbert-elliott"), ("arid", "16k", "bernoulli-10")]
)
def test_with_all_settings_as_they_come(cut, simulated, ffprobe, tmp_path, clip, rate, channel):
    path, times = cut(clip)
    run = simulated(tmp_path / "run", path, "--bitrate", rate, "--channel", channel)
    check(run, times, 1000 * float(rate[:-1]))
    assert run.summary["rate"]["utilisation"] > 0.7
    film = json.loads(ffprobe("-show_entries", "frame=pts_time", "-of", "json", run.path / "received.mp4"))["frames"]
    assert [float(frame["pts_time"]) for frame in film] == pytest.approx(times, abs=1e-3)


def test_downsampling_pays_at_low_rates(cut, simulated, tmp_path):
    """As measured on carphone: at 12 kb/s a lower resolution is better than the full one."""
    path, _ = cut("carphone")
    arguments = (path, "--bitrate", "12k", "--recognizer", "none", "--no-video", "--divisors", "1")
    full = simulated(tmp_path / "full", *arguments, "--scale", "1")
    free = simulated(tmp_path / "free", *arguments)
    assert free.summary["quality"]["psnr_db"] > full.summary["quality"]["psnr_db"] + 0.3
    assert min(row["scale"] for row in free.summary["plan"]) > 1


def test_two_real_faces_are_both_recognized(data, simulated, coarse, tmp_path):
    run = simulated(
        tmp_path / "run", data / CLIPS["raw"], "--bitrate", "128k", "--codec", coarse, "--scales", "1,2", "--no-video"
    )
    assert run.summary["recognition"]["faces"] >= 2
    assert run.summary["recognition"]["against"] == "pristine"
    predictions = run.table("predictions")
    assert predictions.groupby("face").size().max() <= len(run.table("frames"))
    assert predictions[["valence", "arousal"]].abs().max().max() < 2


def test_sizes_of_the_sources(data, simulated, tmp_path, ffprobe):
    for name, path in CLIPS.items():
        run = simulated(
            *(tmp_path / name, data / path, "--scale", "4", "--quality", "45", "--recognizer", "none"),
            *("--no-scores", "--no-video"),
        )
        found = run.summary["input"]
        if name == "raw":
            assert (found["width"], found["height"], found["fps"]) == (320, 192, 12)
            continue
        show = ("-select_streams", "v", "-show_entries", "stream=width,height,nb_frames,duration", "-of", "json")
        stream = json.loads(ffprobe(*show, data / path))["streams"][0]
        assert (found["width"], found["height"]) == (stream["width"], stream["height"])
        assert found["frames"] == int(stream["nb_frames"])
        assert found["seconds"] == pytest.approx(float(stream["duration"]), abs=0.05)
