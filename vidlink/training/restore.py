"""Bring luma back to full size by a restorer, and score that as papers on super-resolution do.

**Protocol.** Luma by ITU-R BT.601 from 16 to 235, cut to a multiple of the scale factor, downsampled without rounding
by antialiased bicubic interpolation as in MATLAB, restored, rounded to 8 bits. PSNR with a peak of 255 over all pixels
but a border as wide as the scale factor; then the mean over the images. Bicubic interpolation gives 30.39 dB on Set5 at
a factor of 3, as in Dong et al., arXiv 1501.00092.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.scores.psnr import psnr_db

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from vidlink.training.disturb import Mix

    Scores = list[dict[str, Any]]


def restore(
    restorer: nn.Module, small: NDArray, size: tuple[int, int], scale: float, *, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Bring one picture to its full size.

    Parameters
    ----------
    restorer
        Trained by :class:`~vidlink.training.superresolution.RestorerLearner`.
    small
        LR luma, shape (h, w), within [0, 1].
    size
        Height and width of the result in pixels.
    scale
        Scale factor, for restorers that use it.
    device
        Where the restorer is.

    Returns
    -------
    NDArray
        Shape ``size``, within [0, 1].

    Raises
    ------
    ValueError
        If what the restorer gives has another size.
    """
    import torch
    from torch.nn import functional

    from vidlink.training.bicubic import resize_bicubic

    takes_lr, edge = getattr(restorer, "takes_lr", False), getattr(restorer, "shrink", 0)
    given = small if takes_lr else resize_bicubic(small, *size)
    pictures = torch.from_numpy(np.ascontiguousarray(given, np.float32)).to(device)[None, None]
    if not takes_lr:  # what the restorer takes off, and even sides for those that fold pictures
        pictures = functional.pad(pictures, (edge, edge + size[1] % 2, edge, edge + size[0] % 2), mode="replicate")
    restorer.eval()
    with torch.inference_mode():
        restored = restorer(pictures, torch.full((1,), float(scale), device=pictures.device))[0, 0].float()
    restored = restored[: size[0], : size[1]]
    if tuple(restored.shape) != tuple(size):
        raise ValueError(f"{size = }: the restorer gives {tuple(restored.shape)}")
    return restored.clamp(0, 1).cpu().numpy()


def score_restorer(
    restorer: nn.Module,
    images: Mapping[str, NDArray[np.uint8]],
    scale: float,
    *,
    device: torch.device | str = "cpu",
    disturb: Mix | None = None,
) -> Scores:
    """Score a restorer on images by the protocol above.

    Parameters
    ----------
    restorer
        As for :func:`restore`.
    images
        Luma by name, 8 bits, shape (height, width) each.
    scale
        Scale factor.
    device
        Where the restorer is.
    disturb
        What goes wrong before the images are downsampled; the same for each restorer.

    Returns
    -------
    list
        One entry an image: ``image``, ``psnr_db`` and ``bicubic_db``.
    """
    from vidlink.training.bicubic import resize_bicubic
    from vidlink.training.patches import crop_to_multiple, shrink

    border = math.ceil(scale)
    scores = []
    for name, image in images.items():
        wanted = crop_to_multiple(image, scale)
        small = shrink(_disturbed(wanted, disturb), scale)
        both = {
            "psnr_db": restore(restorer, small, wanted.shape, scale, device=device),
            "bicubic_db": resize_bicubic(small, *wanted.shape).clip(0, 1),
        }
        inner = (slice(border, -border),) * 2
        rounded = {key: np.floor(picture * 255 + 0.5).astype(np.uint8) for key, picture in both.items()}
        scores.append({"image": name, **{key: psnr_db(each[inner], wanted[inner]) for key, each in rounded.items()}})
    return scores


def _disturbed(image: NDArray[np.uint8], disturb: Mix | None) -> NDArray:
    """An image within [0, 1] after what goes wrong with it, the same each time; with 8 bits where anything does."""
    if disturb is None:
        return image / 255
    import torch

    from vidlink.training.disturb import disturb_images

    return disturb_images(image[None], disturb, torch.Generator().manual_seed(0))[0] / 255


def mean_psnr_db(scores: Scores, key: str = "psnr_db") -> float:
    """Mean PSNR over the images in dB."""
    return float(np.mean([row[key] for row in scores]))
