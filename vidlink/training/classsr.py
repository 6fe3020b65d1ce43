"""How ClassSR learns, in the stages of its paper: branches, each on its class of difficulty, the classifier, then all.

1. ``general``: a network of the complex branch's size, on all patches.
2. ``simple``, ``medium``, ``complex``: patches are sorted by the PSNR that the general network reaches. Each branch
   learns from its third; the complex one goes on from the general network.
3. ``classes``: the classifier learns the thirds by themselves, so that it does not begin undecided (not in the paper).
4. ``classifier``: the branches stay as they are, and the classifier learns by what their weighted sum lacks.
5. ``together``: everything learns.

Branches learn by mean squared error, where the paper has L1. The loss of the last two stages is 1000 L1 + class loss +
6 average loss: the class loss makes probabilities far apart, the average loss keeps the classes equally frequent in a
batch (Kong et al., CVPR 2021, equations 3 to 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from vidlink.nets.fsrcnn import FSRCNN
from vidlink.training.patch_pool import EDGE
from vidlink.training.routed import StageLearner, freeze, learned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.nets.classsr import ClassSR
    from vidlink.training.loop import Training
    from vidlink.training.patch_pool import PatchPool
    from vidlink.training.routed import RoutedSettings

    Batch = tuple[Tensor, Tensor, Tensor]

IMAGE_WEIGHT, CLASS_WEIGHT, AVERAGE_WEIGHT = 1000.0, 1.0, 6.0
"""Weights of the three losses."""
COMPLEX_SHARE, CLASSIFIER_SHARE, TOGETHER_SHARE = 0.5, 0.3, 0.4
"""Steps of the later stages, as shares of those of the first."""
TOGETHER_RATE = 0.3
"""Learning rate of the branches in the last stage, as a share of that of the classifier."""
SCORED = 64
"""Patches that are sorted at once."""


class BranchLearner(StageLearner):
    """One branch, on some of the patches."""

    of: Tensor | None = None
    """Numbers of its patches; None for all."""

    def batches(self, epoch: int, generator: Generator) -> Iterator[Batch]:
        """Patches, targets, and what is known."""
        for _ in range(self.steps(epoch)):
            yield self.pool.patches(self.settings.batch, generator, self.of)

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error."""
        given, target, known = (tensor.to(self.device) for tensor in batch)
        return functional.mse_loss(inner(given) + self.network(given, known), target)


class ClassesLearner(StageLearner):
    """The classifier, on the classes that the patches were sorted into."""

    classes: Tensor
    """Class of each patch."""

    def batches(self, epoch: int, generator: Generator) -> Iterator[Batch]:
        """Patches as received, their classes, and what is known."""
        for _ in range(self.steps(epoch)):
            numbers = torch.randint(len(self.classes), (self.settings.batch,), generator=generator)
            given, _, known = self.pool.at(numbers)
            yield inner(given).float() / 255, self.classes[numbers], known

    def loss(self, batch: Batch) -> Tensor:
        """Cross entropy."""
        given, classes, known = (tensor.to(self.device) for tensor in batch)
        logits = self.network(given, known)
        self.note(right=float((logits.argmax(dim=1) == classes).float().mean()))
        return functional.cross_entropy(logits, classes)


class RoutingLearner(StageLearner):
    """The classifier, or all of it."""

    clip = None

    def batches(self, epoch: int, generator: Generator) -> Iterator[Batch]:
        """Patches, targets, and what is known."""
        for _ in range(self.steps(epoch)):
            yield self.pool.patches(self.settings.batch, generator)

    def loss(self, batch: Batch) -> Tensor:
        """The three losses together."""
        given, target, known = (tensor.to(self.device) for tensor in batch)
        network: Any = self.network
        lacking, shares = network.weighted(given, known)
        image = functional.l1_loss(inner(given) + lacking, target)
        apart, even = class_loss(shares), average_loss(shares)
        self.note(image=float(image.detach()), apart=float(apart.detach()), even=float(even.detach()))
        return IMAGE_WEIGHT * image + CLASS_WEIGHT * apart + AVERAGE_WEIGHT * even


