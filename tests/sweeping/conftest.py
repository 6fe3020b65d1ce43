"""Sweeps over a clip of a fifth of a second, and a reference to hold others against."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from swept import GRID, Threads, write_clip

from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "clip.mp4")
    return folder


@pytest.fixture(scope="session")
def points(clip_folder):
    return list(sweep_from(GRID).make_points(clip_folder))


@pytest.fixture(scope="session")
def reference(points, tmp_path_factory):
    """A results folder of a sweep that nothing disturbed."""
    folder = tmp_path_factory.mktemp("reference") / "results"
    sweep(points, folder, Threads(), quiet=True)
    return folder


@pytest.fixture
def fake_runs(monkeypatch):
    """Runs that only write what a run would; returns the settings of each that was made."""
    import vidlink.simulate
    from vidlink.report.run import Run

    made = []

    def simulate(settings, *, film=None, quiet=False):
        made.append(settings)
        summary = {
            "input": {"path": settings.input, "frames": 5},
            "settings": {},
            "rate": {"wire_bps": 1000.0 * settings.quality},
            "plan": [{"segment": 0, "scale": 1.0, "frame_divisor": 1, "quality": settings.quality}],
            "recognition": None,
            "notes": [],
            "timing_s": {"write": 0, "total": len(made)},
        }
        tables = {"predictions": pd.DataFrame({"frame": [0], "time_s": [0.0]})}
        return Run(
            settings=replace(settings, save_plot=False, save_report=False), summary=summary, tables=tables, pictures=()
        )

    monkeypatch.setattr(vidlink.simulate, "simulate", simulate)
    return made
