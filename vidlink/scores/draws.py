"""How far chance alone moves a run: other draws of the channel, and what protection would have done in them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vidlink.scores.baselines import reference_of, scored
from vidlink.scores.metrics import score_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.scores.redraw import Draw, Redraws

MOST, FEWEST = 20, 5
"""Draws of a run; where not even the fewest are cheap enough, there are none."""
MOST_PACKETS = 20_000
"""Packets that the draws carry together: about two seconds of processor time."""
WORTH = 0.6
"""An option is recommended where it leaves at most this share of the damage."""
_DAMAGED = 0.01
"""Share of frames below which nothing is recommended."""


def draws_section(redraws: Redraws, recognition: dict[str, Any] | None, tables: dict[str, Any]) -> dict[str, Any]:
    """Other draws of the channel over the same coded segments.

    Parameters
    ----------
    redraws
        What the run sent.
    recognition
        The section of ``summary.json``.
    tables
        The tables of the run.

    Returns
    -------
    dict
        ``count`` (0: there are none, since the run was live, is too long, or its link is perfect), ``varies`` (whether
        they differ; None where nobody knows), ``damaged`` (share of the frames that are not as they were sent: ``low``,
        ``mean``, ``high``), ``scores`` (the same of each score, estimated), ``lossless`` (each score had nothing been
        lost, estimated), ``options`` (what protection leaves of the damage).
    """
    packets = redraws.packets()
    count = min(MOST, MOST_PACKETS // packets) if packets else 0
    count = 1 if packets and not redraws.at_random else count
    if not packets or (count < FEWEST and redraws.at_random):
        return {"count": 0, "varies": None if redraws.at_random or redraws.settings.live else False}
    own = redraws.settings.seed
    seeds = [own, *(seed for seed in range(count + 1) if seed != own)][:count]
    drawn = [redraws.draw(seed) for seed in seeds]
    damaged = [each.damaged for each in drawn]
    if not any(damaged):
        return {"count": count, "varies": False, "damaged": _range(damaged)}
    ideal = _scores([drawn[0], redraws.draw(own, lossless=True)], recognition, tables)
    return {
        "count": count,
        "varies": any(list(each.status) != list(drawn[0].status) for each in drawn),
        "damaged": _range(damaged),
        "scores": {
            name: {key: _range(values) for key, values in row.items()}
            for name, row in _scores(drawn, recognition, tables).items()
        },
        "lossless": {name: {key: round(values[1], 5) for key, values in row.items()} for name, row in ideal.items()},
        "options": _options(redraws, seeds[: max(FEWEST, count // 2)], drawn),
    }


def _range(values: list[float]) -> dict[str, float]:
    low, mean, high = min(values), float(np.mean(values)), max(values)
    return {"low": round(low, 5), "mean": round(mean, 5), "high": round(high, 5)}


def _options(redraws: Redraws, seeds: list[int], drawn: list[Draw]) -> list[dict[str, Any]]:
    """What options that the run does not use would leave of the damage, over the same draws."""
    before = float(np.mean([each.damaged for each in drawn[: len(seeds)]]))
    if before < _DAMAGED:
        return []
    settings, found = redraws.settings, []
    tried: list[tuple[str, dict[str, Any]]] = []
    if not settings.nack:
        tried.append(("--nack", {"nack": True}))
    if settings.fec == "none":
        tried.append(("--fec xor:k=5", {"fec": "xor:k=5"}))
    if max(each.late for each in drawn) > _DAMAGED:
        longer_s = 2.5 * settings.deadline_s
        tried.append((f"--deadline {longer_s:g}", {"deadline_s": longer_s}))
    sent = np.mean([each.wire_bytes for each in drawn[: len(seeds)]])
    for option, changes in tried:
        again = [redraws.draw(seed, **changes) for seed in seeds]
        after = float(np.mean([each.damaged for each in again]))
        more = float(np.mean([each.wire_bytes for each in again]) / sent - 1)
        found.append(
            {
                "option": option,
                "damaged": round(after, 5),
                "instead_of": round(before, 5),
                "more_bits": round(more, 4),
                "helps": after <= WORTH * before,
            }
        )
    return found


def _scores(
    drawn: list[Draw], recognition: dict[str, Any] | None, tables: dict[str, Any]
) -> dict[str, dict[str, list[float]]]:
    """Scores of dimensions in each draw, the run's own first, estimated without decoding anything."""
    if not recognition or "cc" not in recognition or not recognition["n"]:
        return {}
    names = list(recognition["cc"])
    rows = scored(recognition, tables["predictions"])
    truth = rows[[reference_of(recognition, name) for name in names]].to_numpy(float)
    statuses = tables["frames"]["status"].to_numpy()
    found = []
    for each in drawn:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(score_table(names, _answers(each, drawn[0], names, rows, statuses), truth))
    return {
        measure: {name: [float(each[measure][name] or 0) for each in found] for name in names} for measure in found[0]
    }


def _answers(
    draw: Draw, own: Draw, names: list[str], rows: pd.DataFrame, statuses: NDArray[np.object_]
) -> NDArray[np.float64]:
    """What the recognizer would say in a draw, about, shape (rows, dimensions).

    Where the same picture was on show as in the run, with the same status, it says what it said. Where another picture
    is held, it says what it said when that one was new; where the run itself has no good picture of that time, what it
    said of the pristine one, moved by what coding did to its answers on the whole.
    """
    answers, pristine = rows[names].to_numpy(float), rows[[f"{name}_pristine" for name in names]].to_numpy(float)
    frames, faces = rows["frame"].to_numpy(int), rows["face"].to_numpy(int)
    good = statuses[frames] == "ok"
    moved = (answers - pristine)[good].mean(axis=0) if good.any() else 0.0
    clean = np.where(good[:, None], answers, pristine + moved)
    shown = draw.on_show[frames]
    same = (shown == own.on_show[frames]) & (draw.status[frames] == own.status[frames])
    found = answers.copy()
    for face in np.unique(faces):
        track = np.flatnonzero(faces == face)
        held = np.clip(np.searchsorted(frames[track], shown[track], side="right") - 1, 0, None)
        found[track] = clean[track[held]]
    return np.where(same[:, None], answers, found)
