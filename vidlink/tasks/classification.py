"""What is in a picture: ``--task classification``, pictures in class folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from vidlink.tasks.pictures import PictureTask

if TYPE_CHECKING:
    from vidlink.training.scenes import Variation

SHIFT = 2
"""Pixels by which pictures are shifted at the most."""


class ClassificationTask(PictureTask):
    """A class a picture."""

    name, form, size = "classification", "labels", "32x32"
    about = "Train a classifier of pictures: residual or in the manner of VGG."
    kinds = "images:PATH, class folders or a zip file of them"
    defaults: ClassVar[dict[str, Any]] = {
        "epochs": 12,
        "batch": 256,
        "learning_rate": 0.2,
        "optimizer": "sgd",
    }
    shown = ("accuracy",)
    decodes = False

    def variation(self) -> Variation:
        """Mirrored, and shifted by whole pixels."""
        from vidlink.training.scenes import Variation

        return Variation(pixels=SHIFT)
