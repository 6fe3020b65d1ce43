"""A network in a TorchScript file as a recognizer."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.recognizers.description import Description, described
from vidlink.recognizers.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

EXTRA = "recognizer.json"
"""File in the archive that says what the network is: ``torch.jit.save(net, path, _extra_files={EXTRA: text})``."""


def from_torchscript(
    path: Path,
    *,
    device: torch.device | str = "cpu",
    gives: tuple[str, ...] | None = None,
    classes: tuple[str, ...] | None = None,
    maps: tuple[str, ...] | None = None,
    boxes: tuple[str, ...] | None = None,
    size: str | None = None,
    colour: str | None = None,
    region: str | None = None,
    mean: tuple[float, ...] | None = None,
    deviation: tuple[float, ...] | None = None,
    white: float | None = None,
    threshold: float | None = None,
    task: str | None = None,
) -> Network:
    """Make a recognizer of a TorchScript file.

    Parameters
    ----------
    path
        What ``torch.jit.save`` wrote; it is called with pictures, (n, channels, height, width). What ``torch.save``
        wrote is refused: weights are no network, and a pickled one can run any code.
    device
        Where to compute.
    gives, classes, maps, boxes, size, colour, region, mean, deviation, white, threshold, task
        As :class:`~vidlink.recognizers.description.Description` says; they come before what the file's
        ``recognizer.json`` says.

    Raises
    ------
    UserError
        The file holds something else, is damaged, or something has to be said that is not.
    """
    network, known = _open(path, torch.device(device))
    said = Description(
        gives=gives, classes=classes, maps=maps, boxes=boxes, size=size, colour=colour, region=region, mean=mean,
        deviation=deviation, white=white, threshold=threshold, task=task,
    )  # fmt: skip

    def run(pictures: Tensor) -> Any:
        try:
            return network(pictures)
        except Exception as error:  # the interpreter raises many kinds
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            why = lines[-1].removeprefix("RuntimeError: ")[:300] if lines else type(error).__name__
            given = f"{path}: TorchScript cannot run it on pictures of shape {list(pictures.shape)}"
            raise UserError(f"{given}: {why}") from error

    return Network(run, path, said.filled_by(known), device=device)


def _open(path: Path, device: torch.device) -> tuple[Any, Description]:
    names: list[str] = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
    if "constants.pkl" not in names:
        what = "holds what torch.save wrote, weights or a pickled network, which could run any code"
        if not names and path.read_bytes()[:1] != b"\x80":
            what = "is no TorchScript file"
        raise UserError(f"{path}: {what}; expected TorchScript: torch.jit.script(network).save({path.name!r})")
    extra = {EXTRA: ""}
    try:
        network = torch.jit.load(str(path), map_location=device, _extra_files=extra).eval()
    except Exception as error:  # a damaged archive raises many kinds
        raise UserError(f"{path}: PyTorch cannot load it ({str(error).strip().partition(chr(10))[0][:200]})") from error
    text: Any = extra[EXTRA]
    if not text:
        return network, Description()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UserError(f"{path}: its {EXTRA} is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: its {EXTRA} holds {type(found).__name__}, expected an object")
    said = {key: value for key, value in found.items() if value is not None}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    return network, described(texts, str(path))
