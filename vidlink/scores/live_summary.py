"""What a live run comes down to: the estimator, what it decided when, and how well the link was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from vidlink.link.live import LiveLink
    from vidlink.link.rooms import Rooms
    from vidlink.settings import Settings


def summarize_live(settings: Settings, rooms: Rooms, tables: dict[str, pd.DataFrame], seconds: float) -> dict[str, Any]:
    """The section ``live`` of ``summary.json`` under its name; the table ``live`` is added to the others.

    Of a planned run there is no such section, and nothing is added.

    Parameters
    ----------
    settings
        Of the run.
    rooms
        When the run is over.
    tables
        Tables of the run.
    seconds
        Length of the clip.
    """
    import pandas as pd

    from vidlink.link.live import LiveLink
    from vidlink.sender.live_sender import LiveSender

    link, sender = rooms.link, rooms.sender
    if not (isinstance(link, LiveLink) and isinstance(sender, LiveSender)):
        return {}
    tables["live"] = pd.DataFrame(link.log)
    packets = tables["packets"]
    section = {
        "estimator": settings.estimator,
        "unsound_answers": link.control.unsound,
        "discarded_packets": int((packets["fate"] == "discarded").sum()),
        **_use(packets, link, seconds),
        "queue_s": _queue(packets, link.one_way_s),
        "decisions": sender.decisions,
    }
    return {"live": section}


def _use(packets: pd.DataFrame, link: LiveLink, seconds: float) -> dict[str, float | None]:
    """How much the link could carry from the first packet until the clip's end, and what share of that arrived."""
    sent = packets[packets["fate"] != "discarded"]
    start_s = float(sent["send_s"].min())
    capacity_bps = link.capacity_bps(start_s, seconds) if seconds > start_s else None
    if not capacity_bps:
        return {"capacity_bps": capacity_bps, "capacity_used": None}
    crossed = packets[packets["fate"] == "delivered"]
    bits = 8 * int(crossed.loc[crossed["arrival_s"] <= seconds, "bytes"].sum())
    return {
        "capacity_bps": round(capacity_bps, 1),
        "capacity_used": round(bits / (seconds - start_s) / capacity_bps, 6),
    }


def _queue(packets: pd.DataFrame, one_way_s: float) -> dict[str, float | None]:
    """Seconds that packets spent in the link beyond propagation: their wait and their own transmission."""
    arrived = packets[packets["fate"] == "delivered"]
    delay_s = np.maximum((arrived["arrival_s"] - arrived["send_s"]).to_numpy(float) - one_way_s, 0.0)
    if len(delay_s) == 0:
        return {"p50": None, "p95": None, "max": None}
    p50, p95, most = np.percentile(delay_s, (50, 95, 100)).tolist()
    return {"p50": round(p50, 6), "p95": round(p95, 6), "max": round(most, 6)}
