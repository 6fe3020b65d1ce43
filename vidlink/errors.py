"""The exceptions that mean: the user's input or settings are wrong."""

from __future__ import annotations

import difflib
import errno
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP)


class UserError(Exception):
    r"""What is wrong, where, and what would be right, in one line.

    The commands print it on stderr and exit with status 2. Anything else that escapes is a defect (status 1). What
    users wrote may be in it: line breaks and whatever else cannot be printed are shown as escapes.

    Examples
    --------
    >>> print(UserError("no file 'a\nb.mp4'"))
    no file 'a\nb.mp4'
    """

    def __str__(self) -> str:
        return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in self._said())

    def _said(self) -> str:
        return super().__str__()


class LabelError(UserError):
    """Labels that do not go with the clip, found while it was read: the run ends with it."""


class BudgetError(UserError):
    """A budget at which the clip cannot be coded.

    Parameters
    ----------
    asked_bps
        The budget, in bits per second.
    lowest_bps
        The least one that works.
    """

    def __init__(self, asked_bps: float, lowest_bps: float) -> None:
        super().__init__(asked_bps, lowest_bps)  # all that it is made from, so that it travels between processes
        self.asked_bps, self.lowest_bps = asked_bps, lowest_bps

    def _said(self) -> str:
        return (
            f"--bitrate {self.asked_bps / 1000:g}k is below what the smallest rung of this clip needs: "
            f"the lowest rate that works is {self.lowest_bps / 1000:g}k"
        )

    @classmethod
    def read(cls, text: str) -> BudgetError | None:
        """The error that a text, as of the record of a run, was made from; None where it is another.

        Examples
        --------
        >>> BudgetError.read(str(BudgetError(8000, 12_500))).lowest_bps
        12500.0
        """
        found = re.fullmatch(r"--bitrate (\S+)k is below .* the lowest rate that works is (\S+)k", text)
        return cls(*(1000 * float(number) for number in found.groups())) if found else None


def unknown(what: str, found: str, known: Iterable[str]) -> UserError:
    """An error for a name that is not known: it names the nearest known one and lists them all.

    Examples
    --------
    >>> str(unknown("estimator", "gccc", ["gcc", "throughput"]))
    "unknown estimator 'gccc': did you mean 'gcc'? known are gcc, throughput"
    """
    known = sorted(known)
    near = difflib.get_close_matches(found[:200], known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    shown = found if len(found) <= 80 else f"{found[:80]} ..."
    return UserError(f"unknown {what} {shown!r}: {hint}known are {', '.join(known)}")


def is_no_name(error: BaseException) -> bool:
    """Whether an error says that no file can have such a name: it is too long, or a link that leads to itself."""
    return isinstance(error, OSError) and error.errno in _NO_NAME


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that a disk, a quota or a limit on the size of files is full."""
    while error is not None:
        if getattr(error, "errno", None) in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
