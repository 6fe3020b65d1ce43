"""Display matrices and EXIF orientations: as the machine's own ffmpeg turns, mirrors and scales."""

import math
import struct
import zlib

import cv2
import numpy as np
import pytest
from pictured import planes, psnr, put_matrix, raw_pictures

from vidlink.video.open import open_source
from vidlink.video.upright import turning

RIGHT = {
    1: lambda picture: picture,
    2: lambda picture: picture[:, ::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.transpose(1, 0, 2),
    6: lambda picture: np.rot90(picture, -1),
    7: lambda picture: np.rot90(picture, 2).transpose(1, 0, 2),
    8: lambda picture: np.rot90(picture),
}
"""What to do to a stored picture with each EXIF orientation."""


def matrix(degrees, *, mirrored=False, scale=1.0):
    """A display matrix that turns clockwise, after a mirror from left to right."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    side = -1 if mirrored else 1
    fixed = [round(number * scale * 65536) for number in (side * cos, side * sin, -sin, cos)]
    return (fixed[0], fixed[1], 0, fixed[2], fixed[3], 0, 0, 0, 1 << 30)


def smooth_picture(width=96, height=64, seed=1):
    """A picture that survives 4:2:0, told upright by a bright top left corner; shape (height, width, 3), BGR."""
    noise = np.random.default_rng(seed).integers(0, 200, (4, 6, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    picture[:16, :16] = 255
    return picture


def exif(orientation):
    """A TIFF header with one entry, the orientation."""
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)


def with_orientation(picture, suffix, orientation):
    """An encoded picture with an EXIF orientation."""
    quality = {"jpg": [cv2.IMWRITE_JPEG_QUALITY, 100], "webp": [cv2.IMWRITE_WEBP_QUALITY, 100], "png": []}[suffix]
    coded, tags = cv2.imencode(f".{suffix}", picture, quality)[1].tobytes(), exif(orientation)
    if suffix == "jpg":
        tags = b"Exif\0\0" + tags
        return coded[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + coded[2:]
    if suffix == "png":
        chunk = b"eXIf" + tags
        return coded[:33] + struct.pack(">I", len(tags)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + coded[33:]
    height, width = picture.shape[:2]
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + sides + coded[12:]
    body += b"EXIF" + struct.pack("<I", len(tags)) + tags
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.fixture(scope="module")
def plain(tmp_path_factory, make_clip):
    return make_clip(tmp_path_factory.mktemp("plain") / "plain.mp4", count=3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 10, 45, 90, 91, 135, 180, 200, 270, 300, 359])
def test_any_display_matrix_is_heeded_as_ffmpeg_does(tmp_path, plain, ffmpeg, degrees, mirrored):
    path = put_matrix(plain, tmp_path / "turned.mp4", matrix(degrees, mirrored=mirrored))
    source = open_source(str(path))
    found = [planes(picture) for _, picture in source.frames()]
    width, height = (64, 96) if degrees in (90, 270) else (96, 64)
    assert (source.clip.width, source.clip.height) == (width, height)
    if (degrees, mirrored) == (180, True):  # a mirror from top to bottom, which ffmpeg before version 6 forgets
        luma = np.reshape([picture[: 96 * 64] for picture in raw_pictures(ffmpeg, plain, 96, 64)], (3, 64, 96))
        assert np.array_equal(np.reshape([picture[: 96 * 64] for picture in found], (3, 64, 96)), luma[:, ::-1])
    else:
        expected = raw_pictures(ffmpeg, path, width, height)
        assert min(psnr(picture, other) for picture, other in zip(found, expected, strict=True)) > 50
    assert any("upright" in note for note in source.notes) == ((degrees, mirrored) != (0, False))
    assert any("mirror" in note for note in source.notes) == mirrored


@pytest.mark.parametrize("nine", [(0,) * 9, matrix(0, scale=2), matrix(1)])
def test_matrices_that_turn_nothing(nine):
    assert turning(nine) == turning(None)
    assert turning(None).filters == ()


def test_scaled_matrices_turn_as_well():
    assert turning(matrix(90, scale=0.5)) == turning(matrix(90))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientations_of_image_sequences(tmp_path, suffix):
    picture = smooth_picture()
    for orientation, right in RIGHT.items():
        for number in (1, 2):
            name = f"o{orientation}_{number}.{suffix}"
            (tmp_path / name).write_bytes(with_orientation(picture, suffix, orientation))
        source = open_source(str(tmp_path / f"o{orientation}_%d.{suffix}"))
        found = [shown.to_ndarray(format="bgr24") for _, shown in source.frames()]
        assert len(found) == 2
        expected = right(picture)
        assert (source.clip.height, source.clip.width) == expected.shape[:2]
        assert all(psnr(shown, expected) > 28 for shown in found), orientation
        assert any("upright" in note for note in source.notes) == (orientation > 1)


def test_each_image_of_a_sequence_has_its_own_orientation_and_size(tmp_path):
    for number, orientation in enumerate((6, 1, 5, 3, 6)):
        size = (96, 64) if number % 2 == 0 else (160, 128)
        content = with_orientation(smooth_picture(*size, seed=number), "jpg", orientation)
        (tmp_path / f"{number}.jpg").write_bytes(content)
    source = open_source(str(tmp_path / "%d.jpg"))
    found = [shown.to_ndarray(format="bgr24") for _, shown in source.frames()]
    assert {shown.shape for shown in found} == {(96, 64, 3)}
    for number, orientation in enumerate((6, 1, 5, 3, 6)):
        size = (96, 64) if number % 2 == 0 else (160, 128)
        expected = cv2.resize(RIGHT[orientation](smooth_picture(*size, seed=number)), (64, 96))
        assert psnr(found[number], expected) > 22
    assert any("64x96" in note for note in source.notes)
