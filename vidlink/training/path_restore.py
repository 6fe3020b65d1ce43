"""How Path-Restore learns: first its paths, chosen by chance, then the path finder by reward, and the paths with it.

The reward of a patch is what its restoration gains in mean squared error, weighed by difficulty, less a penalty for
every residual block (Yu et al., IEEE TPAMI 44, 2022, section 3.3). Difficulty is the error that is left, at most 1: so
a gain counts less in patches that are easy anyway. The gradient is REINFORCE (Williams, Machine Learning 8, 1992); each
window is restored twice, by different draws, and the reward of one is the baseline of the other.

Two things differ from the paper. Gains are in units of the mean error of interpolated patches, so that rewards have a
scale. And the penalty moves until a given share of the residual blocks is computed, instead of being tuned by hand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from vidlink.nets.patchwork import cut, grid_of, join
from vidlink.nets.path_restore import BYPASS, LONG
from vidlink.training.classsr import inner
from vidlink.training.patch_pool import SIDE
from vidlink.training.routed import StageLearner, learned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.nets.path_restore import PathRestore
    from vidlink.training.loop import Training
    from vidlink.training.patch_pool import PatchPool
    from vidlink.training.routed import RoutedSettings

    Batch = tuple[Tensor, Tensor, Tensor]

USED = 0.4
"""Share of the residual blocks that the penalty aims at."""
PENALTY, PACE = 0.02, 0.02
"""The penalty of all blocks together in the beginning, and how fast it moves: by so much a step at the most."""
BOUNDS = (0.002, 0.2)
"""It stays within, or it would be far off by the time that a path finder which has made up its mind follows it."""
FINDER_SHARE = 0.7
"""Steps of the second stage, as a share of those of the first."""
PULL = 0.01
"""Weight of the squared distance between both logits in the path finder's loss: a chance that is nearly 0 or 1 would
hardly learn any more, and an entropy would not bring it back either."""
PATHS_RATE = 0.3
"""Learning rate of the paths in the second stage, as a share of that of the path finder."""


class PathsLearner(StageLearner):
    """The paths, whose choice is left to chance, or to the path finder, which learns as well.

    ``finds`` says which.
    """

    clip = None
    finds = False
    penalty = PENALTY
    unit_error = 0.0
    """Mean squared error of interpolated patches, about."""

    def batches(self, epoch: int, generator: Generator) -> Iterator[Batch]:
        """Windows, targets, and what is known; where paths are found each window twice."""
        for _ in range(self.steps(epoch)):
            count = math.ceil(self.settings.batch / 4)
            given, target, known = self.pool.windows(math.ceil(count / 2) if self.finds else count, generator)
            both = 2 if self.finds else 1
            yield given.repeat(both, 1, 1, 1), target.repeat(both, 1, 1, 1), known.repeat(both, 1)

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error, in the second stage with the path finder's loss."""
        given, target, known = (tensor.to(self.device) for tensor in batch)
        start: Any = inner(given)
        lacking, log_chance, apart, used = wander(self.network, start, known, finds=self.finds)  # type: ignore[arg-type]
        error = _by_patch((start + lacking - target).square())
        if not self.finds:
            self.note(error=float(error.detach().mean()))
            return error.mean()
        with torch.no_grad():
            before = _by_patch((start - target).square())
            self.unit_error = (
                0.98 * self.unit_error + 0.02 * float(before.mean()) if self.unit_error else float(before.mean())
            )
            reward = self.reward(before, error, used)
            first, second = reward.chunk(2)
            advantage = torch.cat([first - second, second - first])
            advantage = advantage / (advantage.std() + 1e-6)
            share = float(used.mean())
            moved = self.penalty * math.exp(PACE * max(-1.0, min(1.0, 4 * (share - USED))))
            self.penalty = min(max(moved, BOUNDS[0]), BOUNDS[1])
        self.note(error=float(error.detach().mean()), used=share, penalty=self.penalty)
        finder = -(advantage * log_chance).mean() + PULL * apart.mean()
        return error.mean() + finder

    def reward(self, before: Tensor, after: Tensor, used: Tensor) -> Tensor:
        """Of each patch: what it gained, weighed by difficulty, less the penalty for the blocks that it used."""
        difficulty = (after / self.unit_error).clamp(max=1)
        return difficulty * (before - after) / self.unit_error - self.penalty * used

    def state(self) -> dict[str, Any]:
        """Penalty and unit of gains."""
        return {"penalty": self.penalty, "unit_error": self.unit_error}

    def load(self, state: dict[str, Any]) -> None:
        """Take both back."""
        self.penalty, self.unit_error = state["penalty"], state["unit_error"]


def wander(
    network: PathRestore, pictures: Tensor, known: Tensor, *, finds: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Restore by paths that are drawn, each patch by itself: by the path finder's chances, or either one as likely.

    Returns
    -------
    lacking, shape (n, 1, h, w)
        What the pictures lack.
    log_chance, apart, used, shape (patches,)
        Of all that was drawn for a patch: logarithm of its probability, mean squared distance between the logits of
        both paths, share of residual blocks.
    """
    grid = grid_of(*pictures.shape[-2:])
    of_patches = known.repeat_interleave(grid.patches, 0)
    features, memory = network.begin(pictures, known), None
    zero = pictures.new_zeros(len(of_patches))
    log_chance, apart, used = zero, zero, zero
    blocks: Any = network.blocks
    for block in blocks:
        features = block.together(features)
        if finds:
            logits, memory = network.finder(cut(features.detach(), grid.height, grid.width, 0), of_patches, memory)
            chances = torch.distributions.Categorical(logits=logits)
            drawn = chances.sample()
            log_chance = log_chance + chances.log_prob(drawn)
            apart = apart + (logits[:, LONG] - logits[:, BYPASS]).square() / len(blocks)
        else:
            drawn = torch.randint(2, zero.shape, device=zero.device)
        long = drawn == LONG
        around = functional.pad(features, (2, 2, 2, 2), mode="replicate")
        mask = join(long.float()[:, None, None, None].expand(-1, 1, grid.height, grid.width), grid.rows, grid.columns)
        features = torch.where(mask > 0, block.longer(around), features)
        used = used + long.float() / len(blocks)
    return network.end(features), log_chance, apart, used


def _by_patch(error: Tensor) -> Tensor:
    """Mean over each patch, row by row: shape (n, 1, h, w) to (patches,)."""
    return functional.avg_pool2d(error, SIDE).flatten()


def learn_path_restore(
    network: PathRestore, pool: PatchPool, settings: RoutedSettings, run: Training, *, device: torch.device
) -> None:
    """Train a network in place, both stages."""
    for stage, (name, share) in enumerate((("paths", 1.0), ("finder", FINDER_SHARE))):
        learner = PathsLearner(network, pool, settings, stage=stage, share=share, device=device)
        learner.finds = name == "finder"
        if learner.finds:
            finder = {id(parameter) for parameter in network.finder.parameters()}
            rest = [parameter for parameter in network.parameters() if id(parameter) not in finder]
            groups: list[dict[str, Any]] = [
                {"params": network.finder.parameters()},
                {"params": rest, "share": PATHS_RATE},
            ]
            learner.optimizer = torch.optim.Adam(groups, lr=settings.learning_rate)
        learned(run, learner, name)
