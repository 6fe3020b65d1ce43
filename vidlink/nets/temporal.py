"""What follows time: a small network behind one that looks at each picture by itself.

Each look of a window is known by what the first network answers about it, the scale factor and QP at which it was
coded, its age, how far it is from the picture that is asked about, and how like that picture and the look before it
is. A recurrent layer (GRU: Cho et al., EMNLP 2014) reads the window in both directions; attention (Vaswani et al.,
NeurIPS 2017) then says how much each look counts. The answer is that of the first network on their weighted mean, plus
a correction. Features themselves go into the mean alone: a network that was given them learned faces by heart. Before
it learns anything the network is a mean over neighbouring looks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

KNOWN = 5
"""Numbers known of each look beside its features."""
COMPARED = 8
"""Numbers by which features are compared, beside their correlation."""
_NEAR_S = 0.15
"""At first a look counts by this factor of e less for each so many seconds that it is away."""


class TemporalNet(nn.Module):
    """A window of looks in, the numbers about one of its pictures out.

    Parameters
    ----------
    base
        Looks at pictures: has ``features`` and ``head``, a linear layer, see :mod:`vidlink.nets.build`.
    count
        How many features it has.
    outputs
        Numbers given.
    hidden
        Units of the recurrent layer in each direction.
    dropout
        Share of what the correction sees left out in training.
    """

    def __init__(self, base: nn.Module, count: int, outputs: int, *, hidden: int = 32, dropout: float = 0.2) -> None:
        super().__init__()
        self.base: Any = base
        self.norm = nn.BatchNorm1d(count, affine=False)
        self.compare = nn.Linear(count, COMPARED, bias=False)
        self.inner = nn.Sequential(nn.Linear(outputs + KNOWN + 4, hidden), nn.ReLU(inplace=True))
        self.over_time = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.query, self.key = nn.Linear(2 * hidden, hidden), nn.Linear(2 * hidden, hidden)
        self.near = nn.Parameter(torch.tensor(1.0))
        self.correct = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * hidden, outputs))
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.query.bias)
        nn.init.zeros_(self.correct[1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correct[1].bias)  # type: ignore[arg-type]

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What is kept of pictures, shape (n, features): those of the first network."""
        return self.base.features(pictures, scale)

    def forward(self, looks: Tensor, known: Tensor, asked: int) -> Tensor:
        """Answer about the picture at place ``asked`` of each window.

        Parameters
        ----------
        looks
            Features, shape (n, m, features).
        known
            As :func:`known_of` gives it, shape (n, m, 5).
        asked
            Place in the window.

        Returns
        -------
        Tensor
            Shape (n, outputs).
        """
        mean, correction = self.parts(looks, known, asked)
        return mean + correction

    def parts(self, looks: Tensor, known: Tensor, asked: int) -> tuple[Tensor, Tensor]:
        """The two parts of the answer: that of the first network on the weighted mean, and the correction."""
        alone = self.base.head(looks)
        told, _ = self.over_time(self.inner(torch.cat([alone, known, *self._likeness(looks, alone, asked)], dim=2)))
        own = told[:, asked]
        likeness = (self.key(told) @ self.query(own)[:, :, None])[:, :, 0] / math.sqrt(self.key.out_features)
        counts = (likeness - self.near * known[:, :, -1].abs() / _NEAR_S).softmax(dim=1)[:, :, None]
        mean = (counts * looks).sum(dim=1)
        return self.base.head(mean), self.correct(torch.cat([own, (counts * told).sum(dim=1)], dim=1))

    def _likeness(self, looks: Tensor, alone: Tensor, asked: int) -> tuple[Tensor, ...]:
        """How far each look is from the one that is asked about and from the one before, shapes (n, m, 1) and more."""
        even = self.norm(looks.flatten(0, 1)).reshape(looks.shape)
        same = functional.cosine_similarity(even, even[:, asked, None], dim=2)[:, :, None]
        before = functional.cosine_similarity(even[:, 1:], even[:, :-1], dim=2)[:, :, None]
        place = self.compare(even)
        apart = (place - place[:, asked, None]).square().mean(dim=2, keepdim=True)
        moved = (alone - alone[:, asked, None]).abs().mean(dim=2, keepdim=True)
        return same, functional.pad(before, (0, 0, 1, 0), value=1.0), apart, moved


def known_of(scale: Tensor, qp: Tensor, age_s: Tensor, offset_s: Tensor) -> Tensor:
    """What is known of looks as the network takes it, shape (n, m, 5), of four tensors of shape (n, m)."""
    has_qp = qp.isfinite()
    qp = torch.where(has_qp, (qp - 32) / 10, torch.zeros_like(qp))
    octaves = scale.clamp(min=1).log2()
    age_s = age_s.nan_to_num(2.0).clamp(0, 2)
    return torch.stack([octaves, qp, has_qp.to(qp), age_s, offset_s], dim=-1)
