"""``--overfit auto``: weights go along where they pay, are counted, and can be lost."""

import dataclasses

import numpy as np
import pytest

from vidlink.channel.channel import Channel
from vidlink.settings import Settings
from vidlink.simulate import simulate
from vidlink.types import Fate, Kind

SIZE = (96, 64)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds of drifting stripes with fine grain that no bits can keep."""
    rng = np.random.default_rng(0)
    width, height = SIZE
    x, y = np.arange(width), np.arange(height)[:, None]
    path = tmp_path_factory.mktemp("overfit") / f"stripes_{width}x{height}_25fps.yuv"
    with path.open("wb") as file:
        for k in range(50):
            luma = (
                128
                + 60 * np.sin((x + 0.7 * k) / 4) * np.sign(np.sin((y - 0.4 * k) / 7))
                + rng.normal(0, 4, (height, width))
            )
            file.write(np.clip(luma, 0, 255).astype(np.uint8).tobytes())
            file.write(np.full(width * height // 2, 128, np.uint8).tobytes())
    return path


def run(clip, **how):
    given = {"bitrate_bps": "64k", "scales": "1,2", "divisors": "1", "recognizer": "none", "workers": 1}
    return simulate(
        Settings(input=str(clip), save_video=False, save_plot=False, save_report=False, **given | how), quiet=True
    )


@pytest.fixture(scope="module")
def runs(clip):
    return {mode: run(clip, overfit=mode) for mode in ("off", "auto")}


def test_weights_make_pictures_better_within_the_budget_and_are_counted(runs):
    off, auto = (each.summary for each in runs.values())
    assert auto["quality"]["psnr_db"] > off["quality"]["psnr_db"] + 0.3
    assert auto["rate"]["wire_bps"] <= 64e3
    assert off["restoration"] is None
    assert "weights" not in runs["off"].tables["segments"]
    segments, packets = runs["auto"].tables["segments"], runs["auto"].tables["packets"]
    weights = packets[packets["kind"] == "weights"]
    assert segments["weights"].tolist() == ["restored"] * len(segments)
    assert len(weights) == len(segments)
    assert auto["restoration"]["weights_bits"] == segments["weights_bits"].sum() > 0
    assert (8 * weights["bytes"].to_numpy() >= segments["weights_bits"].to_numpy()).all()
    frames = runs["auto"].tables["frames"].groupby("segment")["payload_bits"].sum().to_numpy()
    assert (segments["payload_bits"] >= frames + segments["weights_bits"]).all()


@pytest.mark.parametrize("harm", ["lost", "damaged"])
def test_groups_whose_weights_do_not_arrive_whole_are_interpolated_and_the_run_says_so(clip, runs, harm, monkeypatch):
    transmit = Channel.transmit

    def harmed(channel, packets):
        sent = transmit(channel, packets)
        of_weights = sent.kind == Kind.WEIGHTS
        if harm == "lost":
            sent.fate[of_weights] = Fate.LOST
            sent.arrival_s[of_weights] = np.nan
            return sent
        data = [
            each[:-12] + bytes([each[-12] ^ 1]) + each[-11:] if of else each
            for each, of in zip(sent.data, of_weights, strict=True)
        ]
        return dataclasses.replace(sent, data=data)

    monkeypatch.setattr(Channel, "transmit", harmed)
    found = run(clip, overfit="auto")
    groups = found.summary["restoration"]["groups"]
    assert groups[harm] == sum(groups.values()) > 0
    assert found.summary["restoration"]["restored"] == 0
    assert found.summary["notes"] == [
        f"of the weights of {groups[harm]} groups of pictures {groups[harm]} {harm}: these are interpolated"
    ]
    assert found.summary["quality"]["psnr_db"] <= runs["off"].summary["quality"]["psnr_db"]


def test_where_loss_is_foreseen_weights_go_twice(clip, runs):
    packets = run(clip, overfit="auto", loss=0.01, gop=2).tables["packets"]
    weights = packets[packets["kind"] == "weights"]
    assert weights.groupby("segment").size().tolist() == [2] * weights["segment"].nunique()
    assert len(weights)
    # The second follows the key picture.
    first = packets[packets["segment"] == weights["segment"].iloc[0]].reset_index(drop=True)
    places = first.index[first["kind"] == "weights"].tolist()
    assert 1 < places[1] - places[0] < len(first) - 2


def test_nothing_is_sent_where_nothing_is_gained(tmp_path):
    flat = tmp_path / "flat_64x48_25fps.yuv"
    flat.write_bytes(bytes([128]) * (64 * 48 * 3 // 2) * 25)
    found = run(flat, overfit="auto", bitrate_bps="100k")
    assert found.summary["restoration"]["groups"] == {"restored": 0, "lost": 0, "damaged": 0, "none": 1}
    assert found.summary["restoration"]["weights_bits"] == 0
