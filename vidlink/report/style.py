"""How figures look: one palette, one frame, and what each colour stands for.

The hues are those of M. Okabe and K. Ito, "Color universal design" (2008), which colour-blind people tell apart.
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILION, PURPLE, WHITE = "#0072b2", "#d55e00", "#cc79a7", "#ffffff"
DARK_GREY, GREY, LIGHT_GREY, FAINT_GREY = "#555555", "#999999", "#cccccc", "#dddddd"

RECEIVED, REFERENCE, PRISTINE = BLUE, BLACK, GREY
"""What came of the received pictures, what it should be, and what came of the pristine ones."""
LIMIT = VERMILION
"""A budget, or what a link carries."""
STATUS = {"concealed": ORANGE, "drifting": SKY, "frozen": VERMILION}
"""Frames that are not as they were sent, by status."""

SERIES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
"""Things of one kind that are drawn together."""
_SCALES = ("#c6dbef", "#d9e6c8", "#f3e0c0", "#e6d0de", "#d8d4e8", "#dcdcdc")
"""Quiet colours, dark writing on which is read: from full size to small pictures."""


def of_scale(scale: float) -> str:
    """Colour of segments that are coded at a scale factor: a step for each doubling."""
    return _SCALES[min(len(_SCALES) - 1, max(0, round(2 * math.log2(max(1.0, scale)))))]


FRAME: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}
"""Settings of Matplotlib for every figure with axes, for :func:`matplotlib.rc_context`."""


class Shown(Figure):
    """A figure that a notebook shows, whatever it has been told of Matplotlib.

    Made without pyplot, so that no window opens and no figure of others changes.
    """

    def _repr_png_(self) -> bytes:
        image = BytesIO()
        with mpl.rc_context(FRAME):
            self.savefig(image, format="png")
        return image.getvalue()


def save(figure: Figure, path: Path, **how: Any) -> None:
    """Write a figure; the same figure gives the same bytes. ``how`` goes to Matplotlib."""
    with mpl.rc_context(FRAME):
        figure.savefig(path, metadata={"Software": None}, **how)
