"""What the page of a run says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vidlink
from vidlink.report.page import film as films
from vidlink.report.page.moments import for_script, stretches
from vidlink.report.page.run_page import page_of_folder

RECOGNITION = {
    "task": "mood",
    "recognizer": "mood",
    "against": "pristine",
    "faces": 1,
    "n": 2,
    **{score: {"mood": 0.654} for score in ("cc", "ccc", "rmse")},
}


def test_the_run_wrote_the_page_that_the_folder_gives(whole_run):
    written = (whole_run / "report.html").read_text(encoding="utf-8")
    again = page_of_folder(whole_run)
    assert "<dt>wire rate</dt>" in written
    for text in ("What is missing", "<li>"):  # stills are chosen in another way, all else is the same
        assert written.count(text) == again.count(text)
    start, end = '<section id="timeline"', '<section id="made"'
    assert written[written.index(start) : written.index(end)] == again[again.index(start) : again.index(end)]


def test_frames_lost_and_sent_are_in_it(whole_run):
    page = page_of_folder(whole_run)
    frames = pd.read_csv(whole_run / "frames.csv")
    for status, count in frames["status"].value_counts().items():
        assert f"{count} {status}</span>" in page
    lost = json.loads((whole_run / "summary.json").read_text())["delivery"]["lost"]
    assert lost
    assert f"{lost} lost</span>" in page
    segments = pd.read_csv(whole_run / "segments.csv")
    damage = json.loads((whole_run / "summary.json").read_text())["verdict"]["damage"]
    assert damage
    assert page.count("<tr><th scope=") == len(segments) + 1 + len(damage) + 1  # each table has a head
    assert json.loads((whole_run / "run.json").read_text())["command"].split()[0] in page


def test_what_the_script_is_told(whole_run):
    frames, segments = (pd.read_csv(whole_run / f"{name}.csv") for name in ("frames", "segments"))
    told = for_script(frames, segments, 2.0)
    assert told["times"] == (1000 * frames["time_s"]).round().astype(int).tolist()
    names = [told["words"][int(digit)][0] for digit in told["fates"]]
    assert names == frames["status"].tolist()
    assert [each["start"] for each in told["segments"]] == (1000 * segments["start_s"]).round().astype(int).tolist()
    assert told["measures"][0]["name"] == "PSNR"
    assert told["measures"][0]["values"] == pytest.approx(frames["psnr_db"].tolist(), abs=0.01)
    assert for_script(None, None, 1.0)["fates"] == ""


def test_stretches():
    times = np.array([0.0, 1.0, 2.0, 3.0])
    assert stretches(times, np.array([1, 1, 0, 0]), 4.0) == [(0.0, 2.0, 1), (2.0, 4.0, 0)]
    assert stretches(times[:0], np.array([]), 4.0) == []


def test_a_large_film_is_beside_the_page(run, monkeypatch):
    monkeypatch.setattr(films, "LARGEST_BYTES", 1000)
    page = page_of_folder(run)
    assert 'src="report.mp4"' in page
    assert "too large for this page" in page
    assert "data:video" not in page


def test_a_verdict_is_shown_and_a_strange_one_is_not(run):
    path = run / "summary.json"
    summary = json.loads(path.read_text())
    damage = [{"start_s": 0.4, "end_s": 0.8, "cause": "frame lost", "frozen": 10, "concealed": 0, "drifting": 0}]
    words = ["It kept 80 % of the ceiling; `--nack` helps."]
    summary["verdict"] = {"grade": "fair", "words": words, "damage": damage}
    summary["recognition"] = RECOGNITION
    for name in ("ceiling", "kept", "constant", "chance"):
        summary["verdict"][name] = {"ccc": {"mood": 0.321}}
    path.write_text(json.dumps(summary))
    page = page_of_folder(run)
    assert '<p class="grade">Fair</p>' in page
    assert "It kept 80 % of the ceiling; <code>--nack</code> helps." in page
    assert '<th scope="row" class="word">CCC mood</th><td>0.654</td><td>0.321</td>' in page
    assert "10 frozen" in page
    for strange in ("good", 3, {"grade": ["good"], "words": 5, "damage": [{"start_s": "a"}, 7]}):
        path.write_text(json.dumps(summary | {"verdict": strange}))
        assert 'class="grade"' not in page_of_folder(run)
    summary["verdict"]["words"] = ["Fair: so and so."]
    path.write_text(json.dumps(summary))
    page = page_of_folder(run)
    assert 'class="verdict rank-1"' in page
    assert 'class="grade"' not in page  # the sentence says it


def test_the_cause_of_a_damage_is_told_the_script(whole_run):
    frames = pd.read_csv(whole_run / "frames.csv").head(7)
    frames["cause"] = [None, None, None, "frame lost", None, "reference lost", None]
    told = for_script(frames, None, 2.0)
    assert told["causes"] == ["frame lost", "reference lost"]
    assert told["cause"] == [-1, -1, -1, 0, -1, 1, -1]


def test_no_report(small_clip, tmp_path):
    fixed = {"scale": 2, "quality": 45, "recognizer": "none", "no_plot": True, "quiet": True}
    run = vidlink.run(small_clip, out=tmp_path / "run", no_report=True, **fixed)
    assert not [path for path in run.folder.iterdir() if path.name.startswith("report")]
    run = vidlink.run(small_clip, out=tmp_path / "other", no_video=True, **fixed)
    assert (run.folder / "report.html").is_file()
    assert not list(run.folder.glob("*.mp4"))


def test_dimensions_with_faces_that_come_and_go(run):
    times = np.arange(50) / 25
    here = (times < 0.5) | (times > 1.5)
    tracks = [
        pd.DataFrame({"frame": np.flatnonzero(mask), "time_s": times[mask], "face": face})
        for face, mask in enumerate([np.ones(50, bool), here, *[here] * 6])
    ]
    table = pd.concat(tracks)
    table = table.assign(mood=np.sin(table["time_s"]), mood_pristine=np.cos(table["time_s"]), mood_label=np.nan)
    table.to_csv(run / "predictions.csv", index=False)
    page = page_of_folder(run)
    assert "mood, face 5" in page
    assert "mood, face 6" not in page
    assert "2 more faces are in predictions.csv" in page
    assert page.count("no face</title>") == 5


def test_names_of_files_that_are_no_text(run):
    odd = run.parent / Path("odd\udcff")
    run.rename(odd)
    (odd / "summary.json").unlink()
    assert r"odd\xff" in page_of_folder(odd).encode("utf-8").decode()


def test_a_live_run_over_a_link_without_a_limit_has_a_page(small_clip, tmp_path):
    import vidlink

    run = vidlink.run(small_clip, bitrate="auto", recognizer="none", out=tmp_path / "run", quiet=True)
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "estimate" in page
