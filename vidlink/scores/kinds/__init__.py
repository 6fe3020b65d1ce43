"""The kinds of recognizers: a new one is a file here and a line below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidlink.recognizers.recognizer import attribute_of
from vidlink.scores.kinds.boxes import BOXES
from vidlink.scores.kinds.classes import CLASSES
from vidlink.scores.kinds.dimensions import DIMENSIONS
from vidlink.scores.kinds.maps import MAPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.kind import Kind, Score

KINDS: tuple[Kind, ...] = (DIMENSIONS, CLASSES, MAPS, BOXES)
"""All of them."""
SCORES: dict[str, Score] = {score.name: score for kind in KINDS for score in kind.scores}
"""Every score of a recognizer, by its name."""


def kind_of(recognizer: Recognizer) -> Kind:
    """The kind of a recognizer."""
    return next(kind for kind in KINDS if kind.attribute == attribute_of(recognizer))


def kind_of_section(recognition: Any) -> Kind:
    """The kind that a section ``recognition`` of ``summary.json`` is of."""
    return next((kind for kind in KINDS if kind.headline in recognition), DIMENSIONS)


def kind_of_table(columns: Iterable[str]) -> Kind:
    """The kind that a table ``predictions`` with such columns is of."""
    known = set(columns)
    return next((kind for kind in reversed(KINDS) if kind.columns <= known), DIMENSIONS)


def score_of(column: str) -> Score | None:
    """The score that a column such as ``ccc_valence`` or ``miou`` holds; None where it is no score.

    Examples
    --------
    >>> score_of("ccc_valence").label, score_of("map50").label, score_of("miou_ceiling")
    ('CCC', 'mAP50', None)
    """
    name, _, dimension = column.partition("_")
    score = SCORES.get(name)
    return score if score is not None and score.each == bool(dimension) else None
