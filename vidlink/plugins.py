"""Other people's classes: found as ``package.module:Class`` and made with those of our keywords that they take."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RAISED = (Exception, SystemExit)
"""What is caught around other people's code. A class that ends the program must not pass for a run that is done."""


def find_class(target: str, *, what: str, expected: str) -> Callable[..., Any]:
    """Import what ``package.module:Class`` names.

    Parameters
    ----------
    target
        The module, a colon, and a class or function in it; dots lead further inside.
    what
        What it is to be, for messages, such as ``recognizer 'mine'``.
    expected
        What else could have been given, for messages.

    Raises
    ------
    UserError
        There is no such thing, importing it fails (the reason is shown), or it cannot be called.
    """
    module, _, attribute = target.partition(":")
    if not module or not attribute:
        raise UserError(f"{what}: expected {expected} or package.module:Class")
    try:
        found: Any = import_module(module)
    except RAISED as error:  # whatever somebody's module raises, it is theirs to mend
        raise UserError(f"{what}: importing {module} failed: {reason(error)}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UserError(f"{what}: {module} has no {attribute}")
        found = getattr(found, part)
    if not callable(found):
        raise UserError(f"{what}: {target} is {type(found).__name__}, not a class")
    return found


def sources_of(target: str, *, what: str) -> list[Path]:
    """The files in which the class ``package.module:Class`` may lie: its module, or all of its package, sorted.

    Nothing is imported. What the class takes from other packages is not among them.

    Raises
    ------
    UserError
        There is no such module or package.
    """
    top = target.partition(":")[0].partition(".")[0]
    try:
        spec = find_spec(top)
    except (ImportError, ValueError) as error:
        raise UserError(f"{what}: cannot be imported: {error}") from error
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    found = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    if not found and spec is not None and spec.origin is not None:
        found = [Path(spec.origin)]
    if not found:
        raise UserError(f"{what}: there is no module {top} in the current folder, on PYTHONPATH or installed")
    return found


def taken_of(made_by: Callable[..., Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the offered keywords that something takes; all where it takes any.

    Examples
    --------
    >>> def make(start_bps): ...
    >>> taken_of(make, {"start_bps": 64_000.0, "feedback_s": 0.1})
    {'start_bps': 64000.0}
    """
    try:
        parameters = inspect.signature(made_by).parameters.values()
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return {}
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    names = {parameter.name for parameter in parameters}
    return {key: value for key, value in offered.items() if takes_all or key in names}


def make(made_by: Callable[..., Any], keywords: Mapping[str, Any], *, what: str) -> Any:
    """Make an instance.

    Raises
    ------
    UserError
        Making it fails; the reason is shown.
    """
    try:
        return made_by(**keywords)
    except UserError:
        raise
    except RAISED as error:  # as above
        raise UserError(f"{what}: making it failed: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Put an exception into one line."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
