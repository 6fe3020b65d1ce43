"""The search from start to answer: clips, what is worth trying, halving, and the page."""

from __future__ import annotations

import json
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.choice.answer import Answer, as_json, clips_in_words, make_answer
from vidlink.choice.candidates import CODECS, make_candidates, usable_codecs, worth_protecting
from vidlink.choice.clips import find_clips, in_turn, with_labels
from vidlink.choice.halving import halve
from vidlink.choice.page import PAGE, page_of_answer
from vidlink.choice.trials import Trials
from vidlink.files.whole import write_whole
from vidlink.sweeping.executors import choose_executors
from vidlink.units import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vidlink.settings import Settings

JSON = "recommendation.json"


def recommend(
    inputs: Sequence[str],
    given: dict[str, Any],
    settings: Settings,
    *,
    out: Path,
    tried: Mapping[str, Sequence[str] | None],
    runs: int,
    how: Mapping[str, Any],
) -> Answer:
    """Find the setting to use, and write the page.

    Parameters
    ----------
    inputs
        Clips, and folders of them.
    given
        Options of every run, under their names on the command line.
    settings
        The same as settings.
    out
        Results folder.
    tried
        ``codecs``, ``sizes``, ``rates``, ``protect``: what to try.
    runs
        About how many runs to make.
    how
        ``workers``, ``dask``, ``cache``, ``quiet``, as for a sweep.

    Raises
    ------
    UserError
        There are no clips, the recognizer finds nothing in them, no setting works or fits the budget, or an option is
        wrong.
    """
    protections = worth_protecting(settings, tried["protect"])
    clips, note = with_labels(in_turn(find_clips(inputs), settings.seed), settings)
    codecs, missing = usable_codecs(tried["codecs"] or CODECS)
    candidates = make_candidates(codecs, tried["sizes"] or (), tried["rates"] or (), protections)
    trials = Trials(
        common=given,
        candidates={each.name: each for each in candidates},
        clips={clip.path: clip for clip in clips},
        out=out,
        executors=partial(choose_executors, workers=how["workers"], dask=how["dask"]),
        cache_bytes=parse_bytes("--cache", how["cache"]),
        quiet=how["quiet"],
    )
    many = f"{len(candidates)} setting{'s' if len(candidates) != 1 else ''}, {clips_in_words(len(clips))}"
    print(f"{many}, about {runs} runs at most", flush=True)
    try:
        outcome = halve(list(trials.candidates), list(trials.clips), trials, runs=runs)
        trials.all_points()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what is done is kept: the same command goes on") from None
    first = trials.clips[outcome.clips[0]]
    words = " ".join([shlex.quote(first.path), words_of(given | ({"labels": first.labels} if first.labels else {}))])
    answer = make_answer(trials, outcome, inputs=words, left_out=[*missing, *([note] if note else [])])
    _write(out / JSON, json.dumps(as_json(answer), indent=1, ensure_ascii=False) + "\n")
    _write(out / PAGE, page_of_answer(answer, out))
    return answer


def words_of(given: Mapping[str, Any]) -> str:
    """Options of a run as one types them."""
    words: list[str] = []
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            words += [f"--{name}", str(each)]
    return shlex.join(words)


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8", newline="\n"))
