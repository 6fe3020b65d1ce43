"""Optical flow as a layer: pyramidal Lucas and Kanade, differentiable, without weights.

B. D. Lucas and T. Kanade, "An iterative image registration technique with an application to stereo vision", IJCAI 1981:
where brightness is kept, ``Ix u + Iy v + It = 0``; the flow (u, v) is the least-squares solution over a small window.
Larger motion is found at half the size first (J.-Y. Bouguet, "Pyramidal implementation of the Lucas Kanade feature
tracker", 2000).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

DAMPING = 0.02
"""Added to the diagonal of the normal equations: where there is no gradient there is no flow."""
LARGEST = 3.0
"""Pixels that one step may move."""


def optical_flow(first: Tensor, second: Tensor, levels: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Flow between pictures, at half their size.

    Parameters
    ----------
    first, second
        Shape (n, 1, height, width), with a standard deviation of about 1.
    levels
        Sizes at which flow is sought: a half, a quarter, ...

    Returns
    -------
    flow : Tensor
        Right and down in pixels of the half size, shape (n, 2, height / 2, width / 2).
    change : Tensor
        Second minus first, shape (n, 1, height / 2, width / 2).
    residue : Tensor
        The same after the flow is made good: what no motion explains.
    """
    pyramid = [(functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2))]
    for _ in range(levels - 1):
        pyramid.append(tuple(functional.avg_pool2d(each, 2, ceil_mode=True) for each in pyramid[-1]))  # type: ignore[arg-type]
    flow: Tensor | None = None
    for one, other in reversed(pyramid):
        if flow is not None:
            flow = 2 * functional.interpolate(flow, size=one.shape[-2:], mode="bilinear", align_corners=False)
        flow = _refine(one, other, flow)
    one, other = pyramid[0]
    assert flow is not None
    return flow, other - one, warp(other, flow) - one


def _refine(one: Tensor, other: Tensor, flow: Tensor | None) -> Tensor:
    """One step of Lucas and Kanade from a first guess."""
    if flow is not None:
        other = warp(other, flow)
    mean = (one + other) / 2
    right, down = gradients(mean)
    change = other - one
    products = torch.cat([right * right, right * down, down * down, right * change, down * change], 1)
    for window in (5, 3):  # two boxes come close to a bell
        products = functional.avg_pool2d(products, window, 1, window // 2, count_include_pad=False)
    xx, xy, yy, xt, yt = products.unbind(1)
    xx, yy = xx + DAMPING, yy + DAMPING
    determinant = xx * yy - xy * xy
    step = torch.stack([xy * yt - yy * xt, xy * xt - xx * yt], 1) / determinant[:, None]
    step = step.clamp(-LARGEST, LARGEST)
    return step if flow is None else flow + step


def gradients(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences to the right and down, edges replicated; the same shape as the pictures, twice."""
    wide = functional.pad(pictures, (1, 1, 0, 0), mode="replicate")
    tall = functional.pad(pictures, (0, 0, 1, 1), mode="replicate")
    return (wide[..., 2:] - wide[..., :-2]) / 2, (tall[..., 2:, :] - tall[..., :-2, :]) / 2


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """Fetch each pixel from where the flow says it went: shape (n, c, h, w) and (n, 2, h, w)."""
    height, width = pictures.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    x = (columns + flow[:, 0]) * (2 / max(1, width - 1)) - 1
    y = (rows + flow[:, 1]) * (2 / max(1, height - 1)) - 1
    grid = torch.stack([x, y], -1)
    return functional.grid_sample(pictures, grid, align_corners=True, padding_mode="border")
