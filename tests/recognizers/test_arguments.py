from pathlib import Path
from typing import Literal

import pytest

from vidlink.errors import UserError
from vidlink.recognizers.arguments import read_arguments


class Plugin:
    def __init__(
        self,
        *,
        device=None,
        threshold: float = 0.5,
        count: "int | None" = None,
        fast: bool = False,
        mode: Literal["mean", "max"] = "mean",
        classes: tuple[str, ...] = (),
        model: Path = Path("a"),
        untyped=3,
    ):
        pass


class Bare:
    pass


def read(*arguments, of=Plugin):
    return read_arguments("mine", of, arguments, reserved=("device", "weights"))


def test_values_are_typed_by_the_annotations():
    found = read("threshold=1e-3", "count=4", "fast=true", "mode=max", "classes=a, b", "model=x/y=z", "untyped=7")
    assert found == {
        "threshold": 0.001,
        "count": 4,
        "fast": True,
        "mode": "max",
        "classes": ("a", "b"),
        "model": Path("x/y=z"),
        "untyped": 7,
    }
    assert read("count=none") == {"count": None}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("thresold=1", r"unknown argument 'thresold': did you mean 'threshold'\? known are classes, count, fast"),
        ("threshold", "write key=value"),
        ("=3", "write key=value"),
        ("threshold=high", "argument threshold='high': expected a number"),
        ("count=2.5", "expected a whole number"),
        ("fast=maybe", "expected true or false"),
        ("mode=median", "expected one of mean, max"),
        ("device=cpu", "has its own option --device"),
    ],
)
def test_wrong_arguments_are_named(argument, message):
    with pytest.raises(UserError, match=message):
        read(argument)


def test_an_argument_twice_and_one_too_many():
    with pytest.raises(UserError, match="count is given twice"):
        read("count=1", "count=2")
    with pytest.raises(UserError, match="'mine' takes no arguments"):
        read("count=1", of=Bare)
