"""Reels: what is labelled is what is seen, the same each time, and no face of another split."""

import re

import av
import numpy as np
import pandas as pd
import pytest

from vidlink import reels
from vidlink.data import reels as reels_module
from vidlink.data.face_set import FaceSet
from vidlink.data.reels import COLUMNS, FADE_S, HOLD_S, ROWS, SIDE, make_reel, write_reel
from vidlink.errors import UserError
from vidlink.labels.affect import EMOTIONS


def flat_faces(count, size=SIDE):
    """Faces of one grey level each; valence tells the level, so that a picture tells its label, arousal is anything."""
    levels = np.linspace(40, 215, count).round().astype(np.uint8)
    images = np.broadcast_to(levels[:, None, None], (count, size, size)).copy()
    affect = np.column_stack([levels / 255, np.random.default_rng(0).random(count)]).astype(np.float32)
    nobody = np.full((count, len(EMOTIONS)), np.nan, np.float32)
    return FaceSet(
        name="flat", split="valid", images=images, affect=affect, distribution=nobody, majority=np.full(len(images), -1)
    )


def tile_of(picture, face):
    top, left = SIDE * (face // COLUMNS), SIDE * (face % COLUMNS)
    return picture[top : top + SIDE, left : left + SIDE]


@pytest.fixture(scope="module")
def reel():
    return make_reel(flat_faces(170), seconds=6, seed=3)


def test_the_label_is_that_of_the_picture_at_every_time(reel):
    labels = reel.labels()
    assert list(labels.columns) == ["time_s", "face", "valence", "arousal", "x", "y", "w", "h"]
    assert len(labels) == len(reel) * COLUMNS * ROWS == 150 * 12
    for face in range(COLUMNS * ROWS):
        track = labels[labels["face"] == face]
        shown = np.array([tile_of(reel.frame(index), face).mean() / 255 for index in range(0, 150, 2)])
        # Light changes by up to 7 percent about mid-grey and six levels.
        assert np.abs(shown - track["valence"][::2]).max() < 0.07 * 0.5 + 8 / 255
        assert np.corrcoef(shown, track["valence"][::2])[0, 1] > 0.95


def test_each_face_is_held_and_fades_into_the_next(reel):
    known = np.round(reel.faces.affect[:, 1].astype(float), 5)
    for _, rows in reel.labels().groupby("face"):
        track = rows["arousal"].to_numpy()
        held = np.isin(track, known)
        edges = np.flatnonzero(np.diff(held.astype(int), prepend=1, append=1))
        fades = np.diff(edges)[::2]
        whole = fades[:-1] if edges[-1:] == len(track) else fades  # the end may cut one off
        assert len(np.unique(track[held])) >= 3
        assert set(whole) <= {int(25 * FADE_S) - 1, int(25 * FADE_S)}
        assert np.abs(np.diff(track)).max() <= np.ptp(known) / (25 * FADE_S) * 1.05


def test_the_boxes_are_the_tiles(reel):
    box = reel.labels().groupby("face")[["x", "y", "w", "h"]].first()
    assert box.loc[6].tolist() == [96, 48, 48, 48]
    assert (box["x"] + box["w"]).max() == 192
    assert (box["y"] + box["h"]).max() == 144


def test_a_seed_decides_everything_and_reels_share_no_face():
    faces = flat_faces(1000)
    one, same = (make_reel(faces, seconds=4, seed=1, index=1) for _ in range(2))
    others = [make_reel(faces, seconds=4, seed=1, index=index) for index in (0, 2)]
    assert np.array_equal(one.frame(50), same.frame(50))
    rows = [np.concatenate([tile.rows for tile in reel.tiles]) for reel in (one, *others)]
    assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows))
    assert not np.array_equal(make_reel(faces, seconds=4, seed=2, index=1).frame(50), one.frame(50))
    assert all(len(tile.rows) >= 4 / HOLD_S[0] for tile in one.tiles)


