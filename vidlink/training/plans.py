"""The planner's own operating points: which scale, frame rate, quality and group lengths it chose in earlier runs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.types import Rung

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """One segment of a plan."""

    duration_s: float
    """Its length in seconds: a closed group of pictures."""
    rung: Rung
    """How it was coded."""


def load_plans(path: Path) -> list[tuple[Step, ...]]:
    """The plans of all runs and sweeps below a folder, in the order of their files' names; or those of one JSON file.

    Such a file may also hold several: ``{"plans": [[row, ...], ...]}`` with rows as in a ``summary.json``.

    Raises
    ------
    UserError
        There is no such file or folder, or no plan in it.
    """
    if not path.exists():
        raise UserError(f"--plans {path}: no such file or folder; expected runs, or a sweep")
    plans: list[tuple[Step, ...]] = []
    for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        try:
            found: Any = json.loads(file.read_bytes())
            several = found["plans"] if "plans" in found else [found.get("summary", found)["plan"]]
            plans += [_steps(rows) for rows in several]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # some other JSON file
    plans = [plan for plan in plans if plan]
    if not plans:
        raise UserError(f"--plans {path}: holds no plan; expected summary.json of runs, or the points of a sweep")
    return plans


def _steps(rows: list[dict[str, Any]]) -> tuple[Step, ...]:
    starts = [float(row["start_s"]) for row in rows]
    lengths = [after - before for before, after in pairwise(starts)]
    lengths.append(lengths[-1] if lengths else 1.0)
    steps = []
    for length, row in zip(lengths, rows, strict=True):
        rung = Rung(scale=float(row["scale"]), frame_divisor=int(row["frame_divisor"]), quality=float(row["quality"]))
        if not (math.isfinite(length) and length > 0 and rung.scale >= 1 and rung.frame_divisor >= 1):
            raise ValueError(f"{row = }: not a segment of a plan")
        steps.append(Step(duration_s=length, rung=rung))
    return tuple(steps)
