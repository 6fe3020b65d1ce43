"""A network in an ONNX file as a recognizer, run by onnxruntime (the extra ``vidlink[onnx]``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.errors import UserError
from vidlink.recognizers.decode import by_type, is_of_one
from vidlink.recognizers.description import Description, described
from vidlink.recognizers.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
"""What its pictures may be; bytes are from 0 to 255."""
_BOXES = {"boxes", "scores", "labels"}
"""What outputs of detectors are called."""


def from_onnx(
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
    """Make a recognizer of an ONNX file.

    Parameters
    ----------
    path
        The file: one input of pictures, (n, channels, height, width) or (n, height, width, channels); what is not
        fixed there is said by ``size``.
    device
        Where to compute; an accelerator where onnxruntime has a provider for it.
    gives, classes, maps, boxes, size, colour, region, mean, deviation, white, threshold, task
        As :class:`~vidlink.recognizers.description.Description` says; they come before the file's metadata.

    Raises
    ------
    UserError
        onnxruntime is missing, the file is damaged or has operators that it does not know, it takes no pictures, or
        something has to be said that is not.
    """
    network = _OnnxNetwork(path, torch.device(device))
    said = Description(
        gives=gives, classes=classes, maps=maps, boxes=boxes, size=size, colour=colour, region=region, mean=mean,
        deviation=deviation, white=white, threshold=threshold, task=task,
    )  # fmt: skip
    known = said.filled_by(network.known)
    return Network(network, path, known, shape=network.shape, of_bytes=network.of_bytes, device=device)


class _OnnxNetwork:
    """What onnxruntime runs."""

    def __init__(self, path: Path, device: torch.device) -> None:
        self._path, self._session = path, _open(path, device)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            found = ", ".join(f"{each.name} {list(each.shape)}" for each in inputs)
            raise UserError(f"{path}: takes {found}; expected one input of pictures, (n, channels, height, width)")
        self._input = inputs[0]
        if self._input.type not in _TYPES:
            raise UserError(f"{path}: takes {self._input.type}, expected one of {', '.join(_TYPES)}")
        self._type = _TYPES[self._input.type]
        self.of_bytes = self._type is np.uint8
        sides = [side if isinstance(side, int) and side > 0 else None for side in self._input.shape]
        self._count = sides[0]
        self._channels_last = sides[3] in (1, 3) and sides[1] not in (1, 3)
        self.shape = (sides[3], sides[1], sides[2]) if self._channels_last else (sides[1], sides[2], sides[3])
        self.known = described(self._session.get_modelmeta().custom_metadata_map, str(path))
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, pictures: Tensor) -> Any:
        """Outputs of pictures, shape (n, channels, height, width): one tensor, several, or by name."""
        given = pictures.permute(0, 2, 3, 1) if self._channels_last else pictures
        array = np.ascontiguousarray(given.cpu().numpy())
        array = (np.round(array) if self.of_bytes else array).astype(self._type)
        count = self._count or len(array)
        parts = []
        for start in range(0, len(array), count):
            some = array[start : start + count]
            missing = count - len(some)  # the file fixes how many pictures there are
            fed = np.concatenate([some, np.repeat(some[-1:], missing, axis=0)]) if missing else some
            parts.append(self._run(fed))
        return self._outputs(parts, len(array))

    def _run(self, pictures: NDArray[Any]) -> list[Any]:
        try:
            found: list[Any] = self._session.run(None, {self._input.name: pictures})
        except Exception as error:  # onnxruntime has many
            given = f"{self._path}: onnxruntime cannot run it on pictures of shape {list(pictures.shape)}"
            raise UserError(f"{given}: {_said(error)}") from error
        return found

    def _outputs(self, parts: list[list[Any]], pictures: int) -> Any:
        """What came of all pictures: a tensor, several, by name, or by name of each picture."""
        by_part = [_named(self._names, _tensors(part)) for part in parts]
        if len(parts) == pictures and is_of_one(by_part[0]):
            return by_part
        joined = []
        for each in zip(*parts, strict=True):
            tensors = _tensors(each)
            several = len(tensors) > 1 or (self._count or 1) > 1
            joined.append(torch.cat(tensors)[:pictures] if several else tensors[0])
        found = _named(self._names, joined)
        return found if isinstance(found, dict) or len(found) > 1 else found[0]


def _named(names: Sequence[str], outputs: list[Tensor]) -> dict[str, Tensor] | list[Tensor]:
    """Boxes, scores and labels by name, where these are what they are called, or what their types say; else a list."""
    if set(names) >= _BOXES:
        return dict(zip(names, outputs, strict=True))
    if len(outputs) != len(_BOXES):
        return outputs
    try:
        boxes, scores, labels = by_type(outputs)
    except UserError:
        return outputs
    return {"boxes": boxes, "scores": scores, "labels": labels}


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    return [torch.from_numpy(np.asarray(value)) for value in values]


def _open(path: Path, device: torch.device) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"{path}: onnxruntime is not installed: pip install 'vidlink[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said below
    options.intra_op_num_threads = torch.get_num_threads()
    there = onnxruntime.get_available_providers()
    asked = ["CUDAExecutionProvider"] if device.type == "cuda" and "CUDAExecutionProvider" in there else []
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[*asked, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has many
        raise UserError(f"{path}: onnxruntime cannot load it: {_said(error)}") from error


def _said(error: Exception) -> str:
    """What onnxruntime says, without its number, and without the place in its own sources."""
    said = " ".join(str(error).split()).partition(":")[2]
    said = re.sub(r"/onnxruntime_src/.*?\)(?=\s)", "", said)
    said = re.sub(r"^[\s:\d]+", "", " ".join(said.split()))
    return said[:300] or type(error).__name__
