"""What a run keeps in order to send it again."""

import gc
import weakref

import numpy as np
import pytest

from vidlink.codec.shelf import load_channel, load_codec
from vidlink.scores.redraw import Redraws
from vidlink.sender.groups import join
from vidlink.settings import Settings
from vidlink.types import Segment


class Picture:
    """Stands for a picture, which would take memory."""


class Sent(list):
    """Packets, of which only the number and the bytes count here."""

    @property
    def bytes(self):
        return np.array(self)


@pytest.mark.parametrize("count", [1, 3])
def test_no_pictures_are_kept_of_a_segment_nor_of_a_group(count):
    pictures = [Picture() for _ in range(count)]
    parts = [
        (Segment(index=k, first_frame=k, frames=(picture,), times_s=np.array([k / 25]), duration_s=1 / 25), b"")
        for k, picture in enumerate(pictures)
    ]
    alive = weakref.WeakSet(pictures)
    redraws = Redraws(Settings(), load_codec("x264"), load_channel("bernoulli-5"), latency_s=0.0)
    packets = [100] * count
    segment = join(parts, 0)[0] if count > 1 else parts[0][0]
    for _ in redraws.watch([(segment, None, Sent(packets))]):
        pass
    del pictures, parts, segment, _
    gc.collect()
    assert redraws.packets() == count
    assert len(alive) == 0
