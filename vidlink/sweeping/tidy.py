"""The table for people: about twenty named columns, a row a setting, scores with 95 % intervals.

A row is the mean over clips, of each clip the mean over its seeds. Intervals are Student's t over clips; where there is
one clip, over seeds.
"""

from __future__ import annotations

import pandas as pd

from vidlink.scores.kinds import SCORES as RECOGNIZED
from vidlink.scores.metrics import SCORES
from vidlink.settings import BUILTIN
from vidlink.sweeping.intervals import interval, within
from vidlink.sweeping.summary import group_keys
from vidlink.sweeping.work import DONE

_FROM = {
    "kbps": ("rate_wire_bps", 1000.0),
    "bpp": ("rate_bpp", 1.0),
    "lost": ("delivery_loss_rate", 1.0),
    "psnr_db": ("quality_psnr_db", 1.0),
    "ssim": ("quality_ssim", 1.0),
    **{score.name: (f"recognition_{score.name}", 1.0) for score in RECOGNIZED.values() if not score.each},
}
"""Short names: the column of a sweep's table that they are from, and how much of it is one of theirs."""
_NUMBERS = (
    *(column for column, _ in _FROM.values()),
    *("input_width", "input_height", "input_fps", "input_seconds", "input_frames", "frames_frozen"),
    *("plan_mean_scale", "plan_mean_frame_divisor"),
)
"""Columns that are computed with; where no run has a value they are text in the table."""
_SCORES = ("psnr_db", *RECOGNIZED)
"""Those that have intervals."""
_SHOWN = ("frames_per_s", "kbps", "bpp", "encode_s_per_s", "lost", "frozen", *_SCORES[:1], "ssim", *_SCORES[1:])
"""Numbers in a row, in order; the dimensions' own CCC follows them."""


def add_short(frame: pd.DataFrame, encode_s: pd.Series | None = None) -> pd.DataFrame:
    """A sweep's table with more columns, under short names.

    Parameters
    ----------
    frame
        A row a run.
    encode_s
        Processor seconds of encoding in each run.

    Returns
    -------
    pandas.DataFrame
        Also with ``resolution`` (size of coded pictures, the mean over segments), ``frames_per_s`` (coded), ``kbps``
        (on the wire), ``bpp``, ``encode_s_per_s`` (processor seconds of encoding, trials among them, for a second of
        video), ``lost`` (share of packets), ``frozen`` (share of frames), ``psnr_db``, ``ssim``, and ``cc``, ``ccc``,
        ``rmse`` (means over dimensions), each dimension's own (``ccc_valence``), ``accuracy``, ``miou``, ``map50``,
        ``map``: those that there are.
    """
    frame = frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce") for name in _NUMBERS if name in frame})
    more: dict[str, pd.Series] = {}
    if {"input_width", "plan_mean_scale"} <= set(frame):
        sides = [(frame[f"input_{side}"] / frame["plan_mean_scale"]) for side in ("width", "height")]
        more["resolution"] = pd.Series(
            [None if pd.isna(w) else f"{round(w)}x{round(h)}" for w, h in zip(*sides, strict=True)], index=frame.index
        )
        more["frames_per_s"] = frame["input_fps"] / frame["plan_mean_frame_divisor"]
    more |= {name: frame[column] / unit for name, (column, unit) in _FROM.items() if column in frame}
    if encode_s is not None and "input_seconds" in frame:
        more["encode_s_per_s"] = encode_s / frame["input_seconds"]
    if {"frames_frozen", "input_frames"} <= set(frame):
        more["frozen"] = frame["frames_frozen"] / frame["input_frames"]
    for score in SCORES:
        own = [name for name in map(str, frame) if name.startswith(f"recognition_{score}_")]
        if own:
            more[score] = frame[own].mean(axis=1)
            more |= {name.removeprefix("recognition_"): frame[name] for name in own}
    return frame.assign(**{name: values for name, values in more.items() if name not in frame})


def tidy(frame: pd.DataFrame, encode_s: pd.Series | None = None) -> pd.DataFrame:
    """One row a setting, as this module says; runs that are not done are left out.

    Parameters
    ----------
    frame, encode_s
        As for :func:`add_short`.

    Returns
    -------
    pandas.DataFrame
        What was varied, ``clips``, ``seeds``, the short columns, and for scores ``NAME_low`` and ``NAME_high``: NaN
        where one clip and one seed give no interval. ``interval`` says what they are over.
    """
    keys = group_keys(frame)
    done = add_short(frame, encode_s)[frame["status"] == DONE]
    groups = done.groupby(keys, sort=False, dropna=False) if keys else [((), done)]
    rows = [
        dict(zip(keys, values if isinstance(values, tuple) else (values,), strict=True)) | _row(part)
        for values, part in groups
    ]
    table = pd.DataFrame(rows)
    return table.loc[:, [*keys, *(name for name in table if name not in keys and table[name].notna().any())]]


def _row(runs: pd.DataFrame) -> dict[str, object]:
    """What is shown of one setting."""
    draws, over = per_draw(runs)
    row: dict[str, object] = {"clips": runs["input"].nunique(dropna=False), "seeds": runs["seed"].nunique()}
    if "resolution" in runs and runs["resolution"].notna().any():
        row["resolution"] = runs["resolution"].mode().iloc[0]
    for name in (*_SHOWN, *(name for name in map(str, runs) if name.startswith("ccc_"))):
        if name in draws and draws[name].notna().any():
            row[name], low, high = interval(draws[name].to_numpy(float))
            if name in _SCORES and over:
                low, high = within(low, high, name)
                row |= {f"{name}_low": low, f"{name}_high": high}
    row["interval"] = f"95 % over {over}" if over else None
    return row


def per_draw(runs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What an interval is taken over: a row for each clip, or where there is one clip, for each seed; and its name."""
    numbers = runs.assign(input=runs["input"].fillna(BUILTIN))
    for column, name in (("input", "clips"), ("seed", "seeds")):
        if column in numbers and numbers[column].nunique() > 1:
            means = numbers.groupby(column, sort=False).mean(numeric_only=True)
            return means, f"{len(means)} {name}"
    return numbers.groupby("input", sort=False).mean(numeric_only=True), ""
