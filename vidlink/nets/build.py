"""Networks by name, as a command line and the header of a weights file give them.

``recognition`` is the paper's; ``residual`` is ours; ``RESTORER+RECOGNIZER`` is any other pair, one behind the other.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

RESTORERS = ("residual", "srcnn", "espcn", "twin")
"""What may stand before the plus sign."""
RECOGNIZERS = ("residual", "recognition")
"""What may stand behind it."""
NAMES = ("residual", "recognition", "RESTORER+RECOGNIZER")
"""What a command line may say."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything needed to make a network anew."""

    name: str = "residual"
    """``residual``, ``recognition`` or ``RESTORER+RECOGNIZER``."""
    size: int = 48
    """Side of the pictures in pixels."""
    outputs: int = 10
    """Numbers given for each picture."""
    width: int = 48
    """Channels of the first layers of ``residual`` and ``recognition``; the others follow from it."""


def build(network: Network) -> nn.Module:
    """Make a network with random weights.

    Returns
    -------
    nn.Module
        Called with luma, shape (n, 1, size, size), and scale factors, shape (n,); gives (n, outputs). It has
        ``features``, ``head`` and ``encoder``, the part that super-resolution pre-trains.

    Raises
    ------
    UserError
        If there is no such network, or the pictures do not suit it.
    """
    from vidlink.nets.joint import JointNet

    first, plus, second = network.name.partition("+")
    if network.name == "recognition":
        return _recognizer("recognition", network, channels=1)
    if not plus:
        if first != "residual":
            raise unknown("network", network.name, NAMES)
        second = "residual"
    if second not in RECOGNIZERS:
        raise unknown("recognizer", second, RECOGNIZERS)
    restorer = build_restorer(first, network.width)
    return JointNet(restorer, _recognizer(second, network, channels=restorer.channels))  # type: ignore[arg-type]


def build_restorer(name: str, width: int = 48, scale: float = 2) -> nn.Module:
    """Make a restorer with random weights.

    Parameters
    ----------
    name
        One of :data:`RESTORERS`.
    width
        Channels of the first layer of ``residual`` and ``twin``.
    scale
        Scale factor of ``espcn``.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    from vidlink.nets.espcn import ESPCN
    from vidlink.nets.residual import ResidualRestorer
    from vidlink.nets.srcnn import SRCNN
    from vidlink.nets.twin import TwinNet

    makers: dict[str, Callable[[], nn.Module]] = {
        "residual": lambda: ResidualRestorer(width),
        "srcnn": SRCNN,
        "espcn": lambda: ESPCN(scale),
        "twin": lambda: TwinNet((width, 2 * width, 4 * width)),
    }
    if name not in makers:
        raise unknown("restorer", name, makers)
    return makers[name]()


def _recognizer(name: str, network: Network, *, channels: int) -> nn.Module:
    from vidlink.nets.recognition import SMALLEST, RecognitionNet
    from vidlink.nets.residual import ResidualRecognition

    if name == "residual":
        if network.size % 8:
            raise UserError(f"network {network.name!r}: pictures of {network.size} pixels; it takes multiples of 8")
        return ResidualRecognition(network.outputs, channels=channels, width=network.width)
    if network.size < SMALLEST:
        raise UserError(f"network {network.name!r}: pictures of {network.size} pixels; it takes {SMALLEST} or more")
    widths = (network.width, 2 * network.width, 4 * network.width)
    return RecognitionNet(network.size, network.outputs, channels=channels, widths=widths)


def to_header(network: Network) -> str:
    """Write what a network is, for the header of its weights."""
    return json.dumps(asdict(network), sort_keys=True)


def from_header(text: str) -> Network:
    """Read what :func:`to_header` wrote.

    Raises
    ------
    UserError
        If it is something else.
    """
    try:
        return Network(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise UserError(f"no description of a network: {text[:80]!r}") from error
