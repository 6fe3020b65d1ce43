"""Recognizers that Python hands over as they are: a class, an object, or a function of pictures.

A class that any process can import goes by its name, ``package.module:Class``. All else stays in this process, under a
name that begins with :data:`PREFIX`.

>>> from vidlink.recognizers.registry import load_recognizer
>>> def mean_luma(pictures):
...     return pictures.mean(dim=(1, 2, 3))
>>> name_of(mean_luma)
'given:mean_luma'
>>> load_recognizer("given:mean_luma").gives
('mean_luma',)
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.recognizers.recognizer import Wants, attribute_of

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
        have ``wants`` and ``gives`` (or ``classes``, ``maps``, ``boxes``, and gives what goes with them).

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

    What a function takes from its module is not in it; its defaults and what it closes over are.
    """
    found = _GIVEN.get(name)
    try:
        source = inspect.getsource(found if inspect.isroutine(found) or isinstance(found, type) else type(found))
        state = _state(found)
    except (TypeError, OSError):
        source, state = _TOKENS.setdefault(id(found), uuid.uuid4().hex), ""
    return [name, hashlib.sha256((source + state).encode(errors="surrogateescape")).hexdigest()]


def _state(found: Any) -> str:
    """What a function or an object holds beside its source: defaults, what it closes over, attributes."""
    if isinstance(found, type):
        return ""
    if not inspect.isroutine(found):
        return repr(sorted(vars(found).items()))
    plain = inspect.unwrap(getattr(found, "__func__", found))
    cells = []
    for cell in getattr(plain, "__closure__", None) or ():
        with suppress(ValueError):  # what has no value yet
            cells.append(cell.cell_contents)
    held = [getattr(plain, "__defaults__", None), getattr(plain, "__kwdefaults__", None), cells]
    return repr(held) if any(held) else ""


class OfFunction:
    """A function of pictures as a recognizer.

    Parameters
    ----------
    function
        Called with pictures, shape (n, channels, height, width), and with their context if its second parameter has no
        default, or is called ``context``. A network of PyTorch is one, too.
        Gives numbers, shape (n,) or (n, k), as a tensor, array or list; or where it has ``classes``, ``maps`` or
        ``boxes``, what goes with them.
    name
        What to call it, and what it gives.
    """

    task = "numbers"

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self.name = function, name
        self.wants: Wants = getattr(function, "wants", Wants(region="frame", height=SIDE, width=SIDE, colour="rgb"))
        kind = attribute_of(function)
        named = getattr(function, kind, (name,))
        setattr(self, kind, (named,) if isinstance(named, str) else tuple(named))
        self._numbers = kind == "gives"
        if hasattr(function, "threshold"):
            self.threshold = function.threshold
        self._both = _takes_context(function)

    def __call__(self, pictures: Tensor, context: Context) -> Any:
        """Numbers of each picture, shape (n, k), or what else it gives."""
        import torch

        given = self._function(pictures, context) if self._both else self._function(pictures)
        if not self._numbers:
            return given
        answer = torch.as_tensor(given)
        return answer[:, None] if answer.ndim == 1 else answer


def _takes_context(function: Callable[..., Any]) -> bool:
    """Whether a function wants the context, too: its second parameter has no default, or is called ``context``.

    Any other that has a default is a setting of the function's own, which a context must not take the place of.
    """
    try:  # A network of PyTorch is called with anything, and its method ``forward`` with that.
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return False
    placed = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(placed) > 1 and (placed[1].default is placed[1].empty or placed[1].name == "context")


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
