"""What a run reads is told from what only has the same name."""

import pytest

from vidlink.errors import UserError
from vidlink.report.outputs import check_outputs, inputs_of
from vidlink.settings import Settings


def made(**more):
    return Settings(scale=1, quality=40, **more)


@pytest.mark.parametrize("name", ["perfect", "x264", "affect", "gcc"])
def test_a_folder_named_like_a_setting_is_not_what_is_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    check_outputs(made(), tmp_path / name, overwrite=True)
    assert inputs_of(made()) == {}


def test_profiles_of_ones_own_and_what_they_name_are_read(tmp_path):
    (tmp_path / "trace.csv").write_text("time_s,rate_bps\n0,1000\n1,2000\n")
    (tmp_path / "my.toml").write_text('description = "x"\ntrace = { path = "trace.csv", format = "csv" }\n')
    settings = made(channel=str(tmp_path / "my.toml"))
    assert inputs_of(settings) == {"--channel": [tmp_path / "my.toml", tmp_path / "trace.csv"]}
    with pytest.raises(UserError, match=r"--channel reads .*my\.toml, which lies there"):
        check_outputs(settings, tmp_path, overwrite=True)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_capture_is_no_input_by_any_name(tmp_path, make_clip, link):
    clip = make_clip(tmp_path / "clip.mp4")
    getattr(tmp_path / "other.pcap", link)(clip)
    for pcap in (clip, tmp_path / "other.pcap"):
        with pytest.raises(UserError, match="is the file that INPUT reads"):
            check_outputs(made(input=str(clip), pcap=pcap), None, overwrite=True)


def test_images_in_folders_with_brackets_are_found(tmp_path):
    (tmp_path / "a[1]").mkdir()
    for number in (9, 10):
        (tmp_path / "a[1]" / f"i[x]_{number}.png").write_bytes(b"x")
    found = inputs_of(made(input=str(tmp_path / "a[1]" / "i[x]_%d.png")))
    assert [path.name for path in found["INPUT"]] == ["i[x]_9.png", "i[x]_10.png"]
