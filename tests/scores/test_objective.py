"""What a plan maximizes where it is the recognizer's output."""

import av
import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.faces.tracks import pack_tracks
from vidlink.recognizers.recognize import Wants
from vidlink.scores.objective import OBJECTIVES, TaskObjective, asks_recognizer, make_objective
from vidlink.scores.psnr import luma_psnr_db
from vidlink.scores.ssim import Ssim
from vidlink.settings import OBJECTIVES as NAMES
from vidlink.settings import Settings
from vidlink.types import Clip, Segment
from vidlink.video.open import open_source
from vidlink.video.pictures import Upsampler

CLIP = Clip(name="", width=32, height=32, frame_rate=25, pixel_format="yuv420p", seconds=1.0)
FACE = pack_tracks({0: np.array([[8, 8, 16, 16]])})


class Mean:
    """Mean brightness within the box."""

    name, task = "mean", "test"
    wants = Wants(region="face", height=8, width=8, colour="luma")
    gives = ("brightness",)

    def __call__(self, pictures, context):
        return pictures.mean(dim=(1, 2, 3))[:, None]


def frame(inside, outside):
    pixels = np.full((48, 32), 128, np.uint8)
    pixels[:32] = outside
    pixels[8:24, 8:24] = inside
    return av.VideoFrame.from_ndarray(pixels, format="yuv420p")


def segment_of(count=25):
    frames = tuple(frame(100 + k, 100) for k in range(count))
    return Segment(index=0, first_frame=0, frames=frames, times_s=np.arange(count) / 25, duration_s=count / 25)


def test_only_what_the_recognizer_sees_counts_much():
    segment, objective = segment_of(), TaskObjective(Mean(), CLIP)
    same = [frame(100 + k, 100) for k in range(25)]
    inside = [frame(100 + k + 13, 100) for k in range(25)]
    outside = [frame(100 + k, 100 + 26) for k in range(25)]
    values = [objective(segment, pictures, FACE) for pictures in (same, outside, inside)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(50 + 40)  # half of 100 dB, and no difference
    # 13 of 255 levels: -10 log10(0.051² + 0.01²), and half the PSNR: a quarter of the picture is wrong by 13.
    mse = 0.25 * 13**2
    assert values[2] == pytest.approx(-10 * np.log10((13 / 255) ** 2 + 1e-4) + 5 * np.log10(255**2 / mse), abs=0.2)


@pytest.mark.parametrize("divisor", [2, 3, 4])
def test_held_pictures_are_seen_as_often_as_there_are_any(divisor):
    """The frames that are looked at are not in step with those that are coded."""
    segment = segment_of(25)
    objective = TaskObjective(Mean(), CLIP)
    for shift in range(divisor):
        # Every n-th frame is right and all others are wrong: what is seen is about that share.
        pictures = [frame(100 + k + (0 if k % divisor == shift else 50), 100) for k in range(25)]
        looked = [k % divisor == shift for k in objective._slots(segment)]
        assert 0.05 < np.mean(looked) < 0.75
        assert np.isfinite(objective(segment, pictures, FACE))


def test_held_pictures_are_looked_at_once_and_the_scale_factor_is_told():
    class Asked(Mean):
        def __call__(self, pictures, context):
            asked.append(context.scale.tolist())
            return super().__call__(pictures, context)

    asked = []
    segment, held = segment_of(24), frame(120, 100)
    small = av.VideoFrame.from_ndarray(np.full((24, 16), 120, np.uint8), format="yuv420p")
    objective = TaskObjective(Asked(), CLIP)
    objective(segment, [held] * 12 + [small] * 12, FACE)
    assert asked == [[1.0, 2.0], [1.0] * 12]  # what was coded, then each pristine frame that is looked at
    shown = [held] * 12 + [frame(121, 100) for _ in range(12)]
    looked = TaskObjective(Mean(), CLIP)(segment, shown, FACE)
    assert looked == pytest.approx(
        TaskObjective(Mean(), CLIP)(segment, [frame(120, 100) for _ in shown[:12]] + shown[12:], FACE)
    )


def test_without_a_face_it_is_half_the_psnr():
    segment, objective = segment_of(), TaskObjective(Mean(), CLIP)
    pictures = [frame(100 + k + 10, 110) for k in range(25)]
    assert objective(segment, pictures, b"") == pytest.approx(5 * np.log10(255**2 / 100), abs=0.01)


def test_it_falls_about_evenly_with_the_size_of_the_error():
    segment, objective = segment_of(), TaskObjective(Mean(), CLIP)
    values = [objective(segment, [frame(100 + k + e, 100 + e) for k in range(25)], FACE) for e in (6, 12, 24, 48)]
    steps = -np.diff(values)
    assert (steps > 6).all()
    assert (steps < 10).all()


def test_a_recognizer_that_fails_leaves_the_psnr():
    class Broken(Mean):
        def __call__(self, pictures, context):
            return torch.full((len(pictures), 1), float("nan"))

    segment = segment_of()
    objective = TaskObjective(Broken(), CLIP)
    assert objective(segment, list(segment.frames), FACE) == pytest.approx(50)


def test_task_needs_a_recognizer():
    with pytest.raises(UserError, match="needs a recognizer"):
        make_objective("task", CLIP, None)


@pytest.mark.parametrize("name", ["psnr", "ssim"])
def test_objective_is_the_mean_over_the_segment(small_clip, name):
    source = open_source(str(small_clip))
    segment = next(source.segments(0.4))
    pictures = [frame.reformat(width=48, height=32) for frame in segment.frames]
    found = make_objective(name, source.clip, None)(segment, pictures, b"")
    larger = [Upsampler(96, 64)(picture) for picture in pictures]
    if name == "psnr":
        each = [luma_psnr_db(a, b) for a, b in zip(larger, segment.frames, strict=True)]
    else:
        each = [Ssim(96, 64)(a, b) for a, b in zip(larger, segment.frames, strict=True)]
    assert found == pytest.approx(np.mean(each))
    perfect = make_objective(name, source.clip, None)(segment, segment.frames, b"")
    assert perfect == pytest.approx(100 if name == "psnr" else 1)


def test_an_objective_is_a_line_in_the_table(monkeypatch):
    class Darkest:
        knob_worth = 1.0

        def __init__(self, clip):
            self.clip = clip

        def __call__(self, segment, pictures, side_data):
            return 0.0

    monkeypatch.setitem(OBJECTIVES.shipped, "darkest", Darkest)
    assert make_objective("darkest", CLIP, None).clip is CLIP
    assert [asks_recognizer(name) for name in ("darkest", "psnr", "task")] == [False, False, True]
    with pytest.raises(UserError, match=r"unknown objective 'darkness'.*did you mean 'darkest'"):
        make_objective("darkness", CLIP, None)


def test_an_objective_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "own_objective.py").write_text(
        "class Small:\n    knob_worth = 1.0\n    def __call__(self, segment, pictures, side_data):\n"
        "        return 0.0\nclass Mute:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert make_objective("own_objective:Small", CLIP, None).knob_worth == 1.0
    assert Settings(objective="own_objective:Small").objective == "own_objective:Small"
    with pytest.raises(UserError, match="--objective own_objective:Mute: an objective is called with"):
        make_objective("own_objective:Mute", CLIP, None)
    with pytest.raises(UserError, match="own_objective has no Large"):
        make_objective("own_objective:Large", CLIP, None)


def test_the_option_knows_the_names_of_the_table():
    assert tuple(OBJECTIVES.known()) == NAMES
