from itertools import pairwise

import pytest
import torch

from vidlink.scores.metrics import score
from vidlink.training.loop import one_cycle
from vidlink.training.objective import affect_loss, alike, concordance


def test_concordance_agrees_with_the_metric_for_many_faces():
    torch.manual_seed(0)
    wanted = torch.randn(2000, 2)
    predicted = 0.7 * wanted + 0.2 + 0.3 * torch.randn(2000, 2)
    found = concordance(predicted, wanted)
    for column in range(2):
        assert float(found[column]) == pytest.approx(score(predicted[:, column], wanted[:, column])["ccc"], abs=1e-3)


def test_perfect_outputs_cost_nothing():
    affect = torch.randn(16, 2)
    distribution = torch.softmax(torch.randn(16, 8), dim=1)
    outputs = torch.cat([affect, distribution.log()], dim=1)
    assert float(affect_loss(outputs, affect, distribution, torch.ones(16))) == pytest.approx(0, abs=1e-5)


def test_faces_without_votes_count_for_affect_only():
    outputs, affect = torch.randn(8, 10), torch.randn(8, 2)
    nobody = torch.full((8, 8), float("nan"))
    scales = torch.ones(8)
    assert float(affect_loss(outputs, affect, nobody, scales)) == pytest.approx(
        float(affect_loss(outputs[:, :2], affect, nobody, scales))
    )


def test_constant_outputs_have_a_gradient():
    outputs = torch.zeros(8, 2, requires_grad=True)
    affect_loss(outputs, torch.randn(8, 2), torch.full((8, 8), float("nan")), torch.ones(8)).backward()
    assert bool(torch.isfinite(outputs.grad).all())


def test_faces_are_grouped_by_factor():
    scales = torch.rand(128, generator=torch.Generator().manual_seed(0)) * 5 + 1
    groups = alike(scales)
    assert [len(group) for group in groups] == [32] * 4
    assert sorted(torch.cat(groups).tolist()) == list(range(128))
    for nearer, farther in pairwise(groups):
        assert float(scales[nearer].max()) <= float(scales[farther].min())
    assert [len(group) for group in alike(torch.full((128,), 2.0))] == [128]
    assert [len(group) for group in alike(torch.tensor([1.0, 3.0, 2.0]))] == [3]


def test_exaggeration_at_one_factor_is_not_made_good_by_timidity_at_another():
    """Concordance is asked factor by factor, which is less than that of both together here."""
    torch.manual_seed(0)
    wanted = torch.randn(64, 2)
    scales = torch.tensor([1.0, 6.0]).repeat_interleave(32)
    nobody = torch.full((64, 8), float("nan"))
    uneven = wanted * torch.where(scales == 1, 1.4, 0.6)[:, None]
    halves = concordance(uneven[:32], wanted[:32]) + concordance(uneven[32:], wanted[32:])
    assert bool((halves / 2 < concordance(uneven, wanted)).all())
    squared = (uneven - wanted).square().mean()
    apart = torch.stack([concordance(uneven[scales == s], wanted[scales == s]) for s in (1, 6)])
    assert float(affect_loss(uneven, wanted, nobody, scales)) == pytest.approx(float((1 - apart).mean() + squared))


def test_learning_rate_rises_to_the_peak_and_falls_to_nothing():
    rates = [one_cycle(step / 1000, 1e-3) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-3 / 25)
    assert max(rates) == rates[200] == pytest.approx(1e-3)
    assert rates[-1] == 0
    assert rates[:201] == sorted(rates[:201])
    assert rates[200:] == sorted(rates[200:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(rates)) < 1e-5
