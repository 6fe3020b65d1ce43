"""Anything may change in mid-file: size, format, rotation, interlacing; each picture is treated as it says itself."""

import numpy as np
import pytest
from pictured import planes, psnr, put_matrix, raw_pictures

from vidlink.video.open import open_source

QUARTER = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


def pictures(path):
    """All pictures of a clip as flat arrays, and its source."""
    source = open_source(str(path))
    return [planes(picture) for _, picture in source.frames()], source


def made(ffmpeg, path, size, *, interlaced=False, pixel_format="yuv420p", seconds=0.4):
    """A transport stream of MPEG-2 video at 25 frames a second."""
    fields = ("-vf", "tinterlace=4", "-flags", "+ildct+ilme", "-top", "1") if interlaced else ()
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r={50 if interlaced else 25}:d={seconds}", *fields),
        *("-pix_fmt", pixel_format, "-c:v", "mpeg2video", "-q", "2", path),
    )
    return path.read_bytes()


@pytest.fixture(scope="module")
def two_sizes(tmp_path_factory, make_clip, ffmpeg):
    """Two MP4 files of VP9 whose pictures change size in the middle, down and up, and are turned by a quarter."""
    folder = tmp_path_factory.mktemp("sizes")
    fast = {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"}
    for name, size in (("a", (96, 64)), ("b", (48, 32)), ("c", (64, 64))):
        make_clip(folder / f"{name}.webm", count=6, size=size, codec="libvpx-vp9", options=fast)
    found = {}
    for order in ("ab", "ba", "acb"):
        (folder / "list.txt").write_text("".join(f"file {name}.webm\n" for name in order))
        ffmpeg("-f", "concat", "-i", folder / "list.txt", "-c", "copy", folder / f"{order}.mp4")
        found[order] = folder / f"{order}.mp4"
    return found


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("order", ["ab", "ba", "acb"])
def test_sizes_change_to_and_fro_turned_or_not(tmp_path, two_sizes, ffmpeg, order, turned):
    path = put_matrix(two_sizes[order], tmp_path / "t.mp4", QUARTER) if turned else two_sizes[order]
    found, source = pictures(path)
    width, height = (96, 64) if order[0] == "a" else (48, 32)
    width, height = (height, width) if turned else (width, height)
    assert (source.clip.width, source.clip.height) == (width, height)
    expected = raw_pictures(ffmpeg, path, width, height)
    assert len(found) == len(expected) == 6 * len(order)
    assert min(psnr(picture, other) for picture, other in zip(found, expected, strict=True)) > 45
    assert any(f"scaled to {width}x{height}" in note for note in source.notes)


def test_a_run_on_a_turned_clip_that_changes_size(tmp_path, two_sizes, simulated):
    path = put_matrix(two_sizes["ab"], tmp_path / "turned.mp4", QUARTER)
    run = simulated(tmp_path / "run", path, "--scale", "1", "--quality", "18", "--recognizer", "none")
    assert run.summary["frames"]["ok"] == 12
    assert any("64x96" in note for note in run.summary["notes"])


@pytest.mark.parametrize("change", [("64x48", "yuv420p"), ("160x96", "yuv420p"), ("96x64", "yuv422p")])
def test_interlaced_streams_that_change_size_or_chroma(tmp_path, ffmpeg, change):
    first = made(ffmpeg, tmp_path / "first.ts", "96x64", interlaced=True)
    second = made(ffmpeg, tmp_path / "second.ts", change[0], interlaced=True, pixel_format=change[1])
    (tmp_path / "both.ts").write_bytes(first + second)
    found, source = pictures(tmp_path / "both.ts")
    ones, _ = pictures(tmp_path / "first.ts")
    others, alone = pictures(tmp_path / "second.ts")
    # Where the sequence header changes FFmpeg's decoder may lose the picture that it holds.
    assert len(ones) + len(others) - 1 <= len(found) <= len(ones) + len(others)
    assert {picture.size for picture in found} == {96 * 64 * 3 // 2}
    assert np.array_equal(found[:8], ones[:8])
    if change[0] == "96x64":
        assert np.mean([psnr(a, b) for a, b in zip(found[-8:], others[-8:], strict=True)]) > 45
        assert any("yuv422p was converted" in note for note in source.notes)
    else:
        assert any("scaled to 96x64" in note for note in source.notes)
    assert any("deinterlaced" in note for note in source.notes)
    assert (alone.clip.width, alone.clip.height) == tuple(map(int, change[0].split("x")))


@pytest.mark.parametrize("parts", ["pi", "ip", "pip"])
def test_interlacing_is_decided_frame_by_frame(tmp_path, ffmpeg, parts):
    kinds = {
        "p": made(ffmpeg, tmp_path / "p.ts", "96x64", seconds=0.6),
        "i": made(ffmpeg, tmp_path / "i.ts", "96x64", interlaced=True, seconds=0.6),
    }
    path = tmp_path / "mixed.ts"
    path.write_bytes(b"".join(kinds[part] for part in parts))
    found, source = pictures(path)
    woven = raw_pictures(ffmpeg, path, 96, 64)
    only = ("-vf", "bwdif=mode=send_frame:deint=interlaced", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    expected = np.frombuffer(ffmpeg("-i", path, "-fps_mode", "passthrough", *only), np.uint8).reshape(woven.shape)
    assert len(found) == len(woven)
    likeness = [psnr(picture, other) for picture, other in zip(found, expected, strict=True)]
    assert min(likeness) > 30, "at the ends FFmpeg's versions differ"
    assert np.mean(likeness) > 60
    untouched = [np.array_equal(picture, other) for picture, other in zip(found, woven, strict=True)]
    assert 0.8 * len(parts.replace("i", "")) * 15 <= sum(untouched) <= len(parts.replace("i", "")) * 15 + 1
    assert any("deinterlaced" in note for note in source.notes)


def test_progressive_video_passes_untouched(tmp_path, ffmpeg):
    made(ffmpeg, tmp_path / "p.ts", "96x64")
    found, source = pictures(tmp_path / "p.ts")
    assert np.array_equal(found, raw_pictures(ffmpeg, tmp_path / "p.ts", 96, 64))
    assert source.notes == []


def test_one_interlaced_picture(tmp_path, ffmpeg):
    made(ffmpeg, tmp_path / "i.ts", "96x64", interlaced=True, seconds=0.04)
    found, source = pictures(tmp_path / "i.ts")
    assert len(found) == 1
    assert any("deinterlaced" in note for note in source.notes)


@pytest.mark.parametrize("size", ["2x2", "12x14", "16x16"])
def test_interlaced_pictures_of_any_size(tmp_path, ffmpeg, size):
    fields = ("-vf", "tinterlace=4", "-flags", "+ildct+ilme", "-top", "1", "-pix_fmt", "yuv420p")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=50:d=0.2", *fields, "-c:v", "ffv1", tmp_path / "small.mkv")
    found, source = pictures(tmp_path / "small.mkv")
    assert len(found) == 5
    assert any("deinterlaced" in note for note in source.notes) == (size == "16x16")


def test_images_of_a_sequence_may_differ_in_format_and_size(tmp_path, ffmpeg):
    kinds = ("rgb24", "gray", "rgba", "pal8", "rgb48be", "monob")
    for number, kind in enumerate(kinds):
        size = "96x64" if number % 2 == 0 else "60x90"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}", "-frames:v", 1, "-pix_fmt", kind, tmp_path / f"{number}.png")
    found, source = pictures(tmp_path / "%d.png")
    assert [picture.size for picture in found] == [96 * 64 * 3 // 2] * len(kinds)
    for kind in kinds:
        assert any(f"{kind} was converted" in note for note in source.notes)
