"""Find and load restorers: by name, by a file of weights, or as ``package.module:Class``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import Catalogue, taken_of
from vidlink.units import shown

if TYPE_CHECKING:
    import torch

    from vidlink.restorers.restorer import Restorer

DEFAULT = "bicubic"
"""What brings pictures to full size where nothing else is asked for."""
RESTORERS = Catalogue(
    what="restorer",
    group="vidlink.restorers",
    label="--restorer {name}",
    shipped={
        "bicubic": "vidlink.restorers.restorer:Bicubic",
        "temporal": "vidlink.restorers.network:Temporal",
        "classsr": "vidlink.restorers.routed:ClassSR",
        "path-restore": "vidlink.restorers.routed:PathRestore",
    },
)
"""Restorers by name. Those that are trained by ``vidlink.train --task sr`` go by their file."""
SUFFIX = ".safetensors"
MOST_FRAMES = 31
"""Pictures that a restorer may look at."""


def load_restorer(name: str, *, device: torch.device | None = None, budget: float | None = None) -> Restorer:
    """Load a restorer.

    Parameters
    ----------
    name
        A registered name, a file of weights, or ``package.module:Class``.
    device
        Where it is to compute; None for the CPU.
    budget
        Multiply-adds that a picture may take, a pixel of full size; None for any.

    Raises
    ------
    UserError
        Where there is none of that name, its import or construction fails (the reason is shown), the weights are
        missing, damaged or no restorer's, it lacks what :class:`~vidlink.restorers.restorer.Restorer` asks for, or
        there is a budget and it cannot keep one.
    """
    if is_file(name):
        return _load_file(Path(name), device, budget)
    if budget is not None:
        _check_takes_budget(name, budget)
    made: Any = RESTORERS.make(name, {"device": device} if budget is None else {"device": device, "budget": budget})
    called = RESTORERS.called(name)
    if not callable(made):
        raise UserError(f"{called}: cannot be called; expected __call__(looks)")
    frames = getattr(made, "frames", None)
    if not isinstance(frames, int) or isinstance(frames, bool) or not 1 <= frames <= MOST_FRAMES or frames % 2 == 0:
        raise UserError(f"{called}: frames is {shown(frames)}, expected an odd number from 1 to {MOST_FRAMES}")
    check_multiply_adds(name, made)
    return made  # type: ignore[no-any-return]


def _load_file(path: Path, device: torch.device | None, budget: float | None) -> Restorer:
    from vidlink.nets.routes import is_routed

    if is_routed(path):
        from vidlink.restorers.routed import RoutedRestorer

        return RoutedRestorer(path, device=device, budget=budget)
    from vidlink.restorers.network import NetworkRestorer

    if budget is not None:
        raise _takes_no_budget(str(path), budget)
    return NetworkRestorer(path, device=device)


def _check_takes_budget(name: str, budget: float) -> None:
    if "budget" not in taken_of(RESTORERS.find(name), {"budget": budget}):
        raise _takes_no_budget(name, budget)


def _takes_no_budget(name: str, budget: float) -> UserError:
    return UserError(
        f"--restorer-budget {budget:g}: --restorer {name} takes the same for every picture and cannot keep a budget; "
        "classsr and path-restore can"
    )


def check_budget(name: str, restorer: Any, budget: float, *, height: int, width: int) -> None:
    """Refuse a budget that is too small for pictures of so many pixels.

    Raises
    ------
    UserError
        The restorer says that it takes more at the least.
    """
    least = restorer.least(height, width) if hasattr(restorer, "least") else 0.0
    if budget < least:
        raise UserError(
            f"--restorer-budget {budget:g}: too small for any path of --restorer {name}, which takes at least "
            f"{math.ceil(least)} multiply-adds a pixel for pictures of {width}x{height}"
        )


def check_multiply_adds(name: str, restorer: Any) -> float:
    """What a restorer says that its last call took, a pixel.

    Raises
    ------
    UserError
        It is no number, negative or not finite.
    """
    found = getattr(restorer, "multiply_adds", None)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < float("inf"):
        raise UserError(
            f"{RESTORERS.called(name)}: multiply_adds is {shown(found)}, expected a number from 0, those of a pixel"
        )
    return float(found)


def is_file(name: str) -> bool:
    """Whether a restorer is named by its file of weights."""
    return name.endswith(SUFFIX)


def check_restorer(name: str, budget: float | None = None) -> None:
    """Refuse a name that is neither registered, nor a file that is there, nor ``package.module:Class``.

    With a budget, refuse those that cannot keep one, too.
    """
    from vidlink.nets import build
    from vidlink.nets.routes import ROUTES

    if name in (*build.RESTORERS.known(), *ROUTES.known()) and name not in RESTORERS.known():
        raise UserError(
            f"--restorer {name}: is a network without weights; train it (vidlink train --task sr --network {name} ...) "
            f"and give its file"
        )
    if not is_file(name):
        RESTORERS.target(name)
    elif not Path(name).is_file():
        raise UserError(f"--restorer {name}: no such file")
    if budget is not None and name != DEFAULT and not is_file(name):
        _check_takes_budget(name, budget)


def list_restorers() -> dict[str, str]:
    """Name and one line of every registered restorer; nothing is imported."""
    return dict(sorted(RESTORERS.summaries().items()))
