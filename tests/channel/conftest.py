import numpy as np
import pytest

from vidlink.types import Fate, Kind, Packets


@pytest.fixture(scope="session")
def train():
    """Makes packets without content from send times and sizes."""

    def make(send_s, sizes, kind=Kind.VIDEO):
        count = len(send_s)
        nothing = np.zeros(count, dtype=np.int64)
        return Packets(
            sequence=np.arange(count),
            frame=nothing,
            unit=nothing,
            unit_count=nothing,
            segment=nothing,
            bytes=np.broadcast_to(np.asarray(sizes, dtype=np.int64), count).copy(),
            kind=np.broadcast_to(np.asarray(kind, dtype=np.uint8), count).copy(),
            send_s=np.asarray(send_s, dtype=float),
            data=[b""] * count,
            arrival_s=np.full(count, np.nan),
            fate=np.full(count, Fate.PENDING, dtype=np.uint8),
        )

    return make
