"""A measure is one object: a new one appears wherever measures do."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from swept import Threads, write_clip

from vidlink.report.terminal import print_summary
from vidlink.scores.measure import FrameMeasure, RunMeasure
from vidlink.scores.measures import MEASURES
from vidlink.sweeping.curves import make_curves
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.summary import markdown
from vidlink.sweeping.sweep import sweep
from vidlink.video.pictures import luma


def absolute_error(picture, reference):
    return float(np.abs(np.subtract(luma(picture), luma(reference), dtype=np.int16)).mean())


ERROR = FrameMeasure(
    column="error", name="error", unit="levels", digits=3, decimals=1, make=lambda clip: absolute_error, mean=np.max
)


class Count:
    """Counts the pictures of a run."""

    def __init__(self, clip):
        self.score, self.seen = None, 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.score = self.seen if error is None else None

    def __call__(self, picture, reference):
        self.seen += 1


COUNT = RunMeasure(column="count", name="pictures", digits=0, decimals=0, make=Count, option="vmaf")


@pytest.fixture
def with_error(monkeypatch):
    monkeypatch.setitem(MEASURES, ERROR.table_column, ERROR)


def test_columns_are_named_once():
    assert [measure.table_column for measure in MEASURES.values()] == list(MEASURES)
    columns = [measure.column for measure in MEASURES.values()]
    assert len(columns) == len(set(columns)), "curves know measures by their columns alone"


def test_a_run_measures_shows_and_draws_it(with_error, simulated, small_clip, tmp_path, capsys, monkeypatch):
    labels = []
    save = Figure.savefig

    def look(figure, *arguments, **keywords):
        labels.extend(axis.get_ylabel() for axis in figure.axes)
        return save(figure, *arguments, **keywords)

    monkeypatch.setattr(Figure, "savefig", look)
    fixed = ("--scale", "2", "--quality", "45", "--recognizer", "none", "--segment", "0.4", "--no-video")
    run = simulated(tmp_path / "run", small_clip, *fixed, drawn=True)
    frames, segments = run.table("frames"), run.table("segments")
    assert frames["error"].between(0.5, 100).all()
    assert (frames["error"] == frames["error"].round(3)).all()
    assert list(frames.columns[-3:]) == list(segments.columns[-3:]) == ["psnr_db", "ssim", "error"]
    assert segments["error"].tolist() == frames.groupby("segment")["error"].max().tolist(), "its own mean, not ours"
    assert run.summary["quality"]["error"] == frames["error"].max()
    assert list(run.summary["quality"]) == ["psnr_db", "ssim", "error"]
    assert "error (levels)" in labels
    assert labels.index("error (levels)") == labels.index("PSNR (dB)") + 1
    print_summary(run.summary, "here")
    assert f"  error {frames['error'].max():.1f} levels\n" in capsys.readouterr().out


def test_without_scores_it_is_stated_as_missing(with_error, simulated, small_clip, tmp_path, capsys):
    fixed = ("--scale", "2", "--quality", "45", "--recognizer", "none", "--segment", "0.4", "--no-video")
    run = simulated(tmp_path / "run", small_clip, *fixed, "--no-scores")
    assert run.summary["quality"] == {"psnr_db": None, "ssim": None, "error": None}
    assert not {"psnr_db", "ssim", "error"} & set(run.table("frames"))
    assert run.table("segments")[["psnr_db", "ssim", "error"]].isna().all(axis=None)
    print_summary(run.summary, "here")
    assert "quality" not in capsys.readouterr().out


def test_sweeps_have_it_in_table_curves_and_summary(with_error, tmp_path):
    write_clip(tmp_path / "clip.mp4")
    settings = {"input": "clip.mp4", "scale": 1, "recognizer": "none", "segment": 0.2}
    points = sweep_from({"settings": settings, "grid": {"quality": [30, 50]}}).make_points(tmp_path)
    table = sweep(list(points), tmp_path / "results", Threads(), quiet=True)
    assert table["quality_error"][0] < table["quality_error"][1]
    curve = make_curves(table, by="codec", along="quality")["x264"]
    assert curve.estimate("error").tolist() == table["quality_error"].tolist()
    lines = markdown(tmp_path / "results").splitlines()
    heading = next(line for line in lines if "PSNR dB" in line).split("|")
    rows = [line.split("|") for line in lines if line.startswith("| ") and "PSNR" not in line and "---" not in line]
    place = [each.strip() for each in heading].index("error levels")
    assert [row[place].strip() for row in rows[:2]] == [f"{value:.1f}" for value in table["quality_error"]]


@pytest.mark.parametrize("asked", [True, False])
def test_what_costs_much_is_measured_where_it_is_asked_for(monkeypatch, small_clip, asked):
    from vidlink.settings import Settings
    from vidlink.simulate import simulate

    monkeypatch.setitem(MEASURES, "quality_vmaf", COUNT)  # in the place of VMAF, which not every machine has
    fixed = {"scale": 2.0, "quality": 45.0, "recognizer": "none", "save_video": False, "save_plot": False}
    settings = Settings(input=str(small_clip), vmaf=asked, score_pictures=False, **fixed)
    run = simulate(settings, quiet=True)
    summary = run.summary
    more = {"count": summary["input"]["frames"]} if asked else {}
    assert summary["quality"] == {"psnr_db": None, "ssim": None} | more
    assert "count" not in run.segments
