"""Who judges a run: its recognizer, and the labels that this is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer
from vidlink.scores.kinds import kind_of

if TYPE_CHECKING:
    from vidlink.recognizers.recognize import Recognizer
    from vidlink.settings import Settings


class Judge(NamedTuple):
    """The recognizer of a run and what it is held against."""

    recognizer: Recognizer | None
    """Who looks at the received pictures, or None."""
    labels: Any
    """As the recognizer's kind reads them. None: the recognizer is held against what it says itself of the pristine
    pictures."""

    @property
    def boxes(self) -> pd.DataFrame | None:
        """Labels of dimensions, which may say where the faces are."""
        return self.labels if isinstance(self.labels, pd.DataFrame) else None

    @property
    def wants_faces(self) -> bool:
        """Whether it looks at faces alone."""
        return self.recognizer is not None and self.recognizer.wants.region == "face"


def load_judge(settings: Settings, own: pd.DataFrame | None) -> Judge:
    """The recognizer of a run and the labels it is held against.

    Parameters
    ----------
    settings
        Of the run.
    own
        Labels that came with the clip; used where they have all that the recognizer gives and no file is named.

    Raises
    ------
    UserError
        There is no such recognizer, it cannot be loaded, or the labels file is wrong.
    """
    if settings.recognizer == "none":
        for option, value in (("labels", settings.labels), ("label", settings.label)):
            if value is not None:
                raise UserError(f"--{option} {value}: --recognizer none gives nothing to hold against labels")
        return Judge(None, None)
    recognizer = load_recognizer(
        settings.recognizer, device=settings.device, weights=settings.weights, arguments=settings.recognizer_args
    )
    return Judge(recognizer, kind_of(recognizer).labels(settings, recognizer, own))
