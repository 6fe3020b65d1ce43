"""The figures of benchmarks/levers.py, from points made by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import levers
import levers_figures

WITHOUT, WITH = {"frames": "even"}, {"frames": "picture"}


def point(ccc, error=0.1, cpu=0.02, **more):
    return {"ccc": [ccc, ccc + 0.1], "changing": [ccc - 0.1] * 2, "error": error, "encode_cpu_s": cpu, **more}


@pytest.fixture
def points():
    made = {}
    for number, gain in enumerate((0.01, 0.03, 0.05)):
        for rate in (12_000, 18_000):
            made[f"reel {number:02d} {rate} even+x264"] = point(0.6)
            made[f"reel {number:02d} {rate} picture+x264"] = point(0.6 + gain, cpu=0.04)
    made["carphone 12000 even+x264"] = point(0.5, 0.2, psnr_db=30.0, agreement=[0.8, 0.9])
    made["carphone 12000 picture+x264"] = point(0.5, 0.1, cpu=0.04, psnr_db=30.5, agreement=[0.9, 0.9])
    made["carphone 24000 even+x264"] = point(0.5, 0.2, psnr_db=33.0, agreement=[0.8, 0.9])  # has no partner
    return made


def test_figures_are_means_of_pairs(points):
    found = levers_figures.compare(points, {"picture": (WITHOUT, WITH)})
    assert found["picture_ccc"] == pytest.approx(0.03)
    ends = found["picture_ccc_low"], found["picture_ccc_high"]
    assert ends == pytest.approx((-0.0197, 0.0797), abs=1e-4)  # Student's t of 0.01, 0.03 and 0.05
    assert found["picture_changing"] == pytest.approx(0.03)
    assert found["picture_psnr_db"] == pytest.approx(0.5)
    assert found["picture_error"] == pytest.approx(0.5)
    assert found["picture_cpu"] == pytest.approx(2.0)


def test_the_table_has_a_row_a_budget_and_a_clip(points, capsys):
    levers_figures.show(points, {"picture": (WITHOUT, WITH)})
    rows = capsys.readouterr().out.splitlines()
    assert "| picture | 3 reels | 12k | 0.650 → 0.680 | +0.030 ± 0.012 | +0.030 |  |  |" in rows
    assert "| picture | carphone | 12k | 0.850 → 0.900 | +0.050 |  | 30.00 → 30.50 | 0.200 → 0.100 |" in rows
    assert not any("24k" in row for row in rows)


def test_looks_at_which_a_label_changes():
    labels = np.array([0.1, 0.1, 0.2, 0.3, 0.3, 0.9, 0.9])
    faces = np.array([0, 0, 0, 0, 0, 1, 1])
    assert levers.looks_at_change(labels, faces).tolist() == [False, True, True, True, False, False, False]


def test_recipes_differ_in_one_thing_each(tmp_path):
    from vidlink.codec.shelf import load_codec

    mine = load_codec("x264")
    made = {name: load_codec(str(path)) for name, path in levers.write_recipes(tmp_path).items()}
    assert "psy=0" not in made["psy"].options["x264-params"]
    assert "aq" not in made["psy"].options["x264-params"]
    assert made["psy"].options["preset"] == mine.options["preset"]
    assert made["veryslow"].options == {**mine.options, "preset": "veryslow"}


def test_the_figure_is_drawn(points, tmp_path):
    levers_figures.draw(points, {"picture": (WITHOUT, WITH)}, tmp_path / "levers.png")
    assert (tmp_path / "levers.png").stat().st_size > 5000
