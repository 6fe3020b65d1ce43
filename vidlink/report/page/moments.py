"""What became of each frame, as numbers for the page's script and as stretches for its drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.scores.measure import FrameMeasure
from vidlink.scores.measures import headlines

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

FATES = ("ok", "concealed", "drifting", "frozen")
"""What a page says of a frame; the script and the style sheet use the same words."""
MEANT = {
    "ok": "arrived whole",
    "concealed": "some of it was lost and filled in",
    "drifting": "arrived whole, but is predicted from damage",
    "frozen": "lost or late: the last picture stays",
}
"""The same for people."""


def frame_measures(frames: pd.DataFrame) -> list[FrameMeasure]:
    """The measures of pictures that people see and that a table of frames has numbers of."""
    shown = [each for each in headlines() if isinstance(each, FrameMeasure) and each.column in frames]
    return [each for each in shown if frames[each.column].dtype.kind == "f" and frames[each.column].notna().any()]


def fate_numbers(frames: pd.DataFrame) -> NDArray[np.int64]:
    """The place of each frame's status in :data:`FATES`, shape (frames,); -1 where it is none of them."""
    places = {name: number for number, name in enumerate(FATES)}
    return np.array([places.get(status, -1) for status in frames["status"]], np.int64)


def stretches(times_s: NDArray, values: NDArray, end_s: float) -> list[tuple[float, float, Any]]:
    """Runs of equal values: start and end in seconds, and the value."""
    if not len(values):
        return []
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    ends = [*times_s[starts[1:]], max(end_s, float(times_s[-1]))]
    return [(float(times_s[a]), float(b), values[a].item()) for a, b in zip(starts, ends, strict=True)]


def for_script(frames: pd.DataFrame | None, segments: pd.DataFrame | None, end_s: float) -> dict[str, Any]:
    """What the script says while the film plays.

    Parameters
    ----------
    frames, segments
        The tables of the run; None where they cannot be used.
    end_s
        Length of the clip in seconds.

    Returns
    -------
    dict
        ``end`` (s), ``times`` (ms), ``fates`` (a digit a frame, its place in :data:`FATES`), ``words`` (what they
        mean), ``segments`` (a text each, by ``start`` in ms), ``measures`` (``name``, ``unit``,
        ``values``), ``causes`` (texts) and ``cause`` (the place of each frame's among them, -1 for none).
    """
    content: dict[str, Any] = {
        "end": round(end_s, 3),
        "times": [],
        "fates": "",
        "words": [[name, MEANT[name]] for name in FATES],
        "segments": [],
        "measures": [],
        "causes": [],
        "cause": [],
    }
    if frames is not None:
        content["times"] = np.round(1000 * frames["time_s"].to_numpy(float)).astype(int).tolist()
        content["fates"] = "".join(str(number) if number >= 0 else "?" for number in fate_numbers(frames))
        if "cause" in frames:
            causes = [cause if isinstance(cause, str) else "" for cause in frames["cause"]]
            content["causes"] = list(dict.fromkeys(filter(None, causes)))
            places = {cause: number for number, cause in enumerate(content["causes"])}
            content["cause"] = [places.get(cause, -1) for cause in causes]
        for each in frame_measures(frames):
            values = (frames[each.column].to_numpy(float) / each.unit_size).round(max(2, each.decimals))
            known = [value if np.isfinite(value) else None for value in values.tolist()]
            content["measures"].append({"name": each.name, "unit": each.unit, "values": known})
    if segments is not None:
        content["segments"] = [
            {"start": round(1000 * row["start_s"]), "text": segment_text(row)} for row in segments.to_dict("records")
        ]
    return content


def segment_text(row: Mapping[Any, Any]) -> str:
    """How a segment was coded, in words."""
    kept = "every frame" if row["frame_divisor"] <= 1 else f"1 of {row['frame_divisor']:g} frames"
    size = f", {row['width']:g}x{row['height']:g}" if "width" in row and "height" in row else ""
    return f"scale factor {row['scale']:g}{size}, {kept}, quality {row['quality']:g}"
