"""The benchmark of loss: which runs it makes, and what it makes of them."""

import bench
import loss_resilience
import pandas as pd
import pytest


@pytest.fixture
def sent(monkeypatch, tmp_path):
    """The points of a quick run, of which half of the frames are damaged where half of the packets are lost."""
    monkeypatch.setenv("VIDLINK_DATA", str(tmp_path))
    points = []

    def table(made, folder, workers=None):
        points.extend(made)
        rows = []
        for point in made:
            lost = float(point.columns["lost"]) / 100
            frames = {"frames_ok": 250 * (1 - lost), "frames_concealed": 0, "frames_drifting": 0}
            rows.append(
                {
                    **point.columns,
                    **frames,
                    "frames_frozen": 250 * lost,
                    "quality_psnr_db": 40 - 100 * lost,
                    "rate_wire_bps": 50_000,
                    "delivery_packets": 500,
                    "delivery_loss_rate": lost,
                }
            )
        return pd.DataFrame(rows)

    monkeypatch.setattr(bench, "sweep_table", table)
    return points, loss_resilience.measure(quick=True, seeds=2)


def test_every_setting_is_run_and_without_loss_once(sent):
    points, rows = sent
    assert len(rows) == 2 * 3 * 2 * 3  # slices, groups, protection, loss rates
    assert len(points) == len(rows) // 3 + 2 * (2 * len(rows) // 3)
    lengths = {point.columns["pictures"]: point.settings.segment_s for point in points}
    assert lengths == {"25": 1, "50": 2, "250": 10}


def test_rows_are_means_over_seeds_and_make_a_table(sent):
    _, rows = sent
    row = next(row for row in rows if row["setting"] == "builtin/slices-on/gop-50/fec/loss-20")
    assert (row["gop"], row["loss"], row["seeds"]) == (50, 20, 2)
    assert (row["ok"], row["frozen"], row["psnr_db"], row["packets_per_picture"]) == (80, 20, 20, 2)
    text = loss_resilience.table(rows)
    assert "| on | 50 | 20 % | 80 / 0 / 0 / 20 | 20.0 | 50 | 80 / 0 / 0 / 20 | 20.0 | 50 |" in text
