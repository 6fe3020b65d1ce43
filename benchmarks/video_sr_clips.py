"""The clips that video super-resolution is learned from, and those that are held out for its scores.

``python benchmarks/video_sr_clips.py FOLDER`` makes the folder that ``--data videos:FOLDER`` takes. With ``--stills``
it has those that the shipped weights learned from: fewer dark ones, and stills that move.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import av
import bench
import cv2
import numpy as np

from vidlink.data.images import read_images
from vidlink.training.coded import grey_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAIN = (
    "clips/bigbuckbunny.mp4",
    "clips/expressions_640x360.mp4",
    "clips/selfie_960x540.mp4",
    "arid6/Walk/Walk_10_1.mp4",
)
ONLY_WITHOUT_STILLS = ("arid6/Turn/Turn_1_1.mp4", "clips/CiscoVT2people_320x192_12fps.yuv")
HELD_OUT = ("clips/bikes.mp4", "clips/carphone_pristine.mp4", "camvid/val/images/*.png")
STILLS = "sr/T91"
TILE, ROWS, COLUMNS, FRAMES, FILMS = 128, 3, 5, 20, 4
"""Stills move past windows of so many pixels, so many of them side by side, in so many films of so many pictures."""
FASTEST = 1.5
"""Pixels that a still moves from one picture to the next at the most, in each direction."""


def make_clips(folder: Path, *, stills: bool = False) -> Path:
    """A folder of clips with ``split.csv``; lossless copies that are there already are taken as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["name,split"]
    train = TRAIN if stills else (*TRAIN, *ONLY_WITHOUT_STILLS)
    for split, names in (("train", train), ("valid", HELD_OUT)):
        for name in names:
            if bench.data(name.partition("/images")[0]) is None:
                raise SystemExit(f"VIDLINK_DATA names no folder with {name}")
            rows.append(f"{copy(name, folder).stem},{split}")
    if stills:
        found = read_images(str(bench.data(STILLS))).values()
        large = [image for image in found if min(image.shape) >= TILE + 32]
        for number in range(FILMS):
            place = folder / f"moving_stills_{number}.mkv"
            if not place.exists():
                write(place, moving(large, np.random.default_rng(number)))
            rows.append(f"{place.stem},train")
    (folder / "split.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def copy(name: str, folder: Path) -> Path:
    """A link to a clip, or a lossless film of raw video and of pictures that lie in a folder."""
    root = bench.data(".")
    assert root is not None
    if name.endswith(".mp4"):
        place = folder / Path(name).name
        place.unlink(missing_ok=True)
        place.symlink_to(root / name)
        return place
    place = folder / ((Path(name).parts[0] if "*" in name else Path(name).stem) + ".mkv")
    if not place.exists():
        source = bench.open_clip(root / name)
        pictures = [frame for segment in source.segments(1.0) for frame in segment.frames]
        write(place, pictures)
    return place


def moving(stills: list[NDArray[np.uint8]], rng: np.random.Generator) -> list[av.VideoFrame]:
    """Stills that move past windows side by side, each with a speed of its own."""
    canvas = np.zeros((FRAMES, ROWS * TILE, COLUMNS * TILE), np.uint8)
    for tile, number in enumerate(rng.choice(len(stills), ROWS * COLUMNS, replace=False).tolist()):
        still, speed = stills[number], rng.uniform(-FASTEST, FASTEST, 2)
        room = np.array(still.shape[::-1]) - TILE
        start = room / 2 - speed * (FRAMES - 1) / 2
        y, x = tile // COLUMNS * TILE, tile % COLUMNS * TILE
        for frame in range(FRAMES):
            shift = np.column_stack([np.eye(2), start + speed * frame]).astype(np.float32)
            how = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
            seen = cv2.warpAffine(still, shift, (TILE, TILE), flags=how, borderMode=cv2.BORDER_REFLECT)
            canvas[frame, y : y + TILE, x : x + TILE] = seen
    return [grey_picture(picture) for picture in canvas]


def write(place: Path, pictures: list[av.VideoFrame]) -> None:
    """Write a lossless film."""
    bench.write_clip(place, pictures, (pictures[0].width, pictures[0].height), "ffv1", {})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stills", action="store_true", help="with stills that move")
    given = parser.parse_args()
    make_clips(given.folder, stills=given.stills)
