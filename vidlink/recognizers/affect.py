"""The shipped recognizer of valence and arousal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT, EMOTIONS
from vidlink.nets.precision import computes_bfloat16
from vidlink.nets.weights import load_network
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

WEIGHTS = "affect.safetensors"
"""File of the shipped weights in ``vidlink.weights``."""


class Affect:
    """Valence and arousal of a face, each within about [-1, 1] (one model for every scale).

    By default a residual network that is told the scale factor, trained on FER+ one-for-all (Joint-OA: super-resolution
    at 6, then faces degraded by random factors, two in five of them coded by x264) with an HR-trained teacher;
    :data:`vidlink.data.ferplus.CIRCUMPLEX` says what valence and arousal mean.

    Parameters
    ----------
    device
        Where to compute.
    weights
        A safetensors file of any network from ``vidlink.train``; None for the shipped weights.
    network
        The ``--network`` of those weights, where it is code of one's own.
    half
        Whether to compute in bfloat16; None for where the device has instructions for it. Answers then differ from
        those in float32 by about 0.002 (0.02 at most), their CCC on FER+ by less than 0.001.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another network's.
    """

    name = "affect"
    task = "affect"
    wants = Wants(region="face", height=48, width=48, colour="luma", margin=0.0)
    gives = AFFECT

    def __init__(
        self,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        network: str = "",
        half: bool | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.half = computes_bfloat16(self.device) if half is None else half
        if weights is None:
            from importlib.resources import as_file, files

            with as_file(files("vidlink.weights") / WEIGHTS) as shipped:
                described, module = load_network(shipped)
        else:
            described, module = load_network(weights, own=network)
        if (described.size, described.outputs) != (self.wants.height, len(AFFECT) + len(EMOTIONS)):
            raise UserError(
                f"weights {weights}: for pictures of {described.size} pixels and {described.outputs} outputs; "
                f"expected {self.wants.height} and {len(AFFECT) + len(EMOTIONS)}"
            )
        self.network = module.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def _outputs(self, pictures: Tensor, context: Context) -> Tensor:
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            return self.network(pictures, torch.from_numpy(context.scale).to(pictures)).float()

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence and arousal, shape (n, 2), of pictures of shape (n, 1, 48, 48)."""
        return self._outputs(pictures, context)[:, : len(AFFECT)]

    def with_emotions(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence, arousal and the share of votes for each of :data:`~vidlink.labels.affect.EMOTIONS`: (n, 10)."""
        outputs = self._outputs(pictures, context)
        return torch.cat([outputs[:, : len(AFFECT)], outputs[:, len(AFFECT) :].softmax(dim=1)], dim=1)
