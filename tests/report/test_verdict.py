"""Is it good? What was lost, why, what helps, and how much was chance: held against runs that show it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vidlink
from vidlink.report.glossary import GLOSSARY
from vidlink.report.verdict import damages, judge_run
from vidlink.report.words import because
from vidlink.settings import Settings
from vidlink.simulate import simulate

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def clip(tmp_path_factory, make_clip):
    """Four seconds at 25 frames a second."""
    return make_clip(tmp_path_factory.mktemp("verdict") / "clip.mp4", count=100)


@pytest.fixture(scope="module")
def run(clip, coarse):
    """Runs with few bits over a channel: ``run("bernoulli-10", seed=1)``."""

    def go(channel, **options):
        given = {"bitrate": "40k", "recognizer": "none", "codec": str(coarse), "scales": [1.0], **options}
        return vidlink.run(clip, channel=str(channel), quiet=True, **given)

    return go


@pytest.fixture(scope="module")
def lossy(run):
    return run("bernoulli-10")


@pytest.fixture(scope="module")
def unprotected(run, lossy):
    """Share of frames that are damaged where nothing helps, mean of three draws."""
    return np.mean([damaged(lossy), *(damaged(run("bernoulli-10", seed=seed)) for seed in (1, 2))])


def damaged(run):
    return (run.frames["status"] != "ok").mean()


def test_every_frame_that_is_not_ok_has_a_cause_that_the_packet_log_shows(lossy):
    frames, packets = lossy.frames, lossy.packets
    bad = frames["status"] != "ok"
    assert bad.any()
    assert frames.loc[~bad, "cause"].isna().all()
    assert frames.loc[bad, "cause"].notna().all()
    gone = packets[(packets["fate"] == "lost") & (packets["kind"] == "video")]
    hurt = set(gone["segment"])
    assert set(frames.loc[bad, "segment"]) == hurt
    keys = frames.groupby("segment")["frame"].min()
    without_key = {segment for segment in hurt if (gone["frame"] == keys[segment]).any()}
    assert set(frames.loc[frames["cause"] == "key frame lost", "segment"]) == without_key


def test_the_stretches_of_damage_hold_each_damaged_frame_once(lossy):
    listed = lossy.summary["verdict"]["damage"]
    total = sum(each[name] for each in listed for name in ("frozen", "concealed", "drifting"))
    assert total == lossy.summary["verdict"]["damaged"] == (lossy.frames["status"] != "ok").sum()
    assert [each["start_s"] for each in listed] == sorted(each["start_s"] for each in listed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_draw_shows_what_a_run_with_that_seed_shows(clip, coarse, monkeypatch, seed):
    caught = []
    monkeypatch.setattr("vidlink.report.verdict.judge_run", lambda *given: caught.append(given[2]) or {})
    settings = {"input": str(clip), "bitrate_bps": "40k", "recognizer": "none", "codec": str(coarse)}
    simulate(Settings(**settings, channel="gilbert-elliott"), quiet=True)
    other = simulate(Settings(**settings, channel="gilbert-elliott", seed=seed), quiet=True)
    assert list(caught[0].draw(seed).status) == list(other.frames["status"])


@pytest.mark.parametrize(("option", "settings"), [("--nack", {"nack": True}), ("--fec xor:k=5", {"fec": "xor:k=5"})])
def test_what_is_said_to_help_helps_in_real_runs(lossy, unprotected, run, option, settings):
    told = {each["option"]: each for each in lossy.summary["verdict"]["draws"]["options"]}[option]
    assert told["helps"]
    assert any(f"`{option}` would help" in text for text in lossy.summary["verdict"]["words"])
    protected = [damaged(run("bernoulli-10", seed=seed, **settings)) for seed in range(3)]
    assert np.mean(protected) < 0.7 * unprotected


def test_a_full_queue_is_named_and_the_lower_budget_helps(run, tmp_path):
    channel = tmp_path / "thin.toml"
    channel.write_text('description = "thin"\nrate = "30k"\nqueue_s = 0.5\n')
    crowded = run(channel, bitrate="45k")
    assert crowded.frames["cause"].dropna().str.contains("dropped|late").any()
    advice = " ".join(crowded.summary["verdict"]["words"])
    budget = re.search(r"`--bitrate (\d+k)` would help", advice)
    assert budget, advice
    assert damaged(run(channel, bitrate=budget[1])) < 0.5 * damaged(crowded)


def test_a_longer_deadline_is_recommended_where_packets_are_late(run, tmp_path):
    channel = tmp_path / "slow.toml"
    channel.write_text('description = "slow"\ndelay_s = 1.3\n[loss]\nmodel = "bernoulli"\nprobability = 0.01\n')
    late = run(channel)
    assert late.frames["cause"].str.contains("late").fillna(value=False).mean() > 0.5
    told = {each["option"]: each for each in late.summary["verdict"]["draws"]["options"]}
    assert told["--deadline 1"]["helps"]
    assert damaged(run(channel, deadline="1")) < 0.5 * damaged(late)


def test_a_link_that_loses_nothing_leaves_nothing_to_chance(run):
    verdict = run("perfect").summary["verdict"]
    assert verdict["draws"] == {"count": 0, "varies": False}
    assert verdict["damage"] == []
    assert verdict["words"] == ["All 100 frames were shown as they were sent."]


def test_chance_is_told_with_its_range(lossy):
    draws = lossy.summary["verdict"]["draws"]
    assert draws["count"] == 20
    assert draws["damaged"]["low"] <= damaged(lossy) <= draws["damaged"]["high"]
    assert any(text.startswith("This is one draw: in 20 draws") for text in lossy.summary["verdict"]["words"])


def test_damage_of_one_cause_is_one_stretch():
    causes = [None, "key frame lost", "key frame lost", None, "frame late", "reference late", None, "frame lost"]
    frames = pd.DataFrame({"time_s": 0.04 * np.arange(8), "cause": causes})
    frames["status"] = ["ok", "frozen", "frozen", "ok", "frozen", "drifting", "ok", "frozen"]
    found = damages(frames)
    assert [(each["cause"], each["frozen"], each["drifting"]) for each in found] == [
        ("key frame lost", 2, 0),
        ("frame late", 1, 1),
        ("frame lost", 1, 0),
    ]
    assert (found[0]["start_s"], found[0]["end_s"]) == (0.04, 0.12)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("key frame lost", "a key frame was lost on the way"),
        ("reference dropped", "a picture that it is predicted from was dropped by a full queue"),
        ("not decoded", "the decoder gave no picture"),
        ("=cmd|' /C calc'!A0", "the decoder gave no picture"),
    ],
)
def test_causes_in_words(cause, words):
    assert because(cause) == words


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
def test_a_real_face_without_loss_is_good_and_above_chance(data, ffmpeg, tmp_path, scale):
    clip = tmp_path / "face.mp4"
    ffmpeg("-i", data / "clips" / "expressions_640x360.mp4", "-t", "6", "-c", "copy", clip)
    run = vidlink.run(clip, bitrate="200k", scale=scale, recognize_every=3, quiet=True)
    verdict = run.summary["verdict"]
    assert verdict["grade"] == "good"
    assert verdict["ceiling"]["ccc"] == {"valence": 1.0, "arousal": 1.0}
    faces = verdict["faces"]
    assert faces["looked"] > 40
    assert faces == {"looked": faces["looked"], "found": faces["looked"], "not_found": 0}
    assert "held against its own answers" in verdict["words"][0]


def test_without_redraws_the_rest_of_the_verdict_stands(lossy):
    again = judge_run(lossy.summary, lossy.tables, None)["verdict"]
    assert again["damage"] == lossy.summary["verdict"]["damage"]
    assert again["draws"]["count"] == 0


def test_the_glossary_of_the_documents_is_that_of_the_program():
    page = " ".join((DOCS / "outputs.md").read_text(encoding="utf-8").split())
    for word, text in GLOSSARY.items():
        assert f"- **{word}**: {text}" in page
    assert len(GLOSSARY) == 6


@pytest.mark.parametrize(
    "loss", ['model = "bernoulli"\nprobability = 1.0', 'model = "gilbert-elliott"\nh = 0\nk = 0\np = 0.1\nr = 0.3',
             'model = "gilbert-elliott"\np = 0.1\nr = 0']
)  # fmt: skip
def test_a_link_that_loses_everything_has_a_verdict(small_clip, tmp_path, loss):
    channel = tmp_path / "none.toml"
    channel.write_text(f'description = "nothing comes"\n[loss]\n{loss}\n')
    settings = Settings(input=str(small_clip), bitrate_bps="64k", channel=str(channel), recognizer="none")
    run = simulate(settings, quiet=True)
    assert run.summary["verdict"]
    assert simulate(replace(settings, bitrate_bps="2M", nack=True), quiet=True).summary["verdict"]
