"""The two shelves: every profile on them loads, and what is wrong in a user's own file is said precisely."""

import tomllib
from pathlib import Path

import av
import pytest

from vidlink.codec.recipe import QualityKnob
from vidlink.codec.shelf import load_channel, load_codec, names, shelf
from vidlink.errors import UserError

CODEC = """
description = "mine"
encoder = "libx264"
decoder = "h264"
payload = "h264"
[options]
preset = "veryfast"
[quality]
option = "crf"
best = 10
worst = 51
grid = [20, 30]
"""


@pytest.mark.parametrize("name", ["x264", "x264-realtime", "x265", "vp9", "av1"])
def test_promised_codecs_are_on_the_shelf_and_their_coders_in_pyav(name):
    codec = load_codec(name)
    assert codec.name == name
    assert av.Codec(codec.encoder, "w").is_encoder
    assert av.Codec(codec.decoder, "r").is_decoder
    assert codec.quality.best <= min(codec.quality.grid) < max(codec.quality.grid) <= codec.quality.worst


@pytest.mark.parametrize(
    "name", ["perfect", "bernoulli-2", "bernoulli-10", "gilbert-elliott", "narrowband-64k", "satellite"]
)
def test_promised_channels_are_on_the_shelf(name):
    assert load_channel(name).description


@pytest.mark.parametrize("kind", ["codecs", "channels"])
def test_everything_on_a_shelf_loads_and_holds_no_python(kind):
    load = load_codec if kind == "codecs" else load_channel
    found = names(kind)
    assert found == sorted(found)
    assert len(found) >= 5
    for name in found:
        raw = tomllib.loads((shelf(kind) / f"{name}.toml").read_text())
        assert load(name).description == raw["description"]
        assert "\n" not in raw["description"]
    assert [path for path in shelf(kind).rglob("*") if path.suffix == ".py"] == []


def test_a_file_of_ones_own_works_by_its_path(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(CODEC)
    assert load_codec(str(tmp_path / "mine.toml")).name == "mine"
    monkeypatch.chdir(tmp_path)
    assert load_codec("mine.toml").options == {"preset": "veryfast"}
    assert load_codec("./mine.toml").quality.grid == (20, 30)
    (tmp_path / "link.toml").write_text('description = "x"\nrate = "64k"\n')
    assert load_channel("link.toml").rate == 64_000


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('encoder = "libx264"', "", ("'encoder'", "missing")),
        ('encoder = "libx264"', 'encodr = "libx264"', ("encod",)),
        ('preset = "veryfast"', "preset = 3", ("'options.preset'", "3")),
        (
            'payload = "h264"',
            'payload = "h266"',
            ("'payload'", "'h266'", "did you mean 'h264'", "generic, h264, hevc"),
        ),
        ("best = 10", "best = 60", ("'quality'", "best must be below worst")),
        ("best = 10", 'best = "low"', ("'quality.best'", "'low'")),
        ("grid = [20, 30]", "grid = []", ("'quality.grid'",)),
        ("grid = [20, 30]", "grid = [20, 90]", ("'quality'", "10 to 51", "90")),
        (
            "grid = [20, 30]",
            "grid = [20, 30]\nqrid = [1]",
            ("'quality.qrid'", "did you mean 'grid'? known are best, grid"),
        ),
        ("[options]", "min_side = 1\n[options]", ("'min_side'", "1")),
        ("[options]", 'program = "gstreamer"\n[options]', ("'program'", "gstreamer", "ffmpeg")),
        ("[options]", "[optoins]", ("'optoins'", "did you mean 'options'")),
    ],
)
def test_wrong_codec_files_name_file_key_found_and_allowed(tmp_path, old, new, parts):
    assert old in CODEC
    (tmp_path / "mine.toml").write_text(CODEC.replace(old, new))
    with pytest.raises(UserError) as error:
        load_codec(str(tmp_path / "mine.toml"))
    message = str(error.value)
    assert "mine.toml" in message
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('description = "x"\nrat = "64k"', ("'rat'", "did you mean 'rate'")),
        ('description = "x"\nrate = "fast"', ("'rate'", "fast", "64k")),
        ('description = "x"\ndelay_s = -1', ("'delay_s'", "-1")),
        ('description = "x"\n[loss]\nmodel = "bernuli"', ("loss", "bernuli", "bernoulli")),
        ('description = "x"\n[loss]\nmodel = "bernoulli"\nprobability = 1.5', ("probability", "1.5")),
        (
            'description = "x"\n[loss]\nmodel = "bernoulli"\nprobability = 0.1\nmean_burst = 3',
            ("unknown key 'loss.mean_burst'", "known are model, probability"),
        ),
        ('description = "x"\nqueue_s = 1.0', ("queue_s", "rate or trace")),
        ('description = "x"\nrate = "64k"\n[trace]\npath = "t"\nformat = "csv"', ("rate and trace",)),
    ],
)
def test_wrong_channel_files_name_file_key_found_and_allowed(tmp_path, text, parts):
    (tmp_path / "link.toml").write_text(text)
    with pytest.raises(UserError) as error:
        load_channel(str(tmp_path / "link.toml"))
    message = str(error.value)
    assert "link.toml" in message
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_no_codecs_package_shadows_the_standard_library():
    root = Path(__file__).parents[2]
    assert not (root / "codecs" / "__init__.py").exists()


@pytest.mark.parametrize("kind", ["codecs", "channels", "recognizers"])
def test_list_prints_a_line_each(command, kind):
    ended = command("--list", kind)
    assert ended.status == 0
    assert ended.err == ""
    lines = ended.out.splitlines()
    known = ["affect"] if kind == "recognizers" else names(kind)
    assert set(known) <= {line.split()[0] for line in lines}
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


@pytest.mark.parametrize(("best", "worst", "step"), [(0.0078125, 51, 1.0), (1e-9, 2e-9, 1e-6), (1 / 3, 2 / 3, 0.1)])
def test_the_nearest_quality_is_never_outside_the_bounds(best, worst, step):
    knob = QualityKnob(option="crf", best=best, worst=worst, step=step, grid=(best,))
    for value in (-1e300, best, (best + worst) / 2, worst, 1e300):
        assert knob.best <= knob.rounded(value) <= knob.worst
