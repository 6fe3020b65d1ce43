"""The timeline of a run: lanes above each other on one axis of time, each a drawing with a heading and a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.report.page import svg
from vidlink.report.page.moments import FATES, fate_numbers, frame_measures, stretches
from vidlink.report.page.recognized import recognition_lanes
from vidlink.report.page.svg import Axis

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from vidlink.report.page.found import Found

_FATES_OF_PACKETS = {"lost": "lost", "dropped": "dropped by the full queue", "recovered": "recovered"}
_MOST_BARS = 400


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One drawing of the timeline."""

    title: str
    """What it shows, with the unit."""
    drawing: Markup
    """The drawing."""
    key: list[tuple[str, str]] = field(default_factory=list)
    """Class and meaning of each kind of mark."""
    note: str = ""
    """What else is to be said of it."""


def make_timeline(found: Found, end_s: float) -> list[Lane]:
    """The lanes of a run, as far as there are tables for them."""
    across = Axis(low=0.0, high=max(end_s, 1e-3))
    tables, lanes = found.tables, []
    if "frames" in tables:
        lanes.append(_fate_lane(tables["frames"], across))
    if "segments" in tables:
        lanes.append(_scale_lane(tables["segments"], across))
        lanes.append(_rate_lane(tables["segments"], tables.get("live"), found.summary, across))
    if "packets" in tables:
        lanes += _packet_lane(tables, across)
    if "frames" in tables:
        lanes += [_quality_lane(each, tables["frames"], across) for each in frame_measures(tables["frames"])]
    if "predictions" in tables:
        recognition = found.summary.get("recognition") or {}
        lanes += [Lane(**each) for each in recognition_lanes(tables["predictions"], recognition, across)]
    return lanes


def time_axis(end_s: float) -> Markup:
    """The axis of time below the lanes."""
    across = Axis(low=0.0, high=max(end_s, 1e-3))
    parts = []
    for value in across.ticks(6):
        place = float(across.share(np.array(value)))
        anchor = "start" if place < 0.03 else "end" if place > 0.95 else "middle"
        parts.append(
            svg.Markup('<text class="tick" x="{}" y="13" text-anchor="{}">{}</text>').format(
                svg.percent(place), anchor, f"{value:g} s"
            )
        )
    return svg.drawing("axis", 18, f"time from 0 to {end_s:.2f} seconds", parts)


def _bars(spans: list[tuple[float, float, Any]], across: Axis) -> list[tuple[float, float, Any]]:
    """Stretches of time as shares of the width; of very many those too thin to be seen are joined to the next."""
    shares = [(float(across.share(np.array(a))), float(across.share(np.array(b))), value) for a, b, value in spans]
    if len(shares) <= _MOST_BARS:
        return shares
    kept: list[tuple[float, float, Any]] = []
    for start, end, value in shares:
        if kept and kept[-1][1] - kept[-1][0] < 1 / _MOST_BARS:  # what is worse stays visible
            kept[-1] = (kept[-1][0], end, max(kept[-1][2], value))
        else:
            kept.append((start, end, value))
    return kept


def _fate_lane(frames: pd.DataFrame, across: Axis) -> Lane:
    times_s, fates = frames["time_s"].to_numpy(float), fate_numbers(frames)
    parts = []
    for start, end, fate in _bars(stretches(times_s, fates, across.high), across):
        name = FATES[fate] if fate >= 0 else "unknown"
        title = f"{start * across.high:.2f} to {end * across.high:.2f} s: {name}"
        parts.append(svg.bar(f"fate-{name}", start, end, 0, 1, title=title))
    counts = [
        (f"fate-{name}", f"{int((fates == k).sum())} {name}") for k, name in enumerate(FATES) if (fates == k).any()
    ]
    words = ", ".join(text for _, text in counts)
    return Lane(title="Frames", drawing=svg.drawing("strip", 18, f"fate of each frame: {words}", parts), key=counts)


def _scale_lane(segments: pd.DataFrame, across: Axis) -> Lane:
    starts = segments["start_s"].to_numpy(float)
    kinds: dict[tuple[float, int], int] = {}
    codes = []
    for scale, divisor in zip(segments["scale"], segments["frame_divisor"], strict=True):
        codes.append(kinds.setdefault((float(scale), int(divisor)), len(kinds)))
    by_code = list(kinds)
    scales = sorted({scale for scale, _ in kinds})
    end_s = float((segments["start_s"] + segments["duration_s"]).max())
    parts = []
    for start, end, code in _bars(stretches(starts, np.array(codes), end_s), across):
        scale, divisor = by_code[code]
        shade = round(5 * scales.index(scale) / max(1, len(scales) - 1)) if len(scales) > 1 else 2
        left_out = f", 1 of {divisor} frames" if divisor > 1 else ""
        text = f"s={scale:g}" + (f", 1/{divisor}" if divisor > 1 else "")
        title = f"{start * across.high:.2f} to {end * across.high:.2f} s: scale factor {scale:g}{left_out}"
        parts.append(svg.bar(f"scale-{shade}", start, end, 0, 1, text=text, title=title))
    said = "scale factors and frame rates by segment: " + ", ".join(
        f"{scale:g}" + (f" with 1 of {divisor} frames" if divisor > 1 else "") for scale, divisor in kinds
    )
    return Lane(
        title="Scale factor, and share of frames coded",
        drawing=svg.drawing("strip", 24, said, parts),
        key=[(f"scale-{round(5 * k / max(1, len(scales) - 1)) if len(scales) > 1 else 2}", f"s = {scale:g}")
             for k, scale in enumerate(scales)][:8],
    )  # fmt: skip


