"""What training minimises: concordance of valence and arousal, and the votes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

DIMENSIONS = 2
"""The network's first outputs are valence and arousal; the others, if any, are logits of the emotions."""


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


def affect_loss(outputs: Tensor, affect: Tensor, distribution: Tensor, *, vote_weight: float = 0.5) -> Tensor:
    """``mean(1 - CCC) + mean squared error + vote_weight * KL(votes || predicted emotions)``.

    The votes' term is an auxiliary task that shapes the features; it leaves out faces nobody voted on.

    Parameters
    ----------
    outputs
        Shape (n, 2) or (n, 2 + emotions).
    affect
        Valence and arousal, shape (n, 2).
    distribution
        Share of the votes, shape (n, emotions); NaN rows where nobody voted.
    vote_weight
        Weight of the auxiliary term.

    Returns
    -------
    Tensor
        A scalar.
    """
    outputs = outputs.float()
    predicted, logits = outputs[:, :DIMENSIONS], outputs[:, DIMENSIONS:]
    loss = (1 - concordance(predicted, affect)).mean() + functional.mse_loss(predicted, affect)
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
