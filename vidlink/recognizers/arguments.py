"""Settings of a recognizer from the command line: ``--recognizer-arg key=value``, typed as its constructor says."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_arguments(
    name: str, made_by: Callable[..., Any], arguments: Sequence[str], *, reserved: Sequence[str] = ()
) -> dict[str, Any]:
    """Keywords for a constructor from ``key=value`` texts.

    A value is of the type that the constructor's annotation names: ``int``, ``float``, ``bool`` (``true``, ``false``),
    ``str``, ``Path``, ``Literal``, a tuple of one of them (``a,b,c``), or one of these or None. Without an annotation
    the default's type counts.

    Parameters
    ----------
    name
        What to call the recognizer in messages.
    made_by
        The class.
    arguments
        Texts ``key=value``.
    reserved
        Keywords that have options of their own.

    Raises
    ------
    UserError
        A text without ``=``, a key that the constructor does not take (the message names those that it does) or that
        stands twice, a value of another type.

    Examples
    --------
    >>> def make(threshold: float = 0.01, classes: tuple[str, ...] = ()): ...
    >>> read_arguments("mine", make, ["threshold=0.02", "classes=walk,run"])
    {'threshold': 0.02, 'classes': ('walk', 'run')}
    """
    if not arguments:
        return {}
    parameters = _parameters(made_by)
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    known = [key for key, each in parameters.items() if key not in reserved and each.kind not in _NOT_NAMED]
    kinds = _annotations(made_by)
    found: dict[str, Any] = {}
    for text in arguments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UserError(f"--recognizer-arg {text!r}: write key=value")
        if key in reserved:
            raise UserError(f"--recognizer-arg {text!r}: has its own option --{key}")
        if key not in known and not takes_all:
            if not known:
                raise UserError(f"recognizer {name!r} takes no arguments, found --recognizer-arg {text!r}")
            raise UserError(f"recognizer {name!r}: {unknown('argument', key, known)}")
        if key in found:
            raise UserError(f"--recognizer-arg {text!r}: {key} is given twice")
        kind = kinds.get(key, Any)
        if kind is Any and key in parameters and parameters[key].default not in (None, inspect.Parameter.empty):
            kind = type(parameters[key].default)
        try:
            found[key] = _read(value, kind)
        except ValueError as error:
            raise UserError(f"recognizer {name!r}: argument {key}={value!r}: expected {error}") from None
    return found


_NOT_NAMED = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


def _parameters(made_by: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(made_by).parameters)
    except (TypeError, ValueError):
        return {}


def _annotations(made_by: Callable[..., Any]) -> dict[str, Any]:
    """Types of a constructor's parameters; those that cannot be found at run time count as text."""
    made_by = made_by.func if isinstance(made_by, functools.partial) else made_by
    function = made_by.__init__ if inspect.isclass(made_by) else made_by  # type: ignore[misc]
    spaces = {**vars(typing), "Path": Path, **getattr(function, "__globals__", {})}
    found = {}
    for key, kind in getattr(function, "__annotations__", {}).items():
        if isinstance(kind, str):
            try:
                kind = eval(kind, spaces)  # the source of a class that is about to be run anyway
            except Exception:
                kind = Any
        found[key] = kind
    return found


def _read(text: str, kind: Any) -> Any:
    """A value of some type; raises ValueError with what was expected."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        if type(None) in parts and text.lower() in ("none", ""):
            return None
        others = [part for part in parts if part is not type(None)]
        for part in others:
            try:
                return _read(text, part)
            except ValueError as error:
                expected = str(error)
        raise ValueError(expected)
    if origin is Literal:
        for choice in parts:
            if text == str(choice):
                return choice
        raise ValueError("one of " + ", ".join(map(str, parts)))
    if origin in (tuple, list):
        return origin(_read(part.strip(), parts[0] if parts else str) for part in text.split(","))
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError("true or false")
        return _WORDS[text.lower()]
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise ValueError("a whole number" if kind is int else "a number") from None
    return Path(text) if kind is Path else text
