"""The benchmark of SRCNN and ESPCN: it trains by the command that everyone has, once, and stores each seed."""

import json
import sys

import cv2
import numpy as np
import pytest
import super_resolution

from vidlink.errors import UserError


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Two folders of drawn pictures where the benchmark looks for T91 and Set5."""
    generator = np.random.default_rng(0)
    for folder in ("T91", "Set5"):
        (tmp_path / "sr" / folder).mkdir(parents=True)
        for number in range(2):
            coarse = generator.integers(0, 256, (12, 12), np.uint8)
            cv2.imwrite(str(tmp_path / "sr" / folder / f"{number}.png"), cv2.resize(coarse, (96, 96)))
    monkeypatch.setenv("VIDLINK_DATA", str(tmp_path))
    return tmp_path


def call(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["super_resolution.py", *map(str, words)])
    super_resolution.main()


def test_each_seed_is_trained_once_and_stored(data, monkeypatch, capsys):
    words = ["--quick", "--seeds", "3", "--threads", "1", "--work", data / "work", "--json", data / "a.json"]
    call(monkeypatch, *words)
    stored = json.loads((data / "a.json").read_text())
    assert set(stored["figures"]) == {"bicubic", "srcnn", "espcn"}
    assert [(row["network"], row["seed"]) for row in stored["rows"]] == [("srcnn", 3), ("espcn", 3)]
    assert "| bicubic |" in capsys.readouterr().out
    monkeypatch.setattr(super_resolution.train, "run", lambda words: pytest.fail("trained again"))
    call(monkeypatch, *words)
    assert json.loads((data / "a.json").read_text())["figures"] == stored["figures"]


def test_without_pictures_it_says_which_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDLINK_DATA", str(tmp_path))
    with pytest.raises(UserError, match="sr/T91 and sr/Set5"):
        call(monkeypatch, "--quick")
