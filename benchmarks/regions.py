"""Bits over the picture: ``--roi none``, ``face`` and ``qp`` at equal wire rate on real clips of faces.

Agreement of the affect recognizer with itself on the pristine clip, RMSE of valence and arousal. Figures:
``rmse_ratio_qp`` and ``rmse_ratio_face``, the mean of the two RMSE over that of ``none``, of
``expressions_640x360.mp4`` at 12 kb/s.
``--quick`` takes that clip at that rate alone; ``--strength`` another quantizer offset than the shipped one.
"""

from __future__ import annotations

import bench
import numpy as np

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sender import encode, memory, regions
from vidlink.settings import Settings

FIRST, FIRST_BPS = "expressions_640x360.mp4", 12_000
POINTS = {FIRST: (12_000, 24_000), "carphone_pristine.mp4": (24_000,), "selfie_960x540.mp4": (24_000,)}
"""Clips and budgets in bits per second."""
WAYS = ("none", "face", "qp")


def main() -> None:
    """The command."""
    parser = bench.flags(__doc__, quick="one clip at one rate")
    parser.add_argument("--strength", type=float, help="quantizer offset of --roi qp, as a share of the codec's range")
    options = parser.parse_args()
    folder = bench.data("clips")
    if folder is None:
        raise UserError("VIDLINK_DATA names no folder with clips")
    if options.strength is not None:
        for module in (regions, encode, memory):
            module.STRENGTH = options.strength  # type: ignore[attr-defined]
    points = {FIRST: (FIRST_BPS,)} if options.quick else POINTS
    rows, figures = [], {}
    for clip, rates in points.items():
        for rate_bps in rates:
            errors = {}
            for way in WAYS:
                settings = Settings(
                    input=str(folder / clip), bitrate_bps=rate_bps, roi=way, save_video=False, save_plot=False
                )
                summary = bench.run(settings).summary
                found = summary["recognition"]
                errors[way] = float(np.mean(list(found["rmse"].values())))
                cells = [f"{found[score][name]:.3f}" for score in ("rmse", "ccc") for name in ("valence", "arousal")]
                share = errors[way] / errors["none"]
                rows.append(
                    [
                        clip,
                        f"{rate_bps // 1000}k",
                        way,
                        f"{summary['rate']['wire_bps'] / 1000:.1f}",
                        *cells,
                        f"{share:.2f}",
                    ]
                )
                if (clip, rate_bps) == (FIRST, FIRST_BPS) and way != "none":
                    figures[f"rmse_ratio_{way}"] = share
    head = ["clip", "budget", "--roi", "kb/s", "RMSE valence", "arousal", "CCC valence", "arousal", "RMSE of none ×"]
    print(bench.markdown(head, rows))
    bench.report(figures, options.json, {"rmse_ratio_qp": "<= 0.8"}, rows=rows)


if __name__ == "__main__":
    run_command(main)
