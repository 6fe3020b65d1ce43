"""RECOLA, AVEC 2016 and AFEW-VA by their published layouts, on small made trees."""

import json
import re

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from vidlink.data.afewva import afewva_clips
from vidlink.data.faces import load_clips, load_faces
from vidlink.data.recola import recola_clips
from vidlink.errors import UserError

RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")
BOX = {"x": 16, "y": 8, "w": 32, "h": 32}


def film(path, seconds=4, size=(96, 64)):
    """A clip whose box gets brighter by ten levels a second; elsewhere it is black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(25 * seconds):
            planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            planes[: size[1]] = 0
            planes[BOX["y"] : BOX["y"] + BOX["h"], BOX["x"] : BOX["x"] + BOX["w"]] = 100 + index * 10 // 25
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))


def ratings(seconds, lag_s, raters=RATERS, separator=";"):
    """Ratings that follow the brightness with a lag; the raters differ, and their mean does not."""
    times_s = np.round(np.arange(round(25 * seconds)) / 25, 2)
    truth = np.clip((times_s - lag_s) / 10, -1, 1)
    away = np.linspace(-0.1, 0.1, len(raters))
    rows = [separator.join(["time", *(f"{name} " for name in raters)])]
    rows += [
        separator.join([f"{t:.2f}", *(f"{value + d:.4f}" for d in away)])
        for t, value in zip(times_s, truth, strict=True)
    ]
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """AVEC's layout: two videos in dev and one in train, with boxes."""
    root = tmp_path_factory.mktemp("avec") / "AVEC2016"
    film(root / "recordings_video" / "dev_1.mp4")
    for name in ("dev_1", "dev_2", "train_1"):
        video = root / "recordings_video" / f"{name}.mp4"
        if name != "dev_1":
            video.write_bytes((root / "recordings_video" / "dev_1.mp4").read_bytes())
        for dimension in ("valence", "arousal"):
            file = root / "ratings_individual" / dimension / f"{name}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(ratings(7, 2.0))
        (root / "boxes").mkdir(exist_ok=True)
        boxes = pd.DataFrame({"time_s": [0.0, 4.0]} | {side: [value] * 2 for side, value in BOX.items()})
        boxes.to_csv(root / "boxes" / f"{name}.csv", index=False)
    return root


@pytest.fixture
def avec(pristine, tmp_path):
    """A copy to break."""
    import shutil

    return shutil.copytree(pristine, tmp_path / "AVEC2016")


def test_labels_are_the_raters_mean_brought_back_by_the_delay(pristine):
    clips = recola_clips(pristine.parent, "valid", delay_s=2.0)
    assert [clip.name for clip in clips] == ["dev_1", "dev_2"]
    labels = clips[0].labels
    assert list(labels.columns) == ["time_s", "face", "valence", "arousal", "x", "y", "w", "h"]
    assert labels["time_s"].iloc[[0, 1]].tolist() == [0.0, 0.04]
    assert labels["valence"].to_numpy() == pytest.approx(labels["time_s"] / 10, abs=1e-4)


def test_faces_carry_the_label_of_their_own_time(pristine):
    faces = load_faces(f"recola:{pristine}?delay=2", "valid")
    assert faces.images.shape == (20, 48, 48)
    assert faces.images.mean(axis=(1, 2)) == pytest.approx(100 + 100 * faces.affect[:, 0], abs=2)
    assert faces.skipped == 0
    assert set(faces.majority) == {-1}
    late = load_faces(f"recola:{pristine}", "valid")  # three seconds: a second too many
    assert late.affect[0, 0] == pytest.approx(0.1, abs=1e-4)


def test_the_gold_standard_stands_in_where_there_are_no_raters(avec):
    rows = "\n".join(f"'dev_1',{t / 25:.2f},{t / 2500:.4f}" for t in range(175))
    for dimension in ("valence", "arousal"):
        for file in (avec / "ratings_individual" / dimension).glob("*"):
            file.unlink()
        file = avec / "ratings_gold_standard" / dimension / "dev_1.arff"
        file.parent.mkdir(parents=True)
        head = "@relation x\n@attribute Instance_name string\n@attribute frameTime numeric\n@attribute Gold numeric"
        file.write_text(f"{head}\n@data\n{rows}\n")
    labels = recola_clips(avec, "valid", delay_s=1.0)[0].labels
    assert labels["valence"].to_numpy() == pytest.approx((labels["time_s"] + 1) / 100, abs=1e-4)


def test_recolas_own_names_and_partition(pristine, tmp_path):
    root = tmp_path / "RECOLA"
    for name in ("P16", "P17", "P19"):
        video = root / "RECOLA-Video-recordings" / f"{name}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        video.write_bytes(b"")
        for dimension in ("valence", "arousal"):
            file = root / "RECOLA-Annotation" / "emotional_behaviour" / dimension / f"{name}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(ratings(7, 2.0, separator="; "))
    thirds = {split: [clip.name for clip in recola_clips(root, split)] for split in ("train", "valid", "test")}
    assert thirds == {"train": ["P16"], "valid": ["P17"], "test": ["P19"]}
    (root / "partition.csv").write_text("name, split\nP16, valid\nP19, dev\nP17, train\n")
    assert [clip.name for clip in recola_clips(root, "valid")] == ["P16", "P19"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: re.sub(r"3\.00;[^\n]*", "3.00;0.1;;0.1;0.1;0.1;0.1", text),
            "dev_1.csv, line 77: expected a time",
        ),
        (lambda text: re.sub(r"3\.00;[^\n]*", "3.00;?", text), "dev_1.csv, line 77: expected a time"),
        (lambda text: re.sub(r"\n3\.[^\n]*", "", text), "rows are missing or out of order, from 2.96 s to 4 s"),
        (lambda text: text.replace("time;", "when;"), "expected a header with time"),
        (lambda text: text.replace(";0.", ";20."), "expected them within -1 and 1"),
        (lambda text: "\n".join(text.split("\n")[:40]), "end at 1.52 s, before the delay of 3 s"),
        (lambda text: text.split("\n")[0], "no line: expected a time"),
    ],
)
def test_damaged_ratings_are_named(avec, change, message):
    file = avec / "ratings_individual" / "valence" / "dev_1.csv"
    file.write_text(change(file.read_text()))
    with pytest.raises(UserError, match=re.escape(message)):
        recola_clips(avec, "valid")


