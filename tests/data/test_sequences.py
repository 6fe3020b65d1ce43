"""Clips as luma: which clips, in what shape, and what is wrong with them."""

import numpy as np
import pytest

from vidlink.data.sequences import load_sequences, read_sequence
from vidlink.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_clip):
    place = tmp_path_factory.mktemp("clips")
    for name in "abcde":
        make_clip(place / f"{name}.mp4", count=3, size=(34, 18))
    return place


def test_splits_of_a_folder(folder):
    assert list(load_sequences(f"videos:{folder}", "train")) == ["a", "b", "c"]
    assert list(load_sequences(f"videos:{folder}", "valid")) == ["d"]
    every = load_sequences(f"videos:{folder}", "all")
    assert all(clip.shape == (3, 18, 34) and clip.dtype == np.uint8 for clip in every.values())
    assert list(load_sequences(f"videos:{folder / 'b.mp4'}", "all")) == ["b"]


def test_no_more_than_so_many_pictures(folder):
    assert len(read_sequence(folder / "a.mp4", most=2)) == 2


@pytest.mark.parametrize(
    ("spec", "split", "words"),
    [
        ("clips", "train", "expected videos:PATH"),
        ("images:x", "train", "unknown kind of clips 'images'"),
        ("videos:/no/such", "train", "no such folder"),
        ("videos:{}", "tain", "did you mean 'train'"),
    ],
)
def test_what_is_no_folder_of_clips(folder, spec, split, words):
    with pytest.raises(UserError, match=words):
        load_sequences(spec.format(folder), split)
