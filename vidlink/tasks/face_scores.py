"""Score a recognizer on labelled faces, scale by scale, and quality by quality where they are coded."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.codec.recipe import Codec
    from vidlink.data.face_set import FaceSet
    from vidlink.recognizers.recognize import Context, Recognizer

    Score = dict[str, Any]

LARGEST_SCALE = 16.0
"""Beyond it nothing of a face is left."""


def score_faces(
    recognizer: Recognizer,
    faces: FaceSet,
    scales: Sequence[float],
    *,
    codec: Codec | None = None,
    qualities: Sequence[float | None] = (None,),
) -> list[Score]:
    """Score a recognizer at each scale factor, and at each quality of a codec.

    Parameters
    ----------
    recognizer
        Gives at least valence and arousal.
    faces
        Labelled faces; the whole picture is the face box.
    scales
        Scale factors, at least 1 each.
    codec
        The recipe by which faces are coded, where there are qualities.
    qualities
        Values of its quality knob; None for faces that are not coded.

    Returns
    -------
    list
        One entry a scale and quality: ``scale``, ``quality`` (None where not coded), ``n``, maps ``cc``, ``ccc``,
        ``rmse`` by dimension, ``accuracy`` against the emotion with most votes over all faces, and
        ``accuracy_majority`` over those faces for which more than half of the votes name one emotion, as FER+'s authors
        count; both None where the recognizer has no ``with_emotions`` or nobody voted.

    Raises
    ------
    UserError
        Where the recognizer does not give valence and arousal, or fails.
    """
    import numpy as np

    from vidlink.faces.tracks import Box
    from vidlink.labels.affect import AFFECT
    from vidlink.recognizers.recognize import Context, names_classes, recognize
    from vidlink.scores.metrics import accuracy, score_table

    if names_classes(recognizer):
        raise UserError(
            f"recognizer {recognizer.name!r}: names classes; faces are labelled with valence and arousal (clips in "
            "folders of classes are --data classes:PATH)"
        )
    missing = [dimension for dimension in AFFECT if dimension not in recognizer.gives]
    if missing:
        raise UserError(
            f"recognizer {recognizer.name!r}: gives {', '.join(recognizer.gives)}; the faces are labelled with valence "
            "and arousal"
        )
    columns = [recognizer.gives.index(dimension) for dimension in AFFECT]
    names = hasattr(recognizer, "with_emotions")
    asked = _WithEmotions(recognizer) if names else recognizer
    scores = []
    for scale, quality in product(scales, qualities):
        if codec is None or quality is None:
            pictures = send_through(faces.images, scale)
        else:
            pictures = send_coded(faces.images, scale, quality, codec)
        boxes = [Box(0, 0, picture.shape[1], picture.shape[0]) for picture in pictures]
        context = Context(
            scale=np.full(len(pictures), scale),
            quality=np.full(len(pictures), np.nan if quality is None else quality),
            status=("ok",) * len(pictures),
        )
        given = recognize(asked, pictures, boxes, context)
        answers, emotions = given[:, columns], given[:, len(recognizer.gives) :]
        scores.append(
            {
                "scale": float(scale),
                "quality": quality,
                "n": int(np.isfinite(answers).all(axis=1).sum()),
                **score_table(AFFECT, answers, faces.affect),
                "accuracy": accuracy(emotions.argmax(axis=1), faces.plurality) if names else None,
                "accuracy_majority": accuracy(emotions.argmax(axis=1), faces.majority) if names else None,
            }
        )
    return scores


def send_through(images: NDArray[np.uint8], scale: float) -> list[NDArray[np.uint8]]:
    """Downsample by area as the sender does, and back by bicubic interpolation.

    Parameters
    ----------
    images
        Shape (n, height, width).
    scale
        Scale factor.

    Returns
    -------
    list
        n pictures of the same size.
    """
    from vidlink.video.pictures import downsample_and_back

    height, width = images.shape[1:]
    lr = (max(1, round(width / scale)), max(1, round(height / scale)))
    return [downsample_and_back(image, lr) for image in images]


def send_coded(images: NDArray[np.uint8], scale: float, quality: float, codec: Codec) -> list[NDArray[np.uint8]]:
    """Downsample, code, decode and bring back, as :func:`vidlink.training.coded.code` does in training.

    Galleries of 64 faces that move a little make short groups of pictures; one picture of each is kept. What moves how,
    and which picture it is, is the same each time.

    Parameters
    ----------
    images
        Shape (n, side, side).
    scale, quality
        Scale factor, and value of the codec's quality knob.
    codec
        The recipe.
    """
    import numpy as np
    import torch

    from vidlink.training.coded import Coding, code

    coding = Coding(codec=codec, share=1.0, quality=(quality, quality))
    generator = torch.Generator().manual_seed(0)
    groups = torch.from_numpy(images[:, None].astype(np.float32) / 255).split(coding.group)
    coded = torch.cat([code(group, scale, coding, generator)[0] for group in groups])
    return list((coded[:, 0] * 255).round().to(torch.uint8).numpy())


class _WithEmotions:
    """A recognizer that can also name emotions, asked for both at once."""

    def __init__(self, recognizer: Any) -> None:
        from vidlink.labels.affect import EMOTIONS

        self.name, self.task, self.wants = recognizer.name, recognizer.task, recognizer.wants
        self.gives: tuple[str, ...] = (*recognizer.gives, *EMOTIONS)
        self.device = getattr(recognizer, "device", "cpu")
        self.call = recognizer.with_emotions
        if hasattr(recognizer, "features"):
            self.features = recognizer.features

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        return self.call(pictures, context)


def table(scores: Sequence[Score]) -> str:
    """Lay the scores out for the terminal, a line a scale."""
    lines = [
        f"{'scale':>5} {'quality':>7} {'n':>6}"
        + "".join(f"  {name:>13}" for name in ("CC v/a", "CCC v/a", "RMSE v/a", "accuracy", "of majority"))
    ]
    for row in scores:
        pairs = [
            "/".join("-" if value is None else f"{value:.3f}" for value in row[score].values())
            for score in ("cc", "ccc", "rmse")
        ]
        named = ["-" if row[key] is None else f"{row[key]:.3f}" for key in ("accuracy", "accuracy_majority")]
        quality = "-" if row["quality"] is None else f"{row['quality']:g}"
        lines.append(
            f"{row['scale']:>5g} {quality:>7} {row['n']:>6}" + "".join(f"  {cell:>13}" for cell in (*pairs, *named))
        )
    return "\n".join(lines)


def parse_scales(text: str) -> list[float]:
    """Scale factors from a list with commas.

    Raises
    ------
    UserError
        Where one is no number from 1 to 16.
    """
    scales = []
    for part in text.split(","):
        try:
            scale = float(part)
        except ValueError:
            scale = math.nan
        if not 1 <= scale <= LARGEST_SCALE:
            raise UserError(f"--scales {text}: {part.strip()!r} is no scale factor from 1 to {LARGEST_SCALE:g}")
        scales.append(scale)
    return scales


def parse_qualities(text: str | None, codec: Codec) -> list[float | None]:
    """Values of the codec's quality knob from a list with commas; one None where there is no list.

    Raises
    ------
    UserError
        Where one is no number, or out of the codec's range.
    """
    if text is None:
        return [None]
    low, high = sorted((codec.quality.best, codec.quality.worst))
    found: list[float | None] = []
    for part in text.split(","):
        try:
            quality = float(part)
        except ValueError:
            quality = math.nan
        if not low <= quality <= high:
            knob = f"{codec.quality.option} of {codec.name} from {low:g} to {high:g}"
            raise UserError(f"--quality {text}: {part.strip()!r} is no {knob}")
        found.append(quality)
    return found