def _rate_lane(segments: pd.DataFrame, live: pd.DataFrame | None, summary: dict[str, Any], across: Axis) -> Lane:
    starts, lengths = segments["start_s"].to_numpy(float), segments["duration_s"].to_numpy(float)
    lengths = np.where(lengths > 0, lengths, np.nan)
    payload, wire = (segments[name].to_numpy(float) / lengths / 1000 for name in ("payload_bits", "wire_bits"))
    target = (summary.get("rate") or {}).get("target_bps")
    highest = [*wire, (target or 0) / 1000]
    if live is not None:
        estimate, capacity = (live[name].to_numpy(float) / 1000 for name in ("estimate_bps", "capacity_bps"))
        top = float(np.nanmax([*highest, *estimate]))
        # Peaks that nobody could use must not flatten the rest.
        highest += [*estimate, *np.minimum(capacity[np.isfinite(capacity)], 2 * top)]
    down = Axis.over(highest, zero=True)
    ends = starts + np.where(np.isfinite(lengths), lengths, 0)
    x = np.column_stack([starts, ends]).ravel()
    zero = np.zeros(2 * len(starts))
    twice = {name: np.repeat(values, 2) for name, values in (("payload", payload), ("headers", wire))}
    parts = [
        svg.band("headers", x, zero, twice["headers"], across, down),
        svg.band("payload", x, zero, twice["payload"], across, down),
        svg.scale_down(down),
    ]
    key = [("payload", "payload"), ("headers", "headers, parity, retransmissions")]
    if target:
        parts.append(svg.rule("limit", y_axis=down, at=target / 1000))
        key.append(("limit", f"budget {target / 1000:g}"))
    if live is not None:
        times_s = live["time_s"].to_numpy(float)
        if np.isfinite(capacity).any():
            parts.append(svg.line("limit", times_s, capacity, across, down, steps=True))
            key.append(("limit", "what the link could carry"))
        parts.append(svg.line("estimate", times_s, estimate, across, down))
        key.append(("estimate", "what the sender believed"))
    said = f"rate on the wire by segment, {np.nanmin(wire):.1f} to {np.nanmax(wire):.1f} kb/s"
    return Lane(title="Rate on the wire (kb/s)", drawing=svg.drawing("plot", 110, said, parts), key=key)


def _packet_lane(tables: dict[str, pd.DataFrame], across: Axis) -> list[Lane]:
    """Packets that did not arrive, at the time of the picture that they carry a part of."""
    packets = tables["packets"]
    hurt = packets[packets["fate"].isin(list(_FATES_OF_PACKETS))]
    if hurt.empty:
        return []
    shown_s = np.full(len(hurt), np.nan)
    for name, column, number in (("segments", "start_s", "segment"), ("frames", "time_s", "frame")):
        if name in tables and number in tables[name]:
            times = tables[name].drop_duplicates(number).set_index(number)[column]
            known = hurt[number].map(times).to_numpy(float)
            shown_s = np.where(np.isfinite(known), known, shown_s)
    fates = [name for name in _FATES_OF_PACKETS if (hurt["fate"] == name).any()]
    parts, key = [], []
    for row, name in enumerate(fates):
        mine = (hurt["fate"] == name).to_numpy() & np.isfinite(shown_s)
        places = np.unique(np.round(across.share(shown_s[mine]), 3))
        parts += [svg.bar(f"packet-{name}", x, x + 0.0025, row / len(fates), (row + 0.9) / len(fates)) for x in places]
        key.append((f"packet-{name}", f"{int((hurt['fate'] == name).sum())} {_FATES_OF_PACKETS[name]}"))
    said = "packets that did not arrive: " + ", ".join(text for _, text in key)
    note = "at the time of the picture that they carry a part of"
    return [Lane(title="Packets lost", drawing=svg.drawing("strip", 14 * len(fates), said, parts), key=key, note=note)]


def _quality_lane(measure: Any, frames: pd.DataFrame, across: Axis) -> Lane:
    values = frames[measure.column].clip(upper=measure.drawn_up_to).to_numpy(float) / measure.unit_size
    down = Axis.over(values)
    line = svg.line("received", frames["time_s"].to_numpy(float), values, across, down)
    said = f"{measure.label} of each frame, {np.nanmin(values):.4g} to {np.nanmax(values):.4g}"
    return Lane(title=measure.label, drawing=svg.drawing("plot", 70, said, [svg.scale_down(down), line]))
