"""Sweeps of benchmarks run in this process: workers take seconds to start."""

import bench
import pytest
from swept import Threads


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(bench, "Processes", lambda workers: Threads())
