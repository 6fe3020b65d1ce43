"""One encoder and two decoders: one recognizes, one gives back the picture, which is of use in training alone.

Cui et al., "Exploring resolution and degradation clues as self-supervised signal for low quality object detection"
(AERIS), ECCV 2022, arXiv 2208.03062: what the encoder sees of a small, blurred and noisy picture must do to draw the
pristine one, too. Wang et al., "Dual super-resolution learning for semantic segmentation" (DSRL), CVPR 2020: the two
branches are besides held to see the same places as alike (the affinity of their features).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

from vidlink.nets.seen import BRANCHES, RESTORES, Seen

if TYPE_CHECKING:
    from torch import Tensor


class TwoDecoders(nn.Module):
    """A recognizer whose encoder also feeds a decoder of pictures.

    Parameters
    ----------
    recognizer
        Has ``body``, a :class:`~vidlink.nets.unet.UNetBody`, and ``head``.
    channels
        Of the pictures.
    """

    gives = frozenset({RESTORES, BRANCHES})

    def __init__(self, recognizer: Any, channels: int = 3) -> None:
        super().__init__()
        self.recognizer = recognizer
        self.decoder = recognizer.body.another_way_up()
        fold = recognizer.body.fold.downscale_factor
        self.last = nn.Conv2d(recognizer.body.channels, channels * fold**2, 3, padding=1)
        nn.init.constant_(self.last.bias, 0.5)  # type: ignore[arg-type]
        self.fold = fold

    @property
    def encoder(self) -> nn.Module:
        """The early layers of both."""
        return self.recognizer.encoder  # type: ignore[no-any-return]

    @property
    def head(self) -> nn.Module:
        """From the recognizer's features to the outputs."""
        return self.recognizer.head  # type: ignore[no-any-return]

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the recognizer's last layer sees."""
        return self.recognizer.features(pictures, scale)  # type: ignore[no-any-return]

    def see(self, pictures: Tensor, scale: Tensor, *, recognize: bool = True) -> Seen:
        """Outputs, the picture that is given back, and the features of both branches."""
        body = self.recognizer.body
        passed = body.way_down(pictures)
        beside = body.way_up(passed, self.decoder)
        restored = functional.pixel_shuffle(self.last(beside), self.fold)
        if not recognize:
            return Seen(restored=(restored,), beside=beside)
        features = body.way_up(passed)
        return Seen(outputs=(self.head(features),), restored=(restored,), features=features, beside=beside)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The recognizer's outputs; the decoder of pictures is not used."""
        return self.recognizer(pictures, scale)  # type: ignore[no-any-return]
