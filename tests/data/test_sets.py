"""The table of data sets, and sets of users' own."""

import sys
import types

import numpy as np
import pytest

from vidlink.data.classfolders import ClipFile, find_clips
from vidlink.data.faces import load_clips, load_faces
from vidlink.data.generated import draw_faces
from vidlink.data.images import load_images
from vidlink.data.sets import DATA_SETS, find_reader, split_spec
from vidlink.errors import UserError


@pytest.fixture
def own(monkeypatch):
    module = types.ModuleType("sets_of_ours")
    module.faces = lambda path, split: draw_faces(path, split)
    module.images = lambda path: {path: np.zeros((4, 4), np.uint8)}
    module.clips = lambda path, pattern: [ClipFile(path=path, label="Run", group=pattern)]
    module.nothing = lambda path, split: None
    module.fails = lambda path, split: 1 / 0
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_every_reader_of_the_table_is_there():
    for name, each in DATA_SETS.items():
        for form in each.reads:
            assert callable(find_reader(name, form))


@pytest.mark.parametrize(
    ("spec", "kind", "path"),
    [
        ("ferplus:/data/x.zip", "ferplus", "/data/x.zip"),
        ("ferplus:a:b", "ferplus", "a:b"),
        ("ferplsu:/a:b", "ferplsu", "/a:b"),
        ("mine.sets:faces:/a:b", "mine.sets:faces", "/a:b"),
        ("mine.sets:faces:", "", ""),
        ("T91", "", ""),
        ("images:", "", ""),
    ],
)
def test_specs_are_kind_and_path(spec, kind, path):
    assert split_spec(spec) == (kind, path)


def test_sets_of_ones_own_are_read_as_ours_are(own):
    assert len(load_faces(f"{own}:faces:3", "train")) == 3
    assert list(load_images(f"{own}:images:/a")) == ["/a"]
    assert find_clips(f"{own}:clips:/a", "x")[0].group == "x"
    assert load_clips(f"{own}:clips:/a", "train")[0].label == "Run"


def test_what_is_wrong_with_them_is_named(own):
    with pytest.raises(UserError, match=r"gives NoneType, expected a vidlink\.data\.face_set\.FaceSet"):
        load_faces(f"{own}:nothing:3", "train")
    with pytest.raises(UserError, match="data of sets_of_ours:fails: reading them failed: ZeroDivisionError"):
        load_faces(f"{own}:fails:3", "train")
    with pytest.raises(UserError, match="sets_of_ours has no missing"):
        load_faces(f"{own}:missing:3", "train")
    with pytest.raises(UserError, match="importing no_such_sets failed"):
        load_images("no_such_sets:images:/a")
    with pytest.raises(UserError, match="did you mean 'ferplus'"):
        load_faces("ferplsu:/a:b", "train")


@pytest.mark.parametrize("body", ["return None", "yield 1 / 0"])
def test_a_reader_that_fails_while_its_answer_is_read_is_named(tmp_path, monkeypatch, body):
    (tmp_path / "late_reader.py").write_text(f"def read(path, pattern):\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="data of late_reader:read: reading them failed"):
        find_clips("late_reader:read:x")
