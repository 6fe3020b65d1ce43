"""What training minimises: concordance of valence and arousal, and the votes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

DIMENSIONS = 2
"""The network's first outputs are valence and arousal; the others, if any, are logits of the emotions."""

GROUP = 32
"""About so many faces of like scale factor are compared with one another."""


def concordance(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient over a batch, differentiable, by population variances.

    Parameters
    ----------
    predicted, wanted
        Shape (n, d).

    Returns
    -------
    Tensor
        Shape (d,).
    """
    difference = predicted.mean(0) - wanted.mean(0)
    centred_p, centred_w = predicted - predicted.mean(0), wanted - wanted.mean(0)
    denominator = centred_p.square().mean(0) + centred_w.square().mean(0) + difference.square()
    return 2 * (centred_p * centred_w).mean(0) / denominator.clamp(min=1e-8)


def alike(scales: Tensor) -> tuple[Tensor, ...]:
    """Group the faces of a batch that lost about as much: by scale factor, about :data:`GROUP` faces each.

    A concordance over all factors at once is the best where sharp faces get exaggerated answers and blurred ones timid
    answers, because only the spread of all of them together counts; within one factor both lose. Each factor is
    scored by itself, and so it is trained.

    Parameters
    ----------
    scales
        Scale factor of each face, shape (n,).

    Returns
    -------
    tuple of Tensor
        Indices of each group; one group where all factors are the same.
    """
    order = scales.argsort(stable=True)
    if bool(scales[order[0]] == scales[order[-1]]):
        return (order,)
    return order.tensor_split(max(1, round(len(order) / GROUP)))


def affect_loss(
    outputs: Tensor, affect: Tensor, distribution: Tensor, scales: Tensor, *, vote_weight: float = 0.5
) -> Tensor:
    """``mean(1 - CCC) + mean squared error + vote_weight * KL(votes || predicted emotions)``.

    CCC is that of each group of faces that lost about as much (:func:`alike`). The votes' term is an auxiliary task
    that shapes the features; it leaves out faces nobody voted on.

    Parameters
    ----------
    outputs
        Shape (n, 2) or (n, 2 + emotions).
    affect
        Valence and arousal, shape (n, 2).
    distribution
        Share of the votes, shape (n, emotions); NaN rows where nobody voted.
    scales
        Scale factor of each face, shape (n,).
    vote_weight
        Weight of the auxiliary term.

    Returns
    -------
    Tensor
        A scalar.
    """
    outputs = outputs.float()
    predicted, logits = outputs[:, :DIMENSIONS], outputs[:, DIMENSIONS:]
    agreement = torch.stack([concordance(predicted[group], affect[group]) for group in alike(scales)])
    loss = (1 - agreement).mean() + functional.mse_loss(predicted, affect)
    voted = torch.isfinite(distribution).all(dim=1)
    if logits.shape[1] and bool(voted.any()):
        votes = distribution[voted]
        loss = loss + vote_weight * functional.kl_div(logits[voted].log_softmax(1), votes, reduction="batchmean")
    return loss


def feature_distance(features: Tensor, wanted: Tensor) -> Tensor:
    """Half the mean squared difference of two batches of features, shape (n, d): ``1/2 |f_s - f_t|^2 / d``.

    Feature distillation after Zhu et al., "Low-resolution visual recognition via deep feature distillation", ICASSP
    2019; the mean over features, not the sum, so that one weight suits networks of any width.
    """
    return (features.float() - wanted.float()).square().mean() / 2
