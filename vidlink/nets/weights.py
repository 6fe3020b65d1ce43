"""Weights files: safetensors with one header for all kinds, ``kind``, ``network`` and ``arguments``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vidlink.errors import UserError
from vidlink.nets.build import ACTIVITY, Network, build, build_restorer
from vidlink.nets.tensors import Stored, fill, make_as_stored, open_stored, prefixed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

    from vidlink.nets.temporal import TemporalNet


@dataclass(frozen=True, kw_only=True)
class Header:
    """Whose weights a file holds: enough to make the network anew."""

    kind: str
    """What the network is for: ``affect``, ``activity``, ``restorer``, ``segmentation``, ..."""
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
                return Header(kind=kind, network=_text(about.pop("name", "motion")), arguments=dict(about))
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"no description of a network: {str(metadata)[:80]!r}") from error
    return None


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError(f"{found = }: expected a text")
    return found


class Arguments(BaseModel):
    """Arguments of a header: bounded, so that what they ask for can at least be counted."""

    model_config = ConfigDict(strict=True, frozen=True)


def check_names(field: str) -> Any:
    """A validator for a field of class names: printable, and each there once."""

    def named_apart(classes: list[str]) -> list[str]:
        for name in classes:
            if not name.strip() or not name.isprintable():
                raise ValueError(f"a class cannot be named {name!r}")
        if len(set(classes)) < len(classes):
            raise ValueError("two classes have one name")
        return classes

    return field_validator(field)(named_apart)


class _OfFaces(Arguments):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(default=48, ge=1, le=4096)
    outputs: int = Field(default=10, ge=1, le=65_536)
    width: int = Field(default=48, ge=1, le=4096)


class _OfWindows(_OfFaces):
    hidden: int = Field(ge=1, le=4096)
    frames: int = Field(ge=2, le=256)
    frame_rate: float = Field(ge=0.1, le=1000, allow_inf_nan=False)


class _OfRestorer(Arguments):
    scale: float = Field(ge=1, le=256, allow_inf_nan=False)
    least: float | None = Field(default=None, ge=1, le=256, allow_inf_nan=False)
    width: int = Field(ge=1, le=4096)


class _OfActivity(Arguments):
    classes: list[str] = Field(min_length=1, max_length=65_536)
    restorer: int = Field(ge=0, le=4096)

    _named_apart = check_names("classes")


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
    header, stored = read_kind(path, "affect", expected=expected, own=own)
    found = check_arguments(_OfFaces, header, path, f"no description of a network: {str(header.arguments)[:200]}")
    network = Network(name=header.network, size=found.size, outputs=found.outputs, width=found.width)
    return network, make_of(header, stored, lambda: build(network))


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What a network that follows time is made with, beside the network that looks at each picture."""

    hidden: int
    """Units of the recurrent layer in each direction."""
    frames: int
    """Looks in a window."""
    frame_rate: float
    """Looks a second."""


def describe_temporal(network: Network, windows: Windows) -> Header:
    """The header of a network that follows faces over time."""
    arguments = asdict(network)
    return Header(kind="affect-temporal", network=arguments.pop("name"), arguments=arguments | asdict(windows))


def build_temporal(network: Network, windows: Windows) -> TemporalNet:
    """Make a network that follows time, with random weights."""
    from vidlink.nets.temporal import TemporalNet

    base: Any = build(network)
    with torch.inference_mode():
        count = base.eval().features(torch.zeros(1, 1, network.size, network.size)).shape[1]
    return TemporalNet(base, count, network.outputs, hidden=windows.hidden)


