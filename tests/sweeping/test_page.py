"""The page of a sweep: curves, bands, tables, and folders that are damaged."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from vidlink.errors import UserError
from vidlink.report.__main__ import make_report
from vidlink.sweeping.page import is_sweep, page_of_sweep
from vidlink.sweeping.page_curves import draw_curves
from vidlink.sweeping.summary import group_keys, summarize


@pytest.fixture
def results(swept, tmp_path):
    """A copy of a results folder, to be changed."""
    return shutil.copytree(swept, tmp_path / "results")


def table_of(**columns):
    """A table of points as a sweep has it, with the columns that differ."""
    count = len(next(iter(columns.values())))
    base = {"point": [f"p{k}" for k in range(count)], "status": "done", "error": None, "run_folder": None}
    base |= {"input": "a.mp4", "bitrate_bps": 1e4, "quality": np.nan, "seed": 0}
    return pd.DataFrame(base | columns)


def drawn(table):
    joined, _ = summarize(table)
    return draw_curves(table, joined, group_keys(table))


def test_points_lines_and_links(results):
    page = page_of_sweep(results)
    table = pd.read_parquet(results / "results.parquet")
    rows = page.split('id="table"')[1].split("<tbody>")[1].split("</tbody>")[0]
    assert rows.count("<tr>") == len(table) == 7
    assert f"{(table['status'] == 'done').sum()} of 7 points are done" in page
    assert "1 ×:" in page
    kept = table["run_folder"].dropna()
    assert len(kept)
    for place in kept:
        assert f'href="{place}/report.html"' in page
        assert (results / place / "report.html").is_file()


def test_a_line_for_each_setting_along_the_rate():
    table = table_of(
        bitrate_bps=np.repeat([8e3, 16e3, 64e3], 4), channel=["perfect", "lossy"] * 6, input=["a", "a", "b", "b"] * 3,
        rate_wire_bps=np.repeat([7.5e3, 15e3, 60e3], 4), quality_psnr_db=np.arange(12.0) + 30,
    )  # fmt: skip
    (figure,) = drawn(table)
    assert figure["title"] == "PSNR (dB)"
    assert [name for _, name in figure["key"]] == ["perfect", "lossy"]
    assert figure["along"] == "wire (kb/s)"
    assert figure["band"] == "95 % interval over clips"
    assert figure["drawing"].count("<polygon") == 2
    assert figure["drawing"].count("<circle") == 6
    assert "perfect at 7.5: 31 [18.294, 43.706]" in figure["drawing"]


def test_with_one_clip_bands_are_over_seeds():
    table = table_of(
        bitrate_bps=np.repeat([8e3, 16e3], 3), seed=[0, 1, 2] * 2, rate_wire_bps=np.repeat([8e3, 16e3], 3),
        quality_psnr_db=[30.0, 31, 35, 40, 40, 40],
    )  # fmt: skip
    (figure,) = drawn(table)
    assert figure["band"] == "95 % interval over seeds of the one clip"
    assert "all at 8: 32 [25.428, 38.572]" in figure["drawing"]


def test_settings_without_an_order_are_side_by_side():
    table = table_of(codec=["x264", "x265", "av1"], quality_psnr_db=[30.0, 31, 32])
    (figure,) = drawn(table)
    assert [name for _, name in figure["key"]] == ["x264", "x265", "av1"]
    assert figure["axis"] == ""
    many = table_of(codec=[f"c{k}" for k in range(30)], quality_psnr_db=np.arange(30.0))
    assert drawn(many)[0]["more"] == 14


def test_markup_and_formulas_in_names(results):
    name = "</script><img src=x onerror=alert(1)>"
    table = pd.read_parquet(results / "results.parquet")
    table["channel"] = [name, "=1+1", *table["channel"][2:]]
    table.to_parquet(results / "results.parquet")
    (results / "provenance.json").write_text(json.dumps({"commands": [{"command": name}], "sweep": name}))
    page = page_of_sweep(results)
    assert "<img" not in page
    assert page.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") > 5
    assert '<td class="word">=1+1</td>' in page


def test_a_link_stays_within_the_folder(results):
    table = pd.read_parquet(results / "results.parquet")
    (results.parent / "report.html").write_text("")
    table["run_folder"] = [str(results.parent), "..", *[None] * (len(table) - 2)]
    table.to_parquet(results / "results.parquet")
    page = page_of_sweep(results)
    assert "--keep-runs" in page
    assert 'href="..' not in page


def test_damaged_folders(results):
    (results / "provenance.json").write_text("{")
    assert "provenance.json: cannot be read" in page_of_sweep(results)
    (results / "provenance.json").unlink()
    assert "<li>provenance.json: missing</li>" in page_of_sweep(results)
    whole = (results / "results.parquet").read_bytes()
    (results / "results.parquet").write_bytes(whole[:500])
    page = page_of_sweep(results)
    assert "this page is made from results.csv" in page
    assert "of 7 points are done" in page
    (results / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="is not that of a sweep"):
        page_of_sweep(results)
    (results / "results.csv").unlink()
    with pytest.raises(UserError, match=r"results.parquet: damaged or cut short"):
        page_of_sweep(results)


def test_a_sweep_without_points(results):
    pd.DataFrame().to_parquet(results / "results.parquet")
    with pytest.raises(UserError, match="the sweep has no point"):
        make_report(results)


def test_a_sweep_in_which_every_point_is_refused(results):
    table = pd.read_parquet(results / "results.parquet")
    refused = table[table["status"] != "done"]
    refused.to_parquet(results / "results.parquet")
    page = page_of_sweep(results)
    assert "0 of 1 points are done" in page
    assert 'id="curves"' not in page


def test_what_is_a_sweep(results, tmp_path):
    assert is_sweep(results)
    assert not is_sweep(tmp_path)
    assert make_report(results).name == "report.html"
