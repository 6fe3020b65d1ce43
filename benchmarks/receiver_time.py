"""What a receiver that sees time recognizes, against one that looks at single pictures: same sender, same pictures.

Clips are reels of those validation faces (:mod:`vidlink.data.reels`) that are not, mirrored or nearly, in the training
split as well. Every point is a run of the product over a perfect channel; the sender plans by PSNR. In each run every
picture is looked at once, and then all receivers answer (``receiver_time_levers.py``): so they get the same pictures.
The rival has the same freedom behind its answers: a mean over three or five looks. Levers of the network that sees time
are switched off one by one. Intervals are 95 % jackknife intervals over clips, paired.

Figures
-------
gain_12k, gain_18k, gain_26k
    Mean CCC of valence and arousal over the concatenation of all clips: over time minus single pictures.
over_mean_12k, over_mean_18k, over_mean_26k
    The same minus the better of the two centred means.
agreement_8k_valence, agreement_8k_arousal
    CCC of answers on received against answers on pristine pictures of ``clips/expressions_640x360.mp4`` at 8 kb/s.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from receiver_time_levers import RECEIVERS
from tqdm import tqdm

from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.data.reels import make_reel, write_reel
from vidlink.data.twins import twins_of
from vidlink.files.cache import Cache
from vidlink.labels.affect import AFFECT
from vidlink.settings import Settings
from vidlink.sweeping.intervals import jackknife

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATES = (12_000, 18_000, 26_000)
TARGETS = {"gain_12k": "0.05", "gain_18k": "0.04", "gain_26k": "0.02"} | {
    "agreement_8k_valence": "0.985",
    "agreement_8k_arousal": "0.965",
}
Answers = dict[str, "NDArray[np.float64]"]


def make_clips(folder: Path, count: int, seconds: float, seed: int) -> list[Path]:
    """Reels of validation faces that no training saw, with a column of labels for each receiver."""
    found = bench.data("ferplus.zip", "drawn faces stand in for real ones")
    spec = f"ferplus:{found}" if found else "generated:2000"
    clips = [folder / f"{index:02d}.mkv" for index in range(count)]
    if not all(clip.with_suffix(".csv").exists() for clip in clips):
        folder.mkdir(parents=True, exist_ok=True)
        faces = load_faces(spec, "valid")
        twins = twins_of(faces, load_faces(spec, "train")) if found else np.zeros(len(faces), bool)
        print(f"{twins.sum()} of {len(faces)} faces are in the training split as well: left out", file=sys.stderr)
        for index, clip in enumerate(clips):
            reel = make_reel(faces.take(~twins), seconds=seconds, seed=seed, index=index)
            labels = reel.labels()
            for receiver in RECEIVERS:
                labels = labels.assign(**{f"{name}_{receiver}": labels[name] for name in AFFECT})
            write_reel(reel, clip)
            labels.to_csv(clip.with_suffix(".csv"), index=False, lineterminator="\n")
    return clips


def run(clip: Path, labels: Path | None, rate: int, weights: Path | None, cache: Cache) -> pd.DataFrame:
    """One run: a row a look and face."""
    settings: dict[str, Any] = {"input": str(clip), "labels": labels, "bitrate_bps": rate, "score_pictures": False}
    settings |= {"recognizer": "receiver_time_levers:Levers", "recognize_every": 5, "weights": weights}
    made = bench.run(Settings(**settings), cache)
    if made.summary.get("recognition_error"):
        raise RuntimeError(made.summary["recognition_error"])
    return made.predictions


def moments(table: pd.DataFrame, receiver: str, against: str = "label") -> NDArray[np.float64]:
    """Sums of 1, x, y, x², y² and xy over the looks of a table, of valence and of arousal, shape (2, 6)."""
    columns = [f"{name}_{receiver}" for name in AFFECT]
    x = table[columns].to_numpy(float)
    y = table[[f"{each}_{against}" for each in columns]].to_numpy(float)
    there = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    x, y = x[there], y[there]
    return np.stack([each.sum(axis=0) for each in (np.ones_like(x), x, y, x * x, y * y, x * y)], axis=1)


def concordance(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """CCC by population variances from sums of :func:`moments`, shape (..., 6) to (...); 0 where nothing varies."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = xx / n + yy / n - 2 * x * y / n**2
    return np.where(spread > 1e-12, 2 * (xy / n - x * y / n**2) / np.maximum(spread, 1e-12), 0.0)


def mean_ccc(tables: list[pd.DataFrame], receiver: str, against: str = "label") -> NDArray[np.float64]:
    """CCC of valence and of arousal over tables laid end to end."""
    return concordance(np.sum([moments(table, receiver, against) for table in tables], axis=0))


