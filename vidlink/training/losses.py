"""Losses as data: what a network for pictures learns from, each term with a weight.

``recognition,restoration:100`` is the sum of two terms, the second a hundred times as heavy (the hybrid loss of Liu et
al., "When image denoising meets high-level vision tasks", IJCAI 2018, arXiv 1706.04284). A new term is a function and a
line in :data:`TERMS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from vidlink.errors import UserError, unknown
from vidlink.nets.seen import BRANCHES, RESTORES, THROUGH, Seen
from vidlink.training.objective import feature_distance

if TYPE_CHECKING:
    from torch import Tensor

PLACES = 16
"""Affinities are those of at most so many rows and columns of places."""
PATCH, DIRECTIONS = 7, 16
"""Side of the patches whose distributions are compared, and along how many directions."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a step has at hand to work its terms out."""

    seen: Seen
    """What the network makes of the pictures."""
    pristine: Tensor
    """What they were, shape (n, c, h, w), within [0, 1]."""
    against_labels: Callable[[Tensor], Tensor]
    """What is lost by outputs, held against the labels."""
    recognizer: Any = None
    """The part that sees restored pictures alone; its ``features`` of the pristine ones are what those should be."""
    teacher: Any = None
    """A network that sees the pristine pictures."""


def recognition(look: Look) -> Tensor:
    """Outputs against the labels; the mean where there are several."""
    return torch.stack([look.against_labels(each) for each in look.seen.outputs]).mean()


def restoration(look: Look) -> Tensor:
    """Mean squared error of restored pictures, as a share of full scale; the mean where there are several."""
    return torch.stack([functional.mse_loss(each.float(), look.pristine) for each in look.seen.restored]).mean()


def perception(look: Look) -> Tensor:
    """Distance between the distributions of patches of restored and of pristine pictures."""
    return patch_distance(look.seen.restored[-1].float(), look.pristine)


def features(look: Look) -> Tensor:
    """Distance of the recognizer's features of restored pictures from those of the pristine ones."""
    return _distance(look, look.recognizer)


def distil(look: Look) -> Tensor:
    """Distance of features from those of a teacher that sees the pristine pictures."""
    return _distance(look, look.teacher)


def _distance(look: Look, of: Any) -> Tensor:
    if look.seen.features is None:
        raise ValueError("no features were looked at")
    with torch.no_grad():
        wanted = of.features(look.pristine)
    return feature_distance(look.seen.features, wanted)


def affinity(look: Look) -> Tensor:
    """Mean absolute difference of two branches' affinities: which places look alike to each (DSRL)."""
    branches = (look.seen.features, look.seen.beside)
    recognizes, restores = (affinities(each.float()) for each in branches if each is not None)
    return (recognizes - restores).abs().mean()


def affinities(maps: Tensor) -> Tensor:
    """Cosine similarity of the features at each two places: (n, c, h, w) to (n, places, places).

    Wang et al., "Dual super-resolution learning for semantic segmentation", CVPR 2020, equation 4; like there maps are
    made smaller first.
    """
    high, wide = maps.shape[-2:]
    smaller = functional.adaptive_avg_pool2d(maps, (min(PLACES, high), min(PLACES, wide)))
    unit = functional.normalize(smaller.flatten(2), dim=1)
    return unit.mT @ unit


def patch_distance(ours: Tensor, theirs: Tensor) -> Tensor:
    """Sliced Wasserstein distance between the distributions of patches of two batches of pictures.

    Patches are projected on random directions without a mean, so that brightness does not count, and the sorted
    projections are compared: 0 where the patches of all pictures together are distributed alike, whatever picture each
    is of. J. Rabin et al., "Wasserstein barycenter and its application to texture mixing", SSVM 2011. It stands for the
    divergence of distributions that Y. Blau and T. Michaeli (CVPR 2018, arXiv 1711.06077) call perception.

    Parameters
    ----------
    ours, theirs
        Shape (n, c, h, w) each, sides of 7 or more.
    """
    directions = torch.randn(DIRECTIONS, ours.shape[1], PATCH, PATCH).to(ours)
    directions = directions - directions.mean(dim=(1, 2, 3), keepdim=True)
    directions = directions / directions.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    both = (functional.conv2d(each, directions, stride=2).transpose(0, 1).flatten(1) for each in (ours, theirs))
    one, other = (each.sort(dim=1).values for each in both)
    return (one - other).abs().mean()


@dataclass(frozen=True, kw_only=True)
class Term:
    """One thing to be made small."""

    value: Callable[[Look], Tensor]
    """Works it out, a scalar."""
    needs: str = ""
    """What a network must say in ``gives`` (:mod:`vidlink.nets.seen`); empty for nothing."""
    lacking: str = ""
    """Which networks have that, for messages."""
    recognizes: bool = False
    """Whether it looks at outputs or features."""


_RESTORER = "RESTORER/NETWORK, NETWORK+decoder or boost"
TERMS = {
    "recognition": Term(value=recognition, recognizes=True),
    "restoration": Term(value=restoration, needs=RESTORES, lacking=_RESTORER),
    "features": Term(value=features, needs=THROUGH, lacking="RESTORER/NETWORK", recognizes=True),
    "perception": Term(value=perception, needs=RESTORES, lacking=_RESTORER),
    "distil": Term(value=distil, recognizes=True),
    "affinity": Term(value=affinity, needs=BRANCHES, lacking="NETWORK+decoder", recognizes=True),
}
"""All terms by the name that a command line gives them."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A sum of terms."""

    weights: tuple[tuple[str, float], ...] = (("recognition", 1.0),)
    """Names of terms, and how heavy each is."""

    def __contains__(self, name: str) -> bool:
        """Whether it has the term."""
        return any(name == each for each, _ in self.weights)

    @property
    def recognizes(self) -> bool:
        """Whether any term looks at outputs or features."""
        return any(TERMS[name].recognizes for name, _ in self.weights)

    def __call__(self, look: Look) -> Tensor:
        """The sum, a scalar."""
        return torch.stack([weight * TERMS[name].value(look) for name, weight in self.weights]).sum()

    def __str__(self) -> str:
        """As a command line has it."""
        return ",".join(name if weight == 1 else f"{name}:{weight:g}" for name, weight in self.weights)

    def check(self, network: Any, name: str) -> None:
        """Refuse terms that a network of that name does not serve; raises UserError."""
        for each, _ in self.weights:
            term = TERMS[each]
            if term.needs and term.needs not in getattr(network, "gives", ()):
                raise UserError(f"--loss {each}: --network {name} has nothing for it; expected {term.lacking}")


def parse_loss(text: str) -> Loss:
    """Parse ``TERM[:WEIGHT],...``.

    Raises
    ------
    UserError
        A term is unknown or there twice, or a weight is no positive number.

    Examples
    --------
    >>> parse_loss("recognition,restoration:100").weights
    (('recognition', 1.0), ('restoration', 100.0))
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, colon, number = part.strip().partition(":")
        if name not in TERMS:
            raise unknown("term of a loss", name, TERMS)
        if name in weights:
            raise UserError(f"--loss {text}: has {name} twice")
        try:
            weights[name] = float(number) if colon else 1.0
        except ValueError:
            weights[name] = math.nan
        if not 0 < weights[name] < math.inf:
            raise UserError(f"--loss {part.strip()}: expected {name}:WEIGHT, a number above 0")
    return Loss(weights=tuple(weights.items()))
