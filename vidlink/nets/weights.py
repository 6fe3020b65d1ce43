"""Weights files: safetensors with one header for all kinds, ``kind``, ``network`` and ``arguments``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.nets.build import Network, build, build_restorer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Header:
    """Whose weights a file holds: enough to make the network anew."""

    kind: str
    """What the network is for: ``affect``, ``activity``, ``restorer``."""
    network: str
    """Its name, as ``--network`` takes it."""
    arguments: dict[str, Any]
    """What it is made with; numbers, texts and lists of them."""

    def to_metadata(self) -> dict[str, str]:
        """The header as safetensors holds it: texts by name."""
        return {"kind": self.kind, "network": self.network, "arguments": json.dumps(self.arguments, sort_keys=True)}


_EARLIER = {"activity": "activity", "restorer": "restorer", "network": "affect"}
"""Entries of the headers that earlier versions wrote, JSON each, and the kinds that they stand for."""


def read_header(metadata: dict[str, str]) -> Header | None:
    """Read what :meth:`Header.to_metadata` wrote, or what earlier versions wrote; None where there is neither.

    Raises
    ------
    UserError
        What is there is no description of a network.
    """
    try:
        if "kind" in metadata:
            arguments = dict(json.loads(metadata["arguments"]))
            return Header(kind=metadata["kind"], network=metadata["network"], arguments=arguments)
        for entry, kind in _EARLIER.items():
            if entry in metadata:
                about = json.loads(metadata[entry])
                return Header(kind=kind, network=about.pop("name", "motion"), arguments=about)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"no description of a network: {str(metadata)[:80]!r}") from error
    return None


def describe(network: Network) -> Header:
    """The header of a network for faces."""
    arguments = asdict(network)
    return Header(kind="affect", network=arguments.pop("name"), arguments=arguments)


def load_network(path: Path, *, own: str = "") -> tuple[Network, nn.Module]:
    """Make the network for faces that a weights file describes in its header, with these weights.

    Parameters
    ----------
    path
        The file.
    own
        A network of one's own, ``package.module:Class``, that the file may name; see :func:`read_kind`.

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
    expected = "the header does not say of which network; expected a file of vidlink.train"
    header, weights = read_kind(path, "affect", expected=expected, own=own)
    try:
        network = Network(name=header.network, **header.arguments)
        module = build(network)
    except (TypeError, AttributeError) as error:
        raise UserError(f"weights {path}: no description of a network: {header.arguments}") from error
    except UserError as error:
        raise UserError(f"weights {path}: {error}") from error
    fill(module, weights, path)
    return network, module


def load_restorer(path: Path, *, own: str = "") -> tuple[nn.Module, float]:
    """Load a restorer and the scale factor that it was trained for.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors, or no restorer's.
    """
    expected = "no restorer's; expected a file of vidlink.train --task sr"
    header, weights = read_kind(path, "restorer", expected=expected, own=own)
    try:
        scale, width = float(header.arguments["scale"]), int(header.arguments["width"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"weights {path}: {expected}") from error
    try:
        restorer = build_restorer(header.network, width, scale)
    except UserError as error:
        raise UserError(f"weights {path}: {error}") from error
    fill(restorer, weights, path)
    return restorer, scale


def load_weights(network: nn.Module, path: Path) -> None:
    """Load safetensors weights into a network; nothing else is ever opened, pickles least of all.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors or another network's.
    """
    weights, _ = read_weights(path)
    fill(network, weights, path)


def read_kind(path: Path, kind: str, *, expected: str, own: str = "") -> tuple[Header, dict[str, Tensor]]:
    """Read the weights of one kind.

    Parameters
    ----------
    path
        The file.
    kind
        Whose weights they must be; see :class:`Header`.
    expected
        What messages say of other files.
    own
        Networks of one's own are code, and a file of weights must not choose what code runs: only the one that the user
        names here, too, is accepted.

    Raises
    ------
    UserError
        As :func:`load_weights`; and where the header is missing, of another kind, or names code that ``own`` does not.
    """
    weights, metadata = read_weights(path)
    try:
        header = read_header(metadata)
    except UserError as error:
        raise UserError(f"weights {path}: {expected} ({error})") from error
    if header is None:
        raise UserError(f"weights {path}: {expected}")
    if header.kind != kind:
        raise UserError(f"weights {path}: {expected}; it is of kind {header.kind!r}")
    if ":" in header.network and header.network != own:
        raise UserError(
            f"weights {path}: for {header.network}, which is code of its own: it runs only where the command names it"
        )
    return header, weights


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and header; nothing but safetensors is ever opened, and errors are those of :func:`load_weights`."""
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


def fill(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Load weights into a network; ``path`` is where they come from, for messages.

    Raises
    ------
    UserError
        Where they are another network's, or not finite.
    """
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
