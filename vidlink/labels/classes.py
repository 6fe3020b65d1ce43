"""Labels that name a class: ``--label Walk``, a table of ``time_s`` and ``class``, or the folder a clip lies in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.settings import Settings


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassLabels:
    """What is being done at which time."""

    starts_s: NDArray[np.float64]
    """When each label begins, rising, shape (n,); it holds until the next one."""
    classes: tuple[str | None, ...]
    """The class from then on, or None where nothing is known."""

    def at(self, time_s: float) -> str | None:
        """The class at a time."""
        place = int(np.searchsorted(self.starts_s, time_s, side="right")) - 1
        return self.classes[place] if place >= 0 else None


def find_class_labels(settings: Settings, classes: Sequence[str]) -> ClassLabels | None:
    """The labels of a run whose recognizer names classes.

    ``--labels`` and ``--label`` come first; a clip in a folder that is named like a class (``Walk/clip.mp4``) has that
    label without being asked.

    Raises
    ------
    UserError
        The recognizer knows no such class, or the table is wrong.
    """
    if settings.labels:
        return load_class_labels(settings.labels, classes)
    if settings.label is not None:
        return one_label(match_class(settings.label, classes, "--label"))
    folder = Path(settings.input).absolute().parent.name if settings.input else ""
    found = _known(classes).get(_plain(folder))
    return one_label(found) if found else None


def one_label(name: str) -> ClassLabels:
    """One class for the whole clip."""
    return ClassLabels(starts_s=np.array([-np.inf]), classes=(name,))


def match_class(name: str, classes: Sequence[str], where: str) -> str:
    """The class of that name; capitals, spaces and underscores do not count.

    Raises
    ------
    UserError
        There is none; the message names the nearest.

    Examples
    --------
    >>> match_class("Stand_Up", ["sit down", "stand up"], "--label")
    'stand up'
    """
    found = _known(classes).get(_plain(name))
    if found is None:
        raise UserError(f"{where}: {unknown('class', name, classes)}")
    return found


def load_class_labels(path: Path, classes: Sequence[str]) -> ClassLabels:
    """Read a CSV table of ``time_s`` and ``class``; an empty class means that nothing is known from there on.

    Raises
    ------
    UserError
        No such file, no such columns, a class that the recognizer does not know, a time that is none or stands twice.
    """
    import pandas as pd

    if not path.is_file():
        raise UserError(f"labels {path}: no such file")
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UserError(f"labels {path}: not a CSV table: {error}") from error
    for column in ("time_s", "class"):
        if column not in table:
            raise UserError(
                f"labels {path}: no column {column!r}; a recognizer of classes needs time_s, class, "
                f"found are {', '.join(map(str, table.columns))}"
            )
    if not pd.api.types.is_numeric_dtype(table["time_s"]) or table["time_s"].isna().any() or table.empty:
        raise UserError(f"labels {path}: column 'time_s' must hold a number of seconds in every row")
    table = table.sort_values("time_s", kind="stable")
    if table["time_s"].duplicated().any():
        raise UserError(f"labels {path}: time_s = {table.loc[table['time_s'].duplicated(), 'time_s'].iloc[0]:g} twice")
    names = tuple(
        None if pd.isna(name) else match_class(str(name), classes, f"labels {path}") for name in table["class"]
    )
    return ClassLabels(starts_s=table["time_s"].to_numpy(float), classes=names)


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()


def _known(classes: Sequence[str]) -> dict[str, str]:
    return {_plain(name): name for name in classes}
