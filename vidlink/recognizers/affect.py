"""The shipped recognizer of valence and arousal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT, EMOTIONS
from vidlink.nets.precision import computes_bfloat16
from vidlink.nets.temporal import known_of
from vidlink.nets.weights import load_affect
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

WEIGHTS = "affect.safetensors"
"""File of the shipped weights in ``vidlink.weights``."""


def _known(context: Context) -> tuple[NDArray[np.float64], ...]:
    return context.seen_scale, context.qp, context.age_s, context.offset_s


class Affect:
    """Valence and arousal of a face, each within about [-1, 1] (one model for every scale).

    By default a residual network that is told the scale factor of what it sees, trained on FER+ from one for full-size
    faces, which is its teacher, too, by faces degraded by random factors from 1 to 6, two in five of them coded by x264
    (``mix``);
    :data:`vidlink.data.ferplus.CIRCUMPLEX` says what valence and arousal mean.

    Parameters
    ----------
    device
        Where to compute.
    weights
        A safetensors file of any network for faces from ``vidlink.train``, whether it looks at single pictures or
        follows time; None for the shipped weights.
    network
        The ``--network`` of those weights, where it is code of one's own.
    half
        Whether to compute in bfloat16; None for where the device has instructions for it. Answers then differ from
        those in float32 by about 0.002 (0.02 at most), their CCC on FER+ by less than 0.001.
    mirror
        Whether each picture is seen in the mirror as well, and the mean of both counts; takes twice as long.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another network's.
    """

    name = "affect"
    task = "affect"
    shipped = WEIGHTS
    """File of its own weights in ``vidlink.weights``."""
    wants = Wants(region="face", height=48, width=48, colour="luma", margin=0.0)
    gives: tuple[str, ...] = AFFECT

    def __init__(
        self,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        network: str = "",
        half: bool | None = None,
        mirror: bool = False,
    ) -> None:
        self.device = torch.device(device)
        self.mirror = mirror
        self.half = computes_bfloat16(self.device) if half is None else half
        if weights is None:
            from importlib.resources import as_file, files

            with as_file(files("vidlink.weights") / self.shipped) as shipped:
                described, windows, module = load_affect(shipped)
        else:
            described, windows, module = load_affect(weights, own=network)
        if described.outputs != len(AFFECT) + len(EMOTIONS):
            raise UserError(
                f"weights {weights}: with {described.outputs} outputs; expected {len(AFFECT) + len(EMOTIONS)}"
            )
        self.wants = replace(self.wants, height=described.size, width=described.size)
        if windows is not None:
            self.wants = replace(self.wants, frames=windows.frames, frame_rate=windows.frame_rate)
            self.features = self._features
        self.network: Any = module.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def _seen(self, look: Callable[[Tensor, Tensor], Tensor], pictures: Tensor, context: Context) -> Tensor:
        """What the network makes of pictures and, where asked for, of their mirror images: the mean."""
        scale = torch.from_numpy(context.seen_scale).to(pictures)
        both = (pictures, pictures.flip(-1)) if self.mirror else (pictures,)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            seen = [look(each.contiguous(memory_format=torch.channels_last), scale).float() for each in both]
        return torch.stack(seen).mean(dim=0)

    def _features(self, pictures: Tensor, context: Context) -> Tensor:
        """What windows are made of, shape (n, features)."""
        return self._seen(self.network.features, pictures, context)

    def _outputs(self, pictures: Tensor, context: Context) -> Tensor:
        if self.wants.frames == 1:
            return self._seen(self.network, pictures, context)
        known = (torch.from_numpy(each).to(pictures) for each in _known(context))
        followed = self.network(pictures, known_of(*known), context.asked)
        # Of a still there is nothing to follow: the network for single pictures has the better answer.
        still = torch.from_numpy((context.offset_s == 0).all(axis=1)).to(self.device)
        return torch.where(still[:, None], self.network.base.head(pictures[:, context.asked]), followed)

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence and arousal, shape (n, 2), of pictures, or of windows of features."""
        return self._outputs(pictures, context)[:, : len(AFFECT)]

    def with_emotions(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence, arousal and the share of votes for each of :data:`~vidlink.labels.affect.EMOTIONS`: (n, 10)."""
        outputs = self._outputs(pictures, context)
        return torch.cat([outputs[:, : len(AFFECT)], outputs[:, len(AFFECT) :].softmax(dim=1)], dim=1)


class AffectOverTime(Affect):
    """Valence and arousal of a face, from the pictures about each one (1.6 s, or the past alone in live mode).

    The network of :class:`Affect` looks at each picture once; :class:`vidlink.nets.temporal.TemporalNet` follows it
    over time.
    """

    name = "affect-over-time"
    shipped = "affect-temporal.safetensors"
