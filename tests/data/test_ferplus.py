import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidlink.data.faces import load_faces
from vidlink.data.ferplus import CIRCUMPLEX, expected_affect, load_ferplus, majority_of
from vidlink.errors import UserError

ROWS = {  # neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face
    "a.png": (0, 10, 0, 0, 0, 0, 0, 0, 0, 0),
    "b.png": (5, 0, 0, 0, 5, 0, 0, 0, 0, 0),
    "c.png": (0, 0, 0, 0, 0, 0, 0, 0, 3, 7),
    "d.png": (0, 0, 0, 4, 0, 0, 0, 0, 6, 0),
}


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "ferplus" / "FER2013Valid"
    folder.mkdir(parents=True)
    lines = []
    for level, (name, votes) in enumerate(ROWS.items()):
        cv2.imwrite(str(folder / name), np.full((48, 48), 40 * level, np.uint8))
        lines.append(f'{name},"(0, 0, 48, 48)",' + ",".join(map(str, votes)))
    (folder / "label.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "ferplus"


def zipped(tree):
    path = tree.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in tree.rglob("*.*"):
            archive.write(file, file.relative_to(tree.parent))
    return path


@pytest.mark.parametrize("layout", ["folder", "parent", "split", "zip"])
def test_every_layout_gives_the_same_faces(tree, layout):
    path = {"folder": tree, "parent": tree.parent, "split": tree / "FER2013Valid", "zip": tree}[layout]
    faces = load_ferplus(zipped(tree) if layout == "zip" else path, "valid")
    assert faces.images[:, 0, 0].tolist() == [0, 40, 120]
    assert faces.skipped == 1
    assert faces.plurality.tolist() == [1, 0, 3]
    assert faces.majority.tolist() == [1, -1, -1]
    anger = np.array(CIRCUMPLEX["anger"])
    assert faces.affect == pytest.approx(np.stack([CIRCUMPLEX["happiness"], anger / 2, CIRCUMPLEX["sadness"]]))


def test_expectation_weighs_by_votes():
    votes = np.zeros((1, 8))
    votes[0, [1, 2]] = 3, 1
    assert expected_affect(votes)[0] == pytest.approx([(3 * 0.81 + 0.40) / 4, (3 * 0.51 + 0.67) / 4])


def test_a_majority_is_more_than_half_without_single_votes():
    votes = np.array(
        [
            (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),  # half is not more than half
            (5, 1, 1, 1, 1, 1, 0, 0, 0, 0),  # single votes are set aside
            (5, 3, 2, 0, 0, 0, 0, 0, 0, 0),
            (4, 0, 0, 0, 0, 0, 0, 0, 3, 0),  # unknown counts among the votes
            (4, 0, 0, 0, 0, 0, 0, 0, 0, 6),  # and may have the majority
            (0, 0, 0, 0, 0, 0, 0, 6, 2, 2),
            (1, 1, 1, 0, 0, 0, 0, 0, 0, 0),  # nothing is left
        ]
    )
    assert majority_of(votes).tolist() == [-1, 0, -1, 0, -1, 7, -1]


def test_quadrants_of_the_circumplex():
    signs = {emotion: tuple(np.sign(position)) for emotion, position in CIRCUMPLEX.items()}
    assert signs["happiness"] == (1, 1)
    assert signs["anger"] == signs["fear"] == (-1, 1)
    assert signs["sadness"] == (-1, -1)
    assert signs["neutral"] == (0, 0)


def test_images_of_other_size_and_colour_are_converted(tree):
    folder = tree / "FER2013Valid"
    cv2.imwrite(str(folder / "a.png"), np.full((96, 60, 3), 200, np.uint8))
    assert load_ferplus(tree, "valid").images[0] == pytest.approx(200)


def broken(tree, what):
    labels = tree / "FER2013Valid" / "label.csv"
    if what == "missing image":
        (tree / "FER2013Valid" / "b.png").unlink()
    elif what == "no image":
        (tree / "FER2013Valid" / "b.png").write_bytes(b"no image")
    elif what == "empty image":
        (tree / "FER2013Valid" / "b.png").write_bytes(b"")
    elif what == "short row":
        labels.write_text(labels.read_text().replace("5,0,0,0,5,0,0,0,0,0", "5,0"))
    elif what == "negative":
        labels.write_text(labels.read_text().replace("5,0,0,0,5", "5,0,0,0,-5"))
    elif what == "no votes":
        labels.write_text('a.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,9,1\n')
    elif what == "no labels":
        labels.unlink()
    return tree


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing image", "b.png: no such image"),
        ("no image", "b.png: not an image"),
        ("empty image", "b.png: not an image"),
        ("short row", "label.csv, line 2: expected"),
        ("negative", "label.csv, line 2: expected"),
        ("no votes", "no face has a usable vote"),
        ("no labels", "holds no FER2013Valid/label.csv"),
    ],
)
def test_damage_is_named(tree, what, message):
    with pytest.raises(UserError, match=message):
        load_ferplus(broken(tree, what), "valid")


def test_wrong_specs_are_named(tree):
    with pytest.raises(UserError, match="did you mean 'valid'"):
        load_faces(f"ferplus:{tree}", "vali")
    with pytest.raises(UserError, match="holds no FER2013Train"):
        load_faces(f"ferplus:{tree}", "train")
    with pytest.raises(UserError, match="no such file or folder"):
        load_faces("ferplus:/no/such", "valid")
    with pytest.raises(UserError, match="KIND:PATH"):
        load_faces(str(tree), "valid")
    with pytest.raises(UserError, match="did you mean 'ferplus'"):
        load_faces("ferpluss:/x", "valid")
    with pytest.raises(UserError, match="neither a folder nor a zip"):
        load_faces(f"ferplus:{tree / 'FER2013Valid' / 'label.csv'}", "valid")


@pytest.mark.skipif("VIDLINK_DATA" not in os.environ, reason="VIDLINK_DATA is not set: no FER+ here")
def test_the_real_validation_split():
    faces = load_ferplus(Path(os.environ["VIDLINK_DATA"]) / "ferplus.zip", "valid")
    assert faces.images.shape == (3579, 48, 48)
    assert faces.skipped == 0
    assert np.abs(faces.affect).max() < 1
    assert np.bincount(faces.plurality).argmax() == 0
    assert (faces.majority >= 0).sum() == 3191  # as many as FER+'s own reader keeps
