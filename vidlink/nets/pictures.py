"""Networks for pictures by name: classifiers, segmenters, detectors, each alone or behind a restorer.

What :mod:`vidlink.nets.build` is for faces this is for whole pictures in colour: ``unet``, ``srcnn+unet``,
``srcnn/unet`` (which sees the restored picture), ``unet+decoder`` (which also gives the picture back),
``package.module:Class``. A new network is a file in this folder and a line in a table here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from pydantic import Field

from vidlink.errors import UserError
from vidlink.nets.build import build_restorer, build_whole_restorer, check_has
from vidlink.nets.joint import Cascade, JointNet
from vidlink.nets.two_decoders import TwoDecoders
from vidlink.nets.weights import Arguments, Header, check_arguments, check_names, make_of, read_kind
from vidlink.plugins import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

Task = Literal["classification", "segmentation", "detection"]

NETWORKS: dict[str, Catalogue] = {
    "classification": Catalogue(
        what="classifier",
        shipped={
            "residual": "vidlink.nets.residual_classifier:ResidualClassifier",
            "vgg": "vidlink.nets.vgg:VGGClassifier",
        },
    ),
    "segmentation": Catalogue(
        what="segmenter",
        shipped={
            "unet": "vidlink.nets.unet:UNet",
            "boost": "vidlink.nets.boost_segmenter:BoostSegmenter",
            "boost-1": "vidlink.nets.boost_segmenter:BoostSegmenter.of_one",
            "boost-2": "vidlink.nets.boost_segmenter:BoostSegmenter.of_two",
        },
    ),
    "detection": Catalogue(what="detector", shipped={"centre": "vidlink.nets.centre:CentreNet"}),
}
"""Networks by task. Made with those of the keywords ``outputs`` (classes), ``channels`` (of what comes in), ``width``
and ``fold`` that they take; they have ``features`` and ``head``, and those that stand alone ``encoder``. A classifier
gives (n, outputs), a segmenter (n, outputs, rows, columns), a detector (n, outputs + 4, rows, columns) as
:class:`~vidlink.nets.centre.CentreNet` does; its maps may be smaller than the picture."""
WIDTH = {"classification": 32, "segmentation": 16, "detection": 32}
"""Default width of the networks of a task."""
FOLD = {"segmentation": 2, "detection": 4}
"""Pixels of the picture a side that one place of the output stands for."""
DECODER = "decoder"
"""What stands behind the plus sign where a recognizer has a second decoder."""


@dataclass(frozen=True, kw_only=True)
class PictureNetwork:
    """Everything needed to make a network for pictures anew."""

    task: Task
    """What it is for."""
    name: str
    """``unet``, ``RESTORER+unet``, ``RESTORER/unet``, ``unet+decoder`` or ``package.module:Class``."""
    classes: tuple[str, ...]
    """What it tells apart."""
    size: tuple[int, int]
    """Width and height of its pictures in pixels."""
    width: int
    """Channels of the first layers."""
    restorer_width: int | None = None
    """Those of a restorer in front; None for its default."""


class Parts(NamedTuple):
    """What the name of a network is made of."""

    recognizer: str
    """What recognizes."""
    restorer: str = ""
    """What stands in front; empty for nothing."""
    whole: bool = False
    """Whether the restorer is whole, and the recognizer sees the restored picture."""
    decoder: bool = False
    """Whether a second decoder gives the picture back."""


def parts_of(name: str) -> Parts:
    """Take the name of a network apart.

    Examples
    --------
    >>> parts_of("srcnn/unet")
    Parts(recognizer='unet', restorer='srcnn', whole=True, decoder=False)
    """
    before, slash, behind = name.partition("/")
    if slash:
        return Parts(behind, before, whole=True)
    first, plus, second = name.partition("+")
    if second == DECODER:
        return Parts(first, decoder=True)
    return Parts(second, first) if plus else Parts(first)


def build_for_pictures(network: PictureNetwork) -> nn.Module:
    """Make a network with random weights.

    Returns
    -------
    nn.Module
        Called with pictures in colour, shape (n, 3, h, w), and scale factors, shape (n,). It has ``features``, ``head``
        and ``encoder``.

    Raises
    ------
    UserError
        There is no such network, or its parts do not fit.
    """
    parts = parts_of(network.name)
    table, fold = NETWORKS[network.task], FOLD.get(network.task, 1)
    offered = {"outputs": len(network.classes), "channels": 3, "width": network.width, "fold": fold}
    table.target(parts.recognizer)
    if not parts.restorer:
        alone: nn.Module = table.make(parts.recognizer, offered)
        check_has(alone, parts.recognizer, "forward", "state_dict", "features", "head", "encoder")
        if parts.decoder:
            check_has(alone, parts.recognizer, "body")
        return TwoDecoders(alone) if parts.decoder else alone
    if parts.whole:
        whole = build_whole_restorer(parts.restorer, network.restorer_width, channels=3)
        return Cascade(whole, table.make(parts.recognizer, offered))
    restorer: Any = build_restorer(parts.restorer, network.restorer_width, channels=3)
    check_has(restorer, parts.restorer, "features", "channels", "takes_lr")
    if restorer.takes_lr or getattr(restorer, "shrink", 0) or getattr(restorer, "frames", 1) > 1:
        raise UserError(f"network {network.name!r}: {parts.restorer} gives pictures of another size; others keep it")
    with torch.inference_mode():
        side = restorer.eval().features(torch.zeros(1, 3, 32, 32)).shape[-1]
    restorer.train()
    offered |= {"channels": restorer.channels, "fold": max(1, fold * side // 32)}
    rest: nn.Module = table.make(parts.recognizer, offered)
    check_has(rest, parts.recognizer, "forward", "state_dict", "features", "head")
    return JointNet(restorer, rest)


class _OfPictures(Arguments):
    classes: list[str] = Field(min_length=1, max_length=65_536)
    size: list[int] = Field(min_length=2, max_length=2)
    width: int = Field(ge=1, le=4096)
    restorer_width: int | None = Field(default=None, ge=1, le=4096)

    _named_apart = check_names("classes")


LARGEST_SIDE = 8192


def describe_pictures(network: PictureNetwork) -> Header:
    """The header of a network for pictures."""
    arguments: dict[str, Any] = {
        "classes": list(network.classes),
        "size": list(network.size),
        "width": network.width,
    }
    if network.restorer_width is not None:
        arguments["restorer_width"] = network.restorer_width
    return Header(kind=network.task, network=network.name, arguments=arguments)


def load_for_pictures(path: Path, task: Task, *, own: str = "") -> tuple[PictureNetwork, nn.Module]:
    """Make the network that a weights file describes in its header, with these weights.

    Parameters
    ----------
    path
        The file.
    task
        What the weights must be for.
    own
        A network of one's own that the file may name; see :func:`~vidlink.nets.weights.read_kind`.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors, or of another task's network.
    """
    expected = f"expected a file of vidlink.train --task {task}"
    header, stored = read_kind(path, task, expected=expected, own=own)
    found = check_arguments(_OfPictures, header, path, expected)
    if not all(1 <= side <= LARGEST_SIDE for side in found.size):
        raise UserError(f"weights {path}: {expected} (size: {found.size})")
    network = PictureNetwork(
        task=task,
        name=header.network,
        classes=tuple(found.classes),
        size=(found.size[0], found.size[1]),
        width=found.width,
        restorer_width=found.restorer_width,
    )
    return network, make_of(header, stored, lambda: build_for_pictures(network))
