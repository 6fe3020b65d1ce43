"""Colour: what ``ffmpeg -i F out.png`` shows is what a recognizer of RGB sees, of the source and of what arrived."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from vidlink.codec.recipe import Codec
from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.link.lossless import decode_all
from vidlink.sender.encode import encode
from vidlink.types import Colour, Rung
from vidlink.video.film import Film
from vidlink.video.open import open_source
from vidlink.video.pictures import Upsampler, as_array

MATRICES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}
PATCHES = np.array(
    [(224, 64, 32), (32, 200, 60), (20, 40, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 240, 10)], np.uint8
)


def patches(width=224, height=64):
    return np.repeat(np.repeat(PATCHES[None], width // len(PATCHES), axis=1), height, axis=0)


def write(path, *, codec="ffv1", pixel_format="yuv420p", matrix=2, colour_range=1, primaries=2, transfer=2, frames=6,
          options=None):  # fmt: skip
    """Patches of colour, tagged and coded so."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 224, 64, pixel_format
        stream.options = options or {}
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, colour_range
        context.color_primaries, context.color_trc = primaries, transfer
        names = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(patches(), format="rgb24")
            frame = frame.reformat(
                format=pixel_format, dst_colorspace=names.get(matrix, 5), dst_color_range=colour_range
            )
            frame.pts, frame.time_base = index, Fraction(1, 25)
            frame.colorspace, frame.color_range = matrix, colour_range
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def middles(picture):
    """Colour of the middle of each patch."""
    return np.asarray(picture, int)[32, 16::32]


def seen_by_ffmpeg(ffmpeg, path):
    data = ffmpeg("-i", path, "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-pix_fmt", "rgb24", "-")
    return middles(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1])


def first(path):
    return next(open_source(str(path)).frames())[1]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p10le"])
@pytest.mark.parametrize("colour_range", [1, 2])
@pytest.mark.parametrize("matrix", ["untagged", *MATRICES])
def test_rgb_is_as_ffmpeg_shows_it(tmp_path, ffmpeg, matrix, colour_range, pixel_format):
    path = write(
        tmp_path / "a.mkv", matrix=MATRICES.get(matrix, 2), colour_range=colour_range, pixel_format=pixel_format
    )
    picture = first(path)
    found = middles(as_array(picture, "rgb"))
    assert np.abs(found - PATCHES).max() <= 4
    assert np.abs(found - seen_by_ffmpeg(ffmpeg, path)).max() <= 4
    assert (picture.format.name, picture.color_range) == ("yuv420p", 1)
    assert picture.colorspace == MATRICES.get(matrix, 2)


FULL = {
    "a.webm": ("libvpx-vp9", {"lossless": "1"}),
    "a.mkv": ("ffv1", {}),
    "a.mp4": ("libsvtav1", {"crf": "1", "preset": "10"}),
    "b.mp4": ("libx264", {"qp": "0"}),
}


@pytest.mark.parametrize("name", FULL)
def test_full_range_is_not_taken_for_limited(tmp_path, name):
    codec, options = FULL[name]
    source = open_source(str(write(tmp_path / name, codec=codec, options=options, colour_range=2)))
    _, picture = next(source.frames())
    assert np.abs(middles(as_array(picture, "rgb")) - PATCHES).max() <= 4
    assert middles(as_array(picture, "luma")).tolist()[3:5] == [235, 16]
    assert source.notes == [f"{source.clip.pixel_format} was converted to 8-bit yuv420p"] * (
        source.clip.pixel_format != "yuv420p"
    ) + ["full range was brought to limited range"]


@pytest.mark.parametrize(("codec", "pixel_format"), [("png", "rgb24"), ("png", "rgba"), ("mjpeg", "yuvj420p")])
def test_pictures_of_a_sequence(tmp_path, codec, pixel_format):
    for index in range(3):
        write(
            tmp_path / f"i{index}.{'png' if codec == 'png' else 'jpg'}",
            codec=codec,
            pixel_format=pixel_format,
            colour_range=2,
            frames=1,
            matrix=5 if codec == "mjpeg" else 2,
            options={"qmin": "1", "q": "1"} if codec == "mjpeg" else {},
        )
    picture = first(tmp_path / "i%d.{}".format("png" if codec == "png" else "jpg"))
    assert np.abs(middles(as_array(picture, "rgb")) - PATCHES).max() <= 6
    assert picture.colorspace in (5, 6)


