"""What ``import vidlink`` offers."""

import subprocess
import sys

import pandas as pd
import pytest
from swept import Threads

import vidlink

FIXED = {"scale": 2, "quality": 40, "recognizer": "none", "quiet": True}


def test_names_are_imported_when_they_are_asked_for():
    script = (
        "import sys, vidlink\n"
        "heavy = {'numpy', 'torch', 'av', 'pandas', 'matplotlib', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert set(vidlink.__all__) <= set(dir(vidlink))\n"
        "for name in vidlink.__all__:\n"
        "    getattr(vidlink, name)\n"
        "from vidlink import UserError, Wants, run\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'vidlink' has no attribute 'simulation'"):
        vidlink.simulation  # noqa: B018


def test_type_checkers_see_the_same_names():
    stub = (vidlink.__file__ or "").removesuffix(".py") + ".pyi"
    with open(stub, encoding="utf-8") as file:  # noqa: PTH123
        named = {line.split(" as ")[1].strip() for line in file if " as " in line}
    assert named | {"__version__"} == set(vidlink.__all__)


def test_the_interface_of_recognizers_is_also_where_it_first_was():
    from vidlink.receiver.recognize import Context, Recognizer, Wants

    assert (Context, Recognizer, Wants) == (vidlink.Context, vidlink.Recognizer, vidlink.Wants)


@pytest.fixture(scope="module")
def written(small_clip, tmp_path_factory):
    return vidlink.run(small_clip, out=tmp_path_factory.mktemp("api") / "run", **FIXED)


def test_a_run_has_the_tables_that_the_folder_has(written):
    assert sorted(path.name for path in written.folder.iterdir()) == [
        "frames.csv",
        "packets.csv",
        "plot.png",
        "predictions.csv",
        "received.mp4",
        "report.html",
        "report.mp4",
        "run.json",
        "segments.csv",
        "summary.json",
    ]
    for name in ("frames", "segments", "packets"):
        pd.testing.assert_frame_equal(
            pd.read_csv(written.folder / f"{name}.csv"), getattr(written, name), check_dtype=False
        )
    assert written.predictions.empty


def test_without_out_nothing_is_written(written, small_clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = vidlink.run(small_clip, **FIXED)
    assert run.folder is None
    assert not list(tmp_path.iterdir())
    pd.testing.assert_frame_equal(run.frames, written.frames)
    run.write("later")
    for name in ("frames.csv", "segments.csv", "plot.png"):
        assert (tmp_path / "later" / name).read_bytes() == (written.folder / name).read_bytes()
    with pytest.raises(vidlink.UserError, match="exists already"):
        run.write("later")


def test_a_notebook_shows_a_run(written):
    shown = written._repr_html_()
    assert "wire rate" in shown
    assert "PSNR" in shown
    assert len(written.plot().axes) > 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bitrat": "48k"}, "bitrat"),
        ({"bitrate": "fast"}, "--bitrate"),
        ({"scale": 0.5, "quality": 30}, "--scale"),
        ({}, "give a budget"),
        ({"bitrate": "48k", "input": "nowhere.mp4"}, "nowhere.mp4"),
    ],
)
def test_what_cannot_be_run_is_refused_as_on_the_command_line(options, words):
    with pytest.raises(vidlink.UserError, match=words):
        vidlink.run(quiet=True, **options)


@pytest.fixture(scope="module")
def table(small_clip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidlink.sweeping.executors.Processes", lambda workers: Threads())
        how = {"seeds": 2, "scale": 1, "recognizer": "none", "quiet": True}
        return vidlink.compare(small_clip, quality=[30, 45], loss=[0, 0.2], **how)


def test_every_combination_is_a_row(table):
    assert len(table.frame) == 8
    assert set(table.frame["status"]) == {"done"}
    assert sorted(table.frame["loss"].unique()) == [0, 0.2]
    lossless = table.frame[table.frame["loss"] == 0]
    lossy = table.frame[table.frame["loss"] == 0.2]
    assert (lossless["delivery_lost"] == 0).all()
    assert (lossy["delivery_lost"] > 0).any()


def test_a_table_is_drawn(table):
    figure = table.plot()
    axis = figure.axes[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("wire (kb/s)", "PSNR (dB)")
    drawn = sorted(x for line in axis.get_lines() for x in line.get_xdata())
    rates = table.frame.groupby(["quality", "loss"])["rate_wire_bps"].mean()
    assert drawn == pytest.approx(sorted(rates / 1000))
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        f"loss {loss}, quality {quality}" for quality in (30, 45) for loss in (0, 0.2)
    ]
    by_loss = table.plot(x="rate_bpp", y="quality_ssim", by="loss").axes[0]
    assert [len(line.get_xdata()) for line in by_loss.get_lines()] == [2, 2]
    assert "psnr_db" in table._repr_html_()
    assert table.tidy["seeds"].tolist() == [2] * 4


def test_columns_that_cannot_be_drawn(table):
    with pytest.raises(vidlink.UserError, match="did you mean"):
        table.plot(y="psnr_bd")
    with pytest.raises(vidlink.UserError, match="'codec' has no numbers"):
        table.plot(x="codec")


def test_what_cannot_be_compared(small_clip):
    with pytest.raises(vidlink.UserError, match="loss = 2"):
        vidlink.compare(small_clip, bitrate="48k", loss=[0, 2])
    with pytest.raises(vidlink.UserError, match="one of them"):
        vidlink.compare(small_clip, bitrate="48k", loss=0.1, channel="satellite")
    with pytest.raises(vidlink.UserError, match="give a budget"):
        vidlink.compare(small_clip, quiet=True)


def test_workers_that_cannot_be(small_clip):
    with pytest.raises(vidlink.UserError, match="--workers -1: at least 1"):
        vidlink.compare(small_clip, quality=40, scale=1, recognizer="none", workers=-1, quiet=True)


def test_writing_a_run_does_not_change_it(written, tmp_path):
    before = dict(written.summary["timing_s"])
    written.write(tmp_path / "again")
    assert written.summary["timing_s"] == before
