"""The quantization parameter of decoded pictures, where a decoder says it: FFmpeg's H.264 decoder does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from av.sidedata.sidedata import Type

if TYPE_CHECKING:
    import av

EXPORTED = {"export_side_data": "venc_params"}
"""What a decoder must be asked for."""


def qp_of(picture: av.VideoFrame) -> float:
    """Mean QP over the macroblocks of a picture as it was decoded; NaN where the decoder does not say."""
    try:
        found: Any = picture.side_data.get(Type.VIDEO_ENC_PARAMS)  # type: ignore[call-overload]
        return math.nan if found is None else float(np.mean(found.qp_map()))
    except (RuntimeError, ValueError, KeyError):  # blocks of other sizes, as VP9 has them
        return math.nan
