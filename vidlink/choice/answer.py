"""The answer: which setting, how good, how dear, and how sure; in three lines, as JSON, and for the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.choice.cost import Cost, encode_cost
from vidlink.choice.decide import Rival, fair_score, rivals_of
from vidlink.choice.trials import SCORES
from vidlink.sweeping.intervals import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.choice.halving import Outcome
    from vidlink.choice.trials import Trials

SHOWN = 3
"""Rivals in the third line."""
MEASURED, ENCODED = 6, 3
"""Settings whose cost is measured, and clips that each encodes for it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is recommended, and what is known of it."""

    command: str
    """The command line to use."""
    setting: str
    """What of it was chosen."""
    score_name: str
    """What was chosen by."""
    against: str
    """``labels``, ``pristine`` (what the recognizer says itself of the pristine clip), or empty."""
    score: float
    """Mean over clips."""
    low: float
    """Lower end of its 95 % interval, Student's t over clips; NaN with one clip."""
    high: float
    """Upper end."""
    fair: float
    """The mean score of clips by the setting that is best on the others; NaN with one clip."""
    clips: int
    """Clips behind it."""
    kbps: float
    """On the wire."""
    resolution: str
    """Of the pictures sent, on most clips."""
    frames_per_s: float
    """Frames sent in a second."""
    costs: dict[str, Cost]
    """Of the chosen setting and its nearest rivals, by their options."""
    rivals: list[Rival]
    """All others, those of the last round first."""
    rounds: list[tuple[int, int]]
    """How many settings were on how many clips, in each round."""
    left_out: list[str] = field(default_factory=list)
    """Codecs that this machine lacks, clips and settings that gave nothing, a line each."""

    @property
    def cost(self) -> Cost:
        """Of the chosen setting."""
        return self.costs[self.setting]

    @property
    def digits(self) -> int:
        """Digits behind the point of scores."""
        return 2 if self.score_name == "PSNR" else 3

    @property
    def alike(self) -> list[Rival]:
        """Settings on all clips that cannot be told from the chosen one."""
        return [each for each in self.rivals if each.clips == self.clips and not each.told_apart]

    @property
    def behind(self) -> list[Rival]:
        """Settings that an earlier round left behind."""
        return [each for each in self.rivals if each.clips < self.clips]


def make_answer(trials: Trials, outcome: Outcome, *, inputs: str, left_out: Sequence[str]) -> Answer:
    """Put together what is known of the best setting; codes a few clips once more to see what that costs.

    Parameters
    ----------
    trials
        What ran.
    outcome
        Of the search.
    inputs
        Words of the command line that the options follow.
    left_out
        What was not tried, and why.
    """
    chosen, table = outcome.standing[0], outcome.table
    mine = table[(table["setting"] == chosen) & table["clip"].isin(outcome.clips)]
    chosen_by = SCORES[trials.score]
    name, least, most = chosen_by.label, chosen_by.low, chosen_by.high
    score, low, high = interval(mine["score"].to_numpy(float))
    coded = outcome.clips[:ENCODED]
    resolutions = mine["resolution"].dropna().mode()
    return Answer(
        command=f"vidlink run {inputs} {chosen}",
        setting=chosen,
        score_name=name,
        against=trials.against if trials.score != "psnr_db" else "",
        score=score,
        low=max(low, least) if np.isfinite(low) else low,
        high=min(high, most) if np.isfinite(high) else high,
        fair=fair_score(outcome.standing, table),
        clips=len(outcome.clips),
        kbps=float(mine["kbps"].mean()),
        resolution=str(resolutions.iloc[0]) if len(resolutions) else "",
        frames_per_s=float(mine["frames_per_s"].mean()),
        costs={setting: _cost(trials, setting, coded) for setting in outcome.standing[:MEASURED]},
        rivals=rivals_of(chosen, table),
        rounds=outcome.rounds,
        left_out=[
            *left_out,
            *(f"{clip}: left out: {reason}" for clip, reason in outcome.skipped.items()),
            *(f"{setting}: left out: {reason}" for setting, reason in outcome.refused.items()),
        ],
    )


def lines(answer: Answer) -> list[str]:
    """The answer in three lines."""
    digits = answer.digits
    spread = f" [{answer.low:.{digits}f}, {answer.high:.{digits}f}]" if np.isfinite(answer.low) else ""
    against = {"labels": " against labels", "pristine": " of agreement with the pristine clip"}.get(answer.against, "")
    gives = f"{answer.score_name} {answer.score:.{digits}f}{spread}{against} over {clips_in_words(answer.clips)}"
    cost = f"one encode takes {answer.cost.per_second:.3g} CPU seconds per camera second"
    return [
        f"use        {answer.command}",
        f"it gives   {gives}, {answer.kbps:.1f} kb/s; {cost}: a core carries {cameras(answer.cost)}",
        f"how sure   {sureness(answer)}",
    ]


def sureness(answer: Answer) -> str:
    """What can be told apart with so few clips, and what cannot."""
    level = sum(each.less == 0 for each in answer.behind)
    same = f", {level} of them with the same score there" if level else ""
    behind = f"; {len(answer.behind)} more were left behind on fewer clips{same}" if answer.behind else ""
    if answer.clips < 2:
        return "one clip gives no interval, and tells no two settings apart: give more clips"
    if not answer.alike:
        others = sum(each.clips == answer.clips for each in answer.rivals)
        return f"{clips_in_words(answer.clips)} tell it from each of the {others} others on all of them{behind}"
    told = "; ".join(f"{each.setting} ({_difference(each, answer)})" for each in answer.alike[:SHOWN])
    more = f"; and {len(answer.alike) - SHOWN} more" if len(answer.alike) > SHOWN else ""
    return f"{clips_in_words(answer.clips)} cannot tell it from {told}{more}{behind}"


def clips_in_words(count: int) -> str:
    """A number of clips."""
    return f"{count} clip{'s' if count != 1 else ''}"


def cameras(cost: Cost) -> str:
    """How many cameras a core carries, in words: whole ones, where there is a whole one."""
    count = cost.cameras
    if not np.isfinite(count):
        return "more cameras than can be measured"
    if count < 1:
        return f"{count:.2f} of a camera"
    return f"{int(count)} camera{'s' if int(count) != 1 else ''}"


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain values; NaN is None."""
    found = asdict(answer)
    found["costs"] = {
        setting: {"cpu_s_per_s": cost.per_second, "cameras_per_core": cost.cameras, "video_s": cost.video_s}
        for setting, cost in answer.costs.items()
    }
    return _plain(found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _difference(rival: Rival, answer: Answer) -> str:
    digits = answer.digits
    if rival.less == 0 and rival.low == rival.high:
        return "the same on every clip; PSNR decided"
    needed = f"about {clips_in_words(rival.needed)} would" if rival.needed else "no number of clips is known that would"
    return f"{rival.less:.{digits}f} less [{rival.low:.{digits}f}, {rival.high:.{digits}f}], {needed}"


def _cost(trials: Trials, setting: str, clips: Sequence[str]) -> Cost:
    """Of one encode of each clip."""
    every = [encode_cost(*trials.plan(setting, clip)) for clip in clips]
    return Cost(cpu_s=sum(each.cpu_s for each in every), video_s=sum(each.video_s for each in every))
