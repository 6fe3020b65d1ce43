"""Reels: labelled clips made of still faces, a gallery of twelve as in a video conference.

No public video data set with continuous ratings can be had without a licence. A reel stands in for one: 192x144 pixels,
25 frames a second, twelve tiles of 48x48. Each tile shows one face of a labelled set after another; it sways, its light
changes, and each face fades into the next. The track of a tile is known by construction: the label of the face on show
and, while two fade into each other, the mean of both labels, weighted as the pictures are.

Pictures depend on the seed alone: integer arithmetic and OpenCV's filters for 8-bit pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.data.face_set import FaceSet

COLUMNS, ROWS = 4, 3
"""Tiles side by side, and one below the other."""
SIDE = 48
"""Side of a tile in pixels."""
FRAME_RATE = Fraction(25)
"""Frames a second."""
HOLD_S = (1.2, 2.8)
"""Least and largest time from the start of one fade to the start of the next, in seconds."""
FADE_S = 0.4
"""Length of a fade in seconds."""

_SWAY = {  # how far, with which periods in seconds
    "right": (1.4, (2.5, 6.0)),
    "down": (1.0, (2.0, 5.0)),
    "turn": (2.0, (3.0, 7.0)),
    "zoom": (0.02, (4.0, 9.0)),
    "gain": (0.07, (3.0, 9.0)),
    "offset": (6.0, (3.0, 9.0)),
}
"""Pixels, pixels, degrees, share, share, grey levels."""
_ZOOM = 1.02
"""Mean zoom, so that little of what lies beyond a still's edge shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """One tile of a gallery over time."""

    rows: NDArray[np.int64]
    """Faces shown, as rows of the face set, shape (n,)."""
    fades_s: NDArray[np.float64]
    """When the first n - 1 faces start to fade into the next, in seconds, shape (n - 1,)."""
    sways: dict[str, tuple[float, float]]
    """Period in seconds and phase (in periods) of each motion and change of light."""
    strength: float = 1.0
    """How far each of them goes, as a multiple of what is usual."""

    def mix(self, time_s: float) -> tuple[int, int, int]:
        """The rows of the two faces on show, and the weight of the second in 256ths."""
        past = int(np.searchsorted(self.fades_s, time_s, side="right"))
        if past == 0:
            return int(self.rows[0]), int(self.rows[0]), 0
        weight = round(256 * min(1.0, (time_s - float(self.fades_s[past - 1])) / FADE_S))
        return int(self.rows[past - 1]), int(self.rows[past]), weight

    def sway(self, name: str, time_s: float) -> float:
        """How far a motion or change of light is at a time."""
        period_s, phase = self.sways[name]
        return round(self.strength * _SWAY[name][0] * math.sin(2 * math.pi * (time_s / period_s + phase)), 6)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reel:
    """A gallery of faces, drawn frame by frame as it is asked for."""

    faces: FaceSet
    """Whose faces are shown."""
    tiles: tuple[Tile, ...]
    """The tiles, row by row."""
    frame_count: int
    """How many frames there are."""

    def __len__(self) -> int:
        """Count the frames."""
        return self.frame_count

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Draw one frame: luma, shape (144, 192)."""
        if not 0 <= index < self.frame_count:
            raise IndexError(f"the reel has frames 0 to {self.frame_count - 1}, not {index}")
        time_s = index / float(FRAME_RATE)
        drawn = [self._draw(tile, time_s) for tile in self.tiles]
        return np.vstack([np.hstack(drawn[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)])

    def labels(self) -> pd.DataFrame:
        """The labels of every tile and frame.

        Returns
        -------
        pandas.DataFrame
            Columns ``time_s``, ``face`` (the tile, row by row from 0), ``valence``, ``arousal``, and the tile's box in
            pixels: ``x``, ``y``, ``w``, ``h``. Sorted by face and time.
        """
        import pandas as pd

        times_s = np.round(np.arange(self.frame_count) / float(FRAME_RATE), 6)
        tables = []
        for face, tile in enumerate(self.tiles):
            one, other, weight = np.array([tile.mix(float(time_s)) for time_s in times_s]).T
            share = weight[:, None] / 256
            affect = (1 - share) * self.faces.affect[one] + share * self.faces.affect[other]
            box = {"x": SIDE * (face % COLUMNS), "y": SIDE * (face // COLUMNS), "w": SIDE, "h": SIDE}
            track = dict(zip(AFFECT, np.round(affect.astype(float), 5).T, strict=True))
            tables.append(pd.DataFrame({"time_s": times_s, "face": face, **track, **box}))
        return pd.concat(tables, ignore_index=True)

    def _draw(self, tile: Tile, time_s: float) -> NDArray[np.uint8]:
        one, other, weight = tile.mix(time_s)
        still = self._still(one)
        if weight:
            still = ((256 - weight) * still + weight * self._still(other) + 128) >> 8
        zoom = _ZOOM + tile.sway("zoom", time_s)
        centre = (SIDE - 1) / 2
        moved = cv2.getRotationMatrix2D((centre, centre), tile.sway("turn", time_s), zoom)
        moved[:, 2] += np.array([tile.sway("right", time_s), tile.sway("down", time_s)])
        picture = cv2.warpAffine(
            still.astype(np.uint8), moved, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.int32)
        gain, offset = round(256 * (1 + tile.sway("gain", time_s))), round(tile.sway("offset", time_s))
        return np.clip(((picture - 128) * gain + 128 >> 8) + 128 + offset, 0, 255).astype(np.uint8)

    def _still(self, row: int) -> NDArray[np.int32]:
        image = self.faces.images[row]
        if image.shape != (SIDE, SIDE):
            shrinks = min(image.shape) > SIDE
            image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        return image.astype(np.int32)


def make_reel(
    faces: FaceSet,
    *,
    seconds: float = 10.0,
    seed: int = 0,
    index: int = 0,
    hold_s: tuple[float, float] = HOLD_S,
    strength: float = 1.0,
    apart_s: float | None = None,
) -> Reel:
    """Make a reel from the faces of one split.

    The reels 0, 1, 2, ... of a seed share no face until all of the split have been shown.

    Parameters
    ----------
    faces
        At least twelve.
    seconds
        Length; rounded to whole frames.
    seed
        Decides everything.
    index
        Which reel of this seed, from 0.
    hold_s
        Least and largest time from the start of one fade to the start of the next, in seconds.
    strength
        How far faces sway and their light changes, as a multiple of what is usual.
    apart_s
        The shortest hold of all reels that must not share faces; None where they all hold as long as this one.

    Raises
    ------
    UserError
        There are fewer than twelve faces, or the length is less than a frame.
    """
    count = ROWS * COLUMNS
    if len(faces) < count:
        raise UserError(f"a reel needs at least {count} faces; {faces.name}, split {faces.split!r}, has {len(faces)}")
    frame_count = round(seconds * FRAME_RATE)
    if frame_count < 1:
        raise UserError(f"a reel of {seconds:g} s: must be at least one frame, {1 / float(FRAME_RATE):g} s")
    each = math.ceil(seconds / hold_s[0]) + 1
    apart = math.ceil(seconds / (apart_s or hold_s[0])) + 1
    order = np.random.default_rng(seed).permutation(len(faces))
    rng = np.random.default_rng([seed, index])
    tiles = []
    for number in range(count):
        places = (index * count + number) * apart + np.arange(each)
        first_s = rng.uniform(0.3, hold_s[1])  # so that the tiles do not change together
        fades_s = np.round(first_s + np.concatenate([[0.0], np.cumsum(rng.uniform(*hold_s, each - 2))]), 6)
        sways = {name: (float(rng.uniform(*periods)), float(rng.random())) for name, (_, periods) in _SWAY.items()}
        tiles.append(Tile(rows=order[places % len(faces)], fades_s=fades_s, sways=sways, strength=strength))
    return Reel(faces=faces, tiles=tuple(tiles), frame_count=frame_count)


def write_reel(reel: Reel, path: Path) -> None:
    """Write a reel as FFV1 in Matroska: lossless, the same bytes each time with the same FFmpeg.

    The grey levels of the stills are the luma of the video as they are, from 0 to 255, so that a recognizer sees what
    it would see of the still.

    Parameters
    ----------
    reel
        What to write.
    path
        ``*.mkv``.
    """
    import av

    height, width = ROWS * SIDE, COLUMNS * SIDE
    grey = np.full((height // 2, width), 128, np.uint8)
    with av.open(str(path), "w", format="matroska", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=FRAME_RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for index in range(len(reel)):
            frame = av.VideoFrame.from_ndarray(np.vstack([reel.frame(index), grey]), format="yuv420p")
            frame.pts, frame.time_base = index, 1 / FRAME_RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
