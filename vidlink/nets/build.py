"""Networks by name, as a command line and the header of a weights file give them.

``recognition`` is the paper's; ``residual`` is ours; ``RESTORER+RECOGNIZER`` is any other pair, one behind the other,
without the restorer's last layer; in ``RESTORER/RECOGNIZER`` the recognizer sees the restored picture.
Each name may also be ``package.module:Class``. A new network is a file in this folder and a line in a table here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError, unknown
from vidlink.plugins import Catalogue, taken_of

if TYPE_CHECKING:
    from torch import nn

RESTORERS = Catalogue(
    what="restorer",
    shipped={
        "residual": "vidlink.nets.residual:ResidualRestorer",
        "srcnn": "vidlink.nets.srcnn:SRCNN",
        "srcnn-915": "vidlink.nets.srcnn:SRCNN.one_by_one",
        "espcn": "vidlink.nets.espcn:ESPCN",
        "twin": "vidlink.nets.twin:TwinNet.of_width",
        "temporal": "vidlink.nets.temporal_sr:TemporalSR.of_width",
        "denoiser": "vidlink.nets.denoiser:Denoiser",
        "aodnet": "vidlink.nets.aodnet:AODNet",
        "tone": "vidlink.nets.tone:ToneNet",
        "boost": "vidlink.nets.boost:BoostNet",
    },
)
"""What may stand before the plus sign. Made with those of the keywords ``width`` (channels of the first layer),
``scale`` (scale factor) and ``channels`` (of the pictures) that they take; called with pictures and scale factors,
shapes (n, channels, h, w) and (n,). They have ``takes_lr``, ``shrink``, ``channels``, ``features`` and a ``last``
layer, as :class:`~vidlink.nets.srcnn.SRCNN` has."""
RESTORER_WIDTH = {"temporal": 32, "denoiser": 16, "boost": 32, "tone": 16}
"""Default width of restorers that have one of their own."""
WIDTH = 48
"""That of the others."""
RECOGNIZERS = Catalogue(
    what="recognizer",
    shipped={
        "residual": "vidlink.nets.residual:ResidualRecognition.for_size",
        "recognition": "vidlink.nets.recognition:RecognitionNet.of_width",
    },
)
"""What may stand behind it. Made with those of the keywords ``size`` (side of the pictures in pixels), ``outputs``,
``channels`` (of what comes in) and ``width`` that they take; they have ``features`` and ``head``, and those that stand
alone ``encoder``, their early layers. :class:`~vidlink.nets.recognition.RecognitionNet` is one to look at."""
ACTIVITY = Catalogue(what="network of activities", shipped={"motion": "vidlink.nets.motion:ActivityNet"})
"""What names classes of windows. Made with those of the keywords ``classes`` (how many) and ``restorer`` (its channels)
that they take."""
WHOLE = ("residual", "recognition")
"""What may stand alone: ``residual`` is short for ``residual+residual``."""
NAMES = (*WHOLE, "RESTORER+RECOGNIZER", "RESTORER/RECOGNIZER")
"""What a command line may say."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything needed to make a network for faces anew."""

    name: str = "residual"
    """``residual``, ``recognition``, ``RESTORER+RECOGNIZER`` or ``package.module:Class``."""
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
    from vidlink.nets.joint import Cascade, JointNet

    before, slash, behind = network.name.partition("/")
    if slash:
        RECOGNIZERS.target(behind)
        whole = build_whole_restorer(before, network.width)
        return Cascade(whole, _recognizer(behind, network, channels=1))
    first, plus, second = network.name.partition("+")
    if first == "recognition" or (":" in first and not plus):
        alone = _recognizer(first, network, channels=1)
        check_has(alone, first, "encoder")
        return alone
    if not plus:
        if first not in WHOLE:
            raise unknown("network", network.name, NAMES)
        second = "residual"
    RECOGNIZERS.target(second)
    restorer = build_restorer(first, network.width)
    check_has(restorer, first, "features", "channels", "takes_lr")
    return JointNet(restorer, _recognizer(second, network, channels=restorer.channels))  # type: ignore[arg-type]


def build_restorer(name: str, width: int | None = WIDTH, scale: float = 2, *, channels: int = 1) -> nn.Module:
    """Make a restorer with random weights.

    Parameters
    ----------
    name
        One of :data:`RESTORERS`, or ``package.module:Class``.
    width
        Channels of the first layer, where it can be chosen; None for the restorer's default.
    scale
        Scale factor of ``espcn``.
    channels
        Of the pictures: 1 for luma, 3 for colour.

    Raises
    ------
    UserError
        If there is none of that name, it cannot be made, or it takes luma only and there is colour.
    """
    width = RESTORER_WIDTH.get(name, WIDTH) if width is None else width
    offered = {"width": width, "scale": scale, "channels": channels}
    if channels != 1 and "channels" not in taken_of(RESTORERS.find(name), offered):
        raise UserError(f"restorer {name!r}: takes luma only, and the pictures have {channels} channels")
    made: nn.Module = RESTORERS.make(name, offered)
    check_has(made, name, "forward", "state_dict")
    return made


def build_whole_restorer(name: str, width: int | None = WIDTH, *, channels: int = 1) -> nn.Module:
    """A restorer that gives pictures of the size that it takes; raises as :func:`build_restorer`, and for others."""
    made: Any = build_restorer(name, width, channels=channels)
    if getattr(made, "takes_lr", False) or getattr(made, "shrink", 0) or getattr(made, "frames", 1) > 1:
        raise UserError(
            f"restorer {name!r}: a recognizer behind it needs whole pictures, one from each; others give them"
        )
    return made  # type: ignore[no-any-return]


def _recognizer(name: str, network: Network, *, channels: int) -> nn.Module:
    offered = {"size": network.size, "outputs": network.outputs, "channels": channels, "width": network.width}
    try:
        made: nn.Module = RECOGNIZERS.make(name, offered)
    except UserError as error:
        raise UserError(f"network {network.name!r}: {error}") from error
    check_has(made, name, "forward", "state_dict", "features", "head")
    return made


def check_has(module: nn.Module, name: str, *attributes: str) -> None:
    """Name what a network of somebody's own lacks."""
    for attribute in attributes:
        if not hasattr(module, attribute):
            raise UserError(f"network {name!r}: {type(module).__name__} has no {attribute}, see vidlink.nets.build")
