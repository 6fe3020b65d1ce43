"""Whether faces are recognized better when pictures are restored first: the shipped networks, one behind the other.

Clips are reels of those validation faces that are not, mirrored or nearly, in the training split as well
(``receiver_time.py``). All are sent at fixed scale factors and qualities over a perfect channel, and brought to full
size by bicubic interpolation and by the restorer. The recognizer was trained on interpolated faces, jointly with layers
of its own that restore, and is not tuned to restored ones. Scores are against labels, over all clips laid end to end.

Figures
-------
ccc_gain
    Mean CCC of valence and arousal with the restorer, minus that with bicubic interpolation, mean over all rungs.
"""

from __future__ import annotations

from pathlib import Path

import bench
import numpy as np
import pandas as pd
from receiver_time import concordance, make_clips

from vidlink.command import run_command
from vidlink.labels.affect import AFFECT
from vidlink.recognizers.affect import Affect
from vidlink.settings import Settings

RUNGS = ((2.0, 26.0), (3.0, 26.0), (4.0, 26.0), (3.0, 34.0))
"""Scale factor and CRF."""
WAYS = {"bicubic": "affect", "temporal": "restored_faces:Restored"}
"""Restorer, and the recognizer that looks."""


class Restored(Affect):
    """The shipped recognizer, at faces as the restorer gives them."""

    restored = True


def mean_ccc(table: pd.DataFrame) -> float:
    """Mean over valence and arousal of the CCC against labels."""
    x, y = (table[[name + end for name in AFFECT]].to_numpy(float) for end in ("", "_label"))
    sums = np.stack([each.sum(axis=0) for each in (np.ones_like(x), x, y, x * x, y * y, x * y)], axis=1)
    return float(concordance(sums).mean())


def main() -> None:
    """Run everything, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="one clip of four seconds, one rung")
    parser.add_argument("--clips", type=int, default=4, help="reels (%(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each (%(default)s)")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep the reels there")
    arguments = parser.parse_args()
    count, seconds, rungs = (1, 4.0, RUNGS[1:2]) if arguments.quick else (arguments.clips, arguments.seconds, RUNGS)
    rows, found = {}, []
    with bench.folder_or_scratch(arguments.work) as work:
        clips = make_clips(work / f"reels-{count}-{seconds:g}", count, seconds, 0)
        for scale, quality in rungs:
            ccc = {}
            for way in WAYS:
                tables = [
                    bench.run(
                        Settings(
                            input=str(clip), labels=clip.with_suffix(".csv"), scale=scale, quality=quality,
                            restorer=way, recognizer=WAYS[way], recognize_every=5, score_pictures=False,
                        )
                    ).predictions
                    for clip in clips
                ]  # fmt: skip
                ccc[way] = round(mean_ccc(pd.concat(tables)), 4)
            rows[f"s = {scale:g}, CRF {quality:g}"] = ccc
            found.append(ccc["temporal"] - ccc["bicubic"])
            print(scale, quality, ccc, flush=True)
    lines = [(name, *(f"{ccc[way]:.3f}" for way in WAYS)) for name, ccc in rows.items()]
    print(bench.markdown(("sent at", *WAYS), lines), "\n")
    bench.report({"ccc_gain": float(np.mean(found))}, arguments.json, rows=rows)


if __name__ == "__main__":
    run_command(main)
