"""Clips of folders, their order and their labels."""

import pytest

from vidlink.choice.clips import find_clips, in_turn, with_labels
from vidlink.errors import UserError
from vidlink.settings import Settings


def files(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"-")
    return str(folder)


def test_folders_within_folders_and_labels_beside(tmp_path):
    folder = files(tmp_path, "Walk/a.mp4", "Walk/a.csv", "Jump/b.MKV", "notes.txt")
    found = find_clips([folder, f"{folder}/Walk/a.mp4"])
    assert [clip.path for clip in found] == [f"{folder}/Jump/b.MKV", f"{folder}/Walk/a.mp4"]
    assert [clip.labels for clip in found] == [None, tmp_path / "Walk/a.csv"]


def test_no_clips(tmp_path):
    with pytest.raises(UserError, match=r"no clip in this folder; expected clips like name\.mp4"):
        find_clips([files(tmp_path, "a.txt")])
    with pytest.raises(UserError, match="no such file"):
        find_clips([str(tmp_path / "b.mp4")])


def test_the_first_ones_are_of_every_folder(tmp_path):
    clips = find_clips([files(tmp_path, *(f"{folder}/{k}.mp4" for folder in "abc" for k in range(9)))])
    order = in_turn(clips, 0)
    assert sorted(clip.path for clip in order) == sorted(clip.path for clip in clips)
    assert len({clip.group for clip in order[:3]}) == 3
    assert order == in_turn(clips, 0) != in_turn(clips, 1)


def test_where_some_clips_have_labels_the_others_are_left_out(tmp_path):
    clips = find_clips([files(tmp_path, "Walk/a.mp4", "else/b.mp4")])
    found, note = with_labels(clips, Settings(bitrate_bps="64k", recognizer="activity"))
    assert [clip.path for clip in found] == [f"{tmp_path}/Walk/a.mp4"]
    assert note.startswith("1 of 2 clips have no labels and were left out")
    assert with_labels(clips[1:], Settings(bitrate_bps="64k", recognizer="activity"))[0] == clips[1:]
