"""Restorers: found by one loader, given the right neighbours, checked, and counted."""

import sys

import av
import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.recognizers.recognizer import Wants
from vidlink.restorers.registry import check_restorer, list_restorers, load_restorer
from vidlink.restorers.restoration import Restoration
from vidlink.restorers.window import nearest
from vidlink.settings import Settings
from vidlink.simulate import simulate
from vidlink.types import Clip, Reception, Status
from vidlink.video.pictures import Upsampler, luma, with_luma

WIDTH, HEIGHT = 32, 24
SEEN: list[list[int]] = []


class Newest:
    """Notes what it sees; adds ten."""

    frames, multiply_adds = 3, 5.0

    def __call__(self, looks):
        SEEN.append([int(look.small[0, 0]) for look in looks])
        return np.minimum(looks[0].large, 245) + np.uint8(10)


class Halves(Newest):
    """Restores scale factor 2 only."""

    frames = 1

    def __call__(self, looks):
        self.multiply_adds = 7.0 if looks[0].scale == 2 else 0.0
        return looks[0].large


class Fails(Newest):
    def __call__(self, looks):
        raise ValueError("no more\nof this")


class Even(Newest):
    frames = 2


class Countless(Newest):
    multiply_adds = float("nan")


class Small(Newest):
    def __call__(self, looks):
        return looks[0].small


def clip():
    return Clip(name="made", width=WIDTH, height=HEIGHT, frame_rate=25, pixel_format="yuv420p", seconds=1.0)


def picture(level, scale=2):
    made = av.VideoFrame(WIDTH // scale, HEIGHT // scale, "yuv420p")
    for number, plane in enumerate(made.planes):
        plane.update(bytes([level if number == 0 else 90]) * plane.buffer_size)
    return made


def receptions(pictures, scale=2.0):
    return [
        Reception(
            frame=place, time_s=place / 25, picture=each, status=Status.OK, late_s=0, scale=scale, quality=30, qp=31
        )
        for place, each in enumerate(pictures)
    ]


def restoration(name, **how):
    return Restoration(clip(), f"{__name__}:{name}", **how)


def test_windows_hold_the_nearest_pictures_first():
    assert nearest(9, 4, 5) == [4, 3, 5, 2, 6]
    assert nearest(9, 4, 5, later=False) == [4, 3, 2, 1, 0]
    assert nearest(9, 8, 3) == [8, 7, 6]
    assert nearest(1, 0, 5) == [0] * 5
    assert nearest(3, 0, 3, later=False) == [0, 0, 0]


@pytest.mark.parametrize(
    ("later", "expected"),
    [(True, [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 4], [4, 3, 2]]),
     (False, [[0, 0, 0], [1, 0, 1], [2, 1, 0], [3, 2, 1], [4, 3, 2]])],
)  # fmt: skip
def test_held_pictures_are_seen_once_and_the_last_segment_is_remembered(later, expected):
    SEEN.clear()
    made = [picture(level) for level in range(5)]
    stream = restoration("Newest", later=later)
    first, second = [made[0], made[1], made[1], made[2]], [made[2], made[3], made[4], made[4]]
    for part in (first, second):
        stream.add(receptions(part))
        shown = [stream(each) for each in part]
    assert shown[2] is shown[3], "a held picture is restored once"
    assert expected == SEEN
    stream(second[1])  # made again, but counted once
    assert stream.summary()["restored"] == 5
    assert stream.summary()["multiply_adds_per_pixel"] == 5.0
    assert stream.summary()["multiply_adds"] == 5 * 5 * WIDTH * HEIGHT


def test_luma_is_the_restorers_and_chroma_is_interpolated():
    source = picture(100)
    stream = restoration("Newest")
    stream.add(receptions([source]))
    found, plain = stream(source), Upsampler(WIDTH, HEIGHT)(source)
    assert (luma(found) == luma(plain) + 10).all()
    assert all(bytes(a) == bytes(b) for a, b in zip(found.planes[1:], plain.planes[1:], strict=True))
    assert luma(source).max() == 100, "the decoded picture stays as it was"