def inner(given: Tensor) -> Tensor:
    """Patches without what is around them."""
    return given[..., EDGE:-EDGE, EDGE:-EDGE]


def class_loss(shares: Tensor) -> Tensor:
    """``M - 1 - mean of the sum over pairs of |P_i - P_j|``: 0 where every patch is of one class for sure.

    Parameters
    ----------
    shares
        Probabilities, shape (n, M).
    """
    first, second = torch.triu_indices(shares.shape[1], shares.shape[1], 1).unbind(0)
    return shares.shape[1] - 1 - (shares[:, first] - shares[:, second]).abs().sum(dim=1).mean()


def average_loss(shares: Tensor) -> Tensor:
    """``sum |sum P_i - n / M| / (4 n / M)``: 0 where all classes are equally frequent; scaled as in the authors' code.

    Parameters
    ----------
    shares
        Probabilities, shape (n, M).
    """
    wanted = len(shares) / shares.shape[1]
    return (shares.sum(dim=0) - wanted).abs().sum() / (4 * wanted)


def thirds(network: FSRCNN, pool: PatchPool, classes: int, device: torch.device) -> list[Tensor]:
    """Numbers of the patches of each class, from those that a network restores best to those that it restores worst."""
    numbers, errors = torch.arange(4 * len(pool)), []
    network.eval()
    with torch.inference_mode():
        for part in numbers.split(SCORED):
            given, target, known = (tensor.to(device).float() for tensor in pool.at(part))
            restored = inner(given / 255) + network(given / 255, known)
            errors.append((restored.clamp(0, 1) - target / 255).square().mean(dim=(1, 2, 3)).cpu())
    return [part.clone() for part in torch.cat(errors).argsort(stable=True).tensor_split(classes)]


def learn_classsr(
    network: ClassSR, pool: PatchPool, settings: RoutedSettings, run: Training, *, device: torch.device
) -> dict[str, Tensor]:
    """Train a network in place, stage by stage; gives the weights of the general one, for comparison."""
    branches: list[Any] = list(network.branches)
    general = FSRCNN(branches[-1].width).to(device)
    general.load_state_dict(branches[-1].state_dict())
    of_general = learned(run, BranchLearner(general, pool, settings, stage=0, device=device), "general")

    def sort() -> dict[str, Any]:
        return {"of": thirds(general, pool, len(branches), device)}

    classes = run.stage("sorted", sort)["of"]
    branches[-1].load_state_dict(of_general)
    for number, (name, branch) in enumerate(zip(network.paths, branches, strict=True)):
        share = COMPLEX_SHARE if number == len(branches) - 1 else 1.0
        learner = BranchLearner(branch, pool, settings, stage=1 + number, share=share, device=device)
        learner.of = classes[number]
        learned(run, learner, name)
    sorter = ClassesLearner(network.classifier, pool, settings, stage=7, device=device)
    sorter.classes = torch.empty(4 * len(pool), dtype=torch.long)
    for number, of in enumerate(classes):
        sorter.classes[of] = number
    learned(run, sorter, "classes")
    for stage, (name, share) in enumerate((("classifier", CLASSIFIER_SHARE), ("together", TOGETHER_SHARE)), start=8):
        freeze(network.branches.parameters(), frozen=name == "classifier")
        router = RoutingLearner(network, pool, settings, stage=stage, share=share, device=device)
        groups: list[dict[str, Any]] = [{"params": network.classifier.parameters()}]
        if name == "together":
            groups.append({"params": network.branches.parameters(), "share": TOGETHER_RATE})
        router.optimizer = torch.optim.Adam(groups, lr=settings.learning_rate)
        learned(run, router, name)
    return of_general
