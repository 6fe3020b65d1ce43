"""What a sweep comes down to, as Markdown: scores of each setting over all clips, with intervals from clips.

Frames of one clip are alike, so a clip is what is drawn again: intervals are percentiles of the bootstrap over clips
(Efron, "Bootstrap methods: another look at the jackknife", 1979), 2,000 draws from a fixed seed. All seeds of a clip
are drawn together. Scores are given for the concatenation of all clips and as the mean of the clips' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.scores import metrics
from vidlink.scores.measures import MEASURES, headlines
from vidlink.settings import BUILTIN, Settings
from vidlink.sweeping.folder import read_provenance
from vidlink.sweeping.moments import MOMENTS, dimensions_of, join, scores
from vidlink.sweeping.table import read_table
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DRAWS = 2000
"""Bootstrap draws."""
_RECOGNITION = (*(f"{score}_" for score in metrics.SCORES), "accuracy")
"""How columns of ``recognition`` that are scores begin."""
OF_A_CLIP = ("labels", "label", "weights", "roi", "video_size", "framerate")
"""Settings that go with a clip, where each clip has one value of them."""


def markdown(folder: Path, *, seed: int = 0) -> str:
    """The summary of a results folder.

    Parameters
    ----------
    folder
        With ``results.parquet`` and ``provenance.json``.
    seed
        Of the bootstrap.

    Raises
    ------
    UserError
        There is no table, or it is damaged.
    """
    table = read_table(folder)
    joined, own = summarize(table, seed=seed)
    made = read_provenance(folder)
    last = (made.get("commands") or [{}])[-1]
    failures = table[table["status"] != DONE]["error"].value_counts(sort=False)
    clips = table["input"].nunique(dropna=False)
    lines = [
        f"{len(table)} points, {clips} clip{'s' if clips != 1 else ''}; vidlink {made.get('vidlink')}, revision "
        f"{last.get('git') or 'unknown'}: `{last.get('command')}`",
        "",
        *(f"- {count} x error: {error}" for error, count in failures.items()),
        *([""] if len(failures) else []),
        "All clips concatenated, with 95 % intervals from clips:",
        "",
        *_as_markdown(joined),
        "",
        "Mean of the clips' own scores, with 95 % intervals from clips:",
        "",
        *_as_markdown(own),
    ]
    if clips < 2:
        lines += ["", "One clip gives no interval."]
    return "\n".join(lines)


def summarize(table: pd.DataFrame, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of each setting over all its clips.

    Parameters
    ----------
    table
        As ``results.parquet`` has it.
    seed
        Of the bootstrap.

    Returns
    -------
    tuple of pandas.DataFrame
        For the concatenation of the clips, and for the mean over clips: one row a setting, with the settings that
        differ, ``clips``, means of the headline measures over clips, and for each score ``NAME``, ``NAME_low``,
        ``NAME_high`` (NaN where there is one clip). Both are empty where no point is done.
    """
    keys = group_keys(table)
    done = table[table["status"] == DONE].copy()
    done["input"] = done["input"].fillna(BUILTIN)
    if done.empty:
        return pd.DataFrame(), pd.DataFrame()
    groups = done.groupby(keys, sort=False, dropna=False) if keys else [((), done)]
    joined, own = [], []
    shown = [measure.table_column for measure in headlines()]
    for values, rows in groups:
        head = dict(zip(keys, values if isinstance(values, tuple) else (values,), strict=True))
        means = rows.groupby("input", sort=False).mean(numeric_only=True)
        head["clips"] = len(means)
        head |= {name: float(means[name].mean()) for name in shown if name in means}
        # The same draws for every setting on the same clips, so that settings can be compared.
        counts = np.random.default_rng(seed).multinomial(len(means), np.full(len(means), 1 / len(means)), size=DRAWS)
        counts = np.concatenate([np.ones((1, len(means))), counts])
        joined.append(head | _intervals(_joined_scores(rows, means, counts)))
        own.append(head | _intervals(_mean_scores(means, counts)))
    return pd.DataFrame(joined), pd.DataFrame(own)


