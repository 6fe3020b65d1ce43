import numpy as np
import pytest

from vidlink.data.classfolders import ClipFile, assign_folds, list_clips, load_clips
from vidlink.errors import UserError


@pytest.fixture
def folder(tmp_path, make_clip):
    for label, names in {"Run": ("Run_1_1", "Run_2_1"), "Sit": ("Sit_1_1", "Sit_3_2")}.items():
        (tmp_path / label).mkdir()
        for name in names:
            make_clip(tmp_path / label / f"{name}.mp4", count=8, rate=16)
    return tmp_path


def files(**counts):
    return [
        ClipFile(path=f"{label}_{group}_{k}", label=label, group=group)
        for label, groups in counts.items()
        for group, count in groups.items()
        for k in range(count)
    ]


def test_labels_are_folders_and_groups_are_numbers_in_names(folder):
    found = list_clips(folder)
    assert [(file.label, file.group) for file in found] == [("Run", "1"), ("Run", "2"), ("Sit", "1"), ("Sit", "3")]
    assert [file.group for file in list_clips(folder, r"_\d+_(\d+)$")] == ["1", "1", "1", "2"]
    assert list_clips(folder, "nowhere")[0].group == "Run_1_1"


@pytest.mark.parametrize(
    ("name", "group"),
    [("v_Biking_g08_c01.avi", "08"), ("person05_walking_d1_uncomp.avi", "05"), ("Walk_10_3.mp4", "10")],
)
def test_names_of_known_data_sets(tmp_path, name, group):
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / name).touch()
    assert list_clips(tmp_path)[0].group == group


def test_clips_are_held_at_one_rate_and_size(folder):
    found = load_clips(list_clips(folder), frame_rate=8, size=(48, 32))
    assert {clip.shape for clip in found.clips} == {(4, 32, 48)}
    assert found.sizes[0] == (96, 64)
    assert [found.classes.index(each.label) for each in found.files] == [0, 0, 1, 1]


def test_unreadable_clips_are_named_skipped_and_counted(folder):
    good = (folder / "Run" / "Run_1_1.mp4").read_bytes()
    (folder / "Run" / "Run_5_1.mp4").write_bytes(good[: len(good) // 3])
    (folder / "Sit" / "Sit_5_1.mp4").write_text("no video")
    found = load_clips(list_clips(folder), frame_rate=8, size=(48, 32))
    assert sorted(found.skipped) == ["Run/Run_5_1.mp4", "Sit/Sit_5_1.mp4"]
    assert len(found.clips) == 4
    for label in ("Run", "Sit"):
        for path in (folder / label).glob(f"{label}_[123]*.mp4"):
            path.unlink()
    with pytest.raises(UserError, match="none of 2 clips can be read"):
        load_clips(list_clips(folder), frame_rate=8, size=(48, 32))


@pytest.mark.parametrize("pattern", ["(", "*"])
def test_a_pattern_that_is_none(folder, pattern):
    with pytest.raises(UserError, match="not a regular expression"):
        list_clips(folder, pattern)


def test_no_folder_and_an_empty_one(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        list_clips(tmp_path / "missing")
    with pytest.raises(UserError, match=r"expected CLASS/clip\.mp4"):
        list_clips(tmp_path)


def test_folds_hold_whole_groups_and_leave_every_class_something_to_learn():
    made = files(
        Jump={"8": 14, "11": 11},
        Run={"1": 6, "11": 19},
        Turn={"1": 21, "7": 4},
        Walk={"10": 13, "14": 12},
        Sit={"2": 8, "4": 4},
    )
    fold = assign_folds(made)
    for group in {file.group for file in made}:
        assert len({fold[k] for k, file in enumerate(made) if file.group == group}) == 1
    for number in range(5):
        left = {file.label for file, k in zip(made, fold, strict=True) if k != number}
        assert left == {"Jump", "Run", "Turn", "Walk", "Sit"}
    assert np.bincount(fold, minlength=5).min() >= 4


def test_a_class_of_one_group_cannot_be_learned_and_tested():
    with pytest.raises(UserError, match=r"class 'Sit' has one recording group only \(2\)"):
        assign_folds(files(Sit={"2": 5}, Run={"1": 2, "3": 2}), 2)
    with pytest.raises(UserError, match="2 recording groups are too few for 5 folds"):
        assign_folds(files(Run={"1": 2, "3": 2}))
