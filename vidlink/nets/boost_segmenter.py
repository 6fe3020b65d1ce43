"""Segmentation of noisy pictures by blocks that segment and denoise in turn: every block is held against the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from vidlink.nets.boost import BoostNet
from vidlink.nets.seen import RESTORES, Seen

if TYPE_CHECKING:
    from torch import Tensor


class BoostSegmenter(nn.Module):
    """:class:`~vidlink.nets.boost.BoostNet` as a segmenter; its answer is the map of the last block.

    Parameters
    ----------
    outputs
        Classes.
    channels
        Of the pictures.
    width
        Channels of each block.
    blocks
        How many, 1 to 3.
    """

    gives = frozenset({RESTORES})

    def __init__(self, outputs: int, *, channels: int = 3, width: int = 16, blocks: int = 3) -> None:
        super().__init__()
        self.net = BoostNet(width, blocks, outputs, channels=channels)
        self.head = nn.Identity()

    @classmethod
    def of_one(cls, outputs: int, *, channels: int = 3, width: int = 16) -> BoostSegmenter:
        """One block: a map, then one denoised picture."""
        return cls(outputs, channels=channels, width=width, blocks=1)

    @classmethod
    def of_two(cls, outputs: int, *, channels: int = 3, width: int = 16) -> BoostSegmenter:
        """Two blocks."""
        return cls(outputs, channels=channels, width=width, blocks=2)

    @property
    def encoder(self) -> nn.Module:
        """The early layers: what the first block sees with."""
        return self.net.blocks[0].see  # type: ignore[no-any-return]

    def see(self, pictures: Tensor, scale: Tensor, *, recognize: bool = True) -> Seen:
        """Map and picture of each block."""
        maps, denoised = zip(*self.net.each(pictures), strict=True)
        return Seen(outputs=maps, restored=denoised, features=maps[-1])

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Scores of the classes, shape (n, outputs, h / 4, w / 4); the scale factor is not used."""
        return self.net.each(pictures)[-1][0]

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The same."""
        return self.features(pictures)
