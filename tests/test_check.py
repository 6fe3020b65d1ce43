"""``vidlink check``: what data hold, and what is wrong with them."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import pandas as pd
import pytest

from vidlink.__main__ import main
from vidlink.check import main as check_alone
from vidlink.command import run_command
from vidlink.data.generated import draw_faces
from vidlink.reels import write_reels


@pytest.fixture(scope="module")
def reels(tmp_path_factory):
    place = tmp_path_factory.mktemp("reels")
    write_reels("generated:120", "train", place, count=2, seconds=2.0, seed=0, quiet=True)
    return place


@pytest.fixture
def folder(reels, tmp_path):
    """Two reels, one in each of two splits."""
    place = Path(shutil.copytree(reels, tmp_path / "my"))
    (place / "split.csv").write_text("name,split\n00,train\n01,valid\n")
    return place


@pytest.fixture
def check(capsys, monkeypatch):
    monkeypatch.setattr("vidlink.parser._CALLED", [])

    def run(*words):
        status = 0
        try:
            run_command(lambda: main(["check", *map(str, words)]))
        except SystemExit as end:
            status = end.code or 0
        out, err = capsys.readouterr()
        return SimpleNamespace(
            status=status,
            out=out,
            err=err,
            wrong=[line.removeprefix("wrong: ") for line in out.splitlines() if line.startswith("wrong: ")],
        )

    return run


def test_a_good_folder(check, folder):
    found = check(folder)
    assert (found.status, found.err, found.wrong) == (0, "", [])
    heads, first, second, last = found.out.splitlines()
    assert heads.split()[:6] == ["clip", "split", "size", "fps", "seconds", "frames"]
    assert first.split()[:9] == ["00", "train", "192x144", "25", "2.00", "50", "600", "12", "comma"]
    assert second.split()[:2] == ["01", "valid"]
    assert first.endswith("100 %")
    assert last == "nothing is wrong"
    valence = pd.read_csv(folder / "00.csv")["valence"]
    assert f"{valence.min():.2f} to {valence.max():.2f}" in first


def test_a_spoilt_folder_has_each_of_its_problems_named(check, folder):
    labels = pd.read_csv(folder / "00.csv")
    for name in ("empty", "alone", "semi", "wide", "outside"):
        shutil.copy(folder / "00.mkv", folder / f"{name}.mkv")
    (folder / "empty.mkv").write_bytes(b"no film")
    labels.to_csv(folder / "semi.csv", sep=";", index=False)
    labels.assign(valence=labels["valence"] * 100).to_csv(folder / "wide.csv", index=False)
    labels.assign(x=labels["x"] + 500).to_csv(folder / "outside.csv", index=False)
    shutil.copy(folder / "00.csv", folder / "orphan.csv")
    (folder / "split.csv").unlink()
    found = check(folder)
    assert found.status == 2
    expected = {
        "empty.mkv: ": "not a video",
        "alone.mkv: ": "no alone.csv beside it",
        "semi.csv": "semicolon",
        "wide.csv: ": "expected within -1 and 1",
        "outside.csv": "outside",
        "orphan.csv: ": "without a clip",
    }
    for file, why in expected.items():
        assert any(file in line and why in line for line in found.wrong), (file, found.wrong)
    assert not any("01.mkv" in line or "/00." in line for line in found.wrong)
    assert found.err == f"vidlink: {folder}: {len(found.wrong)} things are wrong\n"


def test_faces_that_two_splits_share_are_counted(check, folder):
    for suffix in (".mkv", ".csv"):
        shutil.copy(folder / f"00{suffix}", folder / f"02{suffix}")
    (folder / "split.csv").write_text("name,split\n00,train\n01,valid\n02,valid\n")
    found = check(f"videos:{folder}")
    assert found.status == 2
    assert len(found.wrong) == 1
    assert found.wrong[0].startswith("60 of 120 faces of valid are in train as well")
    assert found.err.endswith(": 1 thing is wrong\n")


def test_a_wrong_split_file_is_named_and_the_clips_are_looked_at_all_the_same(check, folder):
    (folder / "split.csv").write_text("name,split\n00,train\n")
    found = check(folder)
    assert found.status == 2
    assert found.wrong == [f"{folder / 'split.csv'}: says no split of 01"]
    assert "100 %" in found.out


def test_a_clip_in_which_no_face_is_found_is_named(check, tmp_path, small_clip):
    shutil.copy(small_clip, tmp_path / "plain.mp4")
    rows = "".join(f"{0.2 * k:.1f},{0.1 * k - 0.5:.1f},0.5\n" for k in range(10))
    (tmp_path / "plain.csv").write_text(f"time_s,valence,arousal\n{rows}")
    found = check(tmp_path)
    assert found.status == 2
    assert any("plain.mp4: a face in 0 % of 5 looks" in line for line in found.wrong)
    assert any("plain.csv: arousal is 0.5 throughout" in line for line in found.wrong)


def test_too_few_clips_for_every_split_is_a_note_and_not_wrong(check, folder):
    (folder / "split.csv").unlink()
    found = check(folder)
    assert found.status == 0
    assert "note: no clip is in " in found.out


def test_faces_of_other_data(check, tmp_path):
    assert check("generated:30").out.splitlines() == [
        "train  30 faces, 0 left out",
        "valid  30 faces, 0 left out",
        "nothing is wrong",
    ]
    images = draw_faces("12", "train").images
    for split, first, last in (("Train", 0, 8), ("Valid", 6, 12)):
        place = tmp_path / f"FER2013{split}"
        place.mkdir()
        rows = [f'{k}.png,"(0, 0, 48, 48)",0,10,0,0,0,0,0,0,0,0' for k in range(first, last)]
        (place / "label.csv").write_text("\n".join(rows))
        for k in range(first, last):
            cv2.imwrite(str(place / f"{k}.png"), images[k][:, ::-1] if k == 6 else images[k])
    found = check(f"ferplus:{tmp_path}")
    assert found.status == 2
    assert found.wrong[0].startswith("2 of 6 faces of valid are in train as well")


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("nosuch", ("nosuch", "no such folder")),
        ("videos:nosuch", ("nosuch", "no such folder")),
        ("nokind:x", ("nokind",)),
        ("generated:30 --splits train,trian", ("trian", "train")),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_line(check, given, parts):
    found = check(*given.split())
    assert found.status == 2
    assert len(found.err.splitlines()) == 1
    assert all(part in found.err for part in parts)


def test_a_folder_without_clips(capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        run_command(lambda: check_alone([str(tmp_path)]))
    assert end.value.code == 2
    assert "no clip in it" in capsys.readouterr().err
