"""Find and load restorers: by name, by a file of weights, or as ``package.module:Class``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import Catalogue
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
    },
)
"""Restorers by name. Those that are trained by ``vidlink.train --task sr`` go by their file."""
SUFFIX = ".safetensors"
MOST_FRAMES = 31
"""Pictures that a restorer may look at."""


def load_restorer(name: str, *, device: torch.device | None = None) -> Restorer:
    """Load a restorer.

    Parameters
    ----------
    name
        A registered name, a file of weights, or ``package.module:Class``.
    device
        Where it is to compute; None for the CPU.

    Raises
    ------
    UserError
        Where there is none of that name, its import or construction fails (the reason is shown), the weights are
        missing, damaged or no restorer's, or it lacks what :class:`~vidlink.restorers.restorer.Restorer` asks for.
    """
    if is_file(name):
        from vidlink.restorers.network import NetworkRestorer

        return NetworkRestorer(Path(name), device=device)
    made: Any = RESTORERS.make(name, {"device": device})
    called = RESTORERS.called(name)
    if not callable(made):
        raise UserError(f"{called}: cannot be called; expected __call__(looks)")
    frames = getattr(made, "frames", None)
    if not isinstance(frames, int) or isinstance(frames, bool) or not 1 <= frames <= MOST_FRAMES or frames % 2 == 0:
        raise UserError(f"{called}: frames is {shown(frames)}, expected an odd number from 1 to {MOST_FRAMES}")
    check_multiply_adds(name, made)
    return made  # type: ignore[no-any-return]


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


def check_restorer(name: str) -> None:
    """Refuse a name that is neither registered, nor a file that is there, nor ``package.module:Class``."""
    from vidlink.nets import build

    if name in build.RESTORERS.known() and name not in RESTORERS.known():
        raise UserError(
            f"--restorer {name}: is a network without weights; train it (vidlink train --task sr --network {name} ...) "
            f"and give its file"
        )
    if not is_file(name):
        RESTORERS.target(name)
    elif not Path(name).is_file():
        raise UserError(f"--restorer {name}: no such file")


def list_restorers() -> dict[str, str]:
    """Name and one line of every registered restorer; nothing is imported."""
    return dict(sorted(RESTORERS.summaries().items()))
