"""Windows of pictures before and after a thin link, which restorers of several pictures learn from and are scored on.

Short stretches of clips are downsampled as the sender does, coded by its own code or left uncoded, decoded, and brought
back to full size as the receiver does. Each picture is then seen with its neighbours aligned to it. What is learned
from is cut out once, before training: alignment takes as long as a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from vidlink.errors import UserError
from vidlink.nets.temporal_sr import align
from vidlink.restorers.window import nearest
from vidlink.scores.psnr import psnr_db
from vidlink.sender.ladder import coded_size
from vidlink.training.coded import code_film, grey_picture
from vidlink.types import Rung
from vidlink.video.pictures import Upsampler, luma, resize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Generator, Tensor, nn

    from vidlink.codec.recipe import Codec

FILM = 9
"""Pictures of a stretch; it is coded as one group."""
STAGE = (256, 384)
"""Height and width in pixels of what is cut out of larger clips before they are coded."""
ASKED = 2
"""Pictures of a stretch that are asked about."""
PLACES = 4
"""Patches that are cut out of each of them."""


@dataclass(frozen=True, kw_only=True)
class Through:
    """What training stretches go through; draws are uniform, those of the factor in its logarithm."""

    codec: Codec
    """The recipe."""
    scales: tuple[float, float]
    """Least and largest scale factor."""
    quality: tuple[float, float]
    """Best and worst value of the recipe's quality knob."""
    coded: float = 0.6
    """Share that is coded; the others are only downsampled."""
    faster: float = 0.25
    """Share of which every second picture is left out."""
    halved: float = 0.5
    """Share that is first brought to half its size, where it is large enough: more detail a pixel."""
    past: float = 0.25
    """Share of windows without later pictures, as in live mode."""
    hidden: float = 0.15
    """Share of coded pictures whose QP is not told."""


class Windows:
    """Patches of windows, cut out once.

    Parameters
    ----------
    clips
        Luma, shape (frames, height, width) each.
    through
        What they go through.
    frames
        Pictures in a window.
    count
        How many patches, at least; they are cut out of stretches that give several each.
    side
        Side of a patch in pixels.
    seed
        Of everything that is drawn.

    Raises
    ------
    UserError
        Where no clip is as large or as long as a window.
    """

    def __init__(
        self, clips: Sequence[NDArray[np.uint8]], through: Through, *, frames: int, count: int, side: int, seed: int
    ) -> None:
        large = [clip for clip in clips if min(clip.shape[1:]) >= side and len(clip) >= FILM]
        if not large:
            raise UserError(f"none of {len(clips)} clips has {FILM} pictures of at least {side}x{side} pixels")
        rng = np.random.default_rng(seed)
        stretches = math.ceil(count / (ASKED * PLACES))
        parts = [_cut(large[int(rng.integers(len(large)))], through, frames, side, rng) for _ in range(stretches)]
        self.given = torch.from_numpy(np.concatenate([part[0] for part in parts]))
        self.target = torch.from_numpy(np.concatenate([part[1] for part in parts]))
        self.known = torch.from_numpy(np.concatenate([part[2] for part in parts]).astype(np.float32))

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw patches, all eight symmetries as likely.

        Returns
        -------
        given, shape (count, frames, side, side)
            Aligned windows, within [0, 1].
        target, shape (count, 1, side, side)
            What a restorer should give.
        scale, qp, shape (count,)
            What is known of the picture that is asked about.
        """
        rows = torch.randint(len(self.given), (count,), generator=generator)
        given, target = self.given[rows].float() / 255, self.target[rows].float()[:, None] / 255
        for axes in ((-1,), (-2,), None):
            turned = torch.rand(count, generator=generator) < 0.5
            for each in (given, target):
                each[turned] = each[turned].mT if axes is None else each[turned].flip(axes)
        scale, qp = self.known[rows].unbind(1)
        return given, target, scale, qp


def _cut(
    clip: NDArray[np.uint8], through: Through, frames: int, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """Patches of one stretch: windows, targets, and (scale, QP)."""
    step = 2 if rng.random() < through.faster and len(clip) >= 2 * FILM else 1
    first = int(rng.integers(len(clip) - step * (FILM - 1)))
    shrink = 2 if rng.random() < through.halved and min(clip.shape[1:]) >= 2 * side else 1
    tall, wide = (side * shrink for side in STAGE)
    top, left = (
        int(rng.integers(max(1, own - most + 1))) for own, most in zip(clip.shape[1:], (tall, wide), strict=True)
    )
    film = clip[first : first + step * FILM : step, top : top + tall, left : left + wide]
    if shrink > 1:
        height, width = (own // shrink // 2 * 2 for own in film.shape[1:])
        film = np.stack([resize(picture, width, height) for picture in film])
    low, high = through.scales
    scale = float(np.exp(rng.uniform(math.log(low), math.log(high))))
    best, worst = sorted(through.quality)
    quality = through.codec.quality.rounded(float(rng.uniform(best, worst)))
    large, qp = send(film, scale, quality if rng.random() < through.coded else None, through.codec)
    if rng.random() < through.hidden:
        qp = np.where(qp > 0, np.nan, qp)
    pieces: list[tuple[Any, Any, tuple[float, float]]] = []
    for asked in rng.choice(FILM, size=ASKED, replace=False).tolist():
        window = aligned(large, asked, frames, later=rng.random() >= through.past)
        for _ in range(PLACES):
            y, x = (int(rng.integers(own - side + 1)) for own in film.shape[1:])
            place = (slice(y, y + side), slice(x, x + side))
            rounded = np.floor(window[:, *place].numpy() * 255 + 0.5).astype(np.uint8)
            pieces.append((rounded, film[asked][place], (scale, float(qp[asked]))))
    given, target, known = zip(*pieces, strict=True)
    return np.stack(given), np.stack(target), np.array(known)


def send(
    film: NDArray[np.uint8], scale: float, quality: float | None, codec: Codec
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Send a stretch through the link and bring it back to full size by bicubic interpolation.

    Parameters
    ----------
    film
        Luma, shape (frames, height, width), sides even.
    scale
        Scale factor.
    quality
        Value of the codec's knob; None to downsample only, with 8 bits.
    codec
        The recipe.

    Returns
    -------
    pictures
        The same shape.
    qp
        Mean QP of each, shape (frames,): 0 where nothing was coded, NaN where the decoder does not say it.
    """
    height, width = film.shape[1:]
    if quality is None:
        reformat, (w, h) = VideoReformatter().reformat, coded_size(width, height, scale)
        small: dict[int, av.VideoFrame] = {
            place: reformat(grey_picture(np.ascontiguousarray(each)), width=w, height=h, interpolation="AREA")
            for place, each in enumerate(film)
        }
        levels = dict.fromkeys(small, 0.0)
    else:
        pictures = [np.ascontiguousarray(each) for each in film]
        small, levels = code_film(pictures, Rung(scale=scale, quality=quality), codec)
    upsample = Upsampler(width, height)
    places = range(len(film))
    return np.stack([luma(upsample(small[place])) for place in places]), np.array([levels[place] for place in places])


