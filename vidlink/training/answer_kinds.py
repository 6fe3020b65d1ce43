"""Which answers go with which labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.training.answers import Answers, ClassAnswers, MapAnswers
from vidlink.training.box_answers import BoxAnswers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.data.picture_set import Form


def answers_for(form: Form, classes: int, maps: NDArray[np.uint8] | None = None) -> Answers:
    """The answers that go with a form of labels.

    Parameters
    ----------
    form
        Of the labels.
    classes
        How many classes there are.
    maps
        The label maps to learn from, which say how rare each class is; None where nothing is learned.
    """
    if form == "labels":
        return ClassAnswers()
    if form == "boxes":
        return BoxAnswers(classes)
    return MapAnswers(np.zeros(0, np.uint8) if maps is None else maps, classes)
