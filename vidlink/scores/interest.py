"""What the far end's answer depends on: ``--roi qp`` codes the rest of the picture more coarsely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes
from vidlink.plugins import RAISED, reason
from vidlink.recognizers.crop import bring_to
from vidlink.recognizers.recognizer import Context, attribute_of
from vidlink.video.pictures import as_arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vidlink.recognizers.recognize import Recognizer
    from vidlink.types import Clip, Segment

_CELL = 16
"""Pixels of the source a side of a cell of the map."""
_MARGIN = 0.1
"""Added on each side of a face, as a share of its longer side: the network's window may reach beyond the box."""
_COARSE = 4
"""A picture at a quarter of its size stands for what coding leaves of it."""


def make_interest(clip: Clip, recognizer: Recognizer | None) -> Callable[[Segment, bytes], NDArray[np.float32] | None]:
    """What gives the map of a segment: shape (rows, columns) from 0 to 1, or None where all is alike.

    Where the recognizer looks at faces, cells that a face touches matter. For any other it is AccMPEG's measure (Du et
    al., MLSys 2022): the gradient of its output by the pixels times what coarse coding changes of these, summed over a
    cell.

    Raises
    ------
    UserError
        There is no recognizer.
    """
    if recognizer is None:
        raise UserError("--roi qp: --recognizer none looks at nothing that could be coded more finely")
    if recognizer.wants.region == "face":
        return lambda segment, side_data: face_interest(segment, side_data, clip)
    return lambda segment, side_data: gradient_interest(segment, clip, recognizer)


def face_interest(segment: Segment, side_data: bytes, clip: Clip) -> NDArray[np.float32] | None:
    """1 in cells that a face touches in any frame of the segment, 0 elsewhere; None without a face."""
    offsets = segment.times_s - segment.start_s
    interest = np.zeros((-(-clip.height // _CELL), -(-clip.width // _CELL)), np.float32)
    for _, shown in face_boxes(side_data, offsets, segment.duration_s, clip).values():
        margin = _MARGIN * shown[:, 2:].max(axis=1, keepdims=True)
        first = np.floor(np.maximum(shown[:, :2] - margin, 0) / _CELL).astype(int)
        end = np.ceil((shown[:, :2] + shown[:, 2:] + margin) / _CELL).astype(int)
        for (x, y), (right, bottom) in zip(first, end, strict=True):
            interest[y:bottom, x:right] = 1
    return interest if interest.any() else None


def gradient_interest(segment: Segment, clip: Clip, recognizer: Recognizer) -> NDArray[np.float32] | None:
    """What the answer to the segment's pictures depends on, as a share of the cell it depends on most.

    Raises
    ------
    UserError
        The recognizer fails, its answer has no gradient, or the map is not finite.
    """
    import torch

    wants = recognizer.wants
    slots = np.linspace(0, len(segment.frames) - 1, max(1, wants.frames)).astype(int).tolist()
    seen = np.stack([bring_to(wants, picture, None) for picture in as_arrays(segment.frames, slots, wants.colour)])
    fine = torch.from_numpy(seen).float() / 255
    size = fine.shape[-2:]
    small = tuple(max(1, side // _COARSE) for side in size)
    coarse = torch.nn.functional.interpolate(fine, size=small, mode="area")
    coarse = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    windows = wants.frames > 1
    pictures = (coarse[None] if windows else coarse).clone().to(getattr(recognizer, "device", "cpu")).requires_grad_()
    context = Context.pristine(len(slots))
    context = context.take(np.arange(len(slots))[None]) if windows else context
    try:
        with torch.enable_grad():
            given = recognizer(pictures, context)
            answer = given
            if attribute_of(recognizer) == "boxes":  # how sure it is: where a box lies is no matter of degree
                answer = torch.cat([each[:, 4] for each in given])
            answer.float().pow(2).sum().backward()
        gradient = pictures.grad
    except RAISED as error:
        raise UserError(
            f"--roi qp: recognizer {recognizer.name!r}: its answer has no gradient by the pixels ({reason(error)})"
        ) from error
    if gradient is None or not torch.isfinite(gradient).all():
        raise UserError(f"--roi qp: recognizer {recognizer.name!r}: the gradient of its answer is not finite")
    change = (fine - coarse).abs().numpy()
    by_pixel = (gradient.abs().cpu().reshape(change.shape).numpy() * change).sum(axis=(0, 1))
    cells = -(-clip.width // _CELL), -(-clip.height // _CELL)
    interest = np.asarray(cv2.resize(by_pixel, cells, interpolation=cv2.INTER_AREA), np.float32)
    most = float(np.quantile(interest, 0.95)) or float(interest.max())
    return np.clip(interest / most, 0, 1).astype(np.float32) if most > 0 else None