def test_what_is_missing_is_named(avec):
    with pytest.raises(UserError, match="no such folder"):
        load_faces("recola:/no/such", "valid")
    with pytest.raises(UserError, match="did you mean 'valid'"):
        load_faces(f"recola:{avec}", "vali")
    with pytest.raises(UserError, match="no video of the split 'test'; there are dev_1, dev_2, train_1"):
        load_faces(f"recola:{avec}", "test")
    with pytest.raises(UserError, match="expected recola:PATH or"):
        load_faces(f"recola:{avec}?lag=3", "valid")
    (avec / "boxes" / "dev_1.csv").write_text("time_s,x,y,w\n0,1,1,1\n")
    with pytest.raises(UserError, match="no column 'h'"):
        load_clips(f"recola:{avec}", "valid")
    (avec / "ratings_individual" / "arousal" / "dev_1.csv").unlink()
    with pytest.raises(UserError, match="dev_1 has no arousal/dev_1"):
        load_clips(f"recola:{avec}", "valid")
    with pytest.raises(UserError, match="has no videos"):
        load_clips("generated:20", "valid")


def landmarks(left=20, top=20, side=24):
    """Points on a square's outline."""
    ends = np.linspace(0, side, 17)
    points = [(left + e, top) for e in ends] + [(left, top + e) for e in ends] + [(left + side, top + e) for e in ends]
    return [*points, *((left + e, top + side) for e in ends)]


@pytest.fixture
def afewva(tmp_path):
    """Five actors, one clip each, in two archives; the third is in colour and of another size."""
    root = tmp_path / "AFEW-VA"
    for number in range(1, 6):
        folder = root / ("01" if number < 4 else "02") / f"{number:03d}"
        folder.mkdir(parents=True)
        frames = {}
        for frame in range(10):
            shape = (120, 160, 3) if number == 3 else (72, 96)
            cv2.imwrite(str(folder / f"{frame:05d}.png"), np.full(shape, 50 + 10 * frame, np.uint8))
            frames[f"{frame:05d}"] = {"valence": frame - 5.0, "arousal": 5.0 - frame, "landmarks": landmarks()}
        notes = {"video_id": folder.name, "actor": f"actor {number}", "frames": frames}
        (folder / f"{number:03d}.json").write_text(json.dumps(notes))
    return root


def test_every_clip_of_an_actor_is_in_one_split(afewva):
    names = {split: [clip.name for clip in afewva_clips(afewva, split)] for split in ("train", "valid", "test")}
    assert names == {"train": ["001", "002", "003"], "valid": ["004"], "test": ["005"]}


def test_labels_are_tenths_and_boxes_hold_the_landmarks(afewva):
    labels = afewva_clips(afewva, "valid")[0].labels
    assert labels["valence"].tolist() == pytest.approx([(frame - 5) / 10 for frame in range(10)])
    assert labels["time_s"].tolist() == pytest.approx(np.arange(10) / 25)
    box = labels.iloc[0]
    assert box["x"] < 20
    assert box["y"] < 20
    assert box["x"] + box["w"] > 44
    assert box["y"] + box["h"] > 44
    assert box["w"] == box["h"] == pytest.approx(1.2 * 24)


def test_stills_have_the_label_of_their_frame_whatever_size_and_colour(afewva):
    faces = load_faces(f"afewva:{afewva}", "train")
    assert faces.images.shape == (6, 48, 48)
    # 8-bit grey becomes video range: 219 levels from 16 on.
    levels = (faces.images.mean(axis=(1, 2)) - 16) * 255 / 219
    assert levels == pytest.approx(100 + 100 * faces.affect[:, 0], abs=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda notes: notes["frames"].pop("00003") and None, None),
        (lambda notes: notes["frames"]["00003"].pop("valence"), "frame '00003': expected valence"),
        (lambda notes: notes["frames"]["00003"].update(valence=11), "frame '00003': valence and arousal are from -10"),
        (
            lambda notes: notes["frames"]["00003"].update(landmarks=[[1, 2]] * 68),
            "frame '00003': the landmarks span no",
        ),
        (lambda notes: notes["frames"].update({"00099": notes["frames"]["00003"]}), "there is no image 00099.png"),
        (lambda notes: notes["frames"].update({"abc": {}}), "frame 'abc': expected a number"),
        (lambda notes: notes.update(frames={}), "expected an object with 'frames'"),
    ],
)
def test_damaged_notes_are_named(afewva, change, message):
    file = afewva / "02" / "004" / "004.json"
    notes = json.loads(file.read_text())
    change(notes)
    file.write_text(json.dumps(notes))
    if message is None:  # a frame without a note is bridged
        assert len(load_faces(f"afewva:{afewva}", "valid")) == 2
        return
    with pytest.raises(UserError, match=re.escape(message)):
        load_faces(f"afewva:{afewva}", "valid")


def test_no_afewva_there_is_said(tmp_path):
    with pytest.raises(UserError, match="holds no NNN/NNN"):
        load_faces(f"afewva:{tmp_path}", "valid")
    with pytest.raises(UserError, match="did you mean 'train'"):
        load_faces(f"afewva:{tmp_path}", "trian")
