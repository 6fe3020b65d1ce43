"""Who judges a run: its recognizer, and the labels that this is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vidlink.errors import UserError
from vidlink.labels.classes import ClassLabels
from vidlink.recognizers.recognize import load_recognizer, names_classes

if TYPE_CHECKING:
    import pandas as pd

    from vidlink.recognizers.recognize import Recognizer
    from vidlink.settings import Settings


class Judge(NamedTuple):
    """The recognizer of a run and what it is held against."""

    recognizer: Recognizer | None
    """Who looks at the received pictures, or None."""
    labels: pd.DataFrame | ClassLabels | None
    """None: the recognizer is held against what it says itself of the pristine pictures."""

    @property
    def boxes(self) -> pd.DataFrame | None:
        """Labels of dimensions, which may say where the faces are."""
        return None if isinstance(self.labels, ClassLabels) else self.labels

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
    if names_classes(recognizer):
        from vidlink.labels.classes import find_class_labels

        return Judge(recognizer, find_class_labels(settings, names_classes(recognizer)))
    if settings.label is not None:
        raise UserError(
            f"--label {settings.label}: recognizer {recognizer.name!r} names no classes, it gives "
            f"{', '.join(recognizer.gives)}; --labels takes a table of them"
        )
    if settings.labels:
        from vidlink.labels.dimensions import load_labels

        return Judge(recognizer, load_labels(settings.labels, recognizer.gives))
    if own is not None and set(recognizer.gives) <= set(own.columns):
        return Judge(recognizer, own.assign(face=0))
    return Judge(recognizer, None)
