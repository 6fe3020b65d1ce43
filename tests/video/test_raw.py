"""Raw video: what its name says, and whether its length agrees."""

from fractions import Fraction

import numpy as np
import pytest
from pictured import planes

from vidlink.errors import UserError
from vidlink.video.open import open_source
from vidlink.video.raw import by_name, is_raw, look_at

NAMES = {
    "BasketballPass_416x240_50.yuv": (416, 240, 50, "yuv420p"),
    "Traffic_2560x1600_30_crop.yuv": (2560, 1600, 30, "yuv420p"),
    "Netflix_FoodMarket_4096x2160_60fps_10bit_420.yuv": (4096, 2160, 60, "yuv420p10le"),
    "Beauty_1920x1080_120fps_420_8bit_YUV.yuv": (1920, 1080, 120, "yuv420p"),
    "clip_1920x1080_24fps_422_10bit.yuv": (1920, 1080, 24, "yuv422p10le"),
    "clip_yuv444p12le_640x480_29.97fps.yuv": (640, 480, Fraction("29.97"), "yuv444p12le"),
    "clip-640x480-yuv422p10.yuv": (640, 480, None, "yuv422p10le"),
    "CiscoVT2people_320x192_12fps.yuv": (320, 192, 12, "yuv420p"),
    "take_320x240_420.yuv": (320, 240, None, "yuv420p"),
    "take_320x240_4:2:2_25hz.yuv": (320, 240, 25, "yuv422p"),
    "take_320x240_400.yuv": (320, 240, None, "gray"),
    "take_320x240_gray10.yuv": (320, 240, None, "gray10le"),
    "foreman_qcif.yuv": (176, 144, None, "yuv420p"),
    "akiyo_cif_30fps.yuv": (352, 288, 30, "yuv420p"),
    "take_320x240_25.nv12": (320, 240, 25, "nv12"),
    "take_320x240_nv12_25fps.yuv": (320, 240, 25, "nv12"),
    "take_320x240_10bit.nv12": (320, 240, None, "p010le"),
    "take_320x240.UYVY": (320, 240, None, "uyvy422"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_size_rate_and_format(name):
    raw = by_name(f"some/folder_99x99_1fps/{name}")
    assert (raw.width, raw.height, raw.frame_rate, raw.pixel_format) == NAMES[name]
    assert is_raw(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("take.yuv", "no header"),
        ("take_0x240.yuv", "no header"),
        ("take_320x240_11bit.yuv", "11 bits"),
        ("take_320x240_yuv420p10be.yuv", "big-endian"),
        ("take_320x240_10bit.uyvy", "10 bits"),
    ],
)
def test_what_a_name_leaves_open_is_asked_for(name, said):
    with pytest.raises(UserError, match=said):
        by_name(name)


FORMATS = [name for _, _, _, name in NAMES.values()]


@pytest.mark.parametrize("pixel_format", sorted({*FORMATS, "nv21", "yuyv422", "yuv444p"}))
@pytest.mark.parametrize("size", [(64, 48), (66, 34)])
def test_pictures_are_as_long_as_ffmpeg_writes_them(ffmpeg, pixel_format, size):
    made = ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=s={size[0]}x{size[1]}:r=25:d=0.08"),
        *("-pix_fmt", pixel_format, "-f", "rawvideo", "-"),
    )
    raw = by_name("x_{}x{}.yuv".format(*size))
    assert (
        len(made)
        == 2 * type(raw)(width=size[0], height=size[1], pixel_format=pixel_format, frame_rate=None).frame_bytes
    )


@pytest.mark.parametrize("depth", ["10bit_420", "8bit_422", "10bit_444", "12bit_422"])
def test_pictures_are_those_of_ffmpeg(tmp_path, ffmpeg, depth):
    bits, chroma = depth.split("bit_")
    pixel_format = f"yuv{chroma}p" + ("" if bits == "8" else f"{bits}le")
    path = tmp_path / f"take_96x64_50fps_{depth}.yuv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:r=50:d=0.2", "-pix_fmt", pixel_format, "-f", "rawvideo", path)
    source = open_source(str(path))
    pictures = [planes(picture) for _, picture in source.frames()]
    plain = ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:r=50:d=0.2", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    wanted = np.frombuffer(plain, np.uint8).reshape(10, -1)
    assert np.abs(np.array(pictures, int) - wanted).mean() < 4
    assert source.clip.frame_rate == 50
    assert source.notes == [f"{pixel_format} was converted to 8-bit yuv420p"]


@pytest.mark.parametrize("more", [1, -1, 5000])
def test_no_whole_number_of_pictures(tmp_path, more):
    path = tmp_path / "take_64x48_25fps.yuv"
    path.write_bytes(bytes(3 * 4608 + more))
    with pytest.raises(UserError, match=f"{3 * 4608 + more} bytes are no whole number of pictures of 64x48"):
        open_source(str(path))


def test_what_else_it_might_be_is_said(tmp_path):
    path = tmp_path / "take_64x48_25fps.yuv"
    path.write_bytes(bytes(3 * 64 * 48 * 2))
    look_at(str(path), video_size=(64, 64), frame_rate=None)  # by chance a whole number
    path.write_bytes(bytes(5 * 64 * 48 * 2))
    with pytest.raises(UserError, match="8bit_422 would be 5"):
        open_source(str(path))


def test_an_assumed_rate_is_noted(tmp_path):
    path = tmp_path / "take_64x48.yuv"
    path.write_bytes(bytes(3 * 4608))
    source = open_source(str(path))
    assert source.clip.frame_rate == 25
    assert any("25 a second were assumed" in note for note in source.notes)
    assert open_source(str(path), frame_rate=Fraction(25)).notes == []
