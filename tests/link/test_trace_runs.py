"""Whole runs over recorded links: every trace ends with plausible delays (the full table: benchmarks/traces.py)."""

import numpy as np
import pytest

from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace

FIXED = ("--no-plot", "--recognizer", "none", "--no-video", "--no-scores", "--workers", "1", "--scale", "1")
QUALITY = {"64k": "30", "512k": "11"}
TRACES = [
    ("mahimahi/TMobile-UMTS-driving.up", "mahimahi"),
    ("mahimahi/Verizon-EVDO-driving.down", "mahimahi"),
    ("hsdpa3g/report.2011-02-01_1000CET.json", "json"),
    ("hsdpa3g/report.2010-09-21_1622CEST.json", "json"),
    ("lte4g/report_train_0002.json", "json"),
]


@pytest.mark.parametrize("rate", QUALITY)
@pytest.mark.parametrize(("name", "form"), TRACES)
def test_a_run_over_a_recorded_trace_has_plausible_delays(data, simulated, tmp_path, name, form, rate):
    path = data / "traces" / name
    capacity, latency = read_trace(Trace(path=path, format=form))
    delay = "" if latency else "delay_s = 0.03\n"
    (tmp_path / "channel.toml").write_text(
        f'description = "recorded"\nqueue_s = 5.0\n{delay}trace = {{ path = "{path}", format = "{form}" }}\n'
    )
    clip = data / "clips" / "carphone_pristine.mp4"
    arguments = (*FIXED, "--quality", QUALITY[rate], "--channel", tmp_path / "channel.toml")
    run = simulated(tmp_path / "run", clip, *arguments)
    packets, frames, summary = run.table("packets"), run.table("frames"), run.summary
    assert frames["frame"].tolist() == list(range(120))
    wire = summary["rate"]["wire_bps"]
    assert (40e3 if rate == "64k" else 350e3) < wire < (90e3 if rate == "64k" else 700e3)

    least_s = latency.least / 1e9 if latency else 0.03
    arrived = packets[packets["fate"] == "delivered"]
    assert ((arrived["arrival_s"] - arrived["send_s"]) >= least_s - 2e-6).all()
    assert (arrived["arrival_s"].diff().dropna() >= -1e-6).all()
    # No more arrives, up to any packet, than the link can have carried since the first was sent.
    times = np.rint(1e9 * np.r_[arrived["send_s"].min(), arrived["arrival_s"] - least_s]).astype(np.int64)
    room = capacity.work_until(np.maximum.accumulate(times)) / capacity.work_for(np.array([1]))[0]
    assert (arrived["bytes"].cumsum().to_numpy() <= room[1:] - room[0] + 1500).all()
    # Nothing is lost but by the queue, and only packets that were late or dropped cost frames.
    assert set(packets["fate"]) <= {"delivered", "dropped"}
    late = (frames["late_s"] > 0).any()
    if not late and summary["delivery"]["lost"] == 0:
        assert summary["frames"]["ok"] == 120
    else:
        assert summary["frames"]["ok"] < 120
        assert summary["frames"]["frozen"] > 0
