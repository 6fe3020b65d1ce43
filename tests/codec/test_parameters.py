"""Recipes ask for the encoder's own parameters, and name no files: what does is refused as the file is read."""

import re
from pathlib import Path

import pytest

from vidlink.codec.parameters import KNOWN, check_bounds, check_name, check_options, hint, not_taken
from vidlink.codec.recipe import Codec
from vidlink.codec.shelf import load_codec, names
from vidlink.errors import UserError

RECIPE = """
description = "mine"
encoder = "libx264"
decoder = "h264"
payload = "h264"
{program}
[options]
{options}
[quality]
option = "{knob}"
best = 10
worst = 51
grid = [20, 30]
"""


def written(tmp_path, options="", *, knob="crf", program=""):
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.format(options=options, knob=knob, program=program and f'program = "{program}"'))
    return str(path)


@pytest.mark.parametrize("program", ["", "ffmpeg"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x264-params", "dump-yuv=PLACE"),
        ("x264-params", "keyint=10:dump_yuv=PLACE"),
        ("x264-params", "dump-yuv=inthisfolder"),
        ("x264-params", " dump-yuv =inthisfolder"),
        ("x264-params", "'dump-yuv'=inthisfolder"),
        ("x264-params", "dump\\\\-yuv=inthisfolder"),
        ("x264-params", "zones=0,10,dump-yuv=inthisfolder"),
        ("x264-params", "stats=a.log"),
        ("x264-params", "pass=1"),
        ("x264-params", "log-file=a"),
        ("x264-params", "log-file-level=info:log-file=a"),
        ("x264-params", "qpfile=a"),
        ("x264-params", "cqmfile=a"),
        ("x264-params", "cqm=a"),
        ("x264-params", "opencl=1"),
        ("x264-params", "opencl-clbin=a"),
        ("x264opts", "dump-yuv=a"),
        ("x265-params", "csv=a"),
        ("x265-params", "stats=a:pass=2"),
        ("x265-params", "analysis-save=a"),
        ("x265-params", "analysis-load=a"),
        ("x265-params", "analysis-reuse-file=a"),
        ("x265-params", "qpfile=a"),
        ("x265-params", "lambda-file=a"),
        ("x265-params", "scaling-list=a"),
        ("x265-params", "film-grain=a"),
        ("x265-params", "dhdr10-info=a"),
        ("x265-params", "nalu-file=a"),
        ("x265-params", "zonefile=a"),
        ("x265-params", "multi-pass-opt-analysis=1"),
        ("x265-params", "recon=a"),
        ("svtav1-params", "stats=a"),
        ("svtav1-params", "fgs-table=a"),
        ("svtav1-params", "qpfile=a"),
        ("aom-params", "film-grain-table=a"),
        ("aom-params", "vmaf-model-path=a"),
        ("aom-params", "partition-info-path=a"),
        ("vvenc-params", "RCStatsFile=a"),
        ("vvenc-params", "tracefile=a"),
        ("kvazaar-params", "roi=a"),
        ("stats", "a"),
        ("passlogfile", "a"),
        ("flags", "+pass1"),
        ("flags", "pass2"),
        ("flags", "512"),
        ("flags", "(1*512)"),
        ("load_plugins", "a"),
        ("preset", "/etc/passwd"),
        ("preset", "../a"),
        ("preset", "file:a"),
        ("preset", "http://a"),
        ("preset", "a\\u0000b"),
        ("y", "PLACE"),
        ("y", ""),
        ("s", "16x16"),
        ("pix_fmt", "gray"),
        ("-y", ""),
        ("/filter", "a"),
        ("a b", "c"),
        ("", "c"),
    ],
)
def test_what_names_files_or_is_not_the_encoders_is_refused(tmp_path, name, value, program):
    place = tmp_path / "victim"
    place.write_text("precious")
    path = written(tmp_path, f'"{name}" = "{value.replace("PLACE", str(place))}"', program=program)
    with pytest.raises(UserError) as caught:
        load_codec(path)
    assert "key 'options" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert place.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preset", "veryfast"),
        ("b", "0"),
        ("x264-params", "keyint=infinite:scenecut=0:slice-max-size=1400:cpu-independent=1"),
        ("x264-params", "psy-rd=1.0,0.5:zones=0,100,q=20/101,200,q=30:cqm=jvt:no-deblock=1:sar=16/11:sliced-threads=0"),
        ("x265-params", "log-level=none:info=0:log2-max-poc-lsb=8:scaling-list=default:pools=none"),
        ("svtav1-params", "lp=1:film-grain=8"),
        ("profile", "high"),
        ("flags", "+cgop-loop"),
        ("rc_eq", "tex^qComp"),
        ("b:v", "100k"),
    ],
)
def test_what_is_the_encoders_is_taken(name, value):
    assert check_options({name: value}) == {name: value}


