"""What a sweep comes down to, as Markdown: scores of each setting over all clips, with intervals from clips.

Frames of one clip are alike, so intervals are over clips; all seeds of a clip count as one. Where there is one clip
they are over seeds, and say what chance does on this clip. Scores are given for the concatenation of all clips,
with the jackknife's intervals, and as the mean of the clips' own, with Student's: :mod:`vidlink.sweeping.intervals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.scores.kinds import KINDS, score_of
from vidlink.scores.measures import MEASURES, headlines
from vidlink.scores.moments import is_within
from vidlink.settings import BUILTIN, Settings
from vidlink.sweeping.folder import read_provenance
from vidlink.sweeping.intervals import interval, jackknife, within
from vidlink.sweeping.table import read_table
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

OF_A_CLIP = ("labels", "label", "weights", "roi", "video_size", "framerate")
"""Settings that go with a clip, where each clip has one value of them."""


def markdown(folder: Path) -> str:
    """The summary of a results folder.

    Parameters
    ----------
    folder
        With ``results.parquet`` and ``provenance.json``.

    Raises
    ------
    UserError
        There is no table, or it is damaged.
    """
    table = read_table(folder)
    joined, own = summarize(table)
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
        f"All clips concatenated{over(table)}:",
        "",
        *_as_markdown(joined),
        "",
        f"Mean of the clips' own scores{over(table)}:",
        "",
        *_as_markdown(own),
    ]
    return "\n".join([*lines, *(f"\n{each}" for each in doubts(table))])


def doubts(table: pd.DataFrame) -> list[str]:
    """What a table cannot say for want of clips or seeds, a sentence each."""
    done = table[table["status"] == DONE]
    clips, seeds = done["input"].nunique(dropna=False), done["seed"].nunique()
    found = []
    if clips == 1:
        found.append(
            "One clip gives no interval."
            if seeds < 2
            else f"With one clip the intervals are over {seeds} seeds: what chance does on it, not what other clips do."
        )
    lost = done["delivery_lost"].gt(0).any() if "delivery_lost" in done else False
    if lost and seeds < 2:
        found.append(
            "Packets were lost and there is one seed: every score is one draw of chance. "
            "`seed = [0, 1, 2, 3, 4]` in [grid] shows how far it moves."
        )
    return found


def over(table: pd.DataFrame) -> str:
    """What the intervals are over."""
    done = table[table["status"] == DONE]
    if done["input"].nunique(dropna=False) > 1:
        return ", with 95 % intervals over clips"
    return ", with 95 % intervals over seeds" if done["seed"].nunique() > 1 else ""


def summarize(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of each setting over all its clips.

    Parameters
    ----------
    table
        As ``results.parquet`` has it.

    Returns
    -------
    tuple of pandas.DataFrame
        For the concatenation of the clips, and for the mean over clips: one row a setting, with the settings that
        differ, ``clips``, ``seeds`` where there are several, means of the headline measures over clips, and for each
        score ``NAME``, ``NAME_low``, ``NAME_high`` (NaN where there is one clip and one seed). Both are empty where no
        point is done.
    """
    keys = group_keys(table)
    done = table[table["status"] == DONE].copy()
    done["input"] = done["input"].fillna(BUILTIN)
    if done.empty:
        return pd.DataFrame(), pd.DataFrame()
    groups = done.groupby(keys, sort=False, dropna=False) if keys else [((), done)]
    joined, own = [], []
    several = done["seed"].nunique() > 1
    shown = [measure.table_column for measure in headlines()]
    for values, rows in groups:
        head = dict(zip(keys, values if isinstance(values, tuple) else (values,), strict=True))
        part = "input" if rows["input"].nunique() > 1 else "seed"
        means = rows.groupby(part, sort=False).mean(numeric_only=True)
        head["clips"] = rows["input"].nunique()
        head |= {"seeds": rows["seed"].nunique()} if several else {}
        head |= {name: float(means[name].mean()) for name in shown if name in means}
        counts = np.concatenate([np.ones((1, len(means))), 1 - np.eye(len(means))])  # all, then all but one
        joined.append(head | _jackknifed(_joined_scores(rows, rows[part].map(means.index.get_loc), counts)))
        own.append(head | _of_means(means))
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


def _joined_scores(rows: pd.DataFrame, parts: pd.Series, counts: NDArray) -> dict[str, NDArray[np.float64]]:
    """Scores of concatenations of parts, clips or seeds: name to an array of shape (concatenations,)."""
    weights = counts[:, parts.to_numpy(int)]
    found: dict[str, NDArray[np.float64]] = {}
    for kind in KINDS:
        found |= kind.joined(rows, weights)
    return {name: values for name, values in found.items() if not is_within(name, found)}


def _jackknifed(found: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """The score of all (the first entry) with the interval that those of all but one (the others) give."""
    row: dict[str, float] = {}
    for name, values in found.items():
        low, high = jackknife(float(values[0]), values[1:], name)
        row |= {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
    return row


def _of_means(means: pd.DataFrame) -> dict[str, float]:
    """Means of the parts' own scores, with intervals."""
    row: dict[str, float] = {}
    for column in filter(is_score, map(str, means)):
        name = column.removeprefix("recognition_")
        if means[column].notna().any():
            row[name], low, high = interval(means[column].to_numpy(float))
            row[f"{name}_low"], row[f"{name}_high"] = within(low, high, name.partition("_")[0])
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
    return score != name and (score == "accuracy_clip" or score_of(score) is not None)


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
    name = name.removeprefix("recognition_")
    score = score_of(name)
    return f"{score.label} {name.partition('_')[2]}".rstrip() if score else name.replace("_", " ")


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
