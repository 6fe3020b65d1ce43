"""Train the activity network: generated figures first, then clips; five folds by recording group tell how well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from vidlink.data.figures import ACTIONS, FRAME_RATE, draw_clips
from vidlink.errors import UserError
from vidlink.nets.motion import ActivityNet
from vidlink.training.loop import computes_bfloat16, one_cycle
from vidlink.training.windows import Variation, draw_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.data.classfolders import ClipSet

    Window = tuple[NDArray, NDArray, str]


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


class Pool:
    """Clips to draw training windows from, all classes alike often.

    Parameters
    ----------
    clips, labels, widths
        The clips, the name of each one's class, and the width of each source in pixels.
    frame_rate
        Frames a second.
    """

    def __init__(
        self, clips: Sequence[NDArray], labels: Sequence[str], widths: Sequence[int], frame_rate: float
    ) -> None:
        self._clips, self._labels, self._widths, self._frame_rate = clips, labels, widths, frame_rate
        counts = {label: labels.count(label) for label in labels}
        weights = np.array([1 / counts[label] for label in labels])
        self._shares = weights / weights.sum()

    def draw(self, count: int, variation: Variation, rng: np.random.Generator) -> list[Window]:
        """Draw ``count`` windows; see :func:`~vidlink.training.windows.draw_window`."""
        chosen = rng.choice(len(self._clips), count, p=self._shares)
        return [
            draw_window(self._clips[k], self._frame_rate, self._widths[k], self._labels[k], variation, rng)
            for k in chosen.tolist()
        ]


def pool_of(found: ClipSet, rows: NDArray) -> Pool:
    """The pool of some clips of a set."""
    labels = [found.files[row].label for row in rows]
    return Pool([found.clips[row] for row in rows], labels, [found.sizes[row][0] for row in rows], found.frame_rate)


def pool_of_figures(count: int, seed: int) -> Pool:
    """The pool of so many generated clips."""
    clips, labels = draw_clips(np.random.default_rng(seed), count)
    return Pool(clips, [ACTIONS[label] for label in labels], [320] * count, FRAME_RATE)


class ActivityTraining:
    """Makes and trains activity networks that start from the same generated figures.

    Parameters
    ----------
    settings
        What decides the result.
    variation
        How windows differ from clips.
    device
        Where to compute.
    quiet
        Whether to show no progress bars.
    """

    def __init__(
        self, settings: ActivitySettings, variation: Variation, *, device: torch.device, quiet: bool = False
    ) -> None:
        self._settings, self._variation, self._device, self._quiet = settings, variation, device, quiet
        self._half = computes_bfloat16(device)
        self._figures = pool_of_figures(settings.figures, settings.seed + 1) if settings.figures else None
        self._start: dict[str, Tensor] | None = None

    def start(self, pool: Pool) -> None:
        """Learn what can be learned before any label: restoration (also on ``pool``) and generated figures."""
        settings = self._settings
        rng = np.random.default_rng(settings.seed)
        network = self._network(ACTIONS)
        if network.restorer.residual is not None and settings.restorer_steps:
            self._restore(network, self._figures or pool, rng)
        if self._figures:
            self._learn(network, ACTIONS, [(self._figures, settings.batch)], settings.figure_steps, 1.0, rng, "figures")
        self._start = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def train(self, pool: Pool, classes: Sequence[str], name: str = "clips") -> ActivityNet:
        """Train a network on clips, from where :meth:`start` left off."""
        settings = self._settings
        if self._start is None:
            self.start(pool)
        assert self._start is not None
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
        self._learn(network, classes, parts, settings.steps, 0.5, rng, name)
        return network.eval()

    def _network(self, classes: Sequence[str]) -> ActivityNet:
        settings = self._settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            channels = 0 if settings.restorer == "none" else settings.channels
            return ActivityNet(len(classes), restorer=channels).to(self._device)

    def _restore(self, network: ActivityNet, pool: Pool, rng: np.random.Generator) -> None:
        """Let the restorer undo the degradation: mean squared error against the brightened pristine window."""
        restorer, settings = network.restorer, self._settings
        assert restorer.residual is not None
        optimizer = torch.optim.AdamW(restorer.residual.parameters(), lr=settings.learning_rate)
        for step in self._steps(settings.restorer_steps, "restorer"):
            windows = pool.draw(max(1, settings.batch // 4), self._variation, rng)
            coarse, pristine = (self._tensor(side) for side in list(zip(*windows, strict=True))[:2])
            with torch.no_grad():
                wanted = restorer.brighten(pristine)
            loss = functional.mse_loss(restorer(coarse), wanted)
            self._descend(optimizer, loss, step / settings.restorer_steps, settings.learning_rate)

    def _learn(
        self,
        network: ActivityNet,
        classes: Sequence[str],
        parts: Sequence[tuple[Pool, int]],
        steps: int,
        rate: float,
        rng: np.random.Generator,
        name: str,
    ) -> None:
        settings, place = self._settings, {label: k for k, label in enumerate(classes)}
        if settings.restorer == "alone" and network.restorer.residual is not None:
            network.restorer.residual.requires_grad_(False)
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(learning, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        network.train()
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(settings.seed)
            for step in self._steps(steps, name):
                windows = [each for pool, count in parts for each in pool.draw(count, self._variation, rng)]
                wanted = torch.tensor([place[window[2]] for window in windows], device=self._device)
                with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._half):
                    scores = network(self._tensor([window[0] for window in windows]))
                loss = functional.cross_entropy(scores.float(), wanted, label_smoothing=settings.smoothing)
                self._descend(optimizer, loss, step / steps, rate * settings.learning_rate)

    def _descend(self, optimizer: torch.optim.Optimizer, loss: Tensor, progress: float, peak: float) -> None:
        if not math.isfinite(float(loss.detach())):
            raise UserError(f"the loss is {float(loss.detach())}: a lower --learning-rate may help")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], 5.0)
        for group in optimizer.param_groups:
            group["lr"] = one_cycle(progress, peak)
        optimizer.step()

    def _tensor(self, windows: Sequence[NDArray]) -> Tensor:
        return torch.from_numpy(np.stack(windows)).to(self._device) / 255

    def _steps(self, count: int, name: str) -> Any:
        return tqdm(range(count), desc=name, unit="step", disable=self._quiet)
