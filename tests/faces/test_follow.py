"""Windows about a face instead of whole frames: what is cut, which face is followed, what the far end gets."""

import sys
import types

import numpy as np
import pandas as pd
import pytest

from vidlink.errors import UserError
from vidlink.faces.follow import FaceSource, cut_out
from vidlink.faces.tracks import unpack_tracks
from vidlink.recognizers.recognize import Wants
from vidlink.settings import Settings
from vidlink.video.open import open_source


class Script:
    """A tracker that says what it was told to, segment by segment."""

    def __init__(self, story):
        self._story = story

    def track(self, segment):
        tracks = self._story[segment.index] if segment.index < len(self._story) else {}
        return {face: np.array([box], float) for face, box in tracks.items()}


def windows(clip, story, seconds=0.4):
    source = FaceSource(open_source(str(clip)), seconds=seconds, make_tracker=lambda: Script(story))
    return source, list(source.segments(seconds))


def numbers(segments):
    return [sorted(unpack_tracks(segment.side_data)) for segment in segments]


def test_the_window_is_the_source_s_own_pixels(small_clip):
    whole = list(open_source(str(small_clip)).segments(0.4))
    source, segments = windows(small_clip, [{0: (40, 20, 20, 20)}] * 5)
    assert (source.clip.width, source.clip.height, source.clip.cut_from) == (26, 26, (96, 64))
    for cut, segment in zip(segments, whole, strict=True):
        assert (cut.index, cut.first_frame, cut.duration_s, cut.last) == (
            segment.index,
            segment.first_frame,
            segment.duration_s,
            segment.last,
        )
        for window, frame in zip(cut.frames, segment.frames, strict=True):
            pixels, source_pixels = window.to_ndarray(), frame.to_ndarray()
            # Centre (50, 30), side 26: even corner nearest to (37, 17), which is (36, 16).
            np.testing.assert_array_equal(pixels[:26], source_pixels[16:42, 36:62])
            chroma = source_pixels[64:80].reshape(32, 48)[8:21, 18:31]
            np.testing.assert_array_equal(pixels[26:].ravel()[: 13 * 13].reshape(13, 13), chroma)
            assert (window.pts, window.time_base) == (frame.pts, frame.time_base)


def test_the_largest_face_is_followed_and_said_so(small_clip):
    source, segments = windows(small_clip, [{0: (0, 0, 10, 10), 1: (50, 20, 30, 30)}] * 5)
    assert source.clip.width == 40  # 39, and even
    assert numbers(segments) == [[0]] * 5
    assert unpack_tracks(segments[0].side_data)[0].tolist() == [[50, 20, 30, 30]]
    assert any("2 faces" in note for note in source.notes)


def test_a_face_that_is_lost_leaves_the_window_where_it_was(small_clip):
    face, other = (50, 20, 20, 20), (4, 4, 20, 20)
    source, segments = windows(small_clip, [{}, {4: face}, {}, {7: face}, {8: other}])
    assert numbers(segments) == [[], [0], [], [0], [1]]
    assert any("no face was found in 2 of 5 segments" in note for note in source.notes)
    assert any("another followed in its place: faces 0 to 1" in note for note in source.notes)
    pictures = [segment.frames[0].to_ndarray()[:26] for segment in segments]
    whole = [segment.frames[0].to_ndarray()[:64] for segment in open_source(str(small_clip)).segments(0.4)]
    for k in range(4):
        np.testing.assert_array_equal(pictures[k], whole[k][16:42, 48:74])
    np.testing.assert_array_equal(pictures[4], whole[4][0:26, 0:26])


def test_a_face_that_grows_is_brought_to_the_same_size(small_clip):
    _, segments = windows(small_clip, [{0: (40, 20, 20, 20)}, {0: (30, 10, 40, 40)}, {0: (44, 24, 10, 10)}])
    assert {(frame.width, frame.height) for segment in segments for frame in segment.frames} == {(26, 26)}


def test_no_face_is_an_error_that_says_what_to_do(small_clip):
    with pytest.raises(UserError, match=r"no face was found in .*--roi face:x,y,w,h"):
        windows(small_clip, [])