def aligned(large: NDArray[np.uint8], asked: int, frames: int, *, later: bool = True) -> Tensor:
    """A picture and its neighbours, aligned to it, the nearest first, shape (frames, height, width), within [0, 1]."""
    places = nearest(len(large), asked, frames, later=later)
    return align(torch.from_numpy(large[places]).float() / 255)


def restored(
    network: nn.Module,
    large: NDArray[np.uint8],
    scale: float,
    qp: NDArray[np.float64],
    *,
    frames: int,
    later: bool = True,
    still: bool = False,
) -> NDArray[np.uint8]:
    """Restore each picture of a stretch.

    Parameters
    ----------
    network
        :class:`~vidlink.nets.temporal_sr.TemporalSR` or one that is called alike.
    large, scale, qp
        As :func:`send` takes and gives them.
    frames
        Pictures in a window.
    later
        Whether a window holds later pictures.
    still
        Whether each picture stands in for its neighbours: then the network sees one picture only.

    Returns
    -------
    NDArray
        The same shape.
    """
    network.eval()
    found = []
    for asked in range(len(large)):
        source, place = (large[asked : asked + 1], 0) if still else (large, asked)
        window = aligned(source, place, frames, later=later)[None]
        with torch.inference_mode():
            level = torch.tensor([float(qp[asked])])
            picture = network(window, torch.tensor([scale]), level)[0, 0].clamp(0, 1).numpy()
        found.append(np.floor(picture * 255 + 0.5).astype(np.uint8))
    return np.stack(found)


def score_windows(
    network: nn.Module,
    clips: Mapping[str, NDArray[np.uint8]],
    through: Through,
    *,
    scale: float,
    quality: float | None = None,
    frames: int,
    count: int = 25,
    **how: bool,
) -> list[dict[str, Any]]:
    """PSNR of restored pictures, a row a clip: ``image``, ``psnr_db`` and ``bicubic_db``, means over its pictures.

    Parameters
    ----------
    network, frames, how
        As for :func:`restored`.
    clips
        Luma by name.
    through
        Its codec.
    scale, quality
        How the clips are sent; quality None for uncoded.
    count
        So many pictures from the beginning of each clip.
    """
    rows = []
    for name, clip in clips.items():
        film = clip[:count]
        large, qp = send(film, scale, quality, through.codec)
        both = {"psnr_db": restored(network, large, scale, qp, frames=frames, **how), "bicubic_db": large}
        means = {
            key: float(np.mean([psnr_db(*pair) for pair in zip(each, film, strict=True)])) for key, each in both.items()
        }
        rows.append({"image": name, **means})
    return rows
