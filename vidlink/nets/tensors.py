"""A file of tensors: its header is read and held against a network before anything is allocated.

A header is written by anybody: it may ask for a network of any size. So the network is first made on PyTorch's ``meta``
device, which has shapes and no memory, and only one whose shapes are those in the file is made in earnest: then it
takes no more memory than the file itself holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.plugins import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

FLOATS = ("F64", "F32", "F16", "BF16")
"""What safetensors calls the numbers that a network may be filled with."""
INTEGERS = ("I64", "I32", "I16", "I8", "U8")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the header of a safetensors file says."""

    path: Path
    """The file."""
    about: dict[str, str]
    """Texts by name."""
    shapes: dict[str, tuple[int, ...]]
    """Shape of each tensor."""
    kinds: dict[str, str]
    """Of what numbers each tensor is, in the words of safetensors."""

    def read(self) -> dict[str, Tensor]:
        """Read the tensors."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, "pt") as file:
                return {name: file.get_tensor(name) for name in self.shapes}
        except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise damaged(self.path, error) from error


def open_stored(path: Path) -> Stored:
    """Read the header of a safetensors file; nothing else is ever opened, pickles least of all.

    Raises
    ------
    UserError
        Where the file is missing, cannot be read, is damaged or no safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            raise UserError(f"weights {path}: no such file")
        with path.open("rb") as raw:
            start = raw.read(2)
    except OSError as error:
        raise UserError(f"weights {path}: cannot be read: {error.strerror}") from error
    if start in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        raise UserError(f"weights {path}: a pickle, which can run code and is refused; expected safetensors")
    try:
        # It checks that all tensors of the header are in the file, and that they fill it.
        with safe_open(path, "pt") as file:
            about, slices = dict(file.metadata() or {}), {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            kinds = {name: str(part.get_dtype()) for name, part in slices.items()}
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise damaged(path, error) from error
    return Stored(path=path, about=about, shapes=shapes, kinds=kinds)


def damaged(path: Path, error: Exception) -> UserError:
    """The error for a file that is no safetensors, in one line."""
    return UserError(f"weights {path}: not safetensors, or damaged ({' '.join(str(error).split())[:200]})")


def make_as_stored(make: Callable[[], nn.Module], stored: Stored) -> nn.Module:
    """Make a network of ours once its shapes are found to be those in the file.

    Parameters
    ----------
    make
        Makes the network; called twice.
    stored
        The file.

    Raises
    ------
    UserError
        Where the network cannot be made, or the file has another one's weights.
    """
    try:
        with torch.device("meta"):
            outline = make()
        compare(outline.state_dict(), stored)
    except UserError as error:
        raise prefixed(stored.path, error) from error
    except Exception as error:  # PyTorch has many for sides that are too large or do not fit
        raise UserError(f"weights {stored.path}: its network cannot be made: {reason(error)}") from error
    return make()


def prefixed(path: Path, error: UserError) -> UserError:
    """An error that says in which file."""
    said = f"weights {path}: "
    return error if str(error).startswith(said) else UserError(f"{said}{error}")


def compare(wanted: Mapping[str, Tensor], stored: Stored) -> None:
    """Hold the header of a file against the tensors that a network wants.

    Raises
    ------
    UserError
        Where names, shapes or kinds of numbers differ.
    """
    where = f"weights {stored.path}: of another network"
    strangers = sorted(stored.shapes.keys() ^ wanted.keys())
    if strangers:
        whose = "lacks" if strangers[0] in wanted else "has an unknown"
        raise UserError(f"{where}: {whose} {strangers[0]!r}")
    for name, tensor in wanted.items():
        if stored.shapes[name] != tuple(tensor.shape):
            raise UserError(f"{where}: {name!r} is {stored.shapes[name]}, expected {tuple(tensor.shape)}")
        kinds = FLOATS if tensor.is_floating_point() else INTEGERS
        if stored.kinds[name] not in kinds:
            raise UserError(f"{where}: {name!r} holds {stored.kinds[name]}, expected {' or '.join(kinds)}")


def fill(network: nn.Module, stored: Stored) -> None:
    """Load the weights of a file into a network.

    Raises
    ------
    UserError
        Where they are another network's, or not finite.
    """
    compare(network.state_dict(), stored)
    weights: dict[str, Any] = stored.read()
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise UserError(f"weights {stored.path}: {name!r} has numbers that are not finite")
    network.load_state_dict(weights)
