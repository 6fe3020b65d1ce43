"""Files that hold more, or less, than FFmpeg's readers say: joined films, damage that stops a reader, lost pictures."""

from fractions import Fraction

import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.video.open import open_source
from vidlink.video.structure import is_whole_matroska


def read(path, **how):
    """Times of the pictures, the end of the last one, and what is said."""
    source = open_source(str(path), **how)
    times = [time_s for time_s, _ in source.frames()]
    return times, list(open_source(str(path), **how).segments(1.0))[-1].end_s, source.notes


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("flv", "libx264"), ("wmv", "wmv2")]
)
def test_films_joined_where_only_the_first_is_read_are_said(tmp_path, make_clip, suffix, codec):
    options = None if codec == "libx264" else {}
    whole = make_clip(tmp_path / f"a.{suffix}", count=10, codec=codec, options=options)
    assert not any("several films" in note for note in read(whole)[2])
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(whole.read_bytes() * 2)
    times, _, notes = read(joined)
    assert len(times) == 10
    assert any("several films" in note for note in notes)


@pytest.mark.parametrize(
    ("suffix", "codec", "copies", "read_of_them", "said"),
    [("mkv", "libx264", 3, 2, True), ("webm", "libvpx-vp9", 2, 2, True), ("avi", "mpeg4", 3, 3, False)],
)
def test_films_joined_in_formats_that_go_on(tmp_path, make_clip, suffix, codec, copies, read_of_them, said):
    options = None if codec == "libx264" else {}
    whole = make_clip(tmp_path / f"a.{suffix}", count=10, codec=codec, options=options)
    assert not any("several films" in note for note in read(whole)[2])
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(whole.read_bytes() * copies)
    times, end_s, notes = read(joined)
    count = 10 * read_of_them
    assert times == pytest.approx([number / 25 for number in range(count)], abs=2e-3)
    assert end_s == pytest.approx(count / 25, abs=2e-3)
    assert any("several films" in note for note in notes) == said


def test_damage_at_which_a_matroska_reader_stops_does_not_make_the_last_picture_last(tmp_path, make_clip):
    path = make_clip(tmp_path / "a.mkv", count=50, size=(192, 128), options={"crf": "10", "bf": "0", "g": "250"})
    assert is_whole_matroska(str(path))
    whole = bytearray(path.read_bytes())
    middle, most = len(whole) // 2, len(whole) * 9 // 10
    whole[middle:most] = bytes(most - middle)
    path.write_bytes(whole)
    assert not is_whole_matroska(str(path))
    times, end_s, notes = read(path)
    assert len(times) < 50
    assert end_s == pytest.approx(times[-1] + 0.04, abs=2e-3)
    assert any("ends early" in note for note in notes)


@pytest.mark.parametrize(("suffix", "codec"), [("ts", "libx264"), ("mp4", "mpeg4"), ("ts", "mpeg2video")])
def test_damaged_pictures_are_said(tmp_path, make_clip, suffix, codec):
    options = {"crf": "10"} if codec == "libx264" else {"b": "2M"}
    path = make_clip(tmp_path / f"a.{suffix}", count=50, size=(192, 128), codec=codec, options=options)
    assert not any("damaged" in note for note in read(path)[2])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = np.random.default_rng(1).bytes(2000)
    path.write_bytes(content)
    assert any("damaged" in note for note in read(path)[2])


