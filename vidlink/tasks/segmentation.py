"""What each pixel is: ``--task segmentation``, pictures with label maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from vidlink.tasks.pictures import PictureTask

if TYPE_CHECKING:
    from vidlink.parser import Parser


class SegmentationTask(PictureTask):
    """A class for every pixel."""

    name, form, size = "segmentation", "maps", "320x240"
    about = "Train a U-Net that says of every pixel what it is."
    kinds = "camvid:PATH"
    defaults: ClassVar[dict[str, Any]] = {
        "epochs": 60,
        "batch": 8,
        "learning_rate": 4e-3,
        "optimizer": "adamw",
    }
    shown = ("miou", "pixels")

    def add_weights(self, parser: Parser) -> None:
        """Add ``--weights``; those that come along are the default."""
        add_shipped(parser)


def add_shipped(parser: Parser) -> None:
    """Add ``--weights``, by default those that come along."""
    from pathlib import Path

    parser.add_argument("--weights", type=Path, metavar="FILE.safetensors", help="what to score (those of road scenes)")
