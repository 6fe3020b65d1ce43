"""A run that is stopped keeps what is done, and goes on to the tables of one that never was."""

import hashlib
import json
import signal

import pytest

from vidlink.errors import UserError
from vidlink.options import parse_arguments, settings_from
from vidlink.report.resume import run_in
from vidlink.report.run_folder import is_incomplete
from vidlink.report.stop import Stopped
from vidlink.simulate import run_into, simulate

FIXED = ("--scales", "1,2", "--recognizer", "none", "--segment", "0.4", "--no-plot")
TABLES = ("segments.csv", "frames.csv", "packets.csv", "predictions.csv")


@pytest.fixture(scope="module")
def asked(small_clip, coarse):
    def settings(*more, rate="60k"):
        group = () if rate == "auto" else ("--gop", "0.4")
        words = (small_clip, *FIXED, *group, "--bitrate", rate, "--codec", coarse, *more)
        return settings_from(parse_arguments([str(word) for word in words]))

    return settings


@pytest.fixture
def stop_after(monkeypatch):
    """Somebody asks to stop while the n-th segment is taken in; it is the last one then."""
    from vidlink.scores.scores import Scores

    add = Scores.add

    def install(count):
        seen = []

        def add_and_ask(self, *given):
            seen.append(1)
            if len(seen) == count:
                signal.raise_signal(signal.SIGINT)
            return add(self, *given)

        monkeypatch.setattr(Scores, "add", add_and_ask)

    return install


@pytest.mark.parametrize(
    ("rate", "more"),
    [("60k", ()), ("60k", ("--channel", "bernoulli-10", "--nack")), ("auto", ("--channel", "narrowband-64k"))],
)
def test_what_is_done_is_kept_and_gone_on_with_to_the_same_tables(asked, stop_after, tmp_path, rate, more):
    settings = asked(*more, rate=rate)
    unbroken, place = run_into(tmp_path / "whole", settings, quiet=True).folder, tmp_path / "run"
    stop_after(2)
    with pytest.raises(KeyboardInterrupt, match=r"run holds the 2 segments that were done; .* --resume goes on"):
        run_into(place, settings, quiet=True)
    summary = json.loads((place / "summary.json").read_text())
    assert summary["complete"] is False
    assert len(summary["plan"]) == 2
    assert any("first 2 segments only" in note for note in summary["notes"])
    stop_after(10**9)
    assert run_into(place, settings, resume=True, quiet=True).summary["complete"] is True
    assert sorted(path.name for path in place.iterdir()) == sorted(path.name for path in unbroken.iterdir())
    for name in (*TABLES, "received.mp4"):
        assert (place / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_stopped_in_its_last_segment_the_run_is_marked_as_what_it_is(asked, stop_after, tmp_path):
    settings = asked()
    count = len(run_into(tmp_path / "whole", settings, quiet=True).segments)
    stop_after(count)
    with pytest.raises(KeyboardInterrupt, match=r"holds|is whole"):
        run_into(tmp_path / "run", settings, quiet=True)
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len(found["plan"]) == count


def test_without_a_folder_what_is_done_comes_with_the_interrupt(asked, stop_after):
    stop_after(2)
    with pytest.raises(Stopped) as stopped:
        simulate(asked(), quiet=True)
    assert len(stopped.value.run.segments) == 2
    assert stopped.value.run.summary["complete"] is False


def test_handlers_of_signals_are_put_back(asked, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run_into(tmp_path / "run", asked(), quiet=True)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_settings_or_another_clip_are_not_gone_on_with(asked, stop_after, tmp_path):
    place = tmp_path / "run"
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        run_into(place, asked(), quiet=True)
    stop_after(10**9)
    with pytest.raises(UserError, match=r"has --seed 0, not 1"):
        run_into(place, asked("--seed", "1"), resume=True, quiet=True)
    with pytest.raises(UserError, match="one of them"):
        run_into(place, asked(), resume=True, overwrite=True, quiet=True)
    with pytest.raises(UserError, match=r"exists already; --resume goes on"):
        run_into(place, asked(), quiet=True)
    about = json.loads((place / "run.json").read_text())
    about["input"]["sha256"] = "0" * 64
    (place / "run.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match="differs"):
        run_into(place, asked(), resume=True, quiet=True)
    assert is_incomplete(place)


def test_without_a_place_the_run_of_these_settings_is_found(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = [run_in(None, asked("--seed", seed), simulate, quiet=True).folder for seed in (0, 1)]
    for seed, place in enumerate(places):
        assert run_in(None, asked("--seed", seed), simulate, resume=True, quiet=True).folder == place
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_stopped_once_its_last_segment_is_there_the_run_is_whole(asked, stop_after, tmp_path):
    unbroken = run_into(tmp_path / "whole", asked(), quiet=True)
    stop_after(len(unbroken.segments))
    with pytest.raises(KeyboardInterrupt, match="the run was over, and is whole in"):
        run_into(tmp_path / "run", asked(), quiet=True)
    assert not is_incomplete(tmp_path / "run")
    for name in TABLES:
        assert (tmp_path / "run" / name).read_bytes() == (unbroken.folder / name).read_bytes(), name


def test_stopped_before_its_first_segment_it_says_that_nothing_was_kept(asked, tmp_path, monkeypatch):
    from vidlink.sender.sender import Sender

    def ask(*_, **__):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("not reached")

    monkeypatch.setattr(Sender, "coded", ask)
    with pytest.raises(KeyboardInterrupt, match="no segment was done yet, so nothing was kept"):
        run_into(tmp_path / "run", asked(), quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_run_json_says_what_made_the_results(asked, small_clip, tmp_path):
    run_into(tmp_path / "run", asked(), quiet=True)
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {"command", "started", "git", "vidlink", "python", "versions", "machine", "cores", "input"} == set(about)
    assert {"av", "ffmpeg", "x264", "torch"} <= set(about["versions"])
    content = small_clip.read_bytes()
    assert about["input"] == {
        "path": str(small_clip),
        "files": 1,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