@pytest.mark.parametrize("name", ["x264", "x265", "vp9", "av1"])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_what_arrives_has_the_colours_of_the_source(tmp_path, name, matrix):
    tags = Colour(matrix=MATRICES[matrix], primaries=1, transfer=1)
    source = open_source(str(write(tmp_path / "a.mkv", matrix=tags.matrix, primaries=1, transfer=1)))
    assert source.clip.colour == tags
    segment, codec = next(source.segments(1.0)), load_codec(name)
    coded = encode(segment, Rung(scale=1, quality=codec.quality.best), clip=source.clip, codec=codec)
    pictures = decode_all(coded, codec=codec)
    upsample = Upsampler(source.clip.width, source.clip.height)
    for frame in (0, 5):
        shown = upsample(pictures[frame])
        assert (shown.colorspace, shown.color_primaries, shown.color_trc, shown.color_range) == (tags.matrix, 1, 1, 1)
        assert np.abs(middles(as_array(shown, "rgb")) - PATCHES).max() <= 8
    assert (upsample.grey().to_ndarray(format="rgb24") == 130).all()


def test_a_stream_says_its_colours(tmp_path, ffprobe):
    source = open_source(str(write(tmp_path / "a.mkv", matrix=1, primaries=1, transfer=1)))
    coded = encode(next(source.segments(1.0)), Rung(scale=1, quality=20), clip=source.clip, codec=load_codec("x264"))
    start = b"\0\0\0\1"
    nals = [*coded.parameter_sets, *(nal for unit in coded.units for nal in unit.nals)]
    (tmp_path / "a.h264").write_bytes(start + start.join(nals))
    assert tags(ffprobe, tmp_path / "a.h264") == ["tv", "bt709", "bt709", "bt709"]


def tags(ffprobe, path):
    entries = "stream=color_range,color_space,color_transfer,color_primaries"
    return ffprobe("-show_entries", entries, "-of", "csv=p=0", path).decode().strip().split(",")


def test_the_film_says_its_colours(tmp_path, ffprobe, ffmpeg):
    source = open_source(str(write(tmp_path / "a.mkv", matrix=1, primaries=1, transfer=1, colour_range=2)))
    with Film(tmp_path / "film.mp4", source.clip) as film:
        for segment in source.segments(1.0):
            film.show(segment.frames, segment)
    assert tags(ffprobe, tmp_path / "film.mp4") == ["tv", "bt709", "bt709", "bt709"]
    assert np.abs(seen_by_ffmpeg(ffmpeg, tmp_path / "film.mp4") - PATCHES).max() <= 8


