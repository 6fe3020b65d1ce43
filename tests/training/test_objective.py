from itertools import pairwise

import pytest
import torch

from vidlink.metrics import score
from vidlink.training.loop import one_cycle
from vidlink.training.objective import affect_loss, concordance


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
    assert float(affect_loss(outputs, affect, distribution)) == pytest.approx(0, abs=1e-5)


def test_faces_without_votes_count_for_affect_only():
    outputs, affect = torch.randn(8, 10), torch.randn(8, 2)
    nobody = torch.full((8, 8), float("nan"))
    assert float(affect_loss(outputs, affect, nobody)) == pytest.approx(
        float(affect_loss(outputs[:, :2], affect, nobody))
    )


def test_constant_outputs_have_a_gradient():
    outputs = torch.zeros(8, 2, requires_grad=True)
    affect_loss(outputs, torch.randn(8, 2), torch.full((8, 8), float("nan"))).backward()
    assert bool(torch.isfinite(outputs.grad).all())


def test_learning_rate_rises_to_the_peak_and_falls_to_nothing():
    rates = [one_cycle(step / 1000, 1e-3) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-3 / 25)
    assert max(rates) == rates[200] == pytest.approx(1e-3)
    assert rates[-1] == 0
    assert rates[:201] == sorted(rates[:201])
    assert rates[200:] == sorted(rates[200:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(rates)) < 1e-5
