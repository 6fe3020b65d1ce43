"""Successive halving over clips: many settings on few clips, the better ones on more, the best on all.

Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (AISTATS 2016): each
round is given about as many runs, and the better third goes on. Here what a setting has done counts on: a round adds
clips to those before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.errors import BudgetError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEEP = 3
"""One in so many goes on, and so many go into the last round."""
FIRST = 2
"""Clips of the first round, where there are so many."""


@dataclass(kw_only=True)
class Outcome:
    """What came of the search."""

    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The runs that count: a row for each setting and clip."""
    standing: list[str] = field(default_factory=list)
    """Settings of the last round, the best first."""
    clips: list[str] = field(default_factory=list)
    """Clips of the last round."""
    rounds: list[tuple[int, int]] = field(default_factory=list)
    """How many settings were on how many clips, in each round."""
    refused: dict[str, str] = field(default_factory=dict)
    """Settings that do not work on some clip, and why."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Clips on which no setting gave a score, and why."""


def halve(settings: Sequence[str], clips: Sequence[str], run: Callable[..., pd.DataFrame], *, runs: int) -> Outcome:
    """Find the best of many settings.

    Parameters
    ----------
    settings
        Their names; of equal ones the first is taken.
    clips
        In the order in which they are taken.
    run
        Runs settings on clips: a row for each pair, with ``setting``, ``clip``, ``score`` (higher is better, NaN where
        there is none), ``also`` (what settles a tie) and ``error``. It is asked again for what it gave before.
    runs
        About how many runs to make.

    Raises
    ------
    UserError
        No setting works, or no clip gives a score.
    """
    found = Outcome(standing=list(settings))
    usable, count, spent = list(clips), 0, 0
    while True:
        new = max(1, (runs - spent) // _rounds_left(len(found.standing)) // len(found.standing))
        before, count = count, min(len(usable), max(min(FIRST, len(usable)), count + new))
        table = run(found.standing, usable[:count])
        spent += len(found.standing) * (count - before)
        skipped = _clips_without(table)
        if skipped:
            found.skipped |= skipped
            usable = [clip for clip in usable if clip not in skipped]
            count -= len(skipped)
            if not usable:
                raise UserError(_nothing_found(found.skipped))
            continue
        refused = _refused(table)
        if set(refused) == set(found.standing):
            raise _nothing_fits(table)
        found.refused |= refused
        table = table[~table["setting"].isin(refused)]
        ranked = rank(table)
        found.rounds.append((len(found.standing), count))
        found.table = pd.concat([found.table, table]).drop_duplicates(["setting", "clip"], keep="last")
        found.standing, found.clips = ranked, usable[:count]
        if count == len(usable) or len(ranked) <= KEEP:
            found.table = found.table[~found.table["setting"].isin(found.refused)].reset_index(drop=True)
            found.table = found.table[~found.table["clip"].isin(found.skipped)].reset_index(drop=True)
            return found
        found.standing = ranked[: max(KEEP, -(-len(ranked) // KEEP))]


def rank(table: pd.DataFrame) -> list[str]:
    """The settings of a table by their mean score, the best first; ties by ``also``, then in the order of the table."""
    means = table.groupby("setting", sort=False)[["score", "also"]].mean().round(9)
    return [str(name) for name in means.sort_values(["score", "also"], ascending=False, kind="stable").index]


def _rounds_left(settings: int) -> int:
    """Rounds until few enough settings are left, with this one."""
    count = 1
    while settings > KEEP:
        settings, count = max(KEEP, -(-settings // KEEP)), count + 1
    return count


def _clips_without(table: pd.DataFrame) -> dict[str, str]:
    """Clips that no setting has a score on, for another reason than the budget, and what it is."""
    found = {}
    for clip, rows in table.groupby("clip", sort=False):
        if rows["score"].isna().all() and not np.isfinite([_lowest_bps(error) for error in rows["error"]]).any():
            nothing = rows["error"].isna().any()
            found[str(clip)] = "the recognizer found nothing in it" if nothing else str(rows["error"].iloc[0])
    return found


def _refused(table: pd.DataFrame) -> dict[str, str]:
    """Settings without a score on some clip, and why."""
    missing = table[table["score"].isna()].drop_duplicates("setting")
    return {
        str(row["setting"]): row["error"] if isinstance(row["error"], str) else f"no score on {row['clip']}"
        for row in missing.to_dict("records")
    }


def _nothing_found(skipped: dict[str, str]) -> str:
    clip, reason = next(iter(skipped.items()))
    also = f", and the {len(skipped) - 1} others give no score either" if len(skipped) > 1 else ""
    return f"{clip}: {reason}{also}; give clips in which the recognizer finds something, or another --recognizer"


def _nothing_fits(table: pd.DataFrame) -> UserError:
    """The error where every setting is refused: with the lowest budget that would do, where it is the budget."""
    lowest = table.assign(lowest=[_lowest_bps(error) for error in table["error"]]).dropna(subset="lowest")
    if lowest.empty:
        errors = table["error"].dropna()
        return UserError(f"no setting works: {errors.iloc[0] if len(errors) else 'none gave a score on every clip'}")
    needs = lowest.groupby("setting", sort=False)["lowest"].max()
    clips = table["clip"].nunique()
    return UserError(
        f"--bitrate: nothing that was tried fits the budget; the lowest rate that would is {needs.min() / 1000:g}k, "
        f"with {needs.idxmin()} (on {clips} clip{'s' if clips != 1 else ''})"
    )


def _lowest_bps(error: object) -> float:
    """The lowest budget that would work, where an error is about that; NaN otherwise."""
    found = BudgetError.read(error) if isinstance(error, str) else None
    return found.lowest_bps if found else np.nan
