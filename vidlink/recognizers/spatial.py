"""Ask recognizers that say where something is: maps of classes, and boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.ask import call, finite
from vidlink.recognizers.crop import bring_to
from vidlink.recognizers.recognizer import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.recognizers.recognizer import Recognizer

MOST_BOXES = 100
"""Boxes a picture that are kept, those of the highest scores, as in COCO."""
_BATCH = {"cpu": 4}
_ELSEWHERE = 16
"""Pictures a call: these networks give as many numbers as they get pixels."""


class Boxes(NamedTuple):
    """What was found in a picture."""

    rows: NDArray[np.float32]
    """Left, upper, right, lower edge in pixels of the picture that was asked about, score, number of the class; by
    falling score, shape (k, 6)."""
    left_out: int
    """Boxes that are not in them: empty, negative, or outside the picture."""


def recognize_maps(
    recognizer: Recognizer, pictures: Sequence[NDArray[np.uint8]], context: Context | None = None
) -> NDArray[np.uint8]:
    """Say what each pixel of pictures is.

    Parameters
    ----------
    recognizer
        Has ``maps``.
    pictures
        n pictures, each luma (height, width) or RGB (height, width, 3).
    context
        What is known of each; by default, that it was never coded.

    Returns
    -------
    NDArray
        Number of each pixel's class, shape (n, wants.height, wants.width). Scores of another size are brought to this
        one by bilinear interpolation before the best is taken; numbers of classes by their nearest neighbour.

    Raises
    ------
    UserError
        The recognizer raises, or gives something else than :mod:`vidlink.recognizers.recognizer` says. It is named.
    """
    wants = recognizer.wants
    found = np.empty((len(pictures), wants.height, wants.width), np.uint8)
    for rows, given in _asked(recognizer, pictures, context):
        found[rows] = _numbers(recognizer, given, len(rows))
    return found


def recognize_boxes(
    recognizer: Recognizer, pictures: Sequence[NDArray[np.uint8]], context: Context | None = None
) -> list[Boxes]:
    """Say what is where in pictures.

    Parameters
    ----------
    recognizer
        Has ``boxes``.
    pictures, context
        As for :func:`recognize_maps`.

    Returns
    -------
    list
        For each picture, the boxes in it, cut at its edges, :data:`MOST_BOXES` at most.

    Raises
    ------
    UserError
        As :func:`recognize_maps` does.
    """
    found: list[Boxes] = []
    for rows, given in _asked(recognizer, pictures, context):
        found += [_tidy(recognizer, each) for each in _by_picture(recognizer, given, len(rows))]
    return found


def _asked(
    recognizer: Recognizer, pictures: Sequence[NDArray[np.uint8]], context: Context | None
) -> Iterator[tuple[NDArray[np.int64], Any]]:
    """What a recognizer gives of some pictures after the other: their places, and its answer."""
    import torch

    context = Context.pristine(len(pictures)) if context is None else context
    device = torch.device(getattr(recognizer, "device", "cpu"))
    batch = _BATCH.get(device.type, _ELSEWHERE)
    for start in range(0, len(pictures), batch):
        rows = np.arange(start, min(start + batch, len(pictures)))
        stack = np.stack([bring_to(recognizer.wants, pictures[row], None) for row in rows.tolist()])
        with torch.inference_mode():
            tensor = torch.from_numpy(stack).to(device).float() / 255
            yield rows, call(recognizer, tensor, context.take(rows))


def _numbers(recognizer: Recognizer, given: Any, count: int) -> NDArray[np.uint8]:
    """Numbers of classes from what was given: scores, or these numbers."""
    import torch
    from torch.nn.functional import interpolate

    classes, wants = len(recognizer.maps), recognizer.wants  # type: ignore[attr-defined]
    size = (wants.height, wants.width)
    wanted = f"scores of shape ({count}, {classes}, rows, columns), or whole numbers of shape ({count}, rows, columns)"
    if not isinstance(given, torch.Tensor):
        raise UserError(f"recognizer {recognizer.name!r}: gave {type(given).__name__}, expected {wanted}")
    shape = tuple(given.shape)
    whole = not (given.is_floating_point() or given.is_complex())
    if min(shape, default=0) == 0 or not (
        (len(shape) == 4 and shape[:2] == (count, classes)) or (len(shape) == 3 and shape[0] == count and whole)
    ):
        raise UserError(f"recognizer {recognizer.name!r}: gave {given.dtype} of shape {shape}, expected {wanted}")
    if len(shape) == 4:
        scores = finite(recognizer, given)
        if shape[2:] != size:
            scores = interpolate(scores, size=size, mode="bilinear", align_corners=False)
        return scores.argmax(dim=1).numpy().astype(np.uint8)
    numbers = given.detach().to("cpu", torch.int64)
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= classes:
        raise UserError(
            f"recognizer {recognizer.name!r}: gave class number {low if low < 0 else high}, expected 0 to {classes - 1}"
        )
    if shape[1:] != size:
        numbers = interpolate(numbers[:, None].float(), size=size, mode="nearest-exact")[:, 0]
    return numbers.numpy().astype(np.uint8)


def _by_picture(recognizer: Recognizer, given: Any, count: int) -> list[Tensor]:
    """What was given of each picture, checked: shape (k, 6) each."""
    import torch

    wanted = f"{count} tensors of shape (k, 6), one a picture"
    if not isinstance(given, torch.Tensor | list | tuple) or (isinstance(given, torch.Tensor) and given.ndim != 3):
        shape = f" of shape {tuple(given.shape)}" if isinstance(given, torch.Tensor) else ""
        raise UserError(f"recognizer {recognizer.name!r}: gave {type(given).__name__}{shape}, expected {wanted}")
    if len(given) != count:
        raise UserError(f"recognizer {recognizer.name!r}: gave boxes of {len(given)} pictures, expected {wanted}")
    for each in given:
        if not isinstance(each, torch.Tensor) or each.ndim != 2 or each.shape[1] != 6:
            what = f"shape {tuple(each.shape)}" if isinstance(each, torch.Tensor) else type(each).__name__
            raise UserError(f"recognizer {recognizer.name!r}: gave {what} of a picture, expected {wanted}")
    return [finite(recognizer, each) for each in given]


def _tidy(recognizer: Recognizer, given: Tensor) -> Boxes:
    """The boxes of a picture that can be used, cut at its edges, by falling score."""
    rows = given.numpy().copy()
    rows = rows[rows[:, 4] != 0]
    if ((rows[:, 4] < 0) | (rows[:, 4] > 1)).any():
        wrong = rows[(rows[:, 4] < 0) | (rows[:, 4] > 1), 4][0]
        raise UserError(f"recognizer {recognizer.name!r}: gave a box with the score {wrong:g}, expected 0 to 1")
    classes = len(recognizer.boxes)  # type: ignore[attr-defined]
    strange = (rows[:, 5] != np.round(rows[:, 5])) | (rows[:, 5] < 0) | (rows[:, 5] >= classes)
    if strange.any():
        raise UserError(
            f"recognizer {recognizer.name!r}: gave a box of class number {rows[strange, 5][0]:g}, expected a whole "
            f"number from 0 to {classes - 1}"
        )
    rows[:, 0:4:2] = np.clip(rows[:, 0:4:2], 0, recognizer.wants.width)
    rows[:, 1:4:2] = np.clip(rows[:, 1:4:2], 0, recognizer.wants.height)
    there = (rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])
    best = np.argsort(-rows[there, 4], kind="stable")[:MOST_BOXES]
    return Boxes(rows[there][best], int((~there).sum()))
