"""What a learned codec learns first: how probable its latents are, while the transforms stay as they began.

The latents are computed once, so that a step costs a fiftieth of one in which all learns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from vidlink.nets.dvc.hyperprior import BEST, MOST, RATIO, SMALLEST, STEP, TABLES, WORST, anchors
from vidlink.training.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.nets.dvc.hyperprior import Hyperprior
    from vidlink.nets.dvc.network import DVC
    from vidlink.training.codec import CodecSettings
    from vidlink.training.codec_windows import CodecWindows
    from vidlink.training.learner import Row
    from vidlink.training.loop import Training

BATCH = 32
"""Windows a step."""
PRIOR_EACH = 500
"""Steps from one checkpoint to the next."""
OFFSET = 0.4
"""Of the rounding, see :func:`~vidlink.nets.dvc.hyperprior.rounded`."""


class PriorLearner(Learner):
    """Both hyperpriors of a codec, from the latents of the first predicted picture of each window.

    Parameters
    ----------
    network
        The codec; what is not a hyperprior stays as it is.
    windows
        What it learns from.
    steps, each
        Steps in all, and from one checkpoint to the next.
    learning_rate
        Peak of the one-cycle schedule.
    seed
        Of the order.
    """

    unit = "step"

    def __init__(
        self, network: DVC, windows: CodecWindows, *, steps: int, each: int, learning_rate: float, seed: int
    ) -> None:
        self._steps, self._each, self._seed = steps, each, seed
        self.epochs, self.learning_rate = math.ceil(steps / each), learning_rate
        self.priors = (network.flow_prior, network.residual_prior)
        self.network = nn.ModuleList(self.priors)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=learning_rate)
        self.quality, self.pixels = windows.quality, windows.luma[0, 0].numel()
        self.latents = latents_of(network, windows)
        for prior, latents in zip(self.priors, self.latents, strict=True):
            start_from(prior, latents, self.quality)

    def steps(self, epoch: int) -> int:
        """So many as are left."""
        return min(self._each, self._steps - epoch * self._each)

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self._seed * 1_000_003 + epoch

    def batches(self, epoch: int, generator: Generator) -> Iterator[Tensor]:
        """Numbers of windows."""
        for _ in range(self.steps(epoch)):
            yield torch.randint(len(self.quality), (BATCH,), generator=generator)

    def loss(self, batch: Tensor) -> Tensor:
        """Bits of both kinds of latents; windows of coarse quality, which take few, count as much as others."""
        total = torch.zeros(())
        quality = self.quality[batch]
        worth = torch.exp2((quality - BEST) / 6)
        for prior, latents in zip(self.priors, self.latents, strict=True):
            _, bits, _ = prior(latents[batch], quality)
            total = total + (worth * bits).mean()
        return total / self.pixels

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done and bits a pixel."""
        return {"step": step, "loss": float(f"{loss:.4g}")}


def learn_priors(run: Training, network: DVC, windows: CodecWindows, settings: CodecSettings) -> dict[str, Tensor]:
    """A stage of a run: what the whole network is after its hyperpriors learned."""
    learner = PriorLearner(
        network,
        windows,
        steps=settings.prior_steps,
        each=PRIOR_EACH,
        learning_rate=2 * settings.learning_rate,
        seed=settings.seed,
    )
    if settings.prior_steps:
        run.fit(learner, "probabilities")
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


@torch.no_grad()
def latents_of(network: DVC, windows: CodecWindows) -> tuple[Tensor, Tensor]:
    """Flow latents and residual latents of the first predicted picture of each window, in the quantizer's steps."""
    flows, rests = [], []
    for rows in torch.arange(len(windows.luma)).split(8):
        luma, chroma, quality = windows.take(rows)
        reference, current = (luma[:, :1], chroma[:, 0]), (luma[:, 1:2], chroma[:, 1])
        flow = network.flow_latents(current, reference, quality)
        values = flow.sign() * (flow.abs() + OFFSET).floor().clamp(max=MOST)
        predicted = network.prediction(values, reference, quality)
        flows.append(flow)
        rests.append(network.residual_latents(current, predicted, quality))
    return torch.cat(flows), torch.cat(rests)


@torch.no_grad()
def start_from(prior: Hyperprior, latents: Tensor, quality: Tensor) -> None:
    """Set the usual table of each channel at each anchor to the Laplace distribution of its mean magnitude."""
    size = (latents.abs() + OFFSET).floor().clamp(max=MOST).mean((2, 3))
    near = torch.exp(-0.5 * ((quality[None] - anchors()[:, None]) / ((WORST - BEST) / 10)).square())
    mean = (near @ size) / near.sum(1, keepdim=True) + 1e-4
    # A rounded Laplace value of scale b has the mean magnitude 1 / (2 sinh(1 / 2b)).
    scale = 0.5 / torch.asinh(0.5 / mean)
    prior.usual.table.copy_(((scale / SMALLEST).log() / RATIO).clamp(0, TABLES - 1) / STEP)
