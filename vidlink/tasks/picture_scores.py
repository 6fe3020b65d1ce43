"""Score a network for pictures on labelled pictures, scale by scale, each picture at its own size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.progress import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from torch import nn

    from vidlink.data.picture_set import PictureSet
    from vidlink.nets.pictures import PictureNetwork


def score_pictures(
    network: PictureNetwork,
    module: nn.Module,
    found: PictureSet,
    scales: Sequence[float],
    options: argparse.Namespace,
) -> dict[str, dict[str, float | None]]:
    """Score a network at each scale factor.

    Pictures go through the sender's downsampling and the receiver's upsampling at their own size, and then to the size
    that the network takes, as in a run; answers are held against the labels at the picture's own size.

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

    from vidlink.recognizers.registry import find_device
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
    labels = []
    for each in counted(found.pictures, "picture", total=len(found), quiet=options.quiet):
        picture = each.read()
        labels.append(each.label())
        size = (picture.shape[1], picture.shape[0])
        for scale in scales:
            lr = tuple(max(1, round(side / scale)) for side in size)
            sent = resize(downsample_and_back(picture, (lr[0], lr[1])), *network.size)
            given = torch.from_numpy(sent).to(device).permute(2, 0, 1)[None].float() / 255
            with torch.inference_mode():
                outputs = module(given, given.new_full((1,), scale))
            said[scale] += answers.decide(outputs, size)
    return {f"{scale:g}": named(answers.scores(said[scale], labels), network.classes) for scale in scales}


def named(scores: Mapping[str, float | None], classes: Sequence[str]) -> dict[str, float | None]:
    """Scores with four decimals; those of classes under their names, ``iou_car`` in place of ``iou_8``."""
    found: dict[str, float | None] = {}
    for name, value in scores.items():
        kind, _, index = name.partition("_")
        found[f"{kind}_{classes[int(index)]}" if index else name] = None if value is None else round(value, 4)
    return found
