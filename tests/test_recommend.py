"""The command: what is tried, the three lines, the page, going on, and what is wrong with the input."""

import json
import re
import shlex

import pytest
from swept import Threads, write_clip

from vidlink.choice import search
from vidlink.choice.cost import encode_cost
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.options import parse_arguments, settings_from, settings_of
from vidlink.recommend import main

FIXED = shlex.split(
    "--recognizer none --segment 0.2 --codecs x264 --sizes 1 --rates 1 2 --protect none nack --loss 10%"
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(3):
        write_clip(folder / f"{seed}.mp4", seed)
    return folder


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(search, "choose_executors", lambda **_: Threads())


@pytest.fixture(scope="module")
def recommended(clips, tmp_path_factory):
    """A results folder."""
    out = tmp_path_factory.mktemp("out") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "choose_executors", lambda **_: Threads())
        main([str(clips), "--bitrate", "700k", *FIXED, "--out", str(out)])
    return out


def test_three_lines_and_a_page(clips, recommended, capsys):
    before = {path: path.stat().st_mtime_ns for path in recommended.glob("points/*.json")}
    main([str(clips), "--bitrate", "700k", *FIXED, "--out", str(recommended)])
    first, *lines, page = capsys.readouterr().out.splitlines()
    assert first == "4 settings, 3 clips, about 240 runs at most"
    assert [line[:9].strip() for line in lines] == ["use", "it gives", "how sure"]
    assert page.split()[-1] == str(recommended / "recommendation.html")
    assert len(before) == 12
    assert {path: path.stat().st_mtime_ns for path in recommended.glob("points/*.json")} == before


def test_the_command_is_one_that_runs(recommended):
    answer = json.loads((recommended / "recommendation.json").read_text())
    words = shlex.split(answer["command"])
    assert words[:2] == ["vidlink", "run"]
    settings = settings_from(parse_arguments(words[2:]))
    assert (settings.bitrate_bps, settings.loss, settings.recognizer) == (700e3, 0.1, "none")
    assert answer["command"].endswith(answer["setting"])


def test_the_best_has_the_best_mean_of_the_table(recommended):
    import pandas as pd

    answer = json.loads((recommended / "recommendation.json").read_text())
    table = pd.read_parquet(recommended / "results.parquet")
    means = table.groupby("setting")["quality_psnr_db"].mean()
    assert means.idxmax() == answer["setting"]
    assert answer["score"] == pytest.approx(means.max())
    assert answer["low"] < answer["score"] < answer["high"]
    assert {each["setting"] for each in answer["rivals"]} == set(means.index) - {answer["setting"]}
    assert table.groupby("input")["seed"].nunique().eq(1).all()  # the same draw of the channel for every setting
    assert table["seed"].nunique() == 3


def test_the_page_names_every_setting_and_runs_nothing_of_others(recommended):
    answer = json.loads((recommended / "recommendation.json").read_text())
    page = (recommended / "recommendation.html").read_text()
    rows = page.split('id="table"')[1].split("<tbody>")[1].split("</tbody>")[0]
    assert rows.count("<tr>") == 4
    assert answer["setting"] in page
    assert page.count("<script>") == 1
    assert not re.search(r'(src|href)="https?:', page)


def test_the_cost_is_that_of_one_encode(clips):
    settings = settings_of(input=str(clips / "0.mp4"), bitrate="700k", segment=0.2, recognizer="none")
    plan = [{"start_s": 0.0, "scale": 1.0, "frame_divisor": 1, "quality": 30.0}]
    cost = encode_cost(settings, plan)
    assert cost.video_s == pytest.approx(0.2)
    assert 0 < cost.per_second < 5
    assert cost.cameras == pytest.approx(1 / cost.per_second)
    every_second = [{**plan[0], "frame_divisor": 5}]
    assert min(encode_cost(settings, every_second).cpu_s for _ in range(3)) < max(
        encode_cost(settings, plan).cpu_s for _ in range(3)
    )


@pytest.mark.parametrize("gop", ["auto", "0.1", "1"])
def test_the_cost_is_of_what_the_plan_joined(clips, gop):
    from vidlink.simulate import simulate

    settings = settings_of(input=str(clips / "0.mp4"), bitrate="700k", segment=0.1, gop=gop, recognizer="none")
    run = simulate(settings, quiet=True)
    assert encode_cost(settings, run.summary["plan"]).video_s == pytest.approx(0.2)


