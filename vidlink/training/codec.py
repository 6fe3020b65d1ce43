"""How a learned codec learns: windows of clips, each picture from the decoded one before, for distortion and rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from vidlink.nets.dvc.network import lagrangian
from vidlink.training.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.nets.dvc.network import DVC, Coded, Planes
    from vidlink.training.codec_windows import CodecWindows
    from vidlink.training.learner import Row

MIDDLE = 35.0
"""Quality whose pictures count once; finer ones, which take more bits, count less, coarser ones more."""
DECAY = 0.998
"""Of the moving average of the weights."""
SLOW = ("blocks", "residuals")
"""Parts that start as good transforms learn at a tenth of the rate."""


@dataclass(frozen=True, kw_only=True)
class CodecSettings:
    """Everything that decides what a codec learns; a checkpoint resumes only under the same."""

    network: str
    """Name of the network."""
    data: str
    """What it learns from, without the path."""
    windows: int
    """How many are cut out, once."""
    frames: int
    """Pictures in a window."""
    prior_steps: int
    """Steps in which only probabilities learn."""
    steps: int
    """Steps in which all learns; in the first 60 % of them windows have at most two predicted pictures."""
    batch: int
    """Windows a step."""
    side: int
    """Side of a window in pixels."""
    learning_rate: float
    """Peak of the one-cycle schedule."""
    each: int = 100
    """Steps from one row of the log, and one checkpoint, to the next."""
    seed: int = 0
    """Seed of weights and windows."""


class CodecLearner(Learner):
    """A codec that learns from windows by Adam; an epoch is ``settings.each`` steps.

    It minimises squared error + lambda * bits over all predicted pictures of a window, with the lambda of the window's
    quality (:func:`~vidlink.nets.dvc.network.lagrangian`); so it learns what errors become as they are predicted from.

    Parameters
    ----------
    network
        What learns.
    windows, valid
        What it learns from, and what it is scored on after each epoch.
    settings
        What decides the result.
    device
        Where to compute.
    """

    clip = 1.0
    unit = "step"
    network: DVC

    def __init__(
        self, network: DVC, windows: CodecWindows, valid: CodecWindows, settings: CodecSettings, *, device: torch.device
    ) -> None:
        self.network, self.windows, self.valid = network.to(device), windows, valid
        self.settings, self.device = settings, device
        self.epochs, self.learning_rate = math.ceil(settings.steps / settings.each), settings.learning_rate
        slow: list[torch.Tensor] = []
        fast: list[torch.Tensor] = []
        for name, parameter in network.named_parameters():
            (slow if any(part in name.split(".") for part in SLOW) else fast).append(parameter)
        groups: list[dict[str, Any]] = [{"params": fast}, {"params": slow, "share": 0.1}]
        self.optimizer = torch.optim.Adam(groups, lr=settings.learning_rate)
        self.average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def steps(self, epoch: int) -> int:
        """So many as are left, at most ``settings.each``."""
        return min(self.settings.each, self.settings.steps - epoch * self.settings.each)

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self.settings.seed * 1_000_003 + epoch * self.settings.each

    def batches(self, epoch: int, generator: Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Windows; shorter ones at first."""
        early = epoch * self.settings.each < 0.6 * self.settings.steps
        frames = min(3, self.settings.frames) if early else self.settings.frames
        for _ in range(self.steps(epoch)):
            luma, chroma, quality = self.windows.draw(self.settings.batch, generator)
            yield luma[:, :frames], chroma[:, :frames], quality

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Mean over the pictures of squared error / lambda + bits a pixel, and a little for the prediction alone."""
        luma, chroma, quality = (tensor.to(self.device) for tensor in batch)
        pixels, price = luma[0, 0].numel(), lagrangian(quality)
        worth = torch.sqrt(price / lagrangian(torch.tensor(MIDDLE)))
        total = luma.new_zeros(())
        for coded, wanted in through(self.network, luma, chroma, quality):
            error = squared_error(coded.planes, wanted) + 0.1 * squared_error(coded.predicted, wanted)
            total = total + (worth * (error / price + coded.bits / pixels)).mean()
        return total / (luma.shape[1] - 1)

    def after_step(self, step: int) -> None:
        """Move the average of the weights."""
        decay = min(DECAY, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, tensor in self.network.state_dict().items():
                self.average[name].lerp_(tensor, 1 - decay)

    def validate(self) -> Row:
        """Scores of the averaged weights, see :func:`score_codec`."""
        kept = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        scores = score_codec(self.network, self.valid)
        self.network.load_state_dict(kept)
        return scores

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done, loss and scores."""
        return {"step": step, "loss": float(f"{loss:.4g}"), **scores}

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights."""
        return self.average

    def state(self) -> dict[str, Any]:
        """The averaged weights."""
        return {"average": self.average}

    def load(self, state: dict[str, Any]) -> None:
        """Take back the averaged weights."""
        self.average = {name: tensor.to(self.device) for name, tensor in state["average"].items()}


def squared_error(planes: Planes, wanted: Planes) -> Tensor:
    """Of pictures within [0, 255], chroma with luma, a pixel of luma; shape (n,)."""
    luma, chroma = (((one - other) * 255).square().flatten(1) for one, other in zip(planes, wanted, strict=True))
    return luma.mean(1) + chroma.sum(1) / luma.shape[1]


def through(network: DVC, luma: Tensor, chroma: Tensor, quality: Tensor) -> Iterator[tuple[Coded, Planes]]:
    """Code windows picture by picture: each coded picture and what it should be."""
    reference: Planes = (luma[:, :1], chroma[:, 0])
    for place in range(1, luma.shape[1]):
        wanted = (luma[:, place : place + 1], chroma[:, place])
        coded = network(wanted, reference, quality)
        yield coded, wanted
        reference = (coded.planes[0].clamp(0, 1), coded.planes[1].clamp(0, 1))


@torch.no_grad()
def score_codec(network: DVC, windows: CodecWindows) -> Row:
    """Means over all windows: PSNR of luma (``psnr_db``), bits a pixel (``bpp``) and what is minimised (``cost``)."""
    network.eval()
    device = next(network.parameters()).device
    luma, chroma, quality = (each.to(device) for each in windows.take(torch.arange(len(windows.luma))))
    price, pixels = lagrangian(quality), luma[0, 0].numel()
    worth = torch.sqrt(price / lagrangian(torch.tensor(MIDDLE)))
    psnr, bpp, cost = [], [], []
    for coded, wanted in through(network, luma, chroma, quality):
        missed = (coded.planes[0].clamp(0, 1) - wanted[0]).square().mean((1, 2, 3))
        psnr.append((-10 * missed.clamp(min=1e-7).log10()).mean())
        bpp.append((coded.plain_bits / pixels).mean())
        cost.append((worth * (squared_error(coded.planes, wanted) / price + coded.plain_bits / pixels)).mean())
    found = {"psnr_db": (psnr, 3), "bpp": (bpp, 4), "cost": (cost, 5)}
    return {name: round(float(torch.stack(each).mean()), digits) for name, (each, digits) in found.items()}
