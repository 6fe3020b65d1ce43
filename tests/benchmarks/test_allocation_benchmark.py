"""What the allocation benchmark makes of its points."""

import json
import sys
from pathlib import Path

import allocation as benchmark
import pytest


def curve(rates, *, factor=1.0, quality=lambda rate: rate / 1000):
    return [
        {"rate_bps": rate, "wire_bps": factor * rate, "psnr_db": quality(rate), "utilisation": 0.98,
         "encode_cpu_s": 2.0, "encodes": 5, "plan": [(0.0, 1.0, 1, 30.0, 100), (1.0, 2.0, 2, 30.0, 100)]}
        for rate in rates
    ]  # fmt: skip


RATES = (12_000, 16_000, 24_000, 48_000)


def test_the_same_quality_for_fewer_bits():
    assert benchmark.saved_rate(curve(RATES, factor=0.5), curve(RATES)) == pytest.approx(-50)
    assert benchmark.saved_rate(curve(RATES, factor=1.25), curve(RATES)) == pytest.approx(25)
    assert benchmark.saved_rate(curve(RATES), curve(RATES)) == pytest.approx(0)


def test_curves_that_cannot_be_compared():
    assert benchmark.saved_rate(curve(RATES[:2]), curve(RATES)) is None
    assert benchmark.saved_rate(curve(RATES), curve(RATES, quality=lambda rate: rate)) is None
    # A rate at which nothing is gained any more is no point of the curve.
    flat = [*curve(RATES), *curve([96_000], quality=lambda _: 48.0)]
    assert benchmark.saved_rate(flat, curve(RATES)) == pytest.approx(0)


def test_the_figures_and_pictures_of_an_earlier_run(tmp_path, monkeypatch, capsys):
    methods = {method: curve(RATES, factor=1.0 if method == "planner" else 2.0) for method in benchmark.METHODS}
    (tmp_path / "in.json").write_text(json.dumps({"runs": {"carphone": methods, "mixed": methods}}))
    files = {name: str(tmp_path / name) for name in ("out.json", "curves.png", "rungs.png")}
    monkeypatch.setattr(
        sys, "argv",
        ["allocation", "--redraw", str(tmp_path / "in.json"), "--json", files["out.json"], "--figure",
         files["curves.png"], "--rungs", files["rungs.png"]],
    )  # fmt: skip
    benchmark.main()
    figures = json.loads(Path(files["out.json"]).read_text())["figures"]
    assert figures["bd_rate_vs_reference"] == pytest.approx(-50)
    assert figures["bd_rate_vs_best_fixed"] == pytest.approx(-50)
    assert figures["bd_rate_worst_vs_best_fixed"] == pytest.approx(-50)
    assert figures["bd_rate_vs_one_second_gop"] == pytest.approx(-50)
    assert figures["search_cost_ratio"] == 1
    assert figures["utilisation_max"] == 0.98
    assert "carphone" in capsys.readouterr().out
    assert all(Path(file).stat().st_size > 1000 for file in files.values())
