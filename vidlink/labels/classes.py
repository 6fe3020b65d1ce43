"""Labels that name a class: ``--label Walk``, a table of ``time_s`` and ``class``, or the folder a clip lies in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError, unknown
from vidlink.files.csvs import read_csv_file
from vidlink.labels.cells import column_of_numbers
from vidlink.labels.cover import wrong_unit

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

    def check_cover(self, seconds: float, frame_rate: float) -> None:
        """Refuse labels that are of another clip, or whose times are no seconds.

        Parameters
        ----------
        seconds
            Length of the clip.
        frame_rate
            Its frames a second.

        Raises
        ------
        UserError
            They begin after its end, or go on for more than half of it after that.
        """
        first, last = float(self.starts_s[0]), float(self.starts_s[-1])
        if first >= seconds or last > 1.5 * seconds + 1:
            raise UserError(
                f"the labels do not match the clip: their rows are from {first:g} to {last:g} s, the clip from 0 to "
                f"{seconds:g} s{wrong_unit(last, seconds, frame_rate)}"
            )


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
    where = f"labels {path}"
    table = read_csv_file(path, "labels", ("time_s", "class"))
    if not table.rows:
        raise UserError(f"{where}: no row; expected time_s and class in each")
    starts_s = column_of_numbers(table, "time_s", where)
    order = np.argsort(starts_s, kind="stable")
    starts_s = starts_s[order]
    again = np.flatnonzero(np.diff(starts_s) == 0)
    if len(again):
        raise UserError(f"{where}: time_s = {starts_s[again[0]]:g} twice")
    found = [
        match_class(cells["class"], classes, f"{where}, line {line}") if cells["class"] else None
        for line, cells in table.rows
    ]
    return ClassLabels(starts_s=starts_s, classes=tuple(found[row] for row in order))


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()


def _known(classes: Sequence[str]) -> dict[str, str]:
    return {_plain(name): name for name in classes}
