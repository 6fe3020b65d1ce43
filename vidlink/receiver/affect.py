"""The shipped recognizer of valence and arousal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.data.faces import AFFECT, EMOTIONS
from vidlink.errors import UserError
from vidlink.nets.recognition import RecognitionNet
from vidlink.receiver.recognizer import Wants

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from vidlink.receiver.recognizer import Context

WEIGHTS = "affect.safetensors"
"""File of the shipped weights in ``vidlink.weights``."""


class Affect:
    """Valence and arousal of a face, each within about [-1, 1] (one model for every scale).

    The network of Cheng et al. (ACII 2017) on 48x48 luma, trained on FER+ with every face degraded by a random factor;
    :data:`vidlink.data.ferplus.CIRCUMPLEX` says what valence and arousal mean.

    Parameters
    ----------
    device
        Where to compute.
    weights
        A safetensors file from ``vidlink.train``; None for the shipped weights.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another network's.
    """

    name = "affect"
    task = "affect"
    wants = Wants(region="face", height=48, width=48, colour="luma", margin=0.0)
    gives = AFFECT

    def __init__(self, *, device: torch.device | str = "cpu", weights: Path | None = None) -> None:
        self.device = torch.device(device)
        network = RecognitionNet(self.wants.height, outputs=len(AFFECT) + len(EMOTIONS))
        if weights is None:
            from importlib.resources import as_file, files

            with as_file(files("vidlink.weights") / WEIGHTS) as shipped:
                load_weights(network, shipped)
        else:
            load_weights(network, weights)
        self.network = network.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence and arousal, shape (n, 2), of pictures of shape (n, 1, 48, 48)."""
        return self.network(pictures)[:, : len(AFFECT)]

    def with_emotions(self, pictures: Tensor, context: Context) -> Tensor:
        """Valence, arousal and the share of votes for each of :data:`~vidlink.data.faces.EMOTIONS`, shape (n, 10)."""
        outputs = self.network(pictures)
        return torch.cat([outputs[:, : len(AFFECT)], outputs[:, len(AFFECT) :].softmax(dim=1)], dim=1)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load safetensors weights into a network; nothing else is ever opened, pickles least of all.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors or another network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not path.is_file():
        raise UserError(f"weights {path}: no such file")
    data = path.read_bytes()
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        raise UserError(f"weights {path}: a pickle, which can run code and is refused; expected safetensors")
    try:
        weights = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise UserError(f"weights {path}: not safetensors, or damaged ({error})") from error
    wanted = network.state_dict()
    strangers = sorted(weights.keys() ^ wanted.keys())
    if strangers:
        whose = "lacks" if strangers[0] in wanted else "has an unknown"
        raise UserError(f"weights {path}: of another network: {whose} {strangers[0]!r}")
    for name, tensor in wanted.items():
        if weights[name].shape != tensor.shape:
            found, expected = tuple(weights[name].shape), tuple(tensor.shape)
            raise UserError(f"weights {path}: of another network: {name!r} is {found}, expected {expected}")
        if not bool(torch.isfinite(weights[name]).all()):
            raise UserError(f"weights {path}: {name!r} has numbers that are not finite")
    network.load_state_dict(weights)
