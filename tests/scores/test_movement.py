"""What tells frames apart, by the setting ``frames``."""

import av
import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.faces.tracks import pack_tracks
from vidlink.files.cache import Cache
from vidlink.recognizers.recognizer import Wants
from vidlink.scores.movement import TaskFeatures, make_features
from vidlink.sender.memory import Memory
from vidlink.sender.moments import cut_into_runs, picture_features
from vidlink.types import Clip, Segment

CLIP = Clip(name="", width=32, height=32, frame_rate=25, pixel_format="yuv420p", seconds=1.0)
FACES = pack_tracks({0: np.array([[8, 8, 16, 16]]), 1: np.array([[0, 0, 8, 8]])})


class Mean:
    """Mean brightness within the box."""

    name, task = "mean", "test"
    wants = Wants(region="face", height=8, width=8, colour="luma")
    gives = ("brightness",)
    asked = 0

    def __call__(self, pictures, context):
        self.asked += 1
        return pictures.mean(dim=(1, 2, 3))[:, None]


class Whole(Mean):
    """Mean brightness of all."""

    wants = Wants(region="frame", height=8, width=8, colour="luma")


class Failing(Mean):
    """Has no answer."""

    def __call__(self, pictures, context):
        raise RuntimeError("no")


class Moves(Mean):
    """Names classes."""

    classes = ("still", "moving")


@pytest.fixture
def segment():
    """All flickers but the face, which gets brighter in the last quarter of the segment."""
    frames = []
    for index in range(24):
        pixels = np.full((48, 32), 128, np.uint8)
        pixels[:32] = 80 + 40 * (index % 2)
        pixels[8:24, 8:24] = 100 + 20 * max(0, index - 17)
        pixels[:8, :8] = 90
        frames.append(av.VideoFrame.from_ndarray(pixels, format="yuv420p"))
    return Segment(index=0, first_frame=0, frames=frames, times_s=np.arange(24) / 25, duration_s=24 / 25)


def test_what_the_recognizer_says_of_every_face(segment):
    features = TaskFeatures(Mean(), CLIP)(segment, FACES)
    assert features.shape == (24, 2)
    expected = (100 + 20 * np.maximum(0, np.arange(24) - 17)) / 255
    np.testing.assert_allclose(features[:, 0], expected, atol=0.01)
    np.testing.assert_allclose(features[:, 1], 90 / 255, atol=0.01)
    # Frames go to the face's change, not to the flicker.
    assert sum(run.first >= 17 for run in cut_into_runs(features, 4)) >= 4
    assert TaskFeatures(Whole(), CLIP)(segment, b"").shape == (24, 1)


@pytest.mark.parametrize(("recognizer", "side_data"), [(Mean(), b""), (Failing(), FACES)])
def test_without_a_face_or_an_answer_pictures_tell(segment, recognizer, side_data):
    np.testing.assert_array_equal(TaskFeatures(recognizer, CLIP)(segment, side_data), picture_features(segment))


def test_answers_are_remembered(segment, tmp_path):
    recognizer = Mean()
    features = TaskFeatures(recognizer, CLIP, Memory(Cache(tmp_path, max_bytes=10**7)))
    first, again = features(segment, FACES), features(segment, FACES)
    np.testing.assert_array_equal(first, again)
    assert recognizer.asked == 2


def test_by_name():
    assert make_features("even", CLIP, None) is None
    assert make_features("picture", CLIP, None) is picture_features
    assert isinstance(make_features("task", CLIP, Mean()), TaskFeatures)
    with pytest.raises(UserError, match="--frames task needs a recognizer"):
        make_features("task", CLIP, None)
    with pytest.raises(UserError, match="'mean' names classes"):
        make_features("task", CLIP, Moves())
