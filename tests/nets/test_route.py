"""Networks that choose a path for each patch: nothing is lost between patches, all is counted, budgets are kept."""

import pytest
import torch

from vidlink.nets.classsr import ClassSR
from vidlink.nets.fsrcnn import known_of
from vidlink.nets.patchwork import cut, fill, grid_of, join
from vidlink.nets.path_restore import LONG, PathRestore, choose
from vidlink.nets.route import within
from vidlink.restorers.count import MultiplyAdds

SIZE = (70, 130)
"""No multiple of a cell."""


def made(kind):
    """Not trained, but different from interpolation, and with paths that differ from patch to patch."""
    torch.manual_seed(0)
    network = kind().eval()
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return network


def routed(network, picture, **how):
    with torch.inference_mode():
        return network.route(picture, 3.0, 30.0, **how)


@pytest.fixture
def picture():
    return torch.rand(*SIZE, generator=torch.Generator().manual_seed(1))


def known():
    return known_of(torch.tensor([3.0]), torch.tensor([30.0]))


@pytest.mark.parametrize("size", [(70, 130), (5, 9), (144, 176), (360, 640), (1, 1)])
def test_patches_make_up_the_picture(size):
    pictures, grid = torch.rand(1, 1, *size), grid_of(*size)
    canvas = fill(pictures, grid)
    assert torch.equal(canvas[..., : size[0], : size[1]], pictures)
    assert canvas.shape[-2] - size[0] < 4 * (grid.rows + 1)
    high, wide = 4 * grid.height, 4 * grid.width
    assert torch.equal(join(cut(canvas, high, wide, 0), grid.rows, grid.columns), canvas)
    around = cut(canvas, high, wide, 8)
    assert len(around) == grid.patches
    if grid.columns > 1:
        assert torch.equal(around[0, 0, 8:-8, -8:], canvas[0, 0, :high, wide : wide + 8]), "the neighbour is around it"


@pytest.mark.parametrize("kind", [ClassSR, PathRestore])
def test_untrained_they_change_nothing(kind, picture):
    network = kind().eval()
    assert torch.equal(routed(network, picture).picture, picture)
    with torch.inference_mode():
        assert torch.equal(network(picture[None, None], torch.tensor([2.0]))[0, 0], picture)


@pytest.mark.parametrize("branch", [0, 1, 2])
def test_inside_its_patches_a_branch_gives_what_it_gives_for_the_whole_picture(branch, picture):
    network = made(ClassSR)
    network.classifier.last.bias.data[branch] += 100
    found = routed(network, picture)
    assert found.patches[network.paths[branch]] == found.chosen.numel()
    with torch.inference_mode():
        whole = network.whole(picture[None, None], known(), branch)[0, 0]
    different = (whole - found.picture).abs()
    assert different[24:46, 24:44].max() < 1e-4 * (whole - picture).abs().max(), "six cells from where patches meet"
    assert different.max() > 0


def test_paths_that_are_the_same_everywhere_leave_no_seams(picture):
    network = made(PathRestore)
    for path, bias in ((LONG, 100.0), (0, -100.0)):
        network.finder.last.bias.data[LONG] = bias
        found = routed(network, picture)
        with torch.inference_mode():
            whole = network.whole(picture[None, None], known(), path)[0, 0]
        assert (found.chosen == (len(network.blocks) if path == LONG else 0)).all()
        inside = (whole - found.picture)[:, 32:96].abs()[32:40]
        assert inside.max() < 0.02 * (whole - picture).abs().max(), "patches meet at column 64"


@pytest.mark.parametrize("kind", [ClassSR, PathRestore])
def test_what_is_counted_is_what_the_costs_say_and_within_the_budget(kind, picture):
    network = made(kind)
    count, grid = MultiplyAdds(network), grid_of(*SIZE)
    costs = network.costs(grid)
    spent = []
    for bias in (-100.0, 100.0):
        last = network.classifier.last if kind is ClassSR else network.finder.last
        last.bias.data[-1] = bias
        count.total = 0
        found = routed(network, picture)
        spent.append(count.total)
        if kind is ClassSR:
            chosen = sum(costs[number] for number in found.chosen.flatten().tolist())
            expected = chosen + grid.patches * network.classifier.work(grid.height, grid.width)
        else:
            expected = network.least(*SIZE) + found.patches["residual"] * costs[1]
        assert count.total == pytest.approx(expected, rel=1e-3)
    least, most = network.least(*SIZE), spent[1]
    for budget in (least, least + 0.3 * (most - least), least + 0.8 * (most - least), 2 * most):
        count.total = 0
        routed(network, picture, budget=budget)
        assert count.total <= budget
        assert count.total >= min(0.6 * budget, most - 1), "and it is used"


def test_those_that_have_the_least_to_gain_go_first():
    chances = torch.tensor([[0.1, 0.1, 0.8], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3], [0.9, 0.05, 0.05]])
    costs = [2.0, 3.0, 4.0]
    assert within(chances, costs, None).tolist() == [2, 2, 1, 0]
    assert within(chances, costs, 12.5).tolist() == [2, 0, 1, 0], "the second may do without most probably"
    assert within(chances, costs, 10.5).tolist() == [0, 0, 1, 0], "two steps down save twice as much"
    assert within(chances, costs, 1.0).tolist() == [0, 0, 0, 0]
    logits = torch.tensor([[0.0, 1.0], [0.0, 3.0], [1.0, 0.0], [0.0, 2.0]])
    assert choose(logits, 4).tolist() == [1, 3, 0]
    assert choose(logits, 1).tolist() == [1]
    assert choose(logits, 0).tolist() == []
