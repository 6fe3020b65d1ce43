"""The ladder: coded sizes and which scale factors a clip can take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.sender.ladder import coded_size, usable_scales


@given(st.integers(2, 4000), st.integers(2, 4000), st.floats(1, 64))
def test_coded_sizes_are_even_and_nearest(width, height, scale):
    for side, lr in zip((width, height), coded_size(width, height, scale), strict=True):
        assert lr % 2 == 0
        assert lr >= 2
        assert lr == 2 or abs(lr - side / scale) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("scale", "size"), [(1, (176, 144)), (1.5, (118, 96)), (2, (88, 72)), (3, (58, 48)), (4, (44, 36)), (8, (22, 18))]
)
def test_qcif(scale, size):
    assert coded_size(176, 144, scale) == size


def test_rungs_below_the_codecs_smallest_side_or_above_the_largest_size_are_left_out():
    scales = (1, 2, 4, 8)
    assert usable_scales(scales, 176, 144, min_side=16) == scales
    assert usable_scales(scales, 176, 144, min_side=20) == (1, 2, 4)
    assert usable_scales(scales, 176, 144, min_side=64) == (1, 2)
    assert usable_scales(scales, 176, 144, min_side=16, max_size=(88, 72)) == (2, 4, 8)
    assert usable_scales(scales, 176, 144, min_side=16, max_size=(100, 40)) == (4, 8)
    with pytest.raises(UserError, match=r"176x144.*1, 2, 4, 8.*at least 160 pixels"):
        usable_scales(scales, 176, 144, min_side=160)
    with pytest.raises(UserError, match="at most 10x10"):
        usable_scales(scales, 176, 144, min_side=16, max_size=(10, 10))


def test_factors_that_the_user_chose_must_all_be_usable():
    with pytest.raises(UserError, match=r"--scales: 12 makes 14x12 of 176x144; .* largest factor is 9\.0"):
        usable_scales((1, 9, 12, 16), 176, 144, min_side=16, chosen=True)
    assert usable_scales((1, 9), 176, 144, min_side=16, chosen=True) == (1, 9)
    assert usable_scales((1, 9, 12, 16), 176, 144, min_side=16) == (1, 9)
    # Too large for a promise is no mistake.
    assert usable_scales((1, 9), 176, 144, min_side=16, max_size=(100, 100), chosen=True) == (9,)
    with pytest.raises(UserError, match="fit no rung of the ladder 12, 16"):
        usable_scales((12, 16), 176, 144, min_side=16, chosen=True)
