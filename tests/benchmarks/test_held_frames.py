"""What benchmarks/held_frames.py makes of a small clip and of outputs made by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import held_frames

from vidlink.recognizers.recognizer import Wants


class Mean:
    """Mean brightness within the box, twice."""

    name, task = "mean", "test"
    wants = Wants(region="face", height=8, width=8, colour="luma")
    gives = ("valence", "arousal")

    def __call__(self, pictures, context):
        return torch.stack([pictures.mean(dim=(1, 2, 3))] * 2, dim=1)


def test_as_many_outputs_as_frames_and_each_is_of_a_frame_near(small_clip):
    found = held_frames.outputs(small_clip, 1, Mean())
    every = found["every"]
    assert every.shape == (50, 1, 2)
    for divisor in held_frames.DIVISORS:
        even = found[f"even_{divisor}"]
        kept = np.arange(50) - np.arange(50) % 25 % divisor  # two segments of 25 frames
        np.testing.assert_array_equal(even, every[kept])
        errors = [float(np.sum((found[f"{way}_{divisor}"] - every) ** 2)) for way in ("even", "task")]
        assert errors[1] <= errors[0]


def test_figures_say_what_holding_costs():
    labels = np.concatenate([np.linspace(0, 1, 20), np.ones(20)])[:, None, None] * np.array([[[1.0], [0.5]]])
    labels = np.repeat(labels, 2, axis=2)
    late = labels.copy()
    late[3:] = labels[:-3]
    found = {"every": labels}
    for divisor in held_frames.DIVISORS:
        found |= {f"even_{divisor}": late, f"picture_{divisor}": labels, f"task_{divisor}": late}
    figures = held_frames.compare([(found, labels)] * 3)
    assert figures["every_changing"] == pytest.approx(1)
    assert figures["even_4_changing"] < 0.95
    assert figures["picture_4_regained"] == pytest.approx(1 - figures["even_4_changing"])
    assert figures["picture_4_regained_low"] == pytest.approx(figures["picture_4_regained"])
    assert figures["task_4_regained"] == 0
