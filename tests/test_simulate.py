"""The main job from end to end: what the run folder promises, repeatability, every codec, protection."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

TABLES = ("segments", "frames", "packets", "predictions")
FAST = ("--recognizer", "none", "--scales", "1,2,4")
BARE = ("--no-video", "--no-plot", "--no-report")


def same_tables(a, b):
    return all((a.path / f"{name}.csv").read_bytes() == (b.path / f"{name}.csv").read_bytes() for name in TABLES)


@pytest.fixture(scope="module")
def lossy(face_clip, simulated, coarse, tmp_path_factory):
    """A run with labels over a lossy channel."""
    arguments = ("--bitrate", "96k", "--codec", coarse, "--scales", "2,4", "--channel", "gilbert-elliott")
    labels = ("--labels", face_clip / "labels.csv", "--workers", "5")
    return simulated(tmp_path_factory.mktemp("lossy") / "run", face_clip / "face.mp4", *arguments, *labels, drawn=True)


def test_the_summary_has_the_keys_of_the_contract(lossy, face_clip):
    summary = lossy.summary
    contract = ("input", "settings", "rate", "plan", "delivery", "frames", "quality", "recognition", "timing_s")
    assert [key for key in summary if key in contract] == list(contract)
    assert list(summary["input"]) == ["path", "frames", "fps", "width", "height", "seconds"]
    assert list(summary["rate"]) == ["target_bps", "wire_bps", "payload_bps", "bpp", "wire_bpp", "utilisation"]
    row = ["segment", "start_s", "scale", "frame_divisor", "quality", "payload_bits", "wire_bits"]
    assert [list(each) for each in summary["plan"]] == [row, row]
    delivery = ["packets", "lost", "late", "recovered", "retransmitted", "loss_rate", "mean_burst", "delay_s"]
    assert list(summary["delivery"]) == delivery
    assert list(summary["delivery"]["delay_s"]) == ["p50", "p95", "max"]
    assert list(summary["frames"]) == ["ok", "concealed", "drifting", "frozen"]
    assert list(summary["quality"])[:2] == ["psnr_db", "ssim"]
    assert {"task", "recognizer", "against", "cc", "ccc", "rmse"} <= set(summary["recognition"])
    assert summary["recognition"]["against"] == "labels"
    for measure in ("cc", "ccc", "rmse"):
        assert list(summary["recognition"][measure]) == ["valence", "arousal"]
    assert "total" in summary["timing_s"]
    assert summary["input"]["path"] == str(face_clip / "face.mp4")
    assert (summary["input"]["frames"], summary["input"]["seconds"]) == (50, 2.0)


def test_the_settings_in_the_summary_are_all_of_them(lossy):
    from dataclasses import fields

    from vidlink.settings import Settings

    assert list(lossy.summary["settings"]) == [field.name for field in fields(Settings)]


def test_the_summary_is_what_the_tables_say(lossy):
    summary = lossy.summary
    frames, packets, segments = (lossy.table(name) for name in ("frames", "packets", "segments"))
    assert frames["frame"].tolist() == list(range(50))
    for status, count in summary["frames"].items():
        assert count == (frames["status"] == status).sum()
    assert sum(summary["frames"].values()) == 50
    assert summary["rate"]["wire_bps"] == pytest.approx(8 * packets["bytes"].sum() / 2.0)
    assert summary["rate"]["payload_bps"] == pytest.approx(segments["payload_bits"].sum() / 2.0)
    assert summary["rate"]["bpp"] == pytest.approx(segments["payload_bits"].sum() / (320 * 240 * 50), abs=1e-8)
    assert summary["rate"]["wire_bpp"] == pytest.approx(8 * packets["bytes"].sum() / (320 * 240 * 50), abs=1e-8)
    assert summary["rate"]["utilisation"] == pytest.approx(summary["rate"]["wire_bps"] / 96_000, abs=1e-6)
    assert segments["wire_bits"].tolist() == (8 * packets.groupby("segment")["bytes"].sum()).tolist()
    lost = packets["fate"].isin(["lost", "dropped"])
    assert summary["delivery"]["packets"] == len(packets)
    assert summary["delivery"]["lost"] == lost.sum() > 0
    assert summary["delivery"]["loss_rate"] == pytest.approx(lost.mean(), abs=1e-6)
    assert packets["arrival_s"].isna().tolist() == lost.tolist()
    runs = (lost.astype(int).diff().fillna(lost.astype(int)) == 1).sum()
    assert summary["delivery"]["mean_burst"] == pytest.approx(lost.sum() / runs, abs=1e-4)
    delay = (packets["arrival_s"] - packets["send_s"]).dropna()
    assert summary["delivery"]["delay_s"]["max"] == pytest.approx(delay.max(), abs=1e-6)
    assert summary["quality"]["psnr_db"] == pytest.approx(frames["psnr_db"].mean(), abs=1e-3)
    assert summary["quality"]["ssim"] == pytest.approx(frames["ssim"].mean(), abs=1e-5)
    plan = pd.DataFrame(summary["plan"])
    pd.testing.assert_frame_equal(plan, segments[plan.columns.tolist()], check_dtype=False)


def test_recognition_is_that_of_the_predictions_against_the_labels(lossy, face_clip):
    from scipy.stats import pearsonr

    predictions = lossy.table("predictions")
    labels = pd.read_csv(face_clip / "labels.csv")
    assert predictions["frame"].tolist() == list(range(50))
    for name in ("valence", "arousal"):
        assert predictions[f"{name}_label"].to_numpy() == pytest.approx(labels[name].to_numpy(), abs=1e-4)
        cc = pearsonr(predictions[name], predictions[f"{name}_label"]).statistic
        assert lossy.summary["recognition"]["cc"][name] == pytest.approx(cc, abs=1e-4)
        rmse = np.sqrt(((predictions[name] - predictions[f"{name}_label"]) ** 2).mean())
        assert lossy.summary["recognition"]["rmse"][name] == pytest.approx(rmse, abs=1e-4)


def test_psnr_in_the_table_is_that_of_the_film(lossy, face_clip):
    """The film shows what was received (at CRF 16), so its PSNR is near that of the table."""
    frames = lossy.table("frames")
    with av.open(str(face_clip / "face.mp4")) as source, av.open(str(lossy.path / "received.mp4")) as film:
        for row, (a, b) in enumerate(zip(source.decode(video=0), film.decode(video=0), strict=True)):
            difference = a.to_ndarray()[:240].astype(float) - b.to_ndarray()[:240]
            assert 10 * np.log10(255**2 / np.mean(difference**2)) == pytest.approx(frames["psnr_db"][row], abs=1.0)


def test_the_folder_holds_what_it_should(lossy):
    names = {path.name for path in lossy.path.iterdir()}
    wanted = {
        "summary.json",
        "run.json",
        "received.mp4",
        "plot.png",
        "report.html",
        "report.mp4",
        *(f"{name}.csv" for name in TABLES),
    }
    assert wanted <= names
    assert names - wanted <= {"sensitivity.csv"}
    assert (lossy.path / "plot.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_same_seed_same_bytes_whatever_the_number_of_threads_other_seed_other_losses(
    lossy, face_clip, simulated, coarse, tmp_path
):
    arguments = (
        *(face_clip / "face.mp4", "--bitrate", "96k", "--codec", coarse, "--scales", "2,4"),
        *("--channel", "gilbert-elliott", "--labels", face_clip / "labels.csv"),
    )
    again = simulated(tmp_path / "again", *arguments, "--no-video", "--workers", "1", redrawn=True)
    assert same_tables(lossy, again)
    without = [{k: v for k, v in r.summary.items() if k not in ("timing_s", "settings")} for r in (lossy, again)]
    assert without[0] == without[1]
    other = simulated(tmp_path / "other", *arguments, "--no-video", "--seed", "1")
    assert other.table("packets")["fate"].tolist() != lossy.table("packets")["fate"].tolist()
    assert other.summary["plan"] == lossy.summary["plan"]


def test_a_fresh_process_gives_the_same_bytes(lossy, face_clip, coarse, tmp_path):
    arguments = (
        *(face_clip / "face.mp4", "--bitrate", "96k", "--codec", coarse, "--scales", "2,4"),
        *("--channel", "gilbert-elliott", "--labels", face_clip / "labels.csv"),
    )
    done = subprocess.run(
        [sys.executable, "-m", "vidlink.simulate", *map(str, arguments), *BARE, "--out", str(tmp_path / "run")],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": "77"},
    )
    assert done.stderr == ""
    for name in TABLES:
        assert (tmp_path / "run" / f"{name}.csv").read_bytes() == (lossy.path / f"{name}.csv").read_bytes()
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert f"{summary['rate']['wire_bps'] / 1000:.1f} kb/s of 96.0 kb/s" in done.stdout
    assert str(tmp_path / "run") in done.stdout


SHELF = ("x264", "x264-realtime", "x265", "vp9", "av1")


@pytest.fixture(scope="module")
def wide_clip(tmp_path_factory, make_clip):
    """Two seconds of 160x128."""
    return make_clip(tmp_path_factory.mktemp("wide") / "wide.mp4", size=(160, 128))


@pytest.mark.parametrize("codec", SHELF)
def test_every_codec_fits_its_budget_and_arrives(wide_clip, simulated, tmp_path, codec):
    ladder = ("--recognizer", "none", "--scales", "1,2")  # av1 takes no picture below 64 pixels
    run = simulated(tmp_path / "run", wide_clip, "--bitrate", "100k", "--codec", codec, *ladder, "--no-video")
    assert run.summary["frames"] == {"ok": 50, "concealed": 0, "drifting": 0, "frozen": 0}
    assert run.summary["rate"]["wire_bps"] <= 100_000
    assert run.summary["rate"]["utilisation"] > 0.4
    assert run.summary["quality"]["psnr_db"] > 20


@pytest.mark.parametrize("codec", SHELF)
def test_every_codec_survives_loss(wide_clip, simulated, tmp_path, codec):
    fixed = ("--scale", "1", "--quality", "36", "--recognizer", "none", "--codec", codec)
    clean = simulated(tmp_path / "clean", wide_clip, *fixed, "--no-video")
    run = simulated(tmp_path / "run", wide_clip, *fixed, "--channel", "bernoulli-10")
    frames = run.summary["frames"]
    assert sum(frames.values()) == 50
    assert 0 < frames["ok"] < 50
    pristine, hurt = clean.table("frames"), run.table("frames")
    ok = (hurt["status"] == "ok").to_numpy()
    assert hurt["psnr_db"][ok].to_numpy() == pytest.approx(pristine["psnr_db"][ok].to_numpy())
    assert hurt["psnr_db"].mean() < pristine["psnr_db"].mean()
    assert run.summary["delivery"]["lost"] > 0
    with av.open(str(run.path / "received.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 50


@pytest.mark.parametrize("search", ["guided", "exhaustive", "best-fixed", "ladder"])
@pytest.mark.parametrize("objective", ["psnr", "ssim"])
def test_every_way_to_choose_keeps_to_the_budget(wide_clip, simulated, coarse, tmp_path, search, objective):
    arguments = ("--codec", coarse, *FAST, "--no-video", "--search", search, "--objective", objective)
    run = simulated(tmp_path / "run", wide_clip, "--bitrate", "60k", *arguments)
    assert run.summary["rate"]["wire_bps"] <= 60_000
    segments = run.table("segments")
    assert (segments["wire_bits"] <= 60_000 * segments["duration_s"]).all()


def test_more_bits_mean_more_quality(wide_clip, simulated, tmp_path):
    found = [
        simulated(tmp_path / rate, wide_clip, "--bitrate", rate, *FAST, "--no-video").summary["quality"]["psnr_db"]
        for rate in ("16k", "40k", "120k", "400k")
    ]
    assert found == sorted(found)
    assert found[-1] > found[0] + 3


def test_the_exhaustive_search_is_right(wide_clip, simulated, coarse, tmp_path):
    """Every rung fixed by hand: none that fits is better than what the search chose, segment by segment."""
    budget = 80_000
    arguments = ("--codec", coarse, "--recognizer", "none", "--no-video", "--bitrate", f"{budget}", "--divisors", "1")
    arguments += ("--gop", "1")
    chosen = simulated(tmp_path / "run", wide_clip, *arguments, "--scales", "1,2,4", "--search", "exhaustive")
    best = np.full(2, -np.inf)
    for scale in (1, 2, 4):
        for quality in (22, 30, 38, 44, 51):
            fixed = simulated(
                tmp_path / f"{scale}-{quality}", wide_clip, *arguments, "--scale", scale, "--quality", quality
            )
            segments = fixed.table("segments")
            fits = segments["wire_bits"] <= budget * segments["duration_s"]
            best = np.maximum(best, np.where(fits, segments["psnr_db"], -np.inf))
    assert chosen.table("segments")["psnr_db"].to_numpy() == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("protection", [("--fec", "xor:k=4"), ("--fec", "rs:k=8,n=12"), ("--nack",)])
def test_protection_counts_on_the_wire_and_helps(wide_clip, simulated, coarse, tmp_path, protection):
    arguments = (wide_clip, "--bitrate", "128k", "--codec", coarse, *FAST, "--no-video", "--channel", "bernoulli-10")
    arguments += ("--gop", "1")
    bare = simulated(tmp_path / "bare", *arguments)
    run = simulated(tmp_path / "run", *arguments, *protection)
    # Copies may go out after the clip's end, but they count in the clip's time all the same.
    assert run.summary["rate"]["wire_bps"] <= 128_000
    assert run.summary["rate"]["wire_bps"] == pytest.approx(8 * run.table("packets")["bytes"].sum() / 2)
    delivery = run.summary["delivery"]
    assert delivery["recovered"] + delivery["retransmitted"] > 0
    assert run.summary["frames"]["ok"] > bare.summary["frames"]["ok"]


def test_a_fixed_rung_needs_no_budget(wide_clip, simulated, tmp_path):
    run = simulated(tmp_path / "run", wide_clip, "--scale", "1.5", "--quality", "33", "--recognizer", "none")
    assert {(row["scale"], row["quality"]) for row in run.summary["plan"]} == {(1.5, 33)}
    assert run.summary["rate"]["target_bps"] is None
    assert run.summary["rate"]["utilisation"] is None


def test_a_fixed_scale_or_a_fixed_quality_leave_the_other_free(wide_clip, simulated, tmp_path):
    arguments = (wide_clip, "--bitrate", "64k", "--recognizer", "none", "--no-video")
    run = simulated(tmp_path / "scale", *arguments, "--scale", "2")
    assert {row["scale"] for row in run.summary["plan"]} == {2}
    assert run.summary["rate"]["wire_bps"] <= 64_000
    run = simulated(tmp_path / "quality", *arguments, "--quality", "40", "--scales", "1,2,4")
    assert {row["quality"] for row in run.summary["plan"]} == {40}
    assert run.summary["rate"]["wire_bps"] <= 64_000


def test_max_size_is_kept(wide_clip, simulated, tmp_path):
    run = simulated(tmp_path / "run", wide_clip, "--bitrate", "64k", *FAST, "--no-video", "--max-size", "80x64")
    segments = run.table("segments")
    assert (segments["width"] <= 80).all()
    assert (segments["height"] <= 64).all()


@pytest.mark.parametrize("seconds", ["0.5", "2", "10"])
def test_other_segment_lengths(wide_clip, simulated, coarse, tmp_path, seconds):
    run = simulated(
        tmp_path / "run",
        wide_clip,
        "--bitrate",
        "64k",
        *FAST,
        "--codec",
        coarse,
        "--segment",
        seconds,
        "--gop",
        seconds,
        "--no-video",
    )
    assert len(run.summary["plan"]) == max(1, round(2 / float(seconds)))
    assert run.summary["frames"]["ok"] == 50
    assert run.summary["rate"]["wire_bps"] <= 64_000


def test_scores_and_film_can_be_left_out(wide_clip, simulated, tmp_path):
    fixed = ("--scale", "2", "--quality", "40", "--recognizer", "none", "--no-scores", "--no-video")
    run = simulated(tmp_path / "run", wide_clip, *fixed)
    assert run.summary["quality"]["psnr_db"] is None
    assert run.summary["recognition"] is None
    assert not (run.path / "received.mp4").exists()


def test_a_narrow_link_delays_and_drops(wide_clip, simulated, tmp_path):
    """A fixed rung of more than 64 kb/s through a link of 64 kb/s with a queue of a second."""
    fixed = ("--scale", "1", "--quality", "15", "--recognizer", "none", "--no-video", "--channel", "narrowband-64k")
    run = simulated(tmp_path / "run", wide_clip, *fixed)
    assert run.summary["rate"]["wire_bps"] > 100_000
    assert run.summary["delivery"]["lost"] > 0
    assert (run.table("packets")["fate"] == "dropped").any()
    assert run.summary["delivery"]["delay_s"]["max"] > 0.5
    assert sum(run.summary["frames"].values()) == 50


def test_the_built_in_clip_is_followed(simulated, tmp_path):
    """The default run of the README, but for the film and fewer looks: labels, faces and the shipped weights."""
    run = simulated(tmp_path / "run", "--bitrate", "64k", "--no-video", "--recognize-every", "5")
    assert run.summary["input"] == {
        "path": "builtin",
        "frames": 250,
        "fps": 25.0,
        "width": 320,
        "height": 240,
        "seconds": 10.0,
    }
    assert run.summary["frames"]["ok"] == 250
    assert 0.8 * 64_000 < run.summary["rate"]["wire_bps"] <= 64_000
    predictions = run.table("predictions")
    assert run.summary["recognition"]["against"] == "labels"
    for name in ("valence", "arousal"):
        assert np.corrcoef(predictions[f"{name}_pristine"], predictions[f"{name}_label"])[0, 1] >= 0.6
        assert run.summary["recognition"]["cc"][name] > 0.3


def test_help_needs_no_heavy_library():
    code = (
        "import sys\nfrom vidlink.options import simulate_parser\nimport vidlink.simulate\nsimulate_parser()\n"
        "print([name for name in ('torch', 'cv2', 'pandas', 'av', 'matplotlib', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("case", ["gap-24k", "gap-64k", "deep-2", "deep-4"])
def test_later_segments_always_get_their_share(make_clip, simulated, tmp_path, case):
    """The times stand still for two seconds, as in screen recordings; or the bucket is deeper than a segment."""
    kind, number = case.split("-")
    if kind == "gap":
        times = np.concatenate((np.arange(20) / 25, 3 + np.arange(35) / 25))
        clip = make_clip(tmp_path / "clip.mp4", count=55, size=(176, 144), times_s=times)
        arguments = ("--bitrate", number)
    else:
        clip = make_clip(tmp_path / "clip.mp4", count=150, size=(176, 144))
        arguments = ("--bitrate", "24k", "--buffer", number)
    run = simulated(tmp_path / "run", clip, *arguments, "--recognizer", "none", "--no-video")
    segments = run.table("segments")
    assert run.summary["rate"]["wire_bps"] <= run.summary["rate"]["target_bps"]
    own_bits = run.summary["rate"]["target_bps"] * segments["duration_s"].clip(upper=1)
    assert ((segments["wire_bits"] > 0.6 * own_bits) | (segments["psnr_db"] > 45)).all(), "one of them starves"
