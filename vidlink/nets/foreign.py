"""Weights of other people's networks: safetensors or a plain state dict, never code."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.nets.weights import read_weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors or from what ``torch.save`` wrote, loading weights only.

    A checkpoint that holds its weights under ``state_dict`` or ``model`` will do, and so will names that begin with
    ``module.`` (from data-parallel training).

    Raises
    ------
    UserError
        No such file, damaged, no weights, or a pickle that needs more than weights: such a file can run code and is
        refused.
    """
    if not path.is_file():
        raise UserError(f"weights {path}: no such file")
    if path.suffix == ".safetensors":
        return read_weights(path)[0]
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"weights {path}: a pickle that holds more than weights, or is damaged; it could run code and is refused; "
            f"expected safetensors or a state dict ({reason[:120]})"
        ) from error
    except Exception as error:
        raise UserError(f"weights {path}: cannot be read ({type(error).__name__}); expected a state dict") from error
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not found or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise UserError(f"weights {path}: holds {type(found).__name__}, expected a state dict of tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in found.items()}


def load_foreign(network: nn.Module, path: Path, what: str, *, spare: str = "") -> None:
    """Load a file's weights into a network; those whose names begin with ``spare`` may be there and are not needed.

    Raises
    ------
    UserError
        As :func:`read_state`, and where they are another network's; ``what`` names the one that is wanted.
    """
    wanted = network.state_dict()
    state = {
        name: tensor
        for name, tensor in read_state(path).items()
        if name in wanted or not spare or not name.startswith(spare)
    }
    for name in sorted(state.keys() ^ wanted.keys()):
        whose = "lacks" if name in wanted else "has an unknown"
        raise UserError(f"weights {path}: not of {what}: {whose} {name!r}")
    for name, tensor in wanted.items():
        if state[name].shape != tensor.shape:
            found, expected = tuple(state[name].shape), tuple(tensor.shape)
            raise UserError(f"weights {path}: not of {what}: {name!r} is {found}, expected {expected}")
    network.load_state_dict(state)


def import_torchvision() -> Any:
    """Import torchvision, which is optional.

    Raises
    ------
    UserError
        It is missing, or does not go with the PyTorch that is installed.
    """
    try:
        import torchvision
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise
        raise UserError("torchvision is not installed: pip install 'vidlink[torchvision]'") from error
    except Exception as error:
        raise UserError(
            f"torchvision does not go with PyTorch {torch.__version__} ({type(error).__name__}: {error}): install both "
            "from one index, pip install --force-reinstall torch torchvision"
        ) from error
    return torchvision


def fetch(weights: Any, what: str) -> dict[str, Tensor]:
    """The weights that torchvision publishes for a model.

    Raises
    ------
    UserError
        The machine cannot reach them.
    """
    try:
        return weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash a RuntimeError
        raise UserError(
            f"{what}: its weights cannot be fetched from {weights.url} ({error}); give a file with --weights"
        ) from error
