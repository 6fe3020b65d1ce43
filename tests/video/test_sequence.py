"""Image sequences, whatever their numbers are: every image once, in the order of the numbers, or a reason why not."""

import av
import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.video.open import open_source
from vidlink.video.sequence import by_number, first_number, numbers_of


def grey(path, level):
    picture = av.VideoFrame.from_ndarray(np.full((16, 16), level, np.uint8), format="gray")
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 16, 16, "gray"
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


@pytest.fixture
def images(tmp_path):
    """Writes images by name whose grey level is 10 times their place, and gives the folder."""

    def write(*names):
        for place, name in enumerate(names):
            grey(tmp_path / name, 10 * place + 20)
        return tmp_path

    return write


def order(pattern):
    """The places of the images that come, by their grey levels, and what was said."""
    source = open_source(str(pattern))
    levels = [float(frame.to_ndarray(format="gray").mean()) for _, frame in source.frames()]
    return [round((level - 20) / 10) for level in levels], source.notes


@pytest.mark.parametrize("first", [0, 1, 5, 100, 999, 1000, 123_456])
@pytest.mark.parametrize("pattern", ["img%03d.png", "img%d.png", "img*.png"])
def test_a_sequence_may_begin_anywhere(images, first, pattern):
    width = 1 if pattern == "img%d.png" else 3
    folder = images(*(f"img{number:0{width}d}.png" for number in range(first, first + 4)))
    assert order(folder / pattern)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("pattern", "count", "digits"), [("*.png", 12, 1), ("f*.png", 101, 2), ("f?*.png", 12, 1), ("f*", 12, 1)]
)
def test_numbers_that_are_not_padded_are_sorted_as_numbers(images, pattern, count, digits):
    count = min(count, 20) if digits == 1 else 8
    start = 1 if digits == 1 else 96
    folder = images(*(f"f{number:0{digits}d}.png" for number in range(start, start + count)))
    assert order(folder / pattern)[0] == list(range(count))


def test_a_percent_sign_in_a_name_is_no_number(images, tmp_path):
    (tmp_path / "50%").mkdir()
    for number in range(8, 12):
        grey(tmp_path / "50%" / f"a%{number}.png", 10 * (number - 8) + 20)
    assert order(tmp_path / "50%" / "*.png")[0] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "names",
    [
        ["a1.png", "a2.png", "a10.png"],
        ["a1.png", "a2.png", "a10.png", "b.png"],
        ["cam1-9.png", "cam1-10.png", "cam2-1.png"],
        ["a9.png", "a010.png", "a11.png", "a1.png"],
    ],
)
def test_orders_that_are_not_clear_are_refused(images, names):
    folder = images(*names)
    with pytest.raises(UserError, match="as many digits"):
        open_source(str(folder / "*.png"))


def test_a_gap_is_said(images):
    folder = images(*(f"img{number:03d}.png" for number in (100, 101, 102, 104, 105)))
    found, notes = order(folder / "img%03d.png")
    assert found == [0, 1, 2][: len(found)]
    assert any("image 103 is missing" in note and "2 images" in note for note in notes)


def test_numbers_of_a_pattern(images):
    folder = images("img007.png", "img0008.png", "img9.png", "img010.jpg", "img1000.png", "other.png")
    assert numbers_of(str(folder / "img%03d.png")) == [7, 1000]
    assert numbers_of(str(folder / "img%d.png")) == [9, 1000]
    assert numbers_of(str(folder / "img.png")) == []
    assert first_number(str(folder / "img%03d.png")) == {"start_number": "7"}
    assert first_number(str(folder / "no%03d.png")) == {}
    assert by_number("clip.mp4") == "clip.mp4"