def test_a_codec_that_changes_in_a_transport_stream_is_said(tmp_path, make_clip):
    parts = [
        make_clip(tmp_path / "a.ts", count=15),
        make_clip(tmp_path / "b.ts", count=15, codec="mpeg2video", options={}),
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    times, _, notes = read(path)
    assert len(times) < 30
    assert any("coded pictures gave none" in note for note in notes)


def test_pictures_that_a_decoder_holds_back_keep_the_range_of_their_own_time(tmp_path, ffmpeg):
    make = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.6"]
    ffmpeg(*make, "-pix_fmt", "yuv420p", "-c:v", "libx264", tmp_path / "a.ts")
    full = ["-vf", "scale=out_range=pc,format=yuv420p", "-color_range", "pc"]
    ffmpeg(*make, *full, "-c:v", "libx264", tmp_path / "b.ts")
    path = tmp_path / "joined.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())

    def pictures(name):
        return [frame.to_ndarray(format="rgb24").astype(int) for _, frame in open_source(str(name)).frames()]

    apart = pictures(tmp_path / "a.ts") + pictures(tmp_path / "b.ts")
    together = pictures(path)
    assert len(together) == len(apart) == 30
    assert max(np.abs(one - other).mean() for one, other in zip(together, apart, strict=True)) < 0.1


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "mjpeg"), ("mkv", "png"), ("mp4", "png")])
@pytest.mark.parametrize("first", [True, False])
def test_an_image_beside_a_film_is_cover_art_without_being_marked(tmp_path, make_clip, ffmpeg, suffix, codec, first):
    film = make_clip(tmp_path / "film.mp4", count=10)
    image = tmp_path / f"cover.{'jpg' if codec == 'mjpeg' else 'png'}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x320", "-frames:v", 1, image)
    path = tmp_path / f"both.{suffix}"
    inputs = [image, film] if first else [film, image]
    ffmpeg("-i", inputs[0], "-i", inputs[1], "-map", 0, "-map", 1, "-c", "copy", path)
    source = open_source(str(path))
    assert (source.clip.width, source.clip.height) == (96, 64)
    assert len(list(source.frames())) == 10
    assert any("of 2 films" in note for note in source.notes)


def test_a_film_of_images_beside_a_smaller_one_is_a_film(tmp_path, ffmpeg):
    path = tmp_path / "both.mkv"
    inputs = [["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.4"] for size in ("96x64", "192x128")]
    ffmpeg(*inputs[0], *inputs[1], "-map", 0, "-map", 1, "-c:v:0", "libx264", "-c:v:1", "mjpeg", path)
    source = open_source(str(path))
    assert (source.clip.width, len(list(source.frames()))) == (192, 10)


@pytest.mark.parametrize("suffix", ["m2v", "m1v", "mjpeg", "h264"])
def test_a_rate_that_is_given_holds_for_every_bare_stream(tmp_path, ffmpeg, suffix):
    path = tmp_path / f"a.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=50:d=0.4", path)
    times, end_s, _ = read(path, frame_rate=Fraction(10))
    assert times == pytest.approx(np.arange(20) / 10)
    assert end_s == pytest.approx(2.0)


def test_images_one_behind_the_other_in_a_file_have_no_rate(tmp_path, ffmpeg):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=50:d=0.06", tmp_path / "%d.png")
    path = tmp_path / "all.png"
    path.write_bytes(b"".join((tmp_path / f"{number}.png").read_bytes() for number in (1, 2, 3)))
    assert any("no frame rate" in note for note in read(path)[2])
    assert read(path, frame_rate=Fraction(10))[0] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize("name", ["x_96x64_rgb24.yuv", "x_96x64_bgra_30.yuv", "x_96x64_yuv411p.yuv"])
def test_raw_video_whose_name_says_another_format_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(96 * 64 * 12))
    with pytest.raises(UserError, match="not read as raw video"):
        open_source(str(tmp_path / name))


def test_ten_bits_in_two_planes_by_name(tmp_path, ffmpeg):
    path = tmp_path / "x_96x64_50_420_p010le.yuv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=50:d=0.1", "-pix_fmt", "p010le", "-f", "rawvideo", path)
    source = open_source(str(path))
    assert (source.clip.pixel_format, source.clip.frame_rate) == ("p010le", 50)
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=50:d=0.1", "-frames:v", 1, tmp_path / "right.png")
    (_, right), (_, found) = (next(open_source(str(each)).frames()) for each in (tmp_path / "right.png", path))
    assert np.abs(right.to_ndarray(format="rgb24").astype(int) - found.to_ndarray(format="rgb24")).mean() < 4


@pytest.mark.parametrize(("name", "rate"), [("foreman_cif_30.yuv", 30), ("x_352x288p50.yuv", 50)])
def test_rates_behind_the_size(tmp_path, name, rate):
    (tmp_path / name).write_bytes(bytes(352 * 288 * 3 // 2))
    assert open_source(str(tmp_path / name)).clip.frame_rate == rate
