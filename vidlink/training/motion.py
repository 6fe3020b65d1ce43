"""Train the activity network: generated figures first, then clips; five folds by recording group tell how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from vidlink.data.figures import ACTIONS
from vidlink.nets.motion import ActivityNet
from vidlink.nets.precision import computes_bfloat16
from vidlink.training.learner import Learner
from vidlink.training.pools import Pool, pool_of_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Generator, Tensor, nn

    from vidlink.nets.motion import Restorer
    from vidlink.training.learner import Row
    from vidlink.training.loop import Training
    from vidlink.training.pools import Window
    from vidlink.training.windows import Variation


@dataclass(frozen=True, kw_only=True)
class ActivitySettings:
    """Everything that decides what a run learns."""

    figures: int = 700
    """Generated clips to learn from first; 0 for none."""
    figure_steps: int = 120
    """Steps on them."""
    restorer_steps: int = 30
    """Steps in which the restorer alone learns to undo the degradation, before that."""
    steps: int = 60
    """Steps on the clips."""
    share: float = 0.4
    """Share of generated clips among them, where their classes are the same."""
    batch: int = 24
    """Windows a step."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule on figures; on clips it is a half."""
    weight_decay: float = 0.05
    """Decoupled weight decay of AdamW."""
    smoothing: float = 0.1
    """Share of each label that is spread over all classes."""
    restorer: str = "joint"
    """``joint``: pre-trained, then trained with all else on figures; ``alone``: pre-trained and left as it is;
    ``none``: gamma only. On clips it is left as it is."""
    channels: int = 6
    """Channels of the restorer."""
    seed: int = 0
    """Of weights, order and degradations."""


