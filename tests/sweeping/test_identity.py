from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vidlink.errors import UserError
from vidlink.settings import Settings
from vidlink.sweeping import identity
from vidlink.sweeping.identity import identify


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"some video")
    return Settings(input=str(tmp_path / "a.mp4"), bitrate_bps=64e3)


def test_the_same_content_elsewhere_is_the_same_point(settings, tmp_path):
    (tmp_path / "copy").mkdir()
    copy = shutil.copy(settings.input, tmp_path / "copy" / "b.mp4")
    assert identify(replace(settings, input=str(copy))) == identify(settings)


def test_the_folder_counts_where_it_may_be_the_label(settings, tmp_path):
    """Walk/a.mp4 is labelled for a recognizer of classes, misc/a.mp4 is not."""
    found = {}
    for folder in ("Walk", "misc"):
        (tmp_path / folder).mkdir()
        clip = str(shutil.copy(settings.input, tmp_path / folder / "a.mp4"))
        for name, label in (("activity", None), ("activity", "Run"), ("affect", None)):
            found[folder, name, label] = identify(replace(settings, input=clip, recognizer=name, label=label))
    assert found["Walk", "activity", None] != found["misc", "activity", None]
    assert found["Walk", "activity", "Run"] == found["misc", "activity", "Run"]
    assert found["Walk", "affect", None] == found["misc", "affect", None]


def test_the_source_that_an_argument_names_counts(settings, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "nets_of_identity.py").write_text("def make_net(): ...\n")
    mine = replace(
        settings, recognizer="image-classifier", recognizer_args=("model=nets_of_identity:make_net",), label="x"
    )
    before = identify(mine)
    assert identify(mine) == before
    (tmp_path / "nets_of_identity.py").write_text("def make_net(): return 1\n")
    assert identify(mine) != before


def test_weights_that_lie_beside_an_onnx_file_count(settings, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"a network")
    mine = replace(settings, recognizer=str(tmp_path / "net.onnx"), label="x")
    found = [identify(mine)]
    for weights in (b"first", b"second"):
        (tmp_path / "net.onnx.data").write_bytes(weights)
        found.append(identify(mine))
    assert len(set(found)) == 3


def test_a_codec_from_the_shelf_is_its_content(settings, tmp_path):
    shelf = Path(__file__).parents[2] / "codecs" / "x264.toml"
    own = shutil.copy(shelf, tmp_path / "mine.toml")
    assert identify(replace(settings, codec=str(own))) == identify(settings)
    Path(own).write_text(shelf.read_text().replace("worst = 51", "worst = 50").replace(", 51]", ", 50]"))
    assert identify(replace(settings, codec=str(own))) != identify(settings)


def test_the_weights_of_a_codec_of_a_class_count(settings, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "coder_of_identity.py").write_text("class Mine: ...\n")
    shelf = Path(__file__).parents[2] / "codecs" / "dvc.toml"
    own, weights = tmp_path / "mine.toml", tmp_path / "w.bin"
    text = shelf.read_text().replace("vidlink.codec.dvc:DVCodec", "coder_of_identity:Mine")
    own.write_text(f"{text}\n[options]\nweights = '{weights}'\nlong = '{'x' * 5000}'\n")
    weights.write_bytes(b"once")
    before = identify(replace(settings, codec=str(own)))
    weights.write_bytes(b"again")
    after = identify(replace(settings, codec=str(own)))
    assert after != before
    weights.unlink()
    assert identify(replace(settings, codec=str(own))) not in (before, after)


def test_the_weights_of_the_codec_that_ships_count(settings, tmp_path, monkeypatch):
    before = identify(replace(settings, codec="dvc"))
    (tmp_path / "dvc.safetensors").write_bytes(b"others")
    monkeypatch.setattr(identity, "WEIGHTS", tmp_path)
    assert identify(replace(settings, codec="dvc")) != before


def test_a_trace_counts(settings, tmp_path):
    shelf = Path(__file__).parents[2] / "channels"
    for name in ("lte-drive.toml", "lte-drive.csv"):
        shutil.copy(shelf / name, tmp_path)
    mine = replace(settings, channel=str(tmp_path / "lte-drive.toml"))
    before = identify(mine)
    assert before == identify(replace(settings, channel="lte-drive"))
    rows = (tmp_path / "lte-drive.csv").read_text().splitlines()
    (tmp_path / "lte-drive.csv").write_text("\n".join(rows[:-1]))
    assert identify(mine) != before


def test_every_other_setting_counts(settings):
    changes = {"bitrate_bps": 65e3, "seed": 1, "scales": (1.0,), "fec": "xor:k=5", "objective": "ssim", "codec": "x265"}
    changes |= {"recognizer": "none", "channel": "bernoulli-5"}
    found = {identify(replace(settings, **{name: value})) for name, value in changes.items()}
    assert len(found | {identify(settings)}) == len(changes) + 1


def test_what_changes_no_result_does_not_count(settings, tmp_path):
    other = replace(settings, workers=2, save_video=False, pcap=tmp_path / "a.pcap")
    assert identify(other) == identify(settings)


def test_changed_bytes_and_weights_count(settings, tmp_path):
    before = identify(settings)
    Path(settings.input).write_bytes(b"another video")
    assert identify(settings) != before
    (tmp_path / "w.safetensors").write_bytes(b"1")
    weighted = replace(settings, weights=tmp_path / "w.safetensors")
    first = identify(weighted)
    (tmp_path / "w.safetensors").write_bytes(b"22")
    assert identify(weighted) != first


def test_another_version_is_another_point(settings, monkeypatch):
    before = identify(settings)
    monkeypatch.setattr("vidlink.sweeping.identity.__version__", "99")
    assert identify(settings) != before


def test_the_name_of_raw_video_counts(settings, tmp_path):
    for name in ("a_64x48.yuv", "a_48x64.yuv"):
        (tmp_path / name).write_bytes(b"raw")
    assert identify(replace(settings, input=str(tmp_path / "a_64x48.yuv"))) != identify(
        replace(settings, input=str(tmp_path / "a_48x64.yuv"))
    )


def test_image_sequences(settings, tmp_path):
    for number in range(3):
        (tmp_path / f"img{number:03d}.png").write_bytes(b"%d" % number)
    numbered = identify(replace(settings, input=str(tmp_path / "img%03d.png")))
    (tmp_path / "img003.png").write_bytes(b"3")
    assert identify(replace(settings, input=str(tmp_path / "img%03d.png"))) != numbered


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"input": "/no/such.mp4"}, "no such file"),
        ({"input": "/tmp"}, "is a folder"),
        ({"labels": Path("/no/such.csv")}, "no such file"),
        ({"codec": "x26"}, "x264"),
        ({"channel": "perfekt"}, "perfect"),
        ({"recognizer": "afect"}, "affect"),
        ({"recognizer": "no_such_package.module:Class"}, "no_such_package"),
    ],
)
def test_what_is_missing_is_named(settings, change, word):
    with pytest.raises(UserError, match=word):
        identify(replace(settings, **change))


def test_an_estimator_counts_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "my_estimator.py"
    module.write_text("class Mine: ...\n")
    settings = Settings(live=True, estimator="my_estimator:Mine", recognizer="none")
    first = identify(settings)
    module.write_text("class Mine: pass\n")
    assert identify(settings) != first
    assert identify(Settings(live=True, recognizer="none")) != identify(
        Settings(live=True, start_bps=1e5, recognizer="none")
    )
    with pytest.raises(UserError, match="there is no module nowhere_at_all"):
        identify(Settings(live=True, estimator="nowhere_at_all:Mine", recognizer="none"))
