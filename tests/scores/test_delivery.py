"""What was sent counts as payload; what was thrown away before does not."""

from types import SimpleNamespace

import numpy as np
import pytest
from made import coded

from vidlink.scores.delivery import delivery, packet_columns, payload_bits
from vidlink.sender.packetize import Packetizer
from vidlink.types import Fate

SIZES = (3000, 40, 50, 60, 2000, 70)
"""Bytes of each picture, without the header of its NAL unit: large ones take several packets, small ones share one."""


def carried(fates=()):
    """A segment, the second of its stream, whose packets met the fates given by their frames."""
    packetizer = Packetizer(aggregate_s=0.2)
    for index in range(2):
        segment = coded([[size] for size in SIZES], index=index, first_frame=10 * index, start_s=float(index))
        packets = packetizer.packetize(segment)
    packets.fate[:] = Fate.DELIVERED
    packets.arrival_s[:] = packets.send_s + 0.02
    for frame, fate in fates:
        packets.fate[packets.frame == frame] = fate
    nothing = np.zeros(len(packets), bool)
    return SimpleNamespace(coded=segment, packets=packets, recovered=nothing, doubled=nothing)


def test_everything_sent_is_payload():
    assert payload_bits(carried()) == {10 + number: 8 * (size + 1) for number, size in enumerate(SIZES)}
    assert payload_bits(carried([(14, Fate.LOST)])) == payload_bits(carried())


def test_a_picture_all_of_whose_packets_were_thrown_away_is_none():
    """Pictures 1 to 3 travel in one packet, which names the first of them."""
    assert list(payload_bits(carried([(11, Fate.DISCARDED)]))) == [10, 14, 15]
    assert list(payload_bits(carried([(14, Fate.DISCARDED)]))) == [10, 11, 12, 13, 15]


def test_a_picture_of_which_one_packet_was_sent_is_payload():
    segment = carried()
    rows = np.flatnonzero(segment.packets.frame == 14)
    assert len(rows) > 1
    segment.packets.fate[rows[1:]] = Fate.DISCARDED
    assert list(payload_bits(segment)) == list(range(10, 16))


def test_delivery_is_of_what_was_sent():
    import pandas as pd

    table = pd.DataFrame(packet_columns(carried([(10, Fate.LOST), (15, Fate.DISCARDED)])))
    found = delivery(table, late=0)
    assert found["packets"] == len(table) - 1
    assert found["lost"] == (table["frame"] == 10).sum() == found["mean_burst"]
    assert found["loss_rate"] == pytest.approx(found["lost"] / found["packets"], abs=1e-6)
    assert found["delay_s"] == {"p50": 0.02, "p95": 0.02, "max": 0.02}
