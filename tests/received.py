"""Packets for tests of the far end: all delivered at once, then some of them lost."""

from dataclasses import replace

import numpy as np

from vidlink.sender.packetize import Packetizer
from vidlink.types import Fate


def sent(coded, aggregate_s=0.0):
    """Packets of all segments, delivered at once."""
    packetizer = Packetizer(aggregate_s=aggregate_s)
    for each in coded:
        packets = packetizer.packetize(each)
        yield replace(packets, fate=np.full(len(packets), Fate.DELIVERED, np.uint8), arrival_s=packets.send_s.copy())


def lose(packets, rows):
    packets.fate[rows] = Fate.LOST
    packets.arrival_s[rows] = np.nan
    return packets
