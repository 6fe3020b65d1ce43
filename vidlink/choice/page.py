"""``recommendation.html``: the answer, how sure it is, and every setting that was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from vidlink.choice.answer import cameras, clips_in_words, sureness
from vidlink.report.page import svg
from vidlink.report.page.html import render
from vidlink.report.page.svg import Axis
from vidlink.report.provenance import describe
from vidlink.sweeping.folder import PROVENANCE
from vidlink.sweeping.table import CSV, PARQUET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vidlink.choice.answer import Answer
    from vidlink.choice.decide import Rival

PAGE = "recommendation.html"
_HEADS = ("setting", "clips", "score", "less", "interval", "told apart", "clips needed", "CPU s/s", "cameras a core")
_MOST = 16
_ROW = 32


def page_of_answer(answer: Answer, folder: Path) -> str:
    """The page of a recommendation, whose results are in a folder."""
    drawn = [each for each in answer.rivals if each.clips == answer.clips and np.isfinite(each.low)][:_MOST]
    drawing, axis = _forest(drawn) if drawn else (Markup(""), Markup(""))
    return render(
        "recommendation",
        scripted="sweep",
        title=f"Use {answer.setting}",
        problems=[],
        command=answer.command,
        facts=_facts(answer),
        left_out=answer.left_out,
        score=answer.score_name,
        drawing=drawing,
        axis=axis,
        heads=_HEADS,
        rows=_rows(answer),
        rounds=answer.rounds,
        made_by=describe()["command"],
        files=[(name, quote(name)) for name in (PARQUET, CSV, PROVENANCE) if (folder / name).is_file()],
    )


def _facts(answer: Answer) -> list[tuple[str, str]]:
    digits = answer.digits
    spread = f", 95 % interval {answer.low:.{digits}f} to {answer.high:.{digits}f}" if np.isfinite(answer.low) else ""
    against = {"labels": "against labels", "pristine": "agreement with the pristine clip"}.get(
        answer.against, "pictures"
    )
    sent = (
        f"{answer.resolution.replace('x', '×')}, {answer.frames_per_s:.3g} frames a second" if answer.resolution else ""
    )
    facts = [
        (f"{answer.score_name}, {against}", f"{answer.score:.{digits}f}{spread}, over {clips_in_words(answer.clips)}"),
        ("on the wire", f"{answer.kbps:.1f} kb/s"),
        ("pictures sent", sent),
        (
            "cost of coding",
            f"{answer.cost.per_second:.3g} CPU seconds per camera second, by one encode of {answer.cost.video_s:.1f} s "
            f"of video without trials: a core carries {cameras(answer.cost)}",
        ),
        ("how sure", sureness(answer)),
    ]
    if np.isfinite(answer.fair):
        fair = f"{answer.fair:.{digits}f}: the mean score of clips by the setting that is best on the others. "
        facts.append(("of choosing", f"{fair}The best of many looks better than it is on the clips that chose it."))
    return [(name, value) for name, value in facts if value]


def _rows(answer: Answer) -> list[list[tuple[str, float | None]]]:
    digits = answer.digits
    missing = ("–", None)
    first = [(answer.setting, None), _number(answer.clips, 0), _number(answer.score, digits), ("chosen", None)]
    rows = [[*first, missing, missing, missing, *_cost(answer, answer.setting)]]
    for each in answer.rivals:
        known = np.isfinite(each.low)
        spread = (f"[{each.low:.{digits}f}, {each.high:.{digits}f}]", each.low) if known else missing
        told = ("yes" if each.told_apart else "no") if known else "–"
        needed = missing if each.needed is None else _number(each.needed, 0)
        row = [(each.setting, None), _number(each.clips, 0), _number(each.score, digits), _number(each.less, digits)]
        rows.append([*row, spread, (told, None), needed, *_cost(answer, each.setting)])
    return rows


def _cost(answer: Answer, setting: str) -> list[tuple[str, float | None]]:
    cost = answer.costs.get(setting)
    if cost is None:
        return [("–", None), ("–", None)]
    return [(f"{cost.per_second:.3g}", cost.per_second), (f"{cost.cameras:.3g}", cost.cameras)]


def _number(value: float, digits: int) -> tuple[str, float]:
    return f"{value:.{digits}f}", float(value)


def _forest(rivals: Sequence[Rival]) -> tuple[Markup, Markup]:
    """A row for each setting: its difference as a dot, with its interval; and the axis below."""
    across = Axis.over([0.0, *(bound for each in rivals for bound in (each.low, each.high))])
    zero = svg.percent(float(across.share(np.array(0.0))))
    parts = [Markup('<line class="grid" x1="{}" x2="{}" y1="0" y2="100%"/>').format(zero, zero)]
    for place, each in enumerate(rivals):
        down = (place + 0.72) / len(rivals)
        low, middle, high = (float(across.share(np.array(value))) for value in (each.low, each.less, each.high))
        whisker = '<line class="whisker line-{}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        hue = 0 if each.told_apart else 3
        parts.append(Markup(whisker).format(hue, svg.percent(low), svg.percent(high), *(svg.percent(down),) * 2))
        parts.append(svg.dot(f"line-{hue}", middle, 1 - down, title=f"{each.setting}: {each.less:.4g} less"))
        text = Markup('<text x="4" y="{}">{}</text>')
        parts.append(text.format(svg.percent((place + 0.4) / len(rivals)), each.setting))
    ticks = []
    for value in across.ticks(6):
        along = float(across.share(np.array(value)))
        anchor = "start" if along < 0.03 else "end" if along > 0.95 else "middle"
        text = Markup('<text class="tick" x="{}" y="13" text-anchor="{}">{}</text>')
        ticks.append(text.format(svg.percent(along), anchor, f"{value:g}"))
    label = "How much less each setting scores than the chosen one, with intervals"
    return (
        svg.drawing("plot", _ROW * len(rivals) + 8, label, parts),
        svg.drawing("axis", 18, f"from {across.low:.3g} to {across.high:.3g}", ticks),
    )
