"""Recognizers that Python hands over as they are: a class, an object, or a function of pictures.

A class that any process can import goes by its name, ``package.module:Class``. All else stays in this process, under a
name that begins with :data:`PREFIX`.

>>> from vidlink.recognizers.registry import load_recognizer
>>> def brightness(pictures):
...     return pictures.mean(dim=(1, 2, 3))
>>> name_of(brightness)
'given:brightness'
>>> load_recognizer("given:brightness").gives
('brightness',)
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import uuid
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

PREFIX = "given:"
"""How names of recognizers that are in this process only begin."""
SIDE = 224
"""A function that does not say what it wants sees whole frames, three channels of so many pixels a side."""

_GIVEN: dict[str, Any] = {}
_TOKENS: dict[int, str] = {}


def name_of(recognizer: Any) -> str:
    """The name by which settings know a recognizer.

    Parameters
    ----------
    recognizer
        A name, which stays as it is; a class or an object as :mod:`vidlink.recognizers.recognizer` describes it; or a
        function that gives a number, or several, for each of the pictures, shape (n, channels, height, width), and may
        have ``wants`` and ``gives``.

    Raises
    ------
    UserError
        It is none of these.
    """
    if isinstance(recognizer, str):
        return recognizer
    if not callable(recognizer):
        raise UserError(
            f"recognizer = {type(recognizer).__name__}: expected a name, a class, an object that can be called with "
            "pictures, or a function of pictures"
        )
    if isinstance(recognizer, type) and _is_importable(recognizer):
        return f"{recognizer.__module__}:{recognizer.__qualname__}"
    called = getattr(recognizer, "__qualname__", None) or type(recognizer).__qualname__
    base = PREFIX + ("function" if "<lambda>" in called else called.rpartition(".")[2])
    number, name = 1, base
    while name in _GIVEN and not _takes_its_place(recognizer, _GIVEN[name]):
        number += 1
        name = f"{base}-{number}"
    _GIVEN[name] = recognizer
    return name


def is_given(name: str) -> bool:
    """Whether a name is that of a recognizer of this process."""
    return name.startswith(PREFIX)


def find_given(name: str) -> Callable[..., Any]:
    """What makes the recognizer of that name: its class, or a function that gives the object.

    Raises
    ------
    UserError
        It was handed over in another process.
    """
    if name not in _GIVEN:
        raise UserError(f"recognizer {name!r}: was handed over by another program; its runs cannot be repeated by name")
    found = _GIVEN[name]
    if isinstance(found, type):
        return found
    if not inspect.isroutine(found) and hasattr(found, "wants"):
        return lambda: found
    return lambda: OfFunction(found, name.removeprefix(PREFIX))


def content_of(name: str) -> list[str]:
    """What a recognizer of this process is, by content: its source text, or where there is none, this very object.

    What a function takes from outside of itself is not in it.
    """
    found = _GIVEN.get(name)
    try:
        source = inspect.getsource(found if inspect.isroutine(found) or isinstance(found, type) else type(found))
        state = "" if inspect.isroutine(found) or isinstance(found, type) else repr(sorted(vars(found).items()))
    except (TypeError, OSError):
        source, state = _TOKENS.setdefault(id(found), uuid.uuid4().hex), ""
    return [name, hashlib.sha256((source + state).encode(errors="surrogateescape")).hexdigest()]


class OfFunction:
    """A function of pictures as a recognizer.

    Parameters
    ----------
    function
        Called with pictures, shape (n, channels, height, width), and with their context if it takes two arguments.
        Gives numbers, shape (n,) or (n, k), as a tensor, array or list.
    name
        What to call it, and what it gives.
    """

    task = "numbers"

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self.name = function, name
        self.wants: Wants = getattr(function, "wants", Wants(region="frame", height=SIDE, width=SIDE, colour="rgb"))
        self.gives: tuple[str, ...] = tuple(getattr(function, "gives", (name,)))
        try:
            self._both = len(inspect.signature(function).parameters) > 1
        except (TypeError, ValueError):  # some that are written in C tell nothing
            self._both = False

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Numbers of each picture, shape (n, k)."""
        import torch

        answer = torch.as_tensor(self._function(pictures, context) if self._both else self._function(pictures))
        return answer[:, None] if answer.ndim == 1 else answer


def _is_importable(found: type) -> bool:
    """Whether another process finds the class under its name."""
    module = sys.modules.get(found.__module__)
    if module is None or (found.__module__ == "__main__" and not getattr(module, "__file__", None)):
        return False
    here: Any = module
    for part in found.__qualname__.split("."):
        here = getattr(here, part, None)
    return here is found


def _takes_its_place(new: Any, old: Any) -> bool:
    """Whether something is what is there already, or that defined anew, as in a notebook's cell that ran again."""
    if new is old:
        return True
    names = [(getattr(each, "__module__", None), getattr(each, "__qualname__", None)) for each in (new, old)]
    return names[0] == names[1] and None not in names[0] and "<l" not in str(names[0][1])