def test_a_run_on_a_perfect_link(tmp_path, simulated, monkeypatch):
    (tmp_path / "mean_colour.py").write_text(
        "from vidlink.recognizers.recognizer import Wants\n"
        "class Mean:\n"
        "    name, task, gives = 'mean', 'colour', ('red', 'green', 'blue')\n"
        "    wants = Wants(region='frame', height=64, width=224, colour='rgb')\n"
        "    def __call__(self, pictures, context): return pictures[:, :, :, :30].mean((2, 3)) * 255\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path = write(tmp_path / "a.mkv", matrix=1)
    run = simulated(tmp_path / "run", path, "--scale", "1", "--quality", "10", "--recognizer", "mean_colour:Mean")
    row = run.table("predictions").iloc[0]
    for number, name in enumerate(("red", "green", "blue")):
        assert row[name] == pytest.approx(row[f"{name}_pristine"], abs=1.5)
        assert row[name] == pytest.approx(PATCHES[0][number], abs=3)


class Bare:
    """A codec that codes nothing, and gives pictures in RGB."""

    intra = True

    def __init__(self):
        self.kept = []

    def encode(self, pictures, quality):
        first = len(self.kept)
        self.kept += [picture.to_ndarray(format="rgb24") for picture in pictures]
        return [str(number).encode() for number in range(first, len(self.kept))]

    def decode(self, units):
        return {
            frame: av.VideoFrame.from_ndarray(self.kept[int(unit)], format="rgb24") for frame, unit in units.items()
        }


def test_a_codec_of_ones_own_may_give_rgb(tmp_path):
    source = open_source(str(write(tmp_path / "a.mkv", matrix=1)))
    codec = Codec(
        name="bare",
        description="none",
        implementation=f"{__name__}:Bare",
        quality={"option": "q", "best": 1, "worst": 2, "grid": [1, 2]},
    )
    coded = encode(next(source.segments(1.0)), Rung(scale=1, quality=1), clip=source.clip, codec=codec)
    picture = decode_all(coded, codec=codec)[0]
    assert (picture.format.name, picture.colorspace) == ("yuv420p", 1)
    assert np.abs(middles(as_array(picture, "rgb")) - PATCHES).max() <= 6


def hdr(path, transfer):
    """Greys and colours of BT.709 at 203 nits for white, as PQ or HLG in BT.2020; returns their linear light."""
    light = np.array([(0.5, 0.5, 0.5), (0.2, 0.2, 0.2), (1, 1, 1), (0.8, 0.1, 0.1), (0.1, 0.7, 0.1), (0.1, 0.1, 0.8)])
    wide = light @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T
    if transfer == 16:
        power = (wide * 203 / 10_000) ** 0.1593017578125
        coded = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        scene = wide * 0.265
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        coded = np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)
    luma = coded @ [0.2627, 0.6780, 0.0593]
    planes = 64 + 876 * luma, 512 + 896 * (coded[:, 2] - luma) / 1.8814, 512 + 896 * (coded[:, 0] - luma) / 1.4746
    frame = av.VideoFrame(192, 64, "yuv420p10le")
    for plane, values, width in zip(frame.planes, planes, (192, 96, 96), strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[:, :width] = np.repeat(values.round().astype(np.uint16), width // len(light))
        plane.update(rows.tobytes())
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 192, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, transfer, 1
        for index in range(2):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return light


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_tone_mapped(tmp_path, transfer, name):
    light = hdr(tmp_path / "hdr.mkv", transfer)
    source = open_source(str(tmp_path / "hdr.mkv"))
    pictures = [picture for _, picture in source.frames()]
    assert len(pictures) == 2
    assert source.clip.colour == Colour(matrix=1, primaries=1, transfer=1)
    assert f"HDR ({name}) was tone-mapped to BT.709" in source.notes
    wanted = 255 * np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)
    found = middles(as_array(pictures[0], "rgb"))
    # Where reference white is 203 nits, a tone map leaves most as it is: hues and order stay, no grey is tinted.
    assert np.abs(found - wanted).max() < 35
    assert np.ptp(found[:3], axis=1).max() <= 2


def test_colours_that_cannot_be_converted_are_refused(tmp_path):
    write(tmp_path / "a.mkv", matrix=8, pixel_format="yuv444p")
    with pytest.raises(UserError, match="coded as YCgCo"):
        open_source(str(tmp_path / "a.mkv"))


@pytest.mark.parametrize(("before", "after"), [(6, 1), (1, 6), (5, 9)])
def test_colours_that_change_within_the_file(tmp_path, before, after):
    for name, matrix in (("a", before), ("b", after)):
        write(tmp_path / f"{name}.264", codec="libx264", options={"qp": "0"}, matrix=matrix, colour_range=1)
    (tmp_path / "ab.264").write_bytes((tmp_path / "a.264").read_bytes() + (tmp_path / "b.264").read_bytes())
    source = open_source(str(tmp_path / "ab.264"))
    pictures = [picture for _, picture in source.frames()]
    assert len(pictures) == 12
    assert {picture.colorspace for picture in pictures} == {before}
    for picture in pictures:
        assert np.abs(middles(as_array(picture, "rgb")) - PATCHES).max() <= 6
    assert any("change their meaning" in note for note in source.notes)


def test_what_is_turned_keeps_its_range(tmp_path, ffmpeg):
    write(tmp_path / "a.mp4", codec="libx264", options={"qp": "0"}, matrix=1, colour_range=2)
    ffmpeg("-i", tmp_path / "a.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", tmp_path / "turned.mp4")
    source = open_source(str(tmp_path / "turned.mp4"))
    _, picture = next(source.frames())
    assert (picture.width, picture.height) == (64, 224)
    found = np.asarray(as_array(picture, "rgb"), int)[16::32, 32]
    assert np.abs(found - PATCHES).max() <= 6 or np.abs(found[::-1] - PATCHES).max() <= 6
