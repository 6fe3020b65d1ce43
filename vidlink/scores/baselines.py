"""What a score is to be held beside: the ceiling, a constant answer, and chance.

- **Ceiling**: the score of the pristine pictures, by the same recognizer, against the labels. Without labels the
  recognizer is held against itself, and the ceiling is a perfect score.
- **Constant**: the best that one and the same answer can score. CC and CCC of a constant are 0. The RMSE of the best
  constant, the mean of the references, is their standard deviation (over n). The accuracy of the best constant is the
  share of the commonest reference; where a clip has one reference throughout, a constant answer in hindsight is always
  right and says nothing, so there it is the share that guessing among all classes has.
- **Chance**: what the same answers score at wrong times. Answers of neighbouring frames are alike, so they are not
  shuffled but shifted in a circle, all faces by the same share of their tracks (Quian Quiroga et al., "Performance of
  different synchronization measures in real data", Phys. Rev. E 65, 041903, 2002); 95 of 100 shifts are no better.
- **Kept**: ``(score - constant) / (ceiling - constant)``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.scores.metrics import SCORES, correlations, score_table, wilson

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SHIFTS = 100
"""How many shifts chance is read from."""
FEWEST = 20
"""Fewer values than this tell nothing of chance."""

Baselines = dict[str, Any]
"""``ceiling``, ``constant``, ``chance``, ``kept`` and ``above_chance``, each laid out as the scores are."""


def scored(recognition: dict[str, Any], predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows of dimensions that count: those with all answers and all references."""
    names = list(recognition["cc"])
    references = [reference_of(recognition, name) for name in names]
    return predictions[predictions[[*names, *references]].notna().all(axis=1)]


def reference_of(recognition: dict[str, Any], name: str) -> str:
    """The column that a dimension is held against."""
    return f"{name}_{'label' if recognition['against'] == 'labels' else 'pristine'}"


def kept(score: float | None, constant: float | None, ceiling: float | None, *, falls: bool = False) -> float | None:
    """Share of the way from a constant answer to the ceiling; None where the ceiling itself is no better.

    ``falls`` is true of errors: the lower, the better.
    """
    if score is None or constant is None or ceiling is None:
        return None
    if (constant - ceiling if falls else ceiling - constant) < 1e-3:
        return None
    return round((score - constant) / (ceiling - constant), 4)


