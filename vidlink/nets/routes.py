"""Networks that choose a path for each patch by name, and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from vidlink.errors import UserError
from vidlink.nets.tensors import open_stored
from vidlink.nets.weights import Arguments, Header, check_arguments, make_of, read_header, read_kind
from vidlink.plugins import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from vidlink.nets.route import RoutedNetwork

ROUTES = Catalogue(
    what="restorer",
    shipped={
        "classsr": "vidlink.nets.classsr:ClassSR",
        "path-restore": "vidlink.nets.path_restore:PathRestore",
    },
)
"""What ``--network`` of ``--task sr`` may name beside :data:`~vidlink.nets.build.RESTORERS`: these stand alone."""
KIND = "routed-restorer"
"""What the header of their weights says."""


class _Scales(Arguments):
    scale: float = Field(ge=1, le=256, allow_inf_nan=False)
    least: float = Field(ge=1, le=256, allow_inf_nan=False)


def describe_routed(name: str, scales: tuple[float, float]) -> Header:
    """The header of such a network, which learned scale factors from the first to the second."""
    return Header(kind=KIND, network=name, arguments={"least": scales[0], "scale": scales[1]})


def load_routed(path: Path) -> tuple[RoutedNetwork, tuple[float, float]]:
    """Load such a network, and the least and the largest scale factor that it was trained for.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors, or not of such a network.
    """
    expected = "not of classsr or path-restore; expected a file of vidlink.train --task sr with one of these"
    header, stored = read_kind(path, KIND, expected=expected)
    found = check_arguments(_Scales, header, path, expected)
    return make_of(header, stored, lambda: ROUTES.make(header.network, {})), (found.least, found.scale)  # type: ignore[return-value]


def is_routed(path: Path) -> bool:
    """Whether a file is of such a network; raises UserError where it is missing, damaged or no safetensors."""
    stored = open_stored(path)
    try:
        header = read_header(stored.about)
    except UserError:
        return False
    return header is not None and header.kind == KIND