def load_affect(path: Path, *, own: str = "") -> tuple[Network, Windows | None, nn.Module]:
    """Load weights for faces, of a network that looks at single pictures or of one that follows time.

    Parameters and errors are those of :func:`load_network`. What a network that follows time is made with comes second;
    it is None for the others.
    """
    stored = open_stored(path)
    try:
        header = read_header(stored.about)
    except UserError:
        header = None  # the message is that of load_network
    if header is None or header.kind != "affect-temporal":
        network, module = load_network(path, own=own)
        return network, None, module
    header, stored = read_kind(path, "affect-temporal", expected="", own=own)
    found = check_arguments(_OfWindows, header, path, f"no description of a network: {str(header.arguments)[:200]}")
    network = Network(name=header.network, size=found.size, outputs=found.outputs, width=found.width)
    windows = Windows(hidden=found.hidden, frames=found.frames, frame_rate=found.frame_rate)
    module = build_temporal(network, windows)
    fill(module, stored)
    return network, windows, module


def load_restorer(path: Path, *, own: str = "") -> tuple[nn.Module, float]:
    """Load a restorer and the largest scale factor that it was trained for; raises as :func:`load_restorer_range`."""
    made, (_, largest) = load_restorer_range(path, own=own)
    return made, largest


def load_restorer_range(path: Path, *, own: str = "") -> tuple[nn.Module, tuple[float, float]]:
    """Load a restorer and the least and the largest scale factor that it was trained for.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors, or no restorer's.
    """
    expected = "no restorer's; expected a file of vidlink.train --task sr"
    header, stored = read_kind(path, "restorer", expected=expected, own=own)
    found = check_arguments(_OfRestorer, header, path, expected)
    made = make_of(header, stored, lambda: build_restorer(header.network, found.width, found.scale))
    return made, (found.scale if found.least is None else found.least, found.scale)


def load_activity(path: Path) -> tuple[nn.Module, tuple[str, ...]]:
    """Make the network of activities that a weights file describes, with these weights, and name its classes.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors, or of no activity network.
    """
    expected = (
        "the header does not name the classes of an activity network; expected a file of vidlink.train --task activity"
    )
    header, stored = read_kind(path, "activity", expected=expected)
    found = check_arguments(_OfActivity, header, path, expected)
    offered = {"classes": len(found.classes), "restorer": found.restorer}
    return make_of(header, stored, lambda: ACTIVITY.make(header.network, offered)), tuple(found.classes)


_A = TypeVar("_A", bound=Arguments)


def check_arguments(arguments: type[_A], header: Header, path: Path, expected: str) -> _A:
    """The arguments of a header, within their bounds; raises UserError where they are not."""
    try:
        return arguments.model_validate(header.arguments)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise UserError(f"weights {path}: {expected} ({key}: {said[:1].lower()}{said[1:]})") from error


def make_of(header: Header, stored: Stored, make: Callable[[], nn.Module]) -> nn.Module:
    """Make a network and fill it. Classes of users' own may want numbers while they are made: they get no outline."""
    try:
        module = make() if ":" in header.network else make_as_stored(make, stored)
    except UserError as error:
        raise prefixed(stored.path, error) from error
    fill(module, stored)
    return module


def load_weights(network: nn.Module, path: Path) -> None:
    """Load safetensors weights into a network; nothing else is ever opened, pickles least of all.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors or another network's.
    """
    fill(network, open_stored(path))


def read_kind(path: Path, kind: str, *, expected: str, own: str = "") -> tuple[Header, Stored]:
    """Read the header of weights of one kind.

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
    stored = open_stored(path)
    try:
        header = read_header(stored.about)
    except UserError as error:
        raise UserError(f"weights {path}: {expected} ({error})") from error
    if header is None:
        raise UserError(f"weights {path}: {expected}")
    if header.kind != kind:
        raise UserError(f"weights {path}: {expected}; it is of kind {header.kind!r}")
    if ":" in header.network and header.network != own:
        raise UserError(
            f"weights {path}: for {header.network!r}, which is code of its own: it runs only where the command names it"
        )
    return header, stored


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and header, whatever they are; errors are those of :func:`load_weights`."""
    stored = open_stored(path)
    return stored.read(), stored.about