def test_labels_of_several_faces_without_boxes_cannot_be_told_apart(small_clip):
    labels = pd.DataFrame({"time_s": [0.0, 0.0], "face": [0, 1], "valence": [0.1, 0.2]})
    with pytest.raises(UserError, match="labels are of 2"):
        cut_out(open_source(str(small_clip)), Settings(roi="face"), labels)
    boxes = labels.assign(x=[5, 40], y=20, w=[10, 24], h=[10, 24])
    source = cut_out(open_source(str(small_clip)), Settings(roi="face"), boxes)
    assert source.clip.width == 32
    assert cut_out(source, Settings(roi="none"), labels) is source


class Shown:
    """Mean of what it is shown, and what it was shown."""

    name, task = "shown", "test"
    wants = Wants(region="face", height=20, width=20, colour="luma")
    gives = ("brightness",)
    seen: list = []  # noqa: RUF012

    def __call__(self, pictures, context):
        self.seen.extend((255 * pictures).numpy().round().astype(np.uint8)[:, 0])
        return pictures.mean(dim=(1, 2, 3))[:, None]


@pytest.fixture
def shown(monkeypatch):
    module = types.ModuleType("recognizer_of_this_test")
    module.Shown = Shown
    Shown.seen = []
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return f"{module.__name__}:Shown"


@pytest.mark.parametrize("how", [("--scale", "1", "--quality", "12"), ("--bitrate", "60k", "--objective", "task")])
def test_the_far_end_recognizes_in_the_window(simulated, small_clip, tmp_path, shown, coarse, how):
    arguments = ("--roi", "face:40,20,20,20", "--recognizer", shown, "--codec", coarse, *how)
    run = simulated(tmp_path / "run", small_clip, *arguments)
    summary, predictions = run.summary, run.table("predictions")
    assert summary["region"] == {"kind": "face", "width": 26, "height": 26}
    assert (summary["input"]["width"], summary["input"]["height"]) == (96, 64)
    assert set(run.table("segments")["width"]) <= {26, 18, 14, 8, 6}
    # Boxes are in the source's pixels; the recognizer saw the face, not the window or the frame.
    assert predictions[["x", "y", "width", "height"]].drop_duplicates().to_numpy().tolist() == [[40, 20, 20, 20]]
    frames = [f for segment in open_source(str(small_clip)).segments(1.0) for f in segment.frames]
    faces = [frame.to_ndarray()[20:40, 40:60] for frame in frames]
    expected = [float(face.mean()) / 255 for face in faces]
    assert predictions["brightness_pristine"].tolist() == pytest.approx(expected, abs=1e-4)
    assert len(predictions) == 50
    if how[0] == "--scale":
        assert summary["quality"]["psnr_db"] > 38
        assert predictions["brightness"].tolist() == pytest.approx(expected, abs=0.02)
        # What travels: NAL units of the frames, parameter sets, and a track of one knot.
        units = run.table("frames")["payload_bits"].sum()
        assert summary["rate"]["payload_bps"] * 2 - units >= 2 * 8 * 10


def test_the_window_alone_is_cheaper_than_the_frame(simulated, small_clip, tmp_path, coarse):
    def bits(name, *roi):
        arguments = ("--recognizer", "none", "--codec", coarse, "--scale", "1", "--quality", "30", "--no-scores")
        return simulated(tmp_path / name, small_clip, *arguments, *roi).summary["rate"]["wire_bps"]

    assert bits("face", "--roi", "face:40,20,20,20") < 0.7 * bits("none")


@pytest.mark.parametrize(
    ("roi", "part"),
    [
        ("face", "no face was found"),
        ("face:90,0,20,20", "leaves the picture, which is 96x64"),
        ("face:1,2,3", "face:x,y,w,h"),
    ],
)
def test_bad_regions(command, small_clip, roi, part):
    ended = command(small_clip, "--bitrate", "64k", "--recognizer", "none", "--roi", roi)
    assert ended.status == 2
    assert part in ended.err
    assert ended.err.count("\n") == 1
