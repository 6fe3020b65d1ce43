from __future__ import annotations

from pathlib import Path

import pytest

from vidlink.errors import UserError
from vidlink.settings import Settings
from vidlink.sweeping.grid import read_sweep, sweep_from
from vidlink.sweeping.options import NOT_SHOWN, as_columns, known_options, to_settings


def settings_of(raw):
    return [point.settings for point in sweep_from(raw).make_points(Path("/data"))]


def test_grid_is_every_combination_last_axis_fastest_then_points():
    raw = {
        "settings": {"scales": [1, 2]},
        "grid": {"bitrate": ["16k", 32000], "seed": [0, 1, 2]},
        "points": [{"bitrate": "8k", "codec": "x265"}],
    }
    found = settings_of(raw)
    assert len(sweep_from(raw)) == len(found) == 7
    assert [(each.bitrate_bps, each.seed) for each in found[:4]] == [(16e3, 0), (16e3, 1), (16e3, 2), (32e3, 0)]
    assert found[6].codec == "x265"
    assert all(each.scales == (1.0, 2.0) for each in found)


def test_axis_of_tables_sets_several_settings_and_its_names_are_a_column():
    raw = {
        "grid": {
            "bitrate": ["16k", "32k"],
            "clip": [
                {"name": "a", "input": "a.mp4", "labels": "a.csv"},
                {"name": "b", "input": "/other/b.mp4", "labels": "b.csv"},
            ],
        }
    }
    points = list(sweep_from(raw).make_points(Path("/data")))
    assert [point.columns["clip"] for point in points] == ["a", "b", "a", "b"]
    assert points[0].settings.input == "/data/a.mp4"
    assert points[0].settings.labels == Path("/data/a.csv")
    assert points[0].columns["input"] == "a.mp4", "the table has paths as the file has them"
    assert points[1].settings.input == "/other/b.mp4"


def test_every_setting_can_be_swept():
    behind = {"bitrate": "bitrate_bps", "no-scores": "score_pictures", "no-video": "save_video"}
    behind |= {"start-bitrate": "start_bps", "recognizer-arg": "recognizer_args"}
    fields = {"live"}  # --bitrate auto
    for name in set(known_options()) - {"crf"}:  # which is quality
        field = behind.get(name, name.replace("-", "_"))
        fields.add(field if field in Settings.__dataclass_fields__ else f"{field}_s")
    assert fields == set(Settings.__dataclass_fields__) - (set(NOT_SHOWN) - {"save_video"})


def test_values_mean_what_the_command_line_means():
    settings = to_settings({"bitrate": "64k", "nack": True, "no-scores": True, "roi": "1,2,3,4", "input": "-odd.mp4"})
    assert (settings.nack, settings.score_pictures, settings.roi) == (True, False, "1,2,3,4")
    assert settings.input == "-odd.mp4"
    assert to_settings({"bitrate": "64k", "input": "builtin"}).input is None
    assert as_columns(to_settings({"bitrate": "64k", "scales": [1.5, 2]}))["scales"] == "1.5,2"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"gird": {"bitrate": ["8k"]}}, ["'gird'", "'grid'"]),
        ({"grid": {"bitrat": ["8k"]}}, ["[grid]", "'bitrat'", "did you mean 'bitrate'"]),
        ({"settings": {"bit_rate": "8k"}, "grid": {"seed": [1]}}, ["[settings]", "did you mean 'bitrate'"]),
        ({"points": [{"chanel": "perfect"}]}, ["[points 1]", "did you mean 'channel'"]),
        ({"grid": {"clip": [{"inputs": "a"}]}}, ["[grid.clip]", "did you mean 'input'"]),
        ({}, ["no points"]),
        ({"settings": {"bitrate": "8k"}}, ["no points"]),
        ({"grid": {"bitrate": []}}, ["bitrate is an empty list"]),
        ({"grid": {"out": ["x"]}}, ["'out' is no setting of a point"]),
        ({"grid": {"workers": [1, 2]}}, ["'workers' is no setting of a point"]),
        ({"grid": {"codec": [{"codec": "x264"}]}}, ["codec is a setting"]),
        ({"grid": {"a": [{"codec": "x264"}], "codec": ["x265"]}}, ["codec is set by a and by codec"]),
        ({"grid": {"a": [{"codec": "x264"}, 3]}}, ["mixes tables with values"]),
        ({"grid": 3}, ["'grid'"]),
    ],
)
def test_wrong_files_are_named(raw, words):
    with pytest.raises(UserError) as caught:
        sweep_from(raw, "my.toml")
    assert all(word in str(caught.value) for word in ["my.toml", *words]), str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"bitrate": "fast"}, ["bitrate = fast", "expected a positive number"]),
        ({"bitrate": "8k", "objective": "beauty"}, ["--objective", "beauty"]),
        ({"bitrate": "8k", "nack": "yes"}, ["nack = 'yes'", "true or false"]),
        ({"bitrate": True}, ["bitrate = True", "text or a number"]),
        ({"bitrate": "8k", "seed": "x"}, ["--seed", "invalid int"]),
        ({"seed": 1}, ["budget"]),
        ({"bitrate": "8k", "input": 3}, ["input = 3", "path"]),
    ],
)
def test_wrong_points_are_named(chosen, words):
    with pytest.raises(UserError) as caught:
        settings_of({"points": [chosen]})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_million_points_are_counted_without_being_made():
    assert len(sweep_from({"grid": {"bitrate": ["8k"], "seed": list(range(1000)), "mtu": list(range(1000))}})) == 10**6


def test_unreadable_files(tmp_path):
    (tmp_path / "bad.toml").write_text("[grid\n")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name, word in (("bad.toml", "not valid TOML"), ("binary.toml", "not valid TOML"), ("no.toml", "cannot be")):
        with pytest.raises(UserError, match=word):
            read_sweep(tmp_path / name)