def group_keys(table: pd.DataFrame) -> list[str]:
    """The columns that tell settings apart: those that vary, but for clips, what goes with a clip, and seeds."""
    columns = list(table.columns)
    last = max(columns.index(name) for name in Settings.__dataclass_fields__ if name in columns)
    candidates = columns[columns.index("run_folder") + 1 : last + 1]
    names = [name for name in candidates if name not in Settings.__dataclass_fields__]
    varying = [
        name
        for name in candidates
        if name not in ("input", "seed")
        and table[name].nunique(dropna=False) > 1
        and not (name in (*OF_A_CLIP, *names) and _follows(table, name, "input"))
    ]
    called = [name for name in varying if name in names]
    return [name for name in varying if name in called or not any(_follows(table, name, key) for key in called)]


def _follows(table: pd.DataFrame, name: str, key: str) -> bool:
    """Whether a column has one value for each value of another."""
    return bool((table.groupby(key, dropna=False)[name].nunique(dropna=False) <= 1).all())


def _joined_scores(rows: pd.DataFrame, means: pd.DataFrame, counts: NDArray) -> dict[str, NDArray[np.float64]]:
    """Scores of concatenations of clips: name to an array of shape (draws,)."""
    found = {}
    known = [name for name in rows.columns if rows[name].notna().any()]
    place = {clip: index for index, clip in enumerate(means.index)}
    member = rows["input"].map(place).to_numpy(int)
    for dimension in dimensions_of(known):
        values = rows[[f"moments_{dimension}_{name}" for name in MOMENTS]].fillna(0).to_numpy(float)
        for name, score in scores(join(values, counts[:, member])).items():
            found[f"{name}_{dimension}"] = score
    if "recognition_accuracy" in rows and rows["recognition_accuracy"].notna().any():
        weights = rows["recognition_n"].fillna(0).to_numpy(float)
        right = weights * rows["recognition_accuracy"].fillna(0).to_numpy(float)
        found["accuracy"] = (counts[:, member] @ right) / np.maximum(counts[:, member] @ weights, 1)
    return found


def _mean_scores(means: pd.DataFrame, counts: NDArray) -> dict[str, NDArray[np.float64]]:
    """Means over clips of the clips' own scores: name to an array of shape (draws,)."""
    found = {}
    for name in means.columns:
        score = name.removeprefix("recognition_")
        if is_score(name) and means[name].notna().any():
            there = means[name].notna().to_numpy(float)
            drawn = counts @ there
            with np.errstate(invalid="ignore"):
                found[score] = (counts @ means[name].fillna(0).to_numpy(float)) / np.where(drawn, drawn, np.nan)
    return found


def _intervals(found: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """The score itself (the first entry) and the percentiles of its draws (the others)."""
    row: dict[str, float] = {}
    for name, values in found.items():
        several = len(values) > 1 and np.ptp(values[1:]) > 0
        low, high = np.nanpercentile(values[1:], [2.5, 97.5]) if several else (np.nan, np.nan)
        row |= {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return row


def _as_markdown(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["(nothing is done)"]
    names = [name for name in table.columns if not name.endswith(("_low", "_high"))]
    lines = ["| " + " | ".join(map(heading, names)) + " |", "|" + " --- |" * len(names)]
    for _, row in table.iterrows():
        lines.append("| " + " | ".join(_cell(row, name) for name in names) + " |")
    return lines


def is_score(name: str) -> bool:
    """Whether a column of the table of points is a score of the recognizer."""
    score = name.removeprefix("recognition_")
    return score != name and score.startswith(_RECOGNITION)


def heading(name: str) -> str:
    """What people call a column.

    Examples
    --------
    >>> heading("ccc_valence"), heading("recognition_rmse_arousal"), heading("bitrate_bps")
    ('CCC valence', 'RMSE arousal', 'bit rate kb/s')
    """
    if name in MEASURES:
        return MEASURES[name].heading
    if name == "bitrate_bps":
        return "bit rate kb/s"
    score, _, dimension = name.removeprefix("recognition_").partition("_")
    return (
        f"{score.upper()} {dimension}"
        if score in metrics.SCORES
        else name.removeprefix("recognition_").replace("_", " ")
    )


def _cell(row: pd.Series, name: str) -> str:
    value = row[name]
    if pd.isna(value):
        return "–"
    if f"{name}_low" in row.index:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return f"{value:.3f}" + ("" if pd.isna(low) else f" [{low:.3f}, {high:.3f}]")
    if name in MEASURES:
        return MEASURES[name].number(value)
    if name == "bitrate_bps":
        return f"{value / 1000:.1f}"
    return value.replace("|", "\\|") if isinstance(value, str) else f"{value:g}"