def of_dimensions(recognition: dict[str, Any], predictions: pd.DataFrame) -> Baselines:
    """What CC, CCC and RMSE are to be held beside, from a section with ``n`` of 1 or more and the table of the run."""
    names = list(recognition["cc"])
    rows = scored(recognition, predictions).sort_values(["face", "frame"], kind="stable")
    truth = rows[[reference_of(recognition, name) for name in names]].to_numpy(float)
    answers = rows[names].to_numpy(float)
    pristine = rows[[f"{name}_pristine" for name in names]].to_numpy(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ceiling = score_table(names, pristine, truth)
        if recognition["against"] != "labels":  # a track that never changes agrees with itself, too
            ceiling = {"cc": dict.fromkeys(names, 1.0), "ccc": dict.fromkeys(names, 1.0), **_only(ceiling, "rmse")}
        chance = _by_shifts(names, answers, truth, rows["face"].to_numpy())
    spread = dict(zip(names, truth.std(axis=0).tolist(), strict=True))
    constant: dict[str, dict[str, float]] = {"cc": dict.fromkeys(names, 0.0), "ccc": dict.fromkeys(names, 0.0)}
    constant["rmse"] = {name: round(spread[name], 5) for name in names}
    found: Baselines = {"ceiling": _rounded(ceiling), "constant": constant, "chance": _rounded(chance)}
    found["kept"] = {
        measure: {
            name: kept(
                recognition[measure][name], constant[measure][name], ceiling[measure][name], falls=measure == "rmse"
            )
            for name in names
        }
        for measure in SCORES
    }
    found["above_chance"] = {
        measure: {
            name: _above(recognition[measure][name], constant[measure][name], chance[measure][name], measure)
            for name in names
        }
        for measure in SCORES
    }
    return found


def _only(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: table[name]}


def _above(score: float | None, constant: float, chance: float | None, measure: str) -> bool | None:
    """Whether a score is better than a constant answer, and than chance; None where there is too little to tell."""
    if score is None or chance is None:
        return None
    sign = -1 if measure == "rmse" else 1
    return bool(sign * score > max(sign * constant, sign * chance))


def _by_shifts(
    names: list[str], answers: NDArray[np.float64], truth: NDArray[np.float64], faces: NDArray[np.int64]
) -> dict[str, dict[str, float | None]]:
    """The score that 95 of 100 shifts do not reach, of each dimension."""
    if len(answers) < FEWEST:
        return {measure: dict.fromkeys(names) for measure in SCORES}
    tracks = [np.flatnonzero(faces == face) for face in np.unique(faces)]
    found: dict[str, dict[str, float | None]] = {measure: {} for measure in SCORES}
    for column, name in enumerate(names):
        shifted = np.empty((len(answers), SHIFTS))
        for track in tracks:
            for place, far in enumerate(shifts(len(track), SHIFTS)):
                shifted[track, place] = np.roll(answers[track, column], far)
        both = correlations(shifted, np.repeat(truth[:, column : column + 1], SHIFTS, axis=1))
        for measure, values in zip(("cc", "ccc"), both, strict=True):
            found[measure][name] = float(np.percentile(np.nan_to_num(values), 95))
        errors = np.sqrt(np.mean((shifted - truth[:, column : column + 1]) ** 2, axis=0))
        found["rmse"][name] = float(np.percentile(errors, 5))
    return found


def of_classes(recognition: dict[str, Any], predictions: pd.DataFrame) -> Baselines:
    """What accuracy is to be held beside, from a section with ``n`` of 1 or more and the table of the run."""
    labelled = recognition["against"] == "labels"
    reference = predictions["class_label" if labelled else "class_pristine"]
    rows = predictions[reference.notna()]
    reference = reference[reference.notna()]
    ceiling = float((rows["class_pristine"] == reference).mean()) if len(rows) else None
    guess = 1 / recognition["classes"] if recognition.get("classes") else None
    constant = float(reference.value_counts(normalize=True).max()) if reference.nunique() > 1 else guess
    accuracy, alone = recognition["accuracy"], _disjoint(rows)
    interval = wilson(round(accuracy * alone), alone) if accuracy is not None else None
    found = {
        "ceiling": ceiling,
        "constant": constant,
        "chance": guess,
        "kept": kept(accuracy, constant, ceiling),
        "above_chance": bool(interval[0] > max(constant, guess or 0)) if interval and constant is not None else None,
    }
    return {name: {"accuracy": round(value, 5) if isinstance(value, float) else value} for name, value in found.items()}


def of_places(recognition: dict[str, Any], name: str) -> Baselines:
    """What a score of maps or of boxes is to be held beside: its collector has found out while it had the answers.

    Parameters
    ----------
    recognition
        The section, which has the score as ``NAME``, and ``NAME_ceiling``, ``NAME_constant``, ``NAME_chance``.
    name
        Of the score.
    """
    score = recognition[name]
    ceiling, constant, chance = (recognition[f"{name}_{key}"] for key in ("ceiling", "constant", "chance"))
    above = None if chance is None or score is None else bool(score > max(chance, constant or 0.0))
    found = {
        "ceiling": ceiling,
        "constant": constant,
        "chance": chance,
        "kept": kept(score, constant, ceiling),
        "above_chance": above,
    }
    return {key: {name: value} for key, value in found.items()}


def shifts(count: int, tries: int) -> list[int]:
    """By how many places a track of so many answers is shifted in a circle: by evenly spaced shares of it.

    Examples
    --------
    >>> shifts(20, 5)
    [2, 6, 10, 14, 18]
    """
    return [max(1, round(share * count)) for share in np.linspace(0.1, 0.9, tries).tolist()]


def _disjoint(windows: pd.DataFrame) -> int:
    """How many windows share no frame: overlapping ones are alike, and prove nothing more."""
    count = 0
    for _, track in windows.groupby("face"):
        ends_s = -np.inf
        for start_s, end_s in zip(track["time_s"], track["end_s"], strict=True):
            if start_s > ends_s:
                count, ends_s = count + 1, end_s
    return count


def _rounded(table: dict[str, dict[str, float | None]]) -> dict[str, dict[str, float | None]]:
    return {
        measure: {name: None if value is None else round(value, 5) for name, value in row.items()}
        for measure, row in table.items()
    }
