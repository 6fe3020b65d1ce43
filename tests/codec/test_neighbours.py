"""Motion told from its neighbours is the same motion."""

import numpy as np
import pytest

from vidlink.codec.neighbours import from_neighbours, to_neighbours


@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 1, 1), (2, 1, 4), (2, 4, 1), (2, 3, 2)])
def test_there_and_back(shape):
    motion = np.random.default_rng(0).integers(-127, 128, shape)
    assert np.array_equal(from_neighbours(to_neighbours(motion)), motion)


def test_what_moves_alike_costs_once():
    told = to_neighbours(np.full((2, 6, 8), 9))
    assert told[:, 0, 0].tolist() == [9, 9]
    assert np.count_nonzero(told) == 2