def test_one_clip_gives_no_interval(clips, tmp_path, capsys):
    main([str(clips / "0.mp4"), "--bitrate", "700k", *FIXED, "--out", str(tmp_path / "out")])
    out = capsys.readouterr().out
    assert "one clip gives no interval, and tells no two settings apart: give more clips" in out
    assert "[" not in out.split("it gives")[1].splitlines()[0]
    assert 'id="differences"' not in (tmp_path / "out/recommendation.html").read_text()


def test_a_budget_that_nothing_fits(clips, tmp_path):
    with pytest.raises(
        UserError, match=r"nothing that was tried fits the budget; the lowest rate that would is"
    ) as said:
        main([str(clips), "--bitrate", "1k", *FIXED, "--out", str(tmp_path / "out")])
    lowest, setting = re.search(r"is ([\d.]+k), with (.*) \(on", str(said.value)).groups()
    words = [str(clips / "0.mp4"), "--bitrate", lowest, *shlex.split("--recognizer none --segment 0.2 --loss 10%")]
    settings_from(parse_arguments([*words, *setting.split()]))


def test_what_was_done_before_an_interrupt_is_kept(clips, tmp_path, monkeypatch):
    import vidlink.sweeping.work as work

    run, made, kept = work._run, [], set()

    def interrupted(task):
        made.append(task.identity)
        if len(made) == 3 and not kept:
            raise KeyboardInterrupt
        return run(task)

    monkeypatch.setattr(work, "_run", interrupted)
    words = [str(clips), "--bitrate", "700k", *FIXED, "--out", str(tmp_path / "out")]
    with pytest.raises(KeyboardInterrupt, match="what is done is kept: the same command goes on"):
        main(words)
    kept |= {path.stem for path in (tmp_path / "out/points").glob("*.json")}
    assert kept == set(made[:2])
    made.clear()
    main(words)
    assert len(made) == 12 - 2
    assert not kept & set(made)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{empty}", "--bitrate", "64k"], "no clip in this folder"),
        (["{clips}", "--bitrate", "64k", "--channel", "lte-driv"], "did you mean 'lte-drive'"),
        (["{clips}"], "give the budget of every setting as --bitrate 64k"),
        (["{clips}", "--bitrate", "auto"], "give the budget of every setting"),
        (["{clips}", "--bitrate", "64k", "--runs", "0"], "--runs 0: at least 1"),
        (["{clips}", "--bitrate", "64k", "--recognizer", "activty"], "unknown recognizer"),
        (["{clips}", "--bitrate", "64k", "--codecs", "x266"], "unknown codec"),
        (["{clips}", "--bitrate", "64k", "--cache", "much"], "--cache"),
    ],
)
def test_bad_input_is_one_line(clips, tmp_path, capsys, words, said):
    words = [word.format(empty=tmp_path, clips=clips) for word in words]
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main([*words, "--out", str(tmp_path / "out")]))
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_what_only_pictures_decided_is_said():
    from vidlink.choice.answer import Answer, sureness
    from vidlink.choice.cost import Cost
    from vidlink.choice.decide import Rival

    def rival(name, clips, less):
        return Rival(setting=name, clips=clips, score=1 - less, less=less, low=less, high=less, needed=None)

    answer = Answer(
        command="vidlink run a.mp4 --codec x264", setting="--codec x264", score_name="accuracy", against="labels",
        score=1.0, low=1.0, high=1.0, fair=1.0, clips=4, kbps=60.0, resolution="64x48", frames_per_s=25.0,
        costs={"--codec x264": Cost(cpu_s=1.0, video_s=4.0)},
        rivals=[rival("b", 4, 0.0), rival("c", 4, 0.1), rival("d", 2, 0.0), rival("e", 2, 0.5)],
        rounds=[(5, 2), (3, 4)],
    )  # fmt: skip
    assert sureness(answer) == (
        "4 clips cannot tell it from b (the same on every clip; PSNR decided); 2 more were left behind on fewer clips, "
        "1 of them with the same score there"
    )
