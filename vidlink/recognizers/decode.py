"""What detectors give, as rows of edges, score and class: the layouts in which they are exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.errors import UserError
from vidlink.recognizers.spatial import MOST_BOXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

LEAST, OVERLAP = 0.01, 0.45
"""Raw boxes: those of a lower score are dropped, and those that overlap a surer one of their class by more."""
LAYOUTS = (
    "boxes, scores and labels (as torchvision's, in any order), rows (n, k, 6) of left, upper, right, lower edge, "
    "score and class, or raw (n, 4 + classes, k) of centre, size and scores (as YOLO's)"
)


def boxes_from(outputs: Any, *, count: int, classes: int) -> list[Tensor]:
    """The rows of each picture.

    Three layouts are understood. Several outputs with boxes, shape (k, 4) or (n, k, 4), and scores and class numbers,
    shape (k,) or (n, k), by their names or their types; or a list with a dictionary of these for each picture. One
    output of rows, shape (n, k, 6). One output of raw boxes, shape (n, 4 + classes, k) or transposed, with the centre
    and size of each in pixels and the score of each class, of which the surest are kept.

    Parameters
    ----------
    outputs
        Of the network.
    count
        Pictures that it was given.
    classes
        How many it knows.

    Returns
    -------
    list of Tensor
        As :mod:`vidlink.recognizers.recognizer` says.

    Raises
    ------
    UserError
        The outputs are none of these.
    """
    if isinstance(outputs, dict):
        return _apart(_named(outputs), count)
    if isinstance(outputs, list | tuple):
        if outputs and all(isinstance(each, dict) for each in outputs):
            return [_joined(_named(each)) for each in outputs]
        if len(outputs) == 3:
            return _apart(by_type(outputs), count)
        if len(outputs) == 2 and isinstance(outputs[1], list):  # torchvision's, scripted: losses, then detections
            return [_joined(_named(each)) for each in outputs[1]]
        outputs = outputs[0] if len(outputs) == 1 else outputs
    if isinstance(outputs, torch.Tensor) and outputs.ndim == 3 and len(outputs) == count:
        if outputs.shape[2] == 6:
            return list(outputs)
        for raw in (outputs, outputs.transpose(1, 2)):
            if raw.shape[1] == 4 + classes:
                return [_surest(each) for each in raw]
    raise _unknown(outputs)


def is_of_one(outputs: Any) -> bool:
    """Whether outputs are boxes, shape (k, 4), scores and labels of a single picture, however many were given."""
    if isinstance(outputs, dict):
        parts = outputs.get("boxes")
        return isinstance(parts, torch.Tensor) and parts.ndim == 2
    if not isinstance(outputs, list | tuple) or len(outputs) != 3:
        return False
    try:
        return by_type(outputs)[0].ndim == 2
    except UserError:
        return False


def _unknown(outputs: Any) -> UserError:
    many = outputs if isinstance(outputs, list | tuple) else [outputs]
    shapes = ", ".join(
        str(tuple(each.shape)) if isinstance(each, torch.Tensor) else type(each).__name__ for each in many
    )
    return UserError(f"gave outputs of shape {shapes}, which are no boxes; expected {LAYOUTS}")


def _named(outputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    try:
        return outputs["boxes"], outputs["scores"], outputs["labels"]
    except KeyError as error:
        raise UserError(f"gave outputs {', '.join(outputs)} without {error}; expected {LAYOUTS}") from error


def by_type(outputs: Sequence[Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes have four columns, class numbers are whole, and scores are what is left."""
    if not all(isinstance(each, torch.Tensor) for each in outputs):
        raise _unknown(outputs)
    boxes = [each for each in outputs if each.ndim > 1 and each.shape[-1] == 4 and each.is_floating_point()]
    labels = [each for each in outputs if not each.is_floating_point()]
    scores = [each for each in outputs if each.is_floating_point() and not any(each is other for other in boxes)]
    if not len(boxes) == len(labels) == len(scores) == 1:
        raise _unknown(outputs)
    return boxes[0], scores[0], labels[0]


def _apart(parts: tuple[Tensor, Tensor, Tensor], count: int) -> list[Tensor]:
    """Outputs of all pictures, picture by picture; without a dimension of pictures they are of a single one."""
    if parts[0].ndim == 3:
        return [_joined((boxes, scores, labels)) for boxes, scores, labels in zip(*parts, strict=True)]
    if count != 1:
        raise UserError(f"gave boxes of one picture for {count}; expected a dimension of pictures in each output")
    return [_joined(parts)]


def _joined(parts: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    boxes, scores, labels = parts
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes) == scores.numel() == labels.numel():
        raise _unknown(parts)
    return torch.cat([boxes.float(), scores.reshape(-1, 1).float(), labels.reshape(-1, 1).float()], dim=1)


def _surest(raw: Tensor) -> Tensor:
    """Rows of raw boxes, shape (4 + classes, k): those that no surer one of their class covers."""
    import cv2

    values = raw.detach().float().cpu().numpy()
    scores, numbers = values[4:].max(axis=0), values[4:].argmax(axis=0)
    some = np.flatnonzero(scores >= LEAST)
    some = some[np.argsort(-scores[some], kind="stable")][: 30 * MOST_BOXES]
    if np.isnan(scores).any() or not np.isfinite(values[:, some]).all():
        raise UserError("gave numbers that are not finite, expected finite ones")
    centre, side = values[:2, some], values[2:4, some]
    corners = np.concatenate([centre - side / 2, side]).T
    kept = cv2.dnn.NMSBoxesBatched(
        corners.tolist(), scores[some].tolist(), numbers[some].tolist(), LEAST, OVERLAP
    ) if len(some) else []  # fmt: skip
    rows = [np.concatenate([corners[k][:2], corners[k][:2] + corners[k][2:], [scores[some][k], numbers[some][k]]])
            for k in np.asarray(kept, int).ravel()]  # fmt: skip
    return torch.tensor(np.array(rows, np.float32).reshape(-1, 6))