def test_faces_sway(reel):
    stripes = flat_faces(40)
    stripes.images[:, :, ::6] = 0
    moving = make_reel(stripes, seconds=1, seed=0)
    tiles = [tile_of(moving.frame(index), 0).astype(int) for index in (0, 12)]
    assert np.abs(tiles[0] - tiles[1]).mean() > 3


def test_files_are_lossless_and_the_same_bytes_each_time(reel, tmp_path):
    for name in ("a.mkv", "b.mkv"):
        write_reel(reel, tmp_path / name)
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()
    with av.open(str(tmp_path / "a.mkv")) as container:
        decoded = [frame.to_ndarray()[: SIDE * ROWS] for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 25
    assert len(decoded) == len(reel)
    assert all(np.array_equal(picture, reel.frame(index)) for index, picture in enumerate(decoded))


def test_faces_of_another_size_are_brought_to_the_tile():
    reel = make_reel(flat_faces(20, size=96), seconds=0.2)
    assert reel.frame(4).shape == (144, 192)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--data": "generated:11"}, "at least 12 faces; generated, split 'valid', has 11"),
        ({"--split": "vali"}, "did you mean 'valid'"),
        ({"--count": "0"}, "--count 0: at least 1"),
        ({"--seconds": "0"}, "--seconds 0: must be more than 0"),
        ({"--seconds": "0.01"}, "at least one frame"),
        ({"--seed": "-1"}, "--seed -1"),
    ],
)
def test_wrong_options_are_named(tmp_path, change, message):
    options = {"--data": "generated:20", "--out": str(tmp_path), "--count": "1", "--seconds": "1"} | change
    with pytest.raises(UserError, match=re.escape(message)):
        reels.main([f"{name}={value}" for name, value in options.items()])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reels") / "new"
    reels.main(["--data=generated:60", "--count=2", "--seconds=2", f"--out={folder}", "--quiet"])
    return folder


def test_the_command_writes_clips_beside_labels(written, capsys):
    assert sorted(file.name for file in written.iterdir()) == ["00.csv", "00.mkv", "01.csv", "01.mkv"]
    with pytest.raises(UserError, match=r"has 00\.mkv already"):
        reels.main(["--data=generated:60", "--count=1", "--seconds=2", f"--out={written}"])


def test_a_run_looks_where_the_labels_have_their_boxes(written, simulated, coarse, tmp_path):
    rung = ("--scale", "2", "--quality", "30", "--codec", coarse, "--recognize-every", "10")
    run = simulated(tmp_path / "run", written / "00.mkv", "--labels", written / "00.csv", *rung)
    predictions = pd.read_csv(run.path / "predictions.csv")
    assert predictions["frame"].unique().tolist() == [0, 10, 20, 30, 40]
    assert predictions.groupby("frame").size().tolist() == [12] * 5
    labels = pd.read_csv(written / "00.csv")
    merged = predictions.merge(labels, on=["time_s", "face"], suffixes=("", "_true"))
    assert len(merged) == 60
    for name in ("x", "y", "valence_label"):
        assert merged[name].to_numpy() == pytest.approx(merged[f"{name.split('_')[0]}_true"].to_numpy())
    assert run.summary["recognition"]["faces"] == 12
    # Twelve boxes that stand still are on the wire: ten bytes each in each segment.
    plain = simulated(tmp_path / "plain", written / "00.mkv", "--recognizer", "none", *rung[:-2])
    assert run.summary["rate"]["payload_bps"] - plain.summary["rate"]["payload_bps"] == 8 * 120


def test_an_interrupt_keeps_whole_reels_and_what_was_there(tmp_path, monkeypatch):
    def write(path, **more):
        return reels.write_reels("generated:40", "valid", path, count=2, seconds=0.2, seed=0, quiet=True, **more)

    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    original, written = reels_module.write_reel, []

    def dying(reel, path):
        if written:
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        written.append(path)
        original(reel, path)

    monkeypatch.setattr(reels_module, "write_reel", dying)
    with pytest.raises(KeyboardInterrupt, match="1 of 2"):
        write(tmp_path, overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
