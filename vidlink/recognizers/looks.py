"""What windows of dimensions are made of: each picture is looked at once, and windows are cut out of these looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.recognizers.ask import ask
from vidlink.recognizers.over_time import Follower, alone, asked_of, context_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box
    from vidlink.recognizers.over_time import Window
    from vidlink.recognizers.recognizer import Context, Recognizer


def look_at(
    recognizer: Recognizer,
    pictures: Sequence[NDArray[np.uint8]],
    boxes: Sequence[Box | None],
    context: Context,
    batch: int | None = None,
) -> NDArray[Any]:
    """What goes into windows of dimensions: the pictures as they are wanted, or the recognizer's features of each.

    Parameters
    ----------
    recognizer
        Who looks.
    pictures, boxes, context, batch
        As for :func:`recognize`; every picture is looked at.

    Returns
    -------
    NDArray
        Shape (n, channels, height, width), uint8; or (n, k), float32.

    Raises
    ------
    UserError
        As :func:`recognize` does.
    """
    import torch

    from vidlink.recognizers.crop import bring_to, enlarged

    wants, features = recognizer.wants, getattr(recognizer, "features", None)
    crops = [bring_to(wants, picture, box) for picture, box in zip(pictures, boxes, strict=True)]
    if features is None:
        return np.stack(crops) if crops else np.empty((0, *wants.shape), np.uint8)
    context = replace(context, enlarged=enlarged(wants, boxes))
    device = torch.device(getattr(recognizer, "device", "cpu"))
    batch = batch or (64 if device.type == "cpu" else 1024)
    rows = []
    for start in range(0, len(crops), batch):
        with torch.inference_mode():
            tensor = torch.from_numpy(np.stack(crops[start : start + batch])).to(device).float() / 255
            part = context.take(np.arange(start, start + len(tensor)))
            rows.append(ask(recognizer, tensor, part, features))
    return np.concatenate(rows) if rows else np.empty((0, 0), np.float32)


def recognize_looks(
    recognizer: Recognizer,
    looks: NDArray[Any],
    windows: Sequence[Window],
    context: Context,
    *,
    later: bool,
    first: int = 0,
    batch: int | None = None,
) -> NDArray[np.float32]:
    """Bring windows of what :func:`look_at` gave to a recognizer of dimensions.

    Parameters
    ----------
    recognizer
        Whom to ask.
    looks, context
        Of the track from position ``first`` on.
    windows
        Which to ask about.
    later
        Whether they hold later pictures.
    first
        Position of the first look.
    batch
        Windows a call; None for 8 of pictures, 1024 of features.

    Returns
    -------
    NDArray
        Shape (windows, dimensions).

    Raises
    ------
    UserError
        As :func:`recognize` does.
    """
    import torch

    device, answers = getattr(recognizer, "device", "cpu"), []
    batch = batch or (8 if looks.dtype == np.uint8 else 1024)
    for start in range(0, len(windows), batch):
        some = windows[start : start + batch]
        known = context_of(some, context, asked=asked_of(recognizer.wants, later=later), later=later, first=first)
        with torch.inference_mode():
            tensor = torch.from_numpy(looks[np.stack([window.rows for window in some]) - first]).to(device).float()
            answers.append(ask(recognizer, tensor / 255 if looks.dtype == np.uint8 else tensor, known))
    return np.concatenate(answers) if answers else np.empty((0, len(recognizer.gives)), np.float32)


def recognize_track(
    recognizer: Recognizer,
    looks: NDArray[Any],
    context: Context,
    times_s: Sequence[float] | None,
    *,
    later: bool,
) -> NDArray[np.float32]:
    """Ask about every look of a track as soon as all of it is there; without times each look is a track by itself."""
    if times_s is None:
        windows = alone(recognizer.wants, len(looks))
    else:
        rate = (len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 else 1.0
        follower = Follower(wants=recognizer.wants, frame_rate=rate, later=later)
        windows = follower.add(times_s) + follower.finish()
    return recognize_looks(recognizer, looks, windows, context, later=later)
