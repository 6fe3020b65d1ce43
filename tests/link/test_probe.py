"""A recipe is tried before a run: what is wrong with it is one line at the start, and not a film of nothing."""

import pytest

from vidlink.codec.shelf import load_codec, names
from vidlink.errors import UserError
from vidlink.link.probe import check_codec

RECIPE = """
description = "mine"
encoder = "libx264"
decoder = "h264"
payload = "h264"
[options]
preset = "veryfast"
x264-params = "keyint=infinite:scenecut=0"
[quality]
option = "crf"
best = 10
worst = 51
grid = [20, 30]
"""
X264 = 'x264-params = "keyint=infinite:scenecut=0"'
HEVC = RECIPE.replace("libx264", "libx265").replace('"h264"', '"hevc"')
HEVC = HEVC.replace(X264, 'x265-params = "keyint=-1:scenecut=0"')
AV1 = RECIPE.replace("libx264", "libsvtav1").replace('decoder = "h264"', 'decoder = "libdav1d"')
AV1 = AV1.replace('payload = "h264"', 'payload = "generic"')
AV1 = AV1.replace('preset = "veryfast"\n' + X264, 'svtav1-params = "lp=1"')


def checked(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return check_codec(load_codec(str(path)))


@pytest.mark.parametrize("name", names("codecs"))
def test_what_ships_passes(name):
    codec = load_codec(name)
    assert check_codec(codec) is codec


@pytest.mark.parametrize(
    "change",
    [
        ("keyint=infinite", "keyint=1"),
        ("keyint=infinite", "bframes=3:slices=2"),
        ("keyint=infinite", "slice-max-size=100:intra-refresh=1"),
        ("grid = [20, 30]", "grid = [51]"),
        ('payload = "h264"', 'payload = "generic"'),
    ],
)
def test_what_is_right_passes(tmp_path, change):
    assert change[0] in RECIPE
    checked(tmp_path, RECIPE.replace(*change))


@pytest.mark.parametrize("program", [False, True])
@pytest.mark.parametrize(
    ("recipe", "old", "new", "parts"),
    [
        (RECIPE, "preset =", "prest =", ("'prest'", "did you mean 'preset'?")),
        (RECIPE, 'option = "crf"', 'option = "crff"', ("'crff'", "did you mean 'crf'?")),
        (RECIPE, "veryfast", "warp", ("warp",)),
        (RECIPE, "scenecut=0", "bogus=1", ("x264-params", "'bogus'")),
        (RECIPE, "scenecut=0", "scnecut=0", ("x264-params", "'scnecut'", "did you mean 'scenecut'?")),
        (RECIPE, "scenecut=0", "scenecut=abc", ("x264-params", "scenecut", "'abc'")),
        (RECIPE, "scenecut=0", "annexb=0", ("0 of 4 pictures came back",)),
        (RECIPE, '"h264"\npay', '"vp9"\npay', ("decoder 'vp9'",)),
        (RECIPE, '"h264"\npay', '"hevc"\npay', ("decoder 'hevc'",)),
        (RECIPE, '"h264"\npay', '"h2644"\npay', ("no decoder 'h2644'", "did you mean 'h264'?")),
        (RECIPE, '"h264"\npay', '"aac"\npay', ("'aac' is no decoder of video",)),
        (RECIPE, 'payload = "h264"', 'payload = "hevc"', ("payload 'hevc'",)),
        (RECIPE, "libx264", "libx265", ("x264-params",)),
        (RECIPE, "libx264", "lib264", ("'lib264'", "libx264")),
        (RECIPE, "preset =", "report =", ("'report'",)),
        (RECIPE, "preset =", "vf =", ("'vf'",)),
        (RECIPE, "preset =", "t =", ("'t'",)),
        (RECIPE, "preset =", "filter_script =", ("'filter_script'",)),
        (HEVC, "scenecut=0", "scnecut=0", ("x265-params", "'scnecut'", "did you mean 'scenecut'?")),
        (HEVC, "scenecut=0", "annexb=0", ("pictures came back",)),
        (AV1, "lp=1", "lpp=1", ("svtav1-params", "'lpp'", "did you mean 'lp'?")),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, request, monkeypatch, capfd, recipe, old, new, parts, program):
    assert old in recipe
    if program:
        known = request.getfixturevalue("ffmpeg")("-encoders").decode()
        encoder = recipe.partition('encoder = "')[2].partition('"')[0]
        if f" {encoder} " not in known:
            pytest.skip(f"this machine's ffmpeg has no {encoder}")
        recipe = recipe.replace("[options]", 'program = "ffmpeg"\n[options]')
        if "annexb" in new and "x265" in recipe:
            pytest.skip("NUT carries it either way")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(UserError) as caught:
        checked(tmp_path, recipe.replace(old, new))
    assert "\n" not in str(caught.value)
    assert "'mine'" in str(caught.value)
    for part in parts:
        assert part in str(caught.value)
    assert "".join(capfd.readouterr()) == "", "the encoder speaks to nobody"
    assert list(folder.iterdir()) == []


def test_a_run_tells_at_its_start(command, small_clip, tmp_path):
    (tmp_path / "mine.toml").write_text(RECIPE.replace("scenecut=0", "bogus=1"))
    ended = command(small_clip, "--bitrate", "64k", "--codec", tmp_path / "mine.toml", "--recognizer", "none")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert "'bogus'" in ended.err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.toml"]


def test_codecs_of_ones_own_code_answer_for_themselves(tmp_path):
    start, _, rest = RECIPE.partition("encoder")
    text = start + 'implementation = "no.such:Class"\n[quality]' + rest.partition("[quality]")[2]
    assert checked(tmp_path, text).implementation == "no.such:Class"
