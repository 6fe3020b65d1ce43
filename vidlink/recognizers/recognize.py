"""Bring pictures to a recognizer in batches, and check what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.recognizers.ask import ask
from vidlink.recognizers.looks import look_at, recognize_looks, recognize_track
from vidlink.recognizers.recognizer import (
    Context,
    Recognizer,
    Wants,
    attribute_of,
    follows_time,
    names_classes,
    outputs,
    threshold_of,
)
from vidlink.recognizers.registry import list_recognizers, load_recognizer
from vidlink.recognizers.spatial import recognize_boxes, recognize_maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box

__all__ = [
    "Context",
    "Recognizer",
    "Wants",
    "attribute_of",
    "follows_time",
    "list_recognizers",
    "load_recognizer",
    "look_at",
    "names_classes",
    "outputs",
    "recognize",
    "recognize_boxes",
    "recognize_looks",
    "recognize_maps",
    "recognize_windows",
    "threshold_of",
]


def recognize(
    recognizer: Recognizer,
    pictures: Sequence[NDArray[np.uint8]],
    boxes: Sequence[Box | None] | None = None,
    context: Context | None = None,
    batch: int | None = None,
    *,
    times_s: Sequence[float] | None = None,
    later: bool = True,
) -> NDArray[np.float32]:
    """Bring pictures to a recognizer in batches.

    Parameters
    ----------
    recognizer
        Whom to ask.
    pictures
        n pictures, each luma (height, width) or RGB (height, width, 3).
    boxes
        n face boxes (x, y, width, height) in pixels of their picture, None where there is no face; not needed by
        recognizers that want whole frames, where a box narrows the picture down.
    context
        What is known of each picture; by default, that it was never coded. ``enlarged`` is set from the boxes.
    batch
        Pictures a call; None for what suits the device. A CPU gets 64: of 48x48 pixels, they take up to a fifth less
        time each than 256, whose activations reach the size from which the C library maps and clears fresh memory for
        each of them. An accelerator gets 1024, so that it works longer than it waits.
    times_s
        When each picture was on show, rising, for recognizers that want windows: the pictures are then one track. By
        default they have nothing to do with one another, and each is held for a whole window.
    later
        Whether windows may hold later pictures.

    Returns
    -------
    NDArray
        Shape (n, len(recognizer.gives)); a row of NaN where the recognizer wants a face and there is no box.

    Raises
    ------
    UserError
        Where the recognizer raises, or gives another shape or numbers that are not finite. It names the recognizer.
    ValueError
        If pictures, boxes and context differ in number.
    """
    import torch

    from vidlink.recognizers.crop import bring_to, enlarged

    context = Context.pristine(len(pictures)) if context is None else context
    boxes = [None] * len(pictures) if boxes is None else boxes
    if not len(pictures) == len(boxes) == len(context.status) == len(context.scale) == len(context.quality):
        raise ValueError(f"{len(pictures) = }, {len(boxes) = }, {len(context.status) = }: expected equal numbers")
    context = replace(context, enlarged=enlarged(recognizer.wants, boxes))
    answers = np.full((len(pictures), len(recognizer.gives)), np.nan, np.float32)
    seen = np.array([k for k, box in enumerate(boxes) if box is not None or recognizer.wants.region == "frame"], int)
    if follows_time(recognizer):
        if len(seen):
            known = context.take(seen)
            looks = look_at(recognizer, [pictures[row] for row in seen], [boxes[row] for row in seen], known, batch)
            shown_s = None if times_s is None else [float(times_s[row]) for row in seen]
            answers[seen] = recognize_track(recognizer, looks, known, shown_s, later=later)
        return answers
    device = torch.device(getattr(recognizer, "device", "cpu"))
    batch = batch or (64 if device.type == "cpu" else 1024)
    for start in range(0, len(seen), batch):
        rows = seen[start : start + batch]
        stack = np.stack([bring_to(recognizer.wants, pictures[row], boxes[row]) for row in rows])
        with torch.inference_mode():
            tensor = torch.from_numpy(stack).to(device).float() / 255
            answers[rows] = ask(recognizer, tensor, context.take(rows))
    return answers


def recognize_windows(
    recognizer: Recognizer,
    pictures: Sequence[NDArray[np.uint8]],
    windows: Sequence[NDArray[np.int64]],
    context: Context | None = None,
    batch: int = 8,
) -> NDArray[np.float32]:
    """Bring windows of pictures to a recognizer of classes.

    Parameters
    ----------
    recognizer
        Whom to ask.
    pictures
        As :func:`~vidlink.recognizers.crop.bring_to` makes them, shape (channels, height, width) each.
    windows
        For each of n windows the positions of its pictures, shape (frames,).
    context
        What is known of each picture; by default, that it was never coded.
    batch
        Windows a call.

    Returns
    -------
    NDArray
        Share of each class, shape (n, len(recognizer.classes)): the softmax of the recognizer's scores.

    Raises
    ------
    UserError
        As :func:`recognize` does.
    """
    import torch

    context = Context.pristine(len(pictures)) if context is None else context
    device = getattr(recognizer, "device", "cpu")
    answers = np.empty((len(windows), len(outputs(recognizer))), np.float32)
    for start in range(0, len(windows), batch):
        rows = np.stack(windows[start : start + batch])
        stack = np.stack([np.stack([pictures[row] for row in window]) for window in rows])
        with torch.inference_mode():
            tensor = torch.from_numpy(stack).to(device).float() / 255
            scores = ask(recognizer, tensor, context.take(rows))
        answers[start : start + batch] = torch.from_numpy(scores).softmax(dim=1).numpy()
    return answers
