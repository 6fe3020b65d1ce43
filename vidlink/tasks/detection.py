"""What is where: ``--task detection``, pictures with boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from vidlink.tasks.pictures import PictureTask
from vidlink.tasks.segmentation import add_shipped

if TYPE_CHECKING:
    import argparse

    from vidlink.parser import Parser


class DetectionTask(PictureTask):
    """Boxes with classes."""

    name, form, size = "detection", "boxes", "320x240"
    about = "Train a one-stage detector: things as points with a size."
    kinds = "coco:FILE.json, or camvid:PATH (boxes about regions of its label maps)"
    defaults: ClassVar[dict[str, Any]] = {
        "epochs": 60,
        "batch": 8,
        "learning_rate": 3e-3,
        "optimizer": "adamw",
    }
    shown = ("map50", "map")

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options, and to begin without what scores boxes."""
        from vidlink.scores.detection import need_pycocotools

        super().check(options)
        need_pycocotools()

    def add_weights(self, parser: Parser) -> None:
        """Add ``--weights``; those that come along are the default."""
        add_shipped(parser)
