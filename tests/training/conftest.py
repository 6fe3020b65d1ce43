"""Training in tests is little work at a time."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """So little work is slower by several threads, much slower where they wait for a core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
