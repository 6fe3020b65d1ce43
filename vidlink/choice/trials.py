"""Settings tried on clips as a sweep: each run once, in a results folder, so that a search can be gone on with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vidlink.scores.kind import Score
from vidlink.scores.kinds import KINDS
from vidlink.scores.kinds import SCORES as SCORE_OF
from vidlink.sweeping.folder import read_record
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.identity import identify
from vidlink.sweeping.sweep import sweep
from vidlink.sweeping.tidy import add_short
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vidlink.choice.candidates import Candidate
    from vidlink.choice.clips import TrialClip
    from vidlink.settings import Settings
    from vidlink.sweeping.executors import Executors
    from vidlink.sweeping.grid import Point

SCORES = {
    **{kind.headline: SCORE_OF[kind.headline] for kind in reversed(KINDS)},
    "psnr_db": Score(name="psnr_db", label="PSNR", low=0.0),
}
"""What is chosen by, the first that there is."""


@dataclass(kw_only=True)
class Trials:
    """Runs settings on clips; what was run before, here or by an earlier command, is not run again."""

    common: Mapping[str, Any]
    """Options of every run, under their names on the command line."""
    candidates: Mapping[str, Candidate]
    """Settings by name."""
    clips: Mapping[str, TrialClip]
    """Clips by path."""
    out: Path
    """Results folder."""
    executors: Callable[[], Executors]
    """Makes what runs the points."""
    cache_bytes: int = 0
    """Bound of the cache."""
    quiet: bool = False
    """Whether to show no progress."""
    score: str = ""
    """What is chosen by: a key of :data:`SCORES`, known after the first runs."""
    against: str = ""
    """``labels`` or ``pristine``."""
    points: dict[tuple[str, str], Point] = field(default_factory=dict)
    """Every point so far, by setting and clip."""

    def __call__(self, settings: Sequence[str], clips: Sequence[str]) -> pd.DataFrame:
        """Run settings on clips.

        Returns
        -------
        pandas.DataFrame
            A row for each pair, in order: ``setting``, ``clip``, ``score`` (higher is better, NaN where there is none),
            ``also`` (PSNR, which settles ties), ``kbps``, ``resolution``, ``frames_per_s``, ``error``.
        """
        seed = int(self.common.get("seed", 0))
        places = {path: number for number, path in enumerate(self.clips)}
        shown = [self.clips[path] for path in clips]
        grid = {
            "setting": [{"name": name, **self.candidates[name].options} for name in settings],
            # Each clip has its own draw of the channel, the same for every setting.
            "clip": [
                {"name": clip.path, "input": clip.path, "seed": seed + places[clip.path]}
                | ({"labels": str(clip.labels)} if clip.labels else {})
                for clip in shown
            ],
        }
        common = {name: value for name, value in self.common.items() if name != "seed"}
        points = list(sweep_from({"settings": common, "grid": grid}, "recommend").make_points(Path()))
        self.points |= {(point.columns["setting"], point.columns["clip"]): point for point in points}
        table = self._sweep(points)
        return self._scored(add_short(table))

    def all_points(self) -> pd.DataFrame:
        """Write the table of all runs into the results folder, and give it."""
        return self._sweep(list(self.points.values()))

    def plan(self, setting: str, clip: str) -> tuple[Settings, list[dict[str, Any]]]:
        """The settings of a run and the rungs that it chose."""
        point = self.points[setting, clip]
        record = read_record(self.out, identify(point.settings)) or {}
        return replace(point.settings, workers=1), record["summary"]["plan"]

    def _sweep(self, points: Sequence[Point]) -> pd.DataFrame:
        return sweep(points, self.out, self.executors(), quiet=self.quiet, cache_bytes=self.cache_bytes)

    def _scored(self, table: pd.DataFrame) -> pd.DataFrame:
        if not self.score:
            known = [name for name in SCORES if name in table and table[name].notna().any()]
            scores = [name for name in known if name != "psnr_db" or self.common.get("recognizer") == "none"]
            self.score = scores[0] if scores else ""
            if "recognition_against" in table and table["recognition_against"].notna().any():
                self.against = str(table["recognition_against"].dropna().iloc[0])
        nothing = pd.Series(np.nan, index=table.index)
        found = table[["setting", "clip"]].copy()
        found["score"] = table.get(self.score, nothing).astype(float)
        for name, column in (("also", "psnr_db"), ("kbps", "kbps"), ("frames_per_s", "frames_per_s")):
            found[name] = table.get(column, nothing).astype(float)
        found["resolution"] = table.get("resolution", pd.Series(None, index=table.index, dtype=object))
        failed = table.get("recognition_error", pd.Series(None, index=table.index, dtype=object))
        found["error"] = table["error"].where(table["status"] != DONE, failed)
        found["error"] = [None if pd.isna(error) else str(error) for error in found["error"]]
        return found