def test_no_known_parameter_is_taken_for_a_file():
    for encoder, known in KNOWN.items():
        for name in known.split():
            if name not in ("cqm", "scaling-list"):
                check_options({f"{encoder}-params": f"{name}=1"})
    for name in names("codecs"):
        load_codec(name)


@pytest.mark.parametrize("knob", ["y", "stats", "dump-yuv=a", "-y", "s", ""])
def test_the_knob_is_the_encoders_too(tmp_path, knob):
    with pytest.raises(UserError, match=r"key 'quality\.option'"):
        load_codec(written(tmp_path, knob=knob))
    with pytest.raises(ValueError, match=r"option|file"):
        check_name(knob)


def test_the_knob_is_said_once(tmp_path):
    with pytest.raises(UserError, match="options has crf, which is the quality knob"):
        load_codec(written(tmp_path, 'crf = "20"'))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("best = 10", "best = -inf"),
        ("best = 10", "best = nan"),
        ("worst = 51", "worst = 1e308"),
        ("worst = 51", "worst = " + "9" * 400),
        ("worst = 51", "worst = " + "9" * 5000),
        ("worst = 51", "worst = 51\nstep = 1e-300"),
        ("worst = 51", "worst = 51\nstep = inf"),
        ("grid = [20, 30]", "grid = " + "[" * 5000),
        ("grid = [20, 30]", "grid = [nan]"),
        ("[options]", "min_side = 9999999999999999999\n[options]"),
    ],
    ids=range(10),
)
def test_numbers_are_bounded(tmp_path, old, new):
    path = Path(written(tmp_path))
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError) as caught:
        load_codec(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_name_too_long_is_said():
    with pytest.raises(UserError, match="too long"):
        load_codec("a" * 5000 + ".toml")


@pytest.mark.parametrize(
    ("line", "options", "said"),
    [
        ("Error parsing option 'kyint = 1'.", {"x264-params": "kyint=1"}, "did you mean 'keyint'?"),
        ("bad option 'bogus': '1'", {"x264opts": "bogus=1"}, "x264opts: unknown parameter 'bogus'"),
        ("Unknown option: scnecut.", {"x265-params": "scnecut=1"}, "did you mean 'scenecut'?"),
        ("Invalid value for keyint: abc.", {"x265-params": "keyint=abc"}, "keyint does not take the value 'abc'"),
        ("Error parsing option lpp: 1.", {"svtav1-params": "lpp=1"}, "did you mean 'lp'?"),
        ("[libx264 @ 0x5] [warning] Error parsing option 'a = 1'.", {"x264-params": "a=1"}, "unknown parameter 'a'"),
        ("Neither bitrate nor constrained quality specified", {}, ""),
        ("-async is forwarded to lavfi", {"preset": "a"}, ""),
    ],
)
def test_logs_say_what_was_not_taken(line, options, said):
    found = not_taken(["something else", line], options)
    assert said in found
    assert bool(said) == bool(found)


def test_only_a_near_name_is_named():
    assert hint("prest", ["tune", "preset"]) == ": did you mean 'preset'?"
    assert hint("bogus", ["tune", "preset"]) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bf": "20"}, "bf = 20: x264 takes 0 to 16"),
        ({"refs": "99"}, "refs = 99: x264 takes 1 to 16"),
        ({"x264-params": "keyint=infinite:bframes=17"}, "x264-params: bframes = 17: x264 takes 0 to 16"),
        ({"x264-params": "me_range=5000"}, "x264-params: me_range = 5000: x264 takes 4 to 1024"),
        ({"x264opts": "subme=12"}, "x264opts: subme = 12: x264 takes 0 to 11"),
    ],
)
def test_numbers_that_x264_takes_for_others_are_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_bounds(options)
    recipe = {
        "description": "mine",
        "options": options,
        "quality": {"option": "crf", "best": 1, "worst": 9, "grid": [2]},
    }
    h264 = {"encoder": "libx264", "decoder": "h264", "payload": "h264"}
    with pytest.raises(ValueError, match=re.escape(message)):
        Codec.model_validate(recipe | h264)
    Codec.model_validate(recipe | h264 | {"encoder": "libvpx-vp9"})
