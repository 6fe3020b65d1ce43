"""Trainings in tests are little work, of which pictures would be the most."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def little_drawn(curves_once):
    pass
