"""Tracks of faces as a receiver sees them: reels coded by plans of the planner, looked at a few times a second.

All of it is real: reels are drawn as :mod:`vidlink.data.reels` draws them, the sender's code encodes each segment of a
plan as one closed group of pictures, the receiver's code decodes it, and what is not there is held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from vidlink.data.reels import COLUMNS, FRAME_RATE, ROWS, SIDE, make_reel
from vidlink.faces.tracks import Box
from vidlink.link.lossless import decode_all
from vidlink.recognizers.crop import bring_to
from vidlink.sender.encode import encode
from vidlink.types import CLOCK, Clip, Segment
from vidlink.video.park import fetched
from vidlink.video.pictures import Upsampler, as_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from vidlink.codec.recipe import Codec
    from vidlink.data.face_set import FaceSet
    from vidlink.data.reels import Reel
    from vidlink.recognizers.recognizer import Wants
    from vidlink.training.plans import Step

EVERY = 5
"""A look at every so many frames: five a second."""
BOX = tuple(Box(SIDE * (k % COLUMNS), SIDE * (k // COLUMNS), SIDE, SIDE) for k in range(COLUMNS * ROWS))
"""Where the tiles are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracks:
    """n tracks of one face each, looked at t times."""

    pictures: NDArray[np.uint8]
    """Shape (n, t, height, width)."""
    affect: NDArray[np.float32]
    """Valence and arousal, shape (n, t, 2)."""
    distribution: NDArray[np.float32]
    """Shares of the votes, shape (n, t, 8)."""
    scale: NDArray[np.float32]
    """Scale factor of the picture on show, shape (n, t)."""
    qp: NDArray[np.float32]
    """Its mean QP; NaN where the decoder does not say it."""
    age_s: NDArray[np.float32]
    """Seconds since it was taken."""

    @classmethod
    def joined(cls, parts: Sequence[Tracks]) -> Tracks:
        """All tracks of several reels."""
        return cls(**{each.name: np.concatenate([getattr(p, each.name) for p in parts]) for each in fields(cls)})


def code_reels(
    faces: FaceSet,
    plans: Sequence[Sequence[Step]],
    *,
    reels: int,
    seconds: float,
    wants: Wants,
    codec: Codec,
    seed: int,
    usual: bool = False,
    watch: Callable[[int], None] | None = None,
) -> Tracks:
    """Draw reels, send each by a plan of its own, and look at them.

    Parameters
    ----------
    faces
        Whom to show.
    plans
        What to draw from.
    reels, seconds
        How many, and how long each is.
    wants
        Size of the pictures.
    codec
        The recipe that the plans are of.
    seed
        Decides everything.
    usual
        Whether faces change and sway as in reels that are scored. Otherwise each reel has its own pace, down to 0.5 s a
        face, and sways up to three times as far.
    watch
        Told how many are done.
    """
    made = []
    for index in range(reels):
        rng = np.random.default_rng([seed, index, 7])
        how = {}
        if not usual:
            least_s = float(rng.uniform(0.5, 1.5))
            how = {"hold_s": (least_s, least_s * float(rng.uniform(1.2, 3.0))), "strength": float(rng.uniform(0.5, 3))}
        reel = make_reel(faces, seconds=seconds, seed=seed, index=index, **how)  # type: ignore[arg-type]
        made.append(look_at(reel, plans[int(rng.integers(len(plans)))], wants=wants, codec=codec, rng=rng))
        if watch:
            watch(index + 1)
    return Tracks.joined(made)


def look_at(reel: Reel, plan: Sequence[Step], *, wants: Wants, codec: Codec, rng: np.random.Generator) -> Tracks:
    """Send one reel by a plan, which begins anywhere and goes round, and look at what is on show."""
    upsample = Upsampler(COLUMNS * SIDE, ROWS * SIDE)
    first = int(rng.integers(EVERY))
    columns: dict[str, list] = {each.name: [] for each in fields(Tracks)}
    held = None
    for frame, fresh, scale, qp in _shown(reel, plan, codec, rng):
        if fresh is not None:
            held = (upsample(fetched(fresh)), frame, scale, qp)
        if held is None or frame % EVERY != first:
            continue
        picture, taken, scale, qp = held
        luma = as_array(picture, "luma")
        columns["pictures"].append(np.stack([bring_to(wants, luma, box)[0] for box in BOX]))
        labels = [_label(reel, tile, frame / float(FRAME_RATE)) for tile in range(len(BOX))]
        columns["affect"].append([affect for affect, _ in labels])
        columns["distribution"].append([votes for _, votes in labels])
        for name, value in (("scale", scale), ("qp", qp), ("age_s", (frame - taken) / float(FRAME_RATE))):
            columns[name].append(np.full(len(BOX), value, np.float32))
    stacked = {name: np.stack([np.asarray(row) for row in rows], axis=1) for name, rows in columns.items()}
    kinds = {name: np.uint8 if name == "pictures" else np.float32 for name in stacked}
    columns_of: dict[str, Any] = {name: rows.astype(kinds[name], copy=False) for name, rows in stacked.items()}
    return Tracks(**columns_of)


def _label(reel: Reel, tile: int, time_s: float) -> tuple[NDArray, NDArray]:
    one, other, weight = reel.tiles[tile].mix(time_s)
    share, faces = weight / 256, reel.faces
    return tuple(  # type: ignore[return-value]
        (1 - share) * column[one] + share * column[other] for column in (faces.affect, faces.distribution)
    )


def _shown(reel: Reel, plan: Sequence[Step], codec: Codec, rng: np.random.Generator) -> Iterator[tuple]:
    """Of each frame: its number, its own picture or None, and how that was coded."""
    clip = Clip(
        name="reel",
        width=COLUMNS * SIDE,
        height=ROWS * SIDE,
        frame_rate=FRAME_RATE,
        pixel_format="yuv420p",
        seconds=len(reel) / float(FRAME_RATE),
    )
    start, number = 0, int(rng.integers(len(plan)))
    while start < len(reel):
        step = plan[number % len(plan)]
        stop = min(len(reel), start + max(1, round(step.duration_s * FRAME_RATE)))
        segment = _segment(reel, number, start, stop)
        qp: dict[int, float] = {}
        pictures = decode_all(encode(segment, step.rung, clip=clip, codec=codec), codec=codec, qp=qp)
        for frame in range(start, stop):
            yield frame, pictures.get(frame), step.rung.scale, qp.get(frame, math.nan)
        start, number = stop, number + 1


def _segment(reel: Reel, index: int, start: int, stop: int) -> Segment:
    grey = np.full((ROWS * SIDE // 2, COLUMNS * SIDE), 128, np.uint8)
    frames = []
    for frame in range(start, stop):
        picture = av.VideoFrame.from_ndarray(np.vstack([reel.frame(frame), grey]), format="yuv420p")
        picture.pts, picture.time_base = round(frame / FRAME_RATE / CLOCK), CLOCK
        frames.append(picture)
    return Segment(
        index=index,
        first_frame=start,
        frames=tuple(frames),
        times_s=np.arange(start, stop) / float(FRAME_RATE),
        duration_s=(stop - start) / float(FRAME_RATE),
        last=stop == len(reel),
    )
