"""How a command line finds its task, once, and what it hands on to the task's own parser."""

import sys
import types

import pytest

from vidlink import evaluate, train
from vidlink.tasks.activity import ActivityTask
from vidlink.tasks.affect import AffectTask
from vidlink.tasks.superresolution import SuperResolutionTask
from vidlink.tasks.task import TASKS, pick_task


@pytest.mark.parametrize(
    ("line", "task", "words"),
    [
        ("", AffectTask, ""),
        ("--epochs 3 --data ferplus:x", AffectTask, "--epochs 3 --data ferplus:x"),
        ("--data x --task sr --help", SuperResolutionTask, "--help --data x"),
        ("--task=sr", SuperResolutionTask, ""),
        ("--task recognition --data classes:x", AffectTask, "--data classes:x"),
        ("--data --task-force sr", AffectTask, "--task-force sr --data"),
        ("--task activity --data=classes:x --quiet", ActivityTask, "--quiet --data classes:x"),
    ],
)
def test_the_task_is_the_one_that_is_named(line, task, words):
    for by_data in (False, True):
        found, rest = pick_task(line.split(), "x", by_data=by_data)
        assert type(found) is task
        assert rest == words.split()


def test_class_folders_are_scored_as_activities_but_trained_on_only_if_asked():
    line = ["--data", "classes:x", "--scales", "1"]
    assert isinstance(pick_task(line, "x", by_data=True)[0], ActivityTask)
    assert isinstance(pick_task(line, "x")[0], AffectTask)


@pytest.mark.parametrize("command", [train, evaluate])
@pytest.mark.parametrize("line", ["--task foo", "--task"])
def test_a_task_that_is_none_is_refused_in_one_line(command, line, capsys):
    with pytest.raises(SystemExit) as end:
        command.main(line.split())
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    known = ", ".join(map(repr, TASKS.shipped))
    assert f"invalid choice: 'foo' (choose from {known})" in said or "expected one arg" in said


@pytest.mark.parametrize("task", TASKS.shipped)
def test_both_commands_take_every_task(task, capsys):
    for command in (train, evaluate):
        with pytest.raises(SystemExit) as end:
            command.main(["--task", task, "--help"])
        assert end.value.code == 0
        assert "--data" in capsys.readouterr().out


def test_a_task_of_ones_own(monkeypatch, capsys, tmp_path):
    class Mine(SuperResolutionTask):
        def check(self, options):
            pass

        def train(self, options):
            return {"scale": options.scale}

        def report(self, card):
            return f"mine at {card['scale']:g}"

    module = types.ModuleType("tasks_of_ours")
    module.Mine = Mine
    monkeypatch.setitem(sys.modules, module.__name__, module)
    train.main(["--task", "tasks_of_ours:Mine", "--data", "x", "--out", str(tmp_path / "x"), "--scale", "2"])
    assert capsys.readouterr().out == "mine at 2\n"
