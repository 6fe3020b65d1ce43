"""Find and load recognizers by name: those of the entry-point group ``vidlink.recognizers``, or any class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import Catalogue, make, reason, taken_of
from vidlink.recognizers.from_file import find_in_file, is_file
from vidlink.recognizers.given import find_given, is_given
from vidlink.recognizers.recognizer import ATTRIBUTES, THRESHOLD, Recognizer, Wants, attribute_of
from vidlink.units import SECONDS, SLOWEST, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

RECOGNIZERS = Catalogue(
    what="recognizer",
    group="vidlink.recognizers",
    shipped={
        "activity": "vidlink.recognizers.activity:Activity",
        "affect": "vidlink.recognizers.affect:Affect",
        "affect-over-time": "vidlink.recognizers.affect:AffectOverTime",
        "deeplabv3_mobilenet_v3_large": "vidlink.recognizers.torchvision_places:DeepLabMobile",
        "deeplabv3_resnet50": "vidlink.recognizers.torchvision_places:DeepLab",
        "fasterrcnn_mobilenet_v3_large_320_fpn": "vidlink.recognizers.torchvision_places:FasterRcnn320",
        "fasterrcnn_mobilenet_v3_large_fpn": "vidlink.recognizers.torchvision_places:FasterRcnn",
        "fcos_resnet50_fpn": "vidlink.recognizers.torchvision_places:Fcos",
        "image-classifier": "vidlink.recognizers.pooled:ImageClassifier",
        "lraspp_mobilenet_v3_large": "vidlink.recognizers.torchvision_places:Lraspp",
        "mc3_18": "vidlink.recognizers.kinetics:Mc3x18",
        "mvit_v2_s": "vidlink.recognizers.kinetics:MvitV2S",
        "r2plus1d_18": "vidlink.recognizers.kinetics:R2plus1d18",
        "r3d_18": "vidlink.recognizers.kinetics:R3d18",
        "retinanet_resnet50_fpn": "vidlink.recognizers.torchvision_places:RetinaNet",
        "road-detection": "vidlink.recognizers.roads:RoadDetection",
        "road-segmentation": "vidlink.recognizers.roads:RoadSegmentation",
        "s3d": "vidlink.recognizers.kinetics:S3d",
        "ssdlite320_mobilenet_v3_large": "vidlink.recognizers.torchvision_places:SsdLite",
        "swin3d_t": "vidlink.recognizers.kinetics:Swin3dT",
    },
)
"""Recognizers by name; those that come along are listed here too, for a checkout that nobody installed."""

MOST_WANTED = 8192
"""Pixels of a side, and pictures of a window, that a recognizer may want."""
MOST_MAPPED = 255
"""Classes of pixels at most: a byte a pixel, and 255 is no class."""
MOST_MARGIN = 10.0
"""What may be added on each side of a box, in longer sides of it."""
FINEST_S = 0.001
"""Seconds between two windows, and between two pictures in one, at the least: no clip has more pictures a second."""


def find_device(name: str = "auto") -> torch.device:
    """Find the device of that name; ``auto`` is the first accelerator that is there, or else the CPU.

    Raises
    ------
    UserError
        Where there is no such device.
    """
    import torch

    if name == "auto":
        for kind in ("cuda", "xpu", "mps"):
            backend = getattr(torch, kind, None) or getattr(torch.backends, kind, None)
            if backend is not None and backend.is_available():
                return torch.device(kind)
        return torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"--device {name}: not on this machine ({reason(error)}); auto and cpu always work") from error
    return device


def list_recognizers() -> dict[str, str]:
    """Name and one line of every registered recognizer, by name; nothing is imported."""
    return dict(sorted(RECOGNIZERS.summaries().items()))


def load_recognizer(
    name: str, *, device: str = "auto", weights: Path | None = None, arguments: Sequence[str] = ()
) -> Recognizer:
    """Load a recognizer.

    Parameters
    ----------
    name
        A registered name, ``package.module:Class``, or a file: ``net.onnx``, ``net.pt`` (TorchScript), ``my.py:Class``.
    device
        ``auto``, ``cpu``, ``cuda``, ...
    weights
        Other weights than its own.
    arguments
        ``key=value`` for its constructor, as :mod:`vidlink.recognizers.arguments` reads them.

    Raises
    ------
    UserError
        Where there is none of that name, its import or construction fails (the reason is shown), it takes no such
        argument, or it lacks what :class:`Recognizer` asks for.
    """
    made_by = find_given(name) if is_given(name) else find_in_file(name) if is_file(name) else RECOGNIZERS.find(name)
    made = _construct(name, made_by, device, weights, arguments)
    _check_protocol(name, made)
    return made


def _construct(name: str, made_by: Any, device: str, weights: Path | None, arguments: Sequence[str]) -> Recognizer:
    from vidlink.recognizers.arguments import read_arguments

    offered = {"device": find_device(device), "weights": weights}
    keywords = taken_of(made_by, offered)
    if weights is not None and "weights" not in keywords:
        raise UserError(f"recognizer {name!r}: takes no weights, but {weights} was given")
    keywords |= read_arguments(name, made_by, arguments, reserved=tuple(offered))
    return make(made_by, keywords, what=f"recognizer {name!r}")


def _check_protocol(name: str, made: Any) -> None:
    known = [each for each in ATTRIBUTES if hasattr(made, each)]
    named = attribute_of(made) if hasattr(made, attribute_of(made)) else (known[-1] if known else "gives")
    for attribute, kind in (("name", str), ("task", str), ("wants", Wants), (named, tuple)):
        found = getattr(made, attribute, None)
        if not isinstance(found, kind):
            what = f"is {found!r}" if hasattr(made, attribute) else "is missing"
            other = " of dimensions, or classes, maps or boxes" if attribute == "gives" else ""
            raise UserError(f"recognizer {name!r}: {attribute} {what}, expected a {kind.__name__}{other}")
    names = getattr(made, named)
    if not names or not all(isinstance(each, str) for each in names) or len(set(names)) < len(names):
        raise UserError(f"recognizer {name!r}: {named} is {names!r}, expected different names, at least one")
    _check_wants(name, made.wants, windows=named == "classes")
    if named in ("maps", "boxes"):
        _check_places(name, made, named)
    if made.wants.frames > 1 and not callable(getattr(made, "features", list)):
        raise UserError(f"recognizer {name!r}: features cannot be called; expected a method of (pictures, context)")
    if not callable(made):
        raise UserError(f"recognizer {name!r}: cannot be called; expected __call__(pictures, context)")


def _check_places(name: str, made: Any, named: str) -> None:
    """What is asked of those that say where something is in a picture."""
    if made.wants.region != "frame" or made.wants.frames != 1:
        raise UserError(
            f"recognizer {name!r}: gives {named} and wants region = {made.wants.region!r}, frames = "
            f"{made.wants.frames}; expected whole frames, one at a time: 'frame', 1"
        )
    if named == "maps" and len(made.maps) > MOST_MAPPED:
        raise UserError(
            f"recognizer {name!r}: maps names {len(made.maps)} classes of pixels, expected {MOST_MAPPED} at most"
        )
    if named == "boxes":
        threshold = getattr(made, "threshold", THRESHOLD)
        if not isinstance(threshold, int | float) or not 0 < threshold <= 1:
            raise UserError(
                f"recognizer {name!r}: threshold is {shown(threshold)}, expected a score above 0, at most 1"
            )


def _check_wants(name: str, wants: Wants, *, windows: bool) -> None:
    for what in ("height", "width", "frames"):
        value = getattr(wants, what)
        if not isinstance(value, int) or not 1 <= value <= MOST_WANTED:
            raise UserError(
                f"recognizer {name!r}: wants {what} = {shown(value)}, expected a whole number from 1 to {MOST_WANTED}"
            )
    for what, choices in (("region", ("face", "frame")), ("colour", ("luma", "rgb"))):
        if getattr(wants, what) not in choices:
            found = getattr(wants, what)
            raise UserError(f"recognizer {name!r}: wants {what} = {found!r}, expected {' or '.join(choices)}")
    for what in ("frame_rate", "stride_s"):
        value = getattr(wants, what)
        low, high = (FINEST_S, SECONDS.most) if what == "stride_s" else (1 / SLOWEST, 1 / FINEST_S)
        if value is not None and not (isinstance(value, int | float) and low <= value <= high):
            raise UserError(
                f"recognizer {name!r}: wants {what} = {shown(value)}, expected a number above 0, from {low:g} to "
                f"{high:g}, or None"
            )
    if not (isinstance(wants.margin, int | float) and -0.5 < wants.margin <= MOST_MARGIN):
        raise UserError(
            f"recognizer {name!r}: wants margin = {shown(wants.margin)}, expected a share of the box above -0.5, at "
            f"most {MOST_MARGIN:g}"
        )
    if wants.stride_s is not None and not windows:
        raise UserError(
            f"recognizer {name!r}: wants stride_s = {shown(wants.stride_s)} and gives dimensions, which have a window "
            "about each picture; expected classes, or None"
        )
