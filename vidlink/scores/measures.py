"""The table of measures: a new one is a file that defines it and a line here.

Tables, summaries, plots, curves and sweeps have every measure of this table, in its order.
"""

from __future__ import annotations

from vidlink.scores.measure import Measure, QualityMeasure
from vidlink.scores.psnr import PSNR
from vidlink.scores.rate import RATES
from vidlink.scores.ssim import SSIM
from vidlink.scores.vmaf import VMAF

MEASURES: dict[str, Measure] = {
    measure.table_column: measure
    for measure in (
        *RATES,
        PSNR,
        SSIM,
        VMAF,
    )
}
"""By the column in the table of a sweep, such as ``quality_psnr_db``."""


def quality_measures() -> list[QualityMeasure]:
    """Those of pictures."""
    return [measure for measure in MEASURES.values() if isinstance(measure, QualityMeasure)]


def headlines() -> list[Measure]:
    """Those that plots and the Markdown of a sweep show."""
    return [measure for measure in MEASURES.values() if measure.headline]
