"""Which stream is the clip: cover art never, of several films the largest."""

import pytest
from pictured import planes, raw_pictures

from vidlink.errors import UserError
from vidlink.video.open import open_source


@pytest.fixture(scope="module")
def material(tmp_path_factory, make_clip, ffmpeg):
    """A film, a smaller one, a large picture and a sound, in one folder."""
    folder = tmp_path_factory.mktemp("material")
    make_clip(folder / "film.mp4", count=12)
    make_clip(folder / "small.mp4", count=20, size=(48, 32))
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=200x200", "-frames:v", 1, folder / "cover.png")
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", folder / "sound.flac")
    return folder


def inputs(folder, *names):
    arguments = []
    for name in names:
        arguments += ["-i", folder / name]
    for number in range(len(names)):
        arguments += ["-map", number]
    return [*arguments, "-c", "copy"]


@pytest.mark.parametrize(
    ("names", "target", "cover"),
    [
        (("cover.png", "film.mp4"), "first.mp4", 0),
        (("film.mp4", "cover.png"), "last.mp4", 1),
        (("sound.flac", "cover.png", "film.mp4"), "sound.mp4", 0),
    ],
)
def test_cover_art_beside_a_film_is_not_the_clip(tmp_path, material, ffmpeg, names, target, cover):
    path = tmp_path / target
    ffmpeg(*inputs(material, *names), "-strict", "-2", f"-disposition:v:{cover}", "attached_pic", path)
    source = open_source(str(path))
    assert (source.clip.width, source.clip.height) == (96, 64)
    assert sum(1 for _ in source.frames()) == 12
    assert source.notes == []


def test_cover_art_attached_to_matroska_is_not_the_clip(tmp_path, material, ffmpeg):
    path = tmp_path / "attached.mkv"
    attached = ("-attach", material / "cover.png", "-metadata:s:t", "mimetype=image/png")
    ffmpeg("-i", material / "film.mp4", *attached, "-c", "copy", path)
    source = open_source(str(path))
    assert (source.clip.width, sum(1 for _ in source.frames())) == (96, 12)


@pytest.mark.parametrize("target", ["song.mp3", "song.flac", "song.m4a"])
def test_a_song_with_a_cover_is_no_video(tmp_path, material, ffmpeg, command, target):
    path = tmp_path / target
    ffmpeg(*inputs(material, "sound.flac", "cover.png")[:-2], "-c:v", "copy", "-disposition:v:0", "attached_pic", path)
    with pytest.raises(UserError, match="no video stream, only audio, cover art"):
        open_source(str(path))
    ended = command(target, "--bitrate", "64k")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("names", [("small.mp4", "film.mp4"), ("film.mp4", "small.mp4")])
def test_of_several_films_the_largest_is_taken_and_said(tmp_path, material, ffmpeg, names, suffix):
    path = tmp_path / f"two.{suffix}"
    ffmpeg(*inputs(material, *names), path)
    source = open_source(str(path))
    found = [planes(picture) for _, picture in source.frames()]
    expected = raw_pictures(ffmpeg, material / "film.mp4", 96, 64)
    assert len(found) == 12
    assert all((picture == other).all() for picture, other in zip(found, expected, strict=True))
    assert any("of 2 films" in note and "96x64" in note for note in source.notes)


def test_of_films_of_one_size_the_default_one_is_taken(tmp_path, material, ffmpeg, make_clip):
    make_clip(material / "other.mp4", count=7)
    path = tmp_path / "equal.mkv"
    ffmpeg(*inputs(material, "film.mp4", "other.mp4"), "-disposition:v:0", "0", "-disposition:v:1", "default", path)
    assert sum(1 for _ in open_source(str(path)).frames()) == 7
