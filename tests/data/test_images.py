import cv2
import numpy as np
import pytest

from vidlink.data.images import load_images, read_luma
from vidlink.errors import UserError


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    (tmp_path / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "b.png"), noise)
    cv2.imwrite(str(tmp_path / "deep" / "a.bmp"), noise)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_is_read_at_any_depth_in_order(folder):
    images = load_images(f"images:{folder}")
    assert list(images) == ["b.png", "deep/a.bmp"]
    assert np.array_equal(images["b.png"], images["deep/a.bmp"])
    assert images["b.png"].shape == (12, 20)
    assert list(load_images(f"images:{folder / 'b.png'}")) == ["b.png"]


def test_luma_is_that_of_the_standard(tmp_path):
    colours = {"white": ((255, 255, 255), 235), "black": ((0, 0, 0), 16), "blue": ((255, 0, 0), 41)}
    for name, (bgr, luma) in colours.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((4, 4, 3), bgr, np.uint8))
        assert (read_luma(tmp_path / f"{name}.png") == luma).all()


def test_grey_and_transparent_images(tmp_path):
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert np.array_equal(read_luma(tmp_path / "grey.png"), grey)
    cv2.imwrite(str(tmp_path / "clear.png"), np.zeros((6, 8, 4), np.uint8))
    assert (read_luma(tmp_path / "clear.png") == 16).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("T91", "expected images:PATH"),
        ("images:", "expected images:PATH"),
        ("image:/x", "did you mean 'images'"),
        ("images:/no/such", "no such folder"),
    ],
)
def test_wrong_specs_are_named(spec, message):
    with pytest.raises(UserError, match=message):
        load_images(spec)


def test_a_damaged_image_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(UserError, match="holds no image"):
        load_images(f"images:{tmp_path}")
    for data in (b"", b"\x89PNG half"):
        (tmp_path / "bad.png").write_bytes(data)
        with pytest.raises(UserError, match=r"bad\.png: not an image"):
            load_images(f"images:{tmp_path}")
