"""Labels through whole runs: a perfect recognizer scores 1 whatever is missing, and the count says what is left out."""

import json
import sys
import types
from itertools import pairwise

import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.recognizers.recognizer import Wants
from vidlink.settings import Settings
from vidlink.simulate import run_into, simulate

RATE, SECONDS = 25, 4
TIMES = np.arange(RATE * SECONDS) / RATE


class Level:
    """Mean grey level."""

    name, task, gives = "level", "exposure", ("level",)
    wants = Wants(region="frame", height=8, width=8, colour="luma")

    def __call__(self, pictures, context):
        return pictures.mean(dim=(1, 2, 3))[:, None]


class Sides:
    """Bright or dark, by names that programs take for nothing or for a formula."""

    name, task, classes = "sides", "exposure", ("None", '=HYPERLINK("http://x","y")')
    wants = Wants(region="frame", height=8, width=8, colour="luma", frames=2, frame_rate=5, stride_s=0.2)

    def __call__(self, windows, context):
        bright = windows.mean(dim=(1, 2, 3, 4)) - 0.5
        return torch.stack([-bright, bright], dim=1) * 100


@pytest.fixture(autouse=True)
def plugin(monkeypatch):
    made = types.ModuleType("labelled_plugin")
    made.Level, made.Sides = Level, Sides
    monkeypatch.setitem(sys.modules, made.__name__, made)


@pytest.fixture(scope="module")
def wave(tmp_path_factory):
    """Four seconds that brighten and darken."""
    import av

    path = tmp_path_factory.mktemp("wave") / "wave.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in levels():
            picture = np.full((72, 64), 128, np.uint8)
            picture[:48] = level
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def levels():
    return np.rint(126 + 90 * np.sin(2 * np.pi * 0.9 * TIMES)).astype(int)


def run(wave, labels, recognizer="labelled_plugin:Level"):
    settings = Settings(
        input=str(wave), scale=1, quality=12, recognizer=recognizer, labels=labels, score_pictures=False
    )
    return simulate(settings, quiet=True)


def written(tmp_path, rows, head="time_s,level"):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


MISSING = (TIMES > 1) & (TIMES < 3)


@pytest.mark.parametrize("how", ["rows", "NaN", "trailing comma"])
def test_two_of_four_seconds_that_are_missing_are_not_scored(wave, tmp_path, how):
    rows = [
        f"{time_s},{'NaN' if how == 'NaN' and gone else level}{',' if how == 'trailing comma' else ''}"
        for time_s, level, gone in zip(TIMES, levels() / 255, MISSING, strict=True)
        if not (gone and how == "rows")
    ]
    made = run(wave, written(tmp_path, rows))
    found = made.summary["recognition"]
    missing = 0 if how == "trailing comma" else int(MISSING.sum())
    assert found["n"] == len(TIMES) - missing
    assert found.get("unlabelled", 0) == missing
    assert found["ccc"]["level"] > 0.99
    assert made.predictions["level_label"].isna().sum() == missing
    said = [note for note in made.summary["notes"] if "labels say nothing" in note]
    assert said == ([] if not missing else [said[0]])
    assert not missing or f"{missing} of {len(TIMES)}" in said[0]


@pytest.mark.parametrize(("factor", "unit"), [(1000, "milliseconds"), (RATE, "frames")])
@pytest.mark.parametrize("kind", ["Level", "Sides"])
def test_times_in_another_unit_are_refused(wave, tmp_path, factor, unit, kind):
    if kind == "Level":
        labels = written(tmp_path, [f"{factor * time_s},0.5" for time_s in TIMES])
    else:
        labels = written(tmp_path, ["0,None", f"{factor * 3.5},None"], "time_s,class")
    with pytest.raises(UserError, match=f"do not match the clip.*{unit}"):
        run(wave, labels, f"labelled_plugin:{kind}")


def test_classes_that_are_called_like_nothing_count_and_no_formula_gets_into_tables(wave, tmp_path):
    middle = [(time_s, level > 128) for time_s, level in zip(TIMES, levels(), strict=True)]
    changes = [middle[0], *(now for before, now in pairwise(middle) if before[1] != now[1])]
    names = ("None", '"=HYPERLINK(""http://x"",""y"")"')
    labels = written(tmp_path, [f"{time_s},{names[int(bright)]}" for time_s, bright in changes], "time_s,class")
    settings = Settings(
        input=str(wave), scale=1, quality=12, recognizer="labelled_plugin:Sides", labels=labels,
        score_pictures=False, save_video=False, save_plot=False,
    )  # fmt: skip
    made = run_into(tmp_path / "run", settings, quiet=True)
    found = made.summary["recognition"]
    assert found["accuracy"] > 0.7
    assert found["n"] == len(made.predictions)
    assert set(made.predictions["class_label"]) == set(Sides.classes)
    text = (tmp_path / "run" / "predictions.csv").read_text()
    assert "\"'=HYPERLINK(" in text
    assert not any(cell.startswith("=") for line in text.splitlines() for cell in line.replace('"', "").split(","))
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["recognition"]["class"] in Sides.classes


def test_windows_without_a_label_are_counted(wave, tmp_path):
    labels = written(tmp_path, ["0,None", "2,"], "time_s,class")
    found = run(wave, labels, "labelled_plugin:Sides").summary["recognition"]
    assert found["n"] + found["unlabelled"] == 20
    assert 9 <= found["unlabelled"] <= 11
