"""Weights files: safetensors, with what network they belong to in the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.errors import UserError
from vidlink.nets.build import Network, build, from_header

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn


def load_network(path: Path) -> tuple[Network, nn.Module]:
    """Make the network that a weights file describes in its header, with these weights.

    Returns
    -------
    Network
        What the header says.
    nn.Module
        The network, in training mode, on the CPU.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors, says nothing of its network or another one's weights.
    """
    weights, header = read_weights(path)
    if "network" not in header:
        raise UserError(f"weights {path}: the header does not say of which network; expected a file of vidlink.train")
    try:
        network = from_header(header["network"])
    except UserError as error:
        raise UserError(f"weights {path}: {error}") from error
    module = build(network)
    _fill(module, weights, path)
    return network, module


def load_weights(network: nn.Module, path: Path) -> None:
    """Load safetensors weights into a network; nothing else is ever opened, pickles least of all.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors or another network's.
    """
    weights, _ = read_weights(path)
    _fill(network, weights, path)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and header; nothing but safetensors is ever opened, and errors are those of :func:`load_weights`."""
    import json

    from safetensors import SafetensorError
    from safetensors.torch import load

    if not path.is_file():
        raise UserError(f"weights {path}: no such file")
    data = path.read_bytes()
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        raise UserError(f"weights {path}: a pickle, which can run code and is refused; expected safetensors")
    try:
        weights = load(data)
        # The format: eight bytes for the length of the JSON header, which may hold a map of strings.
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise UserError(f"weights {path}: not safetensors, or damaged ({error})") from error
    return weights, header


def _fill(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    wanted = network.state_dict()
    strangers = sorted(weights.keys() ^ wanted.keys())
    if strangers:
        whose = "lacks" if strangers[0] in wanted else "has an unknown"
        raise UserError(f"weights {path}: of another network: {whose} {strangers[0]!r}")
    for name, tensor in wanted.items():
        if weights[name].shape != tensor.shape:
            found, expected = tuple(weights[name].shape), tuple(tensor.shape)
            raise UserError(f"weights {path}: of another network: {name!r} is {found}, expected {expected}")
        if not bool(torch.isfinite(weights[name]).all()):
            raise UserError(f"weights {path}: {name!r} has numbers that are not finite")
    network.load_state_dict(weights)
