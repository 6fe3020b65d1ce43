"""Who judges a run: its recognizer, and the labels that this is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer, names_classes

if TYPE_CHECKING:
    import pandas as pd

    from vidlink.labels.classes import ClassLabels
    from vidlink.recognizers.recognize import Recognizer
    from vidlink.settings import Settings


def load_judge(
    settings: Settings, own: pd.DataFrame | None
) -> tuple[Recognizer | None, pd.DataFrame | ClassLabels | None]:
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
        return None, None
    recognizer = load_recognizer(
        settings.recognizer, device=settings.device, weights=settings.weights, arguments=settings.recognizer_args
    )
    if names_classes(recognizer):
        from vidlink.labels.classes import find_class_labels

        return recognizer, find_class_labels(settings, names_classes(recognizer))
    if settings.label is not None:
        raise UserError(
            f"--label {settings.label}: recognizer {recognizer.name!r} names no classes, it gives "
            f"{', '.join(recognizer.gives)}; --labels takes a table of them"
        )
    if settings.labels:
        from vidlink.labels.dimensions import load_labels

        return recognizer, load_labels(settings.labels, recognizer.gives)
    if own is not None and set(recognizer.gives) <= set(own.columns):
        return recognizer, own.assign(face=0)
    return recognizer, None
