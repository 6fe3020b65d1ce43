"""Folders of clips: splits, labels beside them, sweeps by pattern, and what is wrong with them."""

import shutil

import pytest

from vidlink.data.examine import separator_of
from vidlink.data.videos import clips_by_name, labelled, splits_of, video_clips, videos_in
from vidlink.errors import UserError
from vidlink.report.clips import clips_of
from vidlink.sweeping.grid import sweep_from


@pytest.fixture
def folder(tmp_path, small_clip):
    for name in ("a", "b", "c"):
        shutil.copy(small_clip, tmp_path / f"{name}.mp4")
        rows = "".join(f"{0.2 * k:.1f},{0.1 * k:.1f},0.5\n" for k in range(10))
        (tmp_path / f"{name}.csv").write_text(f"time_s,valence,arousal\n{rows}")
    return tmp_path


def test_clips_labels_and_splits(folder):
    assert [clip.name for clip in video_clips(str(folder), "all")] == ["a", "b", "c"]
    (folder / "split.csv").write_text("name,split\na,train\nb.mp4,valid\nc,valid\n")
    assert [clip.name for clip in video_clips(str(folder), "valid")] == ["b", "c"]
    with pytest.raises(UserError, match="did you mean 'train'"):
        video_clips(str(folder), "trian")
    (folder / "split.csv").write_text("name,split\na,train\nb,valid\n")
    with pytest.raises(UserError, match="says no split of c"):
        splits_of(folder, videos_in(folder))
    (folder / "c.csv").unlink()
    with pytest.raises(UserError, match=r"no c\.csv beside it"):
        labelled(folder / "c.mp4")


def test_a_folder_without_clips(tmp_path):
    with pytest.raises(UserError, match="no clip in it"):
        videos_in(tmp_path)


def test_a_pattern_in_a_sweep_is_every_clip_with_its_labels(folder):
    points = list(sweep_from({"grid": {"input": "*.mp4", "bitrate": ["8k", "9k"]}}, "s", folder).make_points(folder))
    assert [point.columns["clip"] for point in points] == ["a", "a", "b", "b", "c", "c"]
    assert points[0].settings.labels == folder / "a.csv"
    with pytest.raises(UserError, match="no clip matches"):
        sweep_from({"grid": {"input": "z*.mp4", "bitrate": ["8k"]}}, "s", folder)


def test_inputs_of_a_run(folder):
    found = clips_of([str(folder), str(folder / "a.mp4")])
    assert list(found) == ["a", "b", "c", "a-2"]
    assert found["a"][1] == folder / "a.csv"
    assert found["a-2"][1] is None


def test_separators(folder):
    assert separator_of(folder / "a.csv") == "comma"
    (folder / "a.csv").write_text("time_s;valence;arousal\n")
    assert separator_of(folder / "a.csv") == "semicolon"


def test_class_folders_stand_for_what_lies_in_them(tmp_path):
    for name in ("cat/1.jpg", "cat/2.png", "dog/1.jpg", "dog/3.mp4", "dog/notes.txt", ".kept/4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(clips_by_name(tmp_path)) == ["cat-1", "cat-2", "dog-1", "dog-3"]
    assert clips_by_name(tmp_path)["dog-1"] == tmp_path / "dog" / "1.jpg"
    (tmp_path / "cat" / "1.png").touch()
    with pytest.raises(UserError, match="cat: two clips or pictures are called 1; rename one"):
        clips_by_name(tmp_path)
    (tmp_path / "dog").rename(tmp_path / "labels")
    (tmp_path / "cat").rename(tmp_path / "images")
    with pytest.raises(UserError, match="no clip in it"):
        clips_by_name(tmp_path)