def within_tracks(tables: list[pd.DataFrame], receiver: str) -> NDArray[np.float64]:
    """Mean over faces of the CCC within each one's track."""
    tracks = [track for table in tables for _, track in table.groupby("face")]
    return np.mean([mean_ccc([track], receiver) for track in tracks], axis=0)


def compare(tables: dict[int, list[pd.DataFrame]]) -> tuple[dict[str, float], dict[str, Any]]:
    """Figures of the gains, and a row a rate and receiver with its interval against single pictures."""
    figures: dict[str, float] = {}
    rows: dict[str, Any] = {}
    for rate, clips in tables.items():
        sums = {receiver: np.stack([moments(clip, receiver) for clip in clips]) for receiver in RECEIVERS}
        means = {receiver: concordance(each.sum(axis=0)) for receiver, each in sums.items()}
        without = {name: concordance(each.sum(axis=0) - each).mean(axis=1) for name, each in sums.items()}
        for receiver in RECEIVERS:
            gain = float(means[receiver].mean() - means["single"].mean())
            low, high = jackknife(gain, without[receiver] - without["single"], "")
            rows[f"{rate // 1000}k {receiver}"] = {
                "ccc": np.round(means[receiver], 4).tolist(),
                "within_tracks": np.round(within_tracks(clips, receiver), 4).tolist(),
                "gain": round(gain, 4),
                "interval": [round(float(low), 4), round(float(high), 4)],
            }
        best = max(("mean3", "mean5"), key=lambda receiver: means[receiver].mean())
        figures[f"gain_{rate // 1000}k"] = float(means["time"].mean() - means["single"].mean())
        figures[f"over_mean_{rate // 1000}k"] = float(means["time"].mean() - means[best].mean())
    return dict(sorted(figures.items())), rows


def show(rows: dict[str, Any], real: dict[str, Any]) -> None:
    """Print the tables as Markdown."""
    two = "{:.3f} / {:.3f}".format
    lines = []
    for name, row in rows.items():
        rate, receiver = name.split(" ")
        interval = "{:+.3f} to {:+.3f}".format(*row["interval"])
        gain = "-" if receiver == "single" else f"{row['gain']:+.3f} ({interval})"
        lines.append((RECEIVERS[receiver], rate, two(*row["ccc"]), two(*row["within_tracks"]), gain))
    print(bench.markdown(("receiver", "budget", "CCC", "within each face", "mean, minus single pictures"), lines), "\n")
    if real:
        pairs = [(RECEIVERS[receiver], two(*pair)) for receiver, pair in real.items()]
        print(bench.markdown(("receiver", "agreement on expressions, 8 kb/s"), pairs), "\n")


def main() -> None:
    """Run everything, print the tables, and write the JSON."""
    parser = bench.flags(__doc__, quick="two clips of four seconds, no real clip", redraw=True)
    add = parser.add_argument
    add("--weights", type=Path, metavar="FILE", help="of a network that follows time; default: those that ship")
    add("--clips", type=int, default=8, help="reels (%(default)s)")
    add("--seconds", type=float, default=10.0, help="length of each (%(default)s)")
    add("--seed", type=int, default=0, help="of the reels (%(default)s)")
    add("--work", type=Path, metavar="FOLDER", help="keep reels and trial encodes there")
    arguments = parser.parse_args()
    if arguments.redraw:
        stored = json.loads(arguments.redraw.read_text())
        show(stored["receivers"], stored["real"])
        return
    count, seconds = (2, 4.0) if arguments.quick else (arguments.clips, arguments.seconds)
    with bench.folder_or_scratch(arguments.work) as work:
        cache = Cache(work / "cache", max_bytes=2 << 30)
        clips = make_clips(work / f"reels-{count}-{seconds:g}-{arguments.seed}", count, seconds, arguments.seed)
        tables: dict[int, list[pd.DataFrame]] = {rate: [] for rate in RATES}
        for rate, clip in tqdm([(rate, clip) for rate in RATES for clip in clips], unit="run", disable=None):
            tables[rate].append(run(clip, clip.with_suffix(".csv"), rate, arguments.weights, cache))
        figures, rows = compare(tables)
        real: dict[str, Any] = {}
        face = None if arguments.quick else bench.data("clips/expressions_640x360.mp4", "no real clip is looked at")
        if face:
            table = run(face, None, 8000, arguments.weights, cache)
            real = {receiver: mean_ccc([table], receiver, "pristine").tolist() for receiver in RECEIVERS}
            figures |= {f"agreement_8k_{name}": value for name, value in zip(AFFECT, real["time"], strict=True)}
        show(rows, real)
        bench.report(figures, arguments.json, TARGETS, receivers=rows, real=real)


if __name__ == "__main__":
    run_command(main)