class WindowLearner(Learner):
    """What both learners of windows share: all steps are one epoch, and windows come from a NumPy generator.

    Parameters
    ----------
    network
        What learns.
    steps
        How many.
    settings, variation
        What decides the result, and how windows differ from clips.
    rng
        Source of the windows; it is left where the last one was drawn.
    device
        Where to compute.
    """

    epochs = 1
    unit = "step"

    def __init__(
        self,
        network: nn.Module,
        steps: int,
        settings: ActivitySettings,
        variation: Variation,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        self.network, self.learning_rate = network, settings.learning_rate
        self._steps, self._settings, self._variation, self._rng, self._device = steps, settings, variation, rng, device

    def steps(self, epoch: int) -> int:
        """All of them."""
        return self._steps

    def seed(self, epoch: int) -> int:
        """Seed of dropout."""
        return self._settings.seed

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done and mean loss."""
        return {"step": step, "loss": float(f"{loss:.4g}")}

    def state(self) -> dict[str, Any]:
        """Where the generator of the windows is."""
        return {"rng": self._rng.bit_generator.state}

    def load(self, state: dict[str, Any]) -> None:
        """Put that generator there."""
        self._rng.bit_generator.state = state["rng"]

    def _tensor(self, windows: Sequence[NDArray]) -> Tensor:
        return torch.from_numpy(np.stack(windows)).to(self._device) / 255


class RestorerOfWindows(WindowLearner):
    """Lets the restorer in front undo the degradation: mean squared error against the brightened pristine window."""

    def __init__(self, restorer: Restorer, pool: Pool, settings: ActivitySettings, *rest: Any) -> None:
        assert restorer.residual is not None
        super().__init__(restorer.residual, settings.restorer_steps, settings, *rest)
        self._restorer, self._pool = restorer, pool
        self.optimizer = torch.optim.AdamW(restorer.residual.parameters(), lr=settings.learning_rate)

    def batches(self, epoch: int, generator: Generator) -> Iterator[list[Window]]:
        """A quarter of the usual windows a step."""
        for _ in range(self._steps):
            yield self._pool.draw(max(1, self._settings.batch // 4), self._variation, self._rng)

    def loss(self, batch: list[Window]) -> Tensor:
        """Mean squared error."""
        coarse, pristine = (self._tensor(side) for side in list(zip(*batch, strict=True))[:2])
        with torch.no_grad():
            wanted = self._restorer.brighten(pristine)
        return functional.mse_loss(self._restorer(coarse), wanted)


class ActivityLearner(WindowLearner):
    """Lets the network name what is done in windows; ``parts`` says how many of each pool make a batch."""

    def __init__(
        self,
        network: ActivityNet,
        classes: Sequence[str],
        parts: Sequence[tuple[Pool, int]],
        steps: int,
        settings: ActivitySettings,
        *rest: Any,
    ) -> None:
        super().__init__(network, steps, settings, *rest)
        self._place = {label: k for k, label in enumerate(classes)}
        self._parts, self._half = parts, computes_bfloat16(self._device)
        if settings.restorer == "alone" and network.restorer.residual is not None:
            network.restorer.residual.requires_grad_(False)
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=settings.learning_rate, weight_decay=settings.weight_decay)

    def batches(self, epoch: int, generator: Generator) -> Iterator[list[Window]]:
        """Windows of each pool."""
        for _ in range(self._steps):
            yield [each for pool, count in self._parts for each in pool.draw(count, self._variation, self._rng)]

    def loss(self, batch: list[Window]) -> Tensor:
        """Cross entropy against smoothed labels."""
        wanted = torch.tensor([self._place[window[2]] for window in batch], device=self._device)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._half):
            scores = self.network(self._tensor([window[0] for window in batch]))
        return functional.cross_entropy(scores.float(), wanted, label_smoothing=self._settings.smoothing)


class ActivityTraining:
    """Makes and trains activity networks that start from the same generated figures, as stages of a run.

    Parameters
    ----------
    run
        The run: what it has done already is not done again.
    settings
        What decides the result.
    variation
        How windows differ from clips.
    pool
        All clips: what the restorer learns from where there are no figures.
    device
        Where to compute.
    """

    def __init__(
        self, run: Training, settings: ActivitySettings, variation: Variation, pool: Pool, *, device: torch.device
    ) -> None:
        self._run, self._settings, self._variation, self._device = run, settings, variation, device
        self._figures = pool_of_figures(settings.figures, settings.seed + 1) if settings.figures else None
        self._start = self._begin(self._figures or pool)

    def _begin(self, pool: Pool) -> dict[str, Tensor]:
        """Learn what can be learned before any label: restoration and generated figures."""
        settings, network = self._settings, self._network(ACTIONS)

        def restore() -> dict[str, Any]:
            rng = np.random.default_rng(settings.seed)
            if network.restorer.residual is not None and settings.restorer_steps:
                self._run.fit(RestorerOfWindows(network.restorer, pool, settings, *self._with(rng)), "restorer")
            return {"weights": copied(network), "rng": rng.bit_generator.state}

        def draw() -> dict[str, Any]:
            rng = np.random.default_rng()
            rng.bit_generator.state = restored["rng"]
            if self._figures and settings.figure_steps:
                parts = [(self._figures, settings.batch)]
                learner = ActivityLearner(network, ACTIONS, parts, settings.figure_steps, settings, *self._with(rng))
                self._run.fit(learner, "figures")
            return {"weights": copied(network)}

        restored = self._run.stage("restorer", restore)
        network.load_state_dict(restored["weights"])
        return dict(self._run.stage("figures", draw)["weights"])

    def train(self, pool: Pool, classes: Sequence[str], name: str) -> ActivityNet:
        """Train a network on clips, from where the figures left off; ``name`` is the stage's."""
        settings = self._settings
        same = tuple(classes) == ACTIONS
        network = self._network(classes)
        learned = {key: tensor for key, tensor in self._start.items() if same or not key.startswith("head.")}
        network.load_state_dict(learned, strict=same)
        network.restorer.requires_grad_(False)  # a hundred clips teach it nothing new, and cost three times as much
        generated = round(settings.batch * settings.share) if same and self._figures else 0
        parts = [(pool, settings.batch - generated)]
        if self._figures and generated:
            parts.append((self._figures, generated))
        rng = np.random.default_rng(settings.seed + 2)
        learner = ActivityLearner(network, classes, parts, settings.steps, settings, *self._with(rng))
        learner.learning_rate *= 0.5
        self._run.fit(learner, name)
        return network.eval()

    def _with(self, rng: np.random.Generator) -> tuple[Variation, np.random.Generator, torch.device]:
        return self._variation, rng, self._device

    def _network(self, classes: Sequence[str]) -> ActivityNet:
        settings = self._settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            channels = 0 if settings.restorer == "none" else settings.channels
            return ActivityNet(len(classes), restorer=channels).to(self._device)


def copied(network: nn.Module) -> dict[str, Tensor]:
    """The weights as they are now."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
