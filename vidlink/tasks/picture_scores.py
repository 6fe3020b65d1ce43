"""Score a network for pictures on labelled pictures, scale by scale, each picture at its own size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.progress import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from vidlink.data.picture_set import PictureSet
    from vidlink.nets.pictures import PictureNetwork
    from vidlink.training.disturb import Mix


def score_pictures(
    network: PictureNetwork,
    module: nn.Module,
    found: PictureSet,
    scales: Sequence[float],
    options: argparse.Namespace,
    *,
    disturb: Mix | None = None,
) -> dict[str, dict[str, float | None]]:
    """Score a network at each scale factor.

    Pictures go through what else goes wrong, the same each time, then the sender's downsampling and the receiver's
    upsampling at their own size, and then to the size that the network takes, as in a run. Answers are held against the
    labels at the picture's own size; what a network restores, as ``psnr`` in dB, against the pristine picture at the
    network's.

    Returns
    -------
    dict
        Scores by name by scale factor.

    Raises
    ------
    UserError
        The data have other classes than the network, or a picture is damaged.
    """
    import torch

    from vidlink.nets.seen import see
    from vidlink.recognizers.registry import find_device
    from vidlink.scores.psnr import psnr_db
    from vidlink.training.answer_kinds import answers_for
    from vidlink.video.pictures import downsample_and_back, resize

    if found.classes != network.classes:
        raise UserError(
            f"--data {options.data}: classes {', '.join(found.classes[:12])}; the weights tell "
            f"{', '.join(network.classes[:12])} apart"
        )
    device = find_device(options.device)
    module = module.to(device).eval()
    answers = answers_for(found.form, len(network.classes))
    said: dict[float, list[Any]] = {scale: [] for scale in scales}
    psnr: dict[float, list[float]] = {scale: [] for scale in scales}
    labels, chance = [], torch.Generator().manual_seed(0)
    for each in counted(found.pictures, "picture", total=len(found), quiet=options.quiet):
        pristine = each.read()
        labels.append(each.label())
        size = (pristine.shape[1], pristine.shape[0])
        picture = _disturbed(pristine, disturb, chance) if disturb else pristine
        for scale in scales:
            lr = tuple(max(1, round(side / scale)) for side in size)
            sent = resize(downsample_and_back(picture, (lr[0], lr[1])), *network.size)
            given = torch.from_numpy(sent).to(device).permute(2, 0, 1)[None].float() / 255
            with torch.inference_mode():
                seen = see(module, given, given.new_full((1,), scale))
            said[scale] += answers.decide(seen.outputs[-1], size)
            if seen.restored:
                restored = (seen.restored[-1][0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
                psnr[scale].append(psnr_db(restored, resize(pristine, *network.size)))
    return {
        f"{scale:g}": named(
            {**answers.scores(said[scale], labels), **({"psnr": float(np.mean(psnr[scale]))} if psnr[scale] else {})},
            network.classes,
        )
        for scale in scales
    }


def _disturbed(picture: NDArray[np.uint8], disturb: Mix, chance: Any) -> NDArray[np.uint8]:
    import torch

    pictures = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    return (disturb(pictures, chance)[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def named(scores: Mapping[str, float | None], classes: Sequence[str]) -> dict[str, float | None]:
    """Scores with four decimals; those of classes under their names, ``iou_car`` in place of ``iou_8``."""
    found: dict[str, float | None] = {}
    for name, value in scores.items():
        kind, _, index = name.partition("_")
        found[f"{kind}_{classes[int(index)]}" if index else name] = None if value is None else round(value, 4)
    return found
