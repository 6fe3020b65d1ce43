"""The drawn faces: the built-in clip and the batches to train on."""

import hashlib
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from vidlink.data.face import Identity, Pose, draw_face
from vidlink.data.face.expression import ACTIONS, PROTOTYPES, actions_of
from vidlink.data.synthetic import (
    FRAME_COUNT,
    FRAME_RATE,
    HEIGHT,
    WIDTH,
    builtin_clip,
    builtin_frame,
    builtin_labels,
    builtin_track,
    face_batch,
)


@pytest.fixture(scope="module")
def clip():
    frames, labels = builtin_clip()
    return list(frames), labels


def small_face(valence, arousal):
    pose = Pose(x=50, y=44, size=14)
    backdrop = np.full((96, 100), 90, np.uint8)
    return draw_face(identity=Identity(), valence=valence, arousal=arousal, pose=pose, backdrop=backdrop)


def test_clip_has_ten_seconds_of_pictures(clip):
    frames, labels = clip
    assert len(frames) == len(labels) == FRAME_COUNT == 10 * FRAME_RATE
    assert {(frame.shape, frame.dtype) for frame in frames} == {((HEIGHT, WIDTH, 3), np.dtype(np.uint8))}
    assert list(labels.columns) == ["time_s", "valence", "arousal"]
    np.testing.assert_allclose(np.diff(labels.time_s), 0.04)


def test_clip_is_the_same_twice(clip):
    frames, _ = clip
    for index in (0, 77, 249):
        again = builtin_frame(index)
        assert hashlib.sha256(again).digest() == hashlib.sha256(frames[index]).digest()
    assert not np.array_equal(frames[0], frames[1])


def test_clip_does_not_depend_on_the_processor(clip):
    code = (
        "import hashlib; from vidlink.data.synthetic import builtin_frame; "
        "print(hashlib.sha256(builtin_frame(60).tobytes() + builtin_frame(170).tobytes()).hexdigest())"
    )
    extensions = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(extensions), "OPENCV_CPU_DISABLE": "AVX2,AVX,FP16,FMA3"}
    run = subprocess.run([sys.executable, "-c", code], env=os.environ | plain, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    frames, _ = clip
    assert run.stdout.strip() == hashlib.sha256(frames[60].tobytes() + frames[170].tobytes()).hexdigest()


def test_frame_outside_the_clip_is_refused():
    with pytest.raises(IndexError, match="250"):
        builtin_frame(250)


def test_tracks_are_smooth_and_fill_the_circumplex():
    labels = builtin_labels()
    valence, arousal = labels.valence.to_numpy(), labels.arousal.to_numpy()
    assert -0.8 < valence.min() < -0.5
    assert 0.6 < valence.max() < 0.9
    assert -0.4 < arousal.min() < -0.2
    assert 0.5 < arousal.max() < 0.8
    assert min(valence.std(), arousal.std()) > 0.3
    assert abs(np.corrcoef(valence, arousal)[0, 1]) < 0.3
    assert max(abs(np.diff(valence)).max(), abs(np.diff(arousal)).max()) < 0.08
    for sign_v in (-1, 1):
        for sign_a in (-1, 1):
            assert np.mean((sign_v * valence > 0.1) & (sign_a * arousal > 0.1)) > 0.08


def test_track_meets_its_key_points():
    track = builtin_track(np.array([0.0, 1.6, 10.0]))
    np.testing.assert_allclose(track, [(0.05, 0.0), (0.74, 0.52), (0.05, -0.05)])


def test_haar_cascade_finds_one_steady_face(clip):
    frames, _ = clip
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    some = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames[::5]]
    found = [cascade.detectMultiScale(picture, scaleFactor=1.1, minNeighbors=5) for picture in some]
    assert np.mean([len(boxes) == 1 for boxes in found]) >= 0.95
    boxes = np.array([boxes[0] for boxes in found if len(boxes)])
    assert (boxes[:, 2:].std(axis=0) < 0.1 * boxes[:, 2:].mean(axis=0)).all()


def test_expression_changes_the_face():
    faces = {name: small_face(*place).astype(int) for name, (place, _) in PROTOTYPES.items()}
    names = list(faces)
    for index, name in enumerate(names):
        for other in names[:index]:
            assert np.abs(faces[name] - faces[other])[10:90, 20:80].mean() > 1, (name, other)


def test_small_changes_stay_small():
    before, after = small_face(0.3, 0.2).astype(int), small_face(0.31, 0.2).astype(int)
    assert 0 < np.abs(before - after).mean() < 1


def test_grey_face_is_the_luma_of_the_coloured_one():
    pose = Pose(x=50, y=44, size=14, roll=0.1, yaw=0.2, pitch=-0.1)
    grey = np.full((96, 100), 90, np.uint8)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    one = draw_face(identity=Identity(), valence=0.5, arousal=0.5, pose=pose, backdrop=grey)
    three = draw_face(identity=Identity(), valence=0.5, arousal=0.5, pose=pose, backdrop=colour)
    assert np.abs(one - three @ np.array([0.299, 0.587, 0.114])).max() < 2
    assert (grey == 90).all()


@pytest.mark.parametrize(("x", "y", "size"), [(-500, 40, 14), (50, 900, 14), (50, 40, 200), (10, 5, 3), (0, 95, 30)])
def test_face_may_leave_the_picture(x, y, size):
    picture = draw_face(
        identity=Identity(),
        valence=0,
        arousal=0,
        pose=Pose(x=x, y=y, size=size, roll=0.3, yaw=0.3),
        backdrop=np.full((96, 100), 90, np.uint8),
    )
    assert picture.shape == (96, 100)


def test_prototypes_are_reached():
    for name, (place, strengths) in PROTOTYPES.items():
        actions = actions_of(valence=place[0], arousal=place[1])
        for action in ACTIONS:
            assert abs(getattr(actions, action) - strengths.get(action, 0)) < 0.25, (name, action)


def test_batch_is_seeded_and_varied():
    faces, labels = face_batch(np.random.default_rng(1), 64)
    assert faces.shape == (64, 48, 48)
    assert faces.dtype == np.uint8
    assert labels.shape == (64, 2)
    assert labels.dtype == np.float32
    assert np.abs(labels).max() <= 1
    assert (labels.std(axis=0) > 0.25).all()
    assert abs(np.corrcoef(labels.T)[0, 1]) < 0.6
    assert faces.std(axis=(1, 2)).min() > 4
    assert faces.mean(axis=(1, 2)).std() > 15
    again, same = face_batch(np.random.default_rng(1), 64)
    np.testing.assert_array_equal(again, faces)
    np.testing.assert_array_equal(same, labels)
    assert not np.array_equal(face_batch(np.random.default_rng(2), 1)[0], faces[:1])
    assert face_batch(np.random.default_rng(1), 0)[0].shape == (0, 48, 48)
