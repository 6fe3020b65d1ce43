"""What became of the packets of a run, as columns of a table and in sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.types import Fate, Kind

if TYPE_CHECKING:
    import pandas as pd

    from vidlink.types import Ledger


def payload_bits(ledger: Ledger) -> dict[int, int]:
    """Payload bits of each coded frame, but of those all of whose packets were thrown away instead of sent."""
    packets, units = ledger.packets, ledger.coded.units
    bits = {unit.frame: 8 * sum(map(len, unit.nals)) for unit in units}
    if (packets.fate == Fate.DISCARDED).any():
        carries = packets.unit >= 0
        kept = carries & (packets.fate != Fate.DISCARDED)
        first = packets.unit[carries].min()
        spans = zip((packets.unit[kept] - first).tolist(), packets.unit_count[kept].tolist(), strict=True)
        sent = {number for start, count in spans for number in range(start, start + count)}
        bits = {unit.frame: bits[unit.frame] for number, unit in enumerate(units) if number in sent}
    return bits


def packet_columns(ledger: Ledger) -> dict[str, Any]:
    """A segment's packets as columns, one row a packet."""
    packets = ledger.packets
    fate = np.array([Fate(fate).name.lower() for fate in packets.fate], dtype=object)
    fate[ledger.recovered], fate[ledger.doubled] = "recovered", "doubled"
    return {
        "sequence": packets.sequence,
        "segment": packets.segment,
        "frame": packets.frame,
        "units": packets.unit_count,
        "bytes": packets.bytes,
        "kind": [Kind(kind).name.lower() for kind in packets.kind],
        "send_s": np.round(packets.send_s, 6),
        "arrival_s": np.round(packets.arrival_s, 6),
        "fate": fate,
    }


def delivery(packets: pd.DataFrame, late: int) -> dict[str, Any]:
    """What became of the packets that were sent: counts, loss, bursts and delay.

    Parameters
    ----------
    packets
        Rows of :func:`packet_columns`. What the channel doubled and what never left the sender do not count.
    late
        Packets that came too late to be shown.
    """
    packets = packets[~packets["fate"].isin(["doubled", "discarded"])]
    lost = packets["fate"].isin(["lost", "dropped", "recovered"]).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(np.int8), [0]))))
    bursts = edges[1::2] - edges[::2]
    delivered = packets[packets["fate"] == "delivered"]
    delay = (delivered["arrival_s"] - delivered["send_s"]).to_numpy()
    return {
        "packets": len(packets),
        "lost": int(lost.sum()),
        "late": late,
        "recovered": int((packets["fate"] == "recovered").sum()),
        "retransmitted": int((packets["kind"] == "retransmission").sum()),
        "loss_rate": round(float(lost.mean()), 6) if len(packets) else 0.0,
        "mean_burst": round(float(bursts.mean()), 4) if len(bursts) else 0.0,
        "delay_s": {
            "p50": round(float(np.percentile(delay, 50)), 6) if len(delay) else None,
            "p95": round(float(np.percentile(delay, 95)), 6) if len(delay) else None,
            "max": round(float(delay.max()), 6) if len(delay) else None,
        },
    }