def test_bicubic_is_what_it_was():
    source, stream = picture(77), Restoration(clip())
    stream.add(receptions([source]))
    assert np.array_equal(stream(source).to_ndarray(), Upsampler(WIDTH, HEIGHT)(source).to_ndarray())
    assert stream.summary() is None


def test_what_was_left_as_it_is_is_counted():
    stream = restoration("Halves")
    for scale in (2.0, 1.0):
        source = picture(50, int(scale))
        stream.add(receptions([source], scale))
        stream(source)
    assert {key: stream.summary()[key] for key in ("restored", "left", "multiply_adds_per_pixel")} == {
        "restored": 1, "left": 1, "multiply_adds_per_pixel": 3.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Fails", "raised ValueError: no more"),
        ("Small", r"gave uint8 of shape \(12, 16\), expected luma, uint8 of shape \(24, 32\)"),
        ("Even", "frames is 2, expected an odd number"),
        ("Countless", "multiply_adds is nan, expected a number from 0"),
        ("Nobody", "has no Nobody"),
    ],
)
def test_a_restorer_that_fails_is_named(name, words):
    def restore():
        stream = restoration(name)
        stream.add(receptions([source := picture(1)]))
        stream(source)

    with pytest.raises(UserError, match=words) as caught:
        restore()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bicubc", "did you mean 'bicubic'"),
        ("srcnn", "is a network without weights"),
        ("nowhere.safetensors", "no such file"),
    ],
)
def test_names_that_are_no_restorers(name, words):
    with pytest.raises(UserError, match=words):
        check_restorer(name)


def test_a_file_that_is_no_restorers(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "a.safetensors"
    save_file({}, path, {"kind": "affect", "network": "residual", "arguments": "{}"})
    with pytest.raises(UserError, match="no restorer's"):
        load_restorer(str(path))
    path.write_bytes(b"damaged")
    with pytest.raises(UserError, match="not safetensors, or damaged"):
        load_restorer(str(path))


def test_the_shelf():
    assert list_restorers()["bicubic"].startswith("Bicubic interpolation")
    assert all(list_restorers().values())


def test_other_luma_keeps_colour_and_time():
    source = picture(3)
    source.pts, source.colorspace = 7, 1
    made = with_luma(source, np.full(luma(source).shape, 9, np.uint8))
    assert (luma(made) == 9).all()
    assert (made.pts, int(made.colorspace)) == (7, 1)


class Brighter:
    """Adds fifty."""

    frames, multiply_adds = 1, 1.0

    def __call__(self, looks):
        return np.minimum(looks[0].large, 205) + np.uint8(50)


class Brightness:
    """Mean brightness of a face."""

    name, task, gives = "brightness", "exposure", ("brightness",)
    wants = Wants(region="face", height=8, width=8, colour="luma")

    def __call__(self, pictures, context):
        return pictures.mean(dim=(1, 2, 3))[:, None]


class OfRestored(Brightness):
    restored = True


def test_recognizers_of_faces_see_interpolated_pictures_unless_they_ask_for_restored_ones(face_clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "looking", sys.modules[__name__])
    seen = {}
    for recognizer, restorer in (("Brightness", "bicubic"), ("Brightness", "Brighter"), ("OfRestored", "Brighter")):
        name = restorer if restorer == "bicubic" else f"looking:{restorer}"
        settings = Settings(
            input=str(face_clip / "face.mp4"),
            scale=2.0,
            quality=30,
            recognizer=f"looking:{recognizer}",
            restorer=name,
            recognize_every=10,
        )
        run = simulate(settings, quiet=True)
        seen[recognizer, restorer] = run.tables["predictions"]["brightness"].mean()
        assert run.summary["quality"]["psnr_db"] > 25 or restorer == "Brighter"
    plain = seen["Brightness", "bicubic"]
    assert seen["Brightness", "Brighter"] == pytest.approx(plain, abs=1e-4)
    assert seen["OfRestored", "Brighter"] == pytest.approx(plain + 50 / 255, abs=0.05)
