"""The one loader: names, classes of users' own, and what is said where there is neither."""

import sys
import types

import pytest

from vidlink.errors import UserError
from vidlink.plugins import Catalogue, first_line


class Knob:
    """A knob that turns.

    And more.
    """

    def __init__(self, *, width=1):
        self.width = width

    @classmethod
    def wide(cls, width):
        return cls(width=10 * width)


@pytest.fixture
def knobs(monkeypatch):
    module = types.ModuleType("knobs_of_ours")
    module.Knob, module.number = Knob, 3
    monkeypatch.setitem(sys.modules, module.__name__, module)
    shipped = {"plain": "knobs_of_ours:Knob", "wide": "knobs_of_ours:Knob.wide", "here": Knob}
    return Catalogue(what="knob", shipped=shipped)


@pytest.mark.parametrize(
    ("name", "width"),
    [("plain", 4), ("wide", 40), ("here", 4), ("knobs_of_ours:Knob", 4), ("knobs_of_ours:Knob.wide", 40)],
)
def test_names_and_classes_are_made_with_what_they_take(knobs, name, width):
    assert knobs.make(name, {"width": 4, "height": 5}).width == width


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("plian", "unknown knob 'plian': did you mean 'plain'. known are here, plain, wide"),
        ("knobs_of_ours:", "knob 'knobs_of_ours:': expected plain, wide, here or package.module:Class"),
        ("knobs_of_ours:Missing", "knob 'knobs_of_ours:Missing': knobs_of_ours has no Missing"),
        ("knobs_of_ours:number", "is int, not a class"),
        ("no_such_knobs:Knob", "importing no_such_knobs failed: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_had_is_named(knobs, name, message):
    with pytest.raises(UserError, match=message):
        knobs.make(name, {})


def test_targets_need_no_import():
    far = Catalogue(what="knob", shipped={"far": "no_such_knobs:Far"})
    assert far.target("far") == "no_such_knobs:Far"
    assert far.target("other:Own") == "other:Own"
    assert Catalogue(what="knob", shipped={"here": Knob}).target("here").endswith(":Knob")


def test_every_shipped_name_of_every_catalogue_can_be_found():
    from vidlink.nets.build import ACTIVITY, RECOGNIZERS, RESTORERS
    from vidlink.recognizers.registry import RECOGNIZERS as REGISTERED
    from vidlink.sender.estimator import ESTIMATORS
    from vidlink.tasks.task import TASKS

    for catalogue in (ACTIVITY, RECOGNIZERS, RESTORERS, REGISTERED, ESTIMATORS, TASKS):
        for name in catalogue.shipped:
            assert callable(catalogue.find(name))


def test_lines_are_read_from_the_source():
    assert first_line("vidlink.sender.estimators:Fixed") == "The start rate throughout, whatever the link does."
    assert first_line(Knob) == "A knob that turns."
    assert first_line("no_such_knobs:Far") == "no_such_knobs:Far"
