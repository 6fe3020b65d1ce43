"""The one loader: classes by a name of ours or as ``package.module:Class``, made with those keywords that they take.

Recognizers, estimators, face detectors, objectives, networks, restorers, data sets and tasks have a :class:`Catalogue`
each.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RAISED = (Exception, SystemExit)
"""What is caught around other people's code. A class that ends the program must not pass for a run that is done."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All things of one kind that have a name; any other is given as ``package.module:Class``."""

    what: str
    """What each of them is, for messages, such as ``recognizer``."""
    shipped: Mapping[str, str | Callable[..., Any]]
    """Name to ``package.module:Class`` of those that come along, or to what that would import. The class may also be a
    function, and dots lead further inside: ``package.module:Class.method``."""
    group: str = ""
    """Entry-point group in which other packages register theirs; empty for none."""
    label: str = "{what} {name!r}"
    """How messages name one of them."""

    def known(self) -> dict[str, str | Callable[..., Any]]:
        """Every name, and what it stands for.

        Raises
        ------
        UserError
            Where two packages register different classes under one name.
        """
        found = dict(self.shipped)
        if not self.group:
            return found
        from importlib.metadata import entry_points

        for entry in entry_points(group=self.group):
            if found.setdefault(entry.name, entry.value) != entry.value:
                raise UserError(
                    f"{self.what} {entry.name!r} is registered twice, as {found[entry.name]} and {entry.value}: "
                    "remove one package, or name the class itself as package.module:Class"
                )
        return found

    def target(self, name: str) -> str:
        """The ``package.module:Class`` that a name stands for; nothing is imported.

        Raises
        ------
        UserError
            The name is not known, and is no ``package.module:Class`` itself: the nearest one is named.
        """
        if ":" in name:
            return name
        known = self.known()
        if name not in known:
            raise unknown(self.what, name, known)
        found = known[name]
        return found if isinstance(found, str) else f"{found.__module__}:{getattr(found, '__qualname__', name)}"

    def find(self, name: str) -> Callable[..., Any]:
        """Import what a name, or ``package.module:Class``, stands for.

        Raises
        ------
        UserError
            There is none of that name, or it cannot be imported (the reason is shown).
        """
        ours = self.shipped.get(name)
        if ours is not None and not isinstance(ours, str):
            return ours
        expected = "a registered name" if self.group else ", ".join(self.shipped)
        return find_class(self.target(name), what=self.called(name), expected=expected)

    def make(self, name: str, offered: Mapping[str, Any]) -> Any:
        """Make an instance with those of the offered keywords that it takes.

        Raises
        ------
        UserError
            As :meth:`find`, and where making it fails.
        """
        made_by = self.find(name)
        return make(made_by, taken_of(made_by, offered), what=self.called(name))

    def called(self, name: str) -> str:
        """How messages name one of them."""
        return self.label.format(what=self.what, name=name)

    def summaries(self) -> dict[str, str]:
        """Name and first line of the docstring of each, read from its source: nothing is imported."""
        return {name: first_line(target) for name, target in self.known().items()}


def first_line(target: str | Callable[..., Any]) -> str:
    """First docstring line of ``package.module:Class``, without importing its module (its package is)."""
    if not isinstance(target, str):
        return (target.__doc__ or "").partition("\n")[0]
    module, _, name = target.partition(":")
    with suppress(ImportError, ValueError, SyntaxError, OSError, AttributeError):
        spec = find_spec(module)
        if spec is not None and spec.origin:
            for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
                if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
                    return (ast.get_docstring(node) or "").partition("\n")[0] or target
    return target


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
    script = getattr(sys.modules.get(top), "__file__", None) if top == "__main__" else None
    if script:
        return [Path(script)]
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


@cache
def source_digest(target: str, *, what: str) -> str:
    """SHA-256 of the files of :func:`sources_of`; once a process, as it is imported once. Raises as that does."""
    digest = hashlib.sha256()
    for path in sources_of(target, what=what):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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
