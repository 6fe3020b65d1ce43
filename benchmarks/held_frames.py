"""What leaving frames out costs by itself, and which frames to keep: nothing is coded, pictures are pristine.

Reels of still faces; one frame in n is kept by each way of ``--frames`` and held, and the recognizer's output on what
is then on show is set against the labels. Without the noise of coding small differences show.

Figures
-------
WAY_N_changing, WAY_N_calm
    Mean CCC of valence and arousal at looks whose label is changing, and at all others; n is the frame divisor.
every_changing, every_calm
    The same where no frame is left out.
WAY_N_regained, WAY_N_regained_low, WAY_N_regained_high
    CCC at changing looks with ``picture`` or ``task`` minus ``even``, with its 95 % interval (Student's t over reels).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bench
import numpy as np
import pandas as pd
from levers import SEED, looks_at_change

from vidlink.command import run_command
from vidlink.data.reels import COLUMNS, SIDE
from vidlink.faces.tracks import Box
from vidlink.labels.affect import AFFECT
from vidlink.recognizers.recognize import load_recognizer, recognize
from vidlink.reels import write_reels
from vidlink.scores.metrics import score
from vidlink.sender.moments import cut_into_runs, even_runs, picture_features
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Recognizer

DIVISORS = (2, 3, 4, 6)
WAYS = ("even", "picture", "task")

Outputs = dict[str, "NDArray[np.float32]"]


def outputs(clip: Path, faces: int, recognizer: Recognizer) -> Outputs:
    """The recognizer's output on show, shape (frames, faces, dimensions): ``every``, and by way and divisor."""
    found: dict[str, list[NDArray[np.float32]]] = {}
    for segment in bench.open_clip(clip).segments(1.0):
        arrays = [as_array(frame, "luma") for frame in segment.frames]
        tiles = [Box(SIDE * (k % COLUMNS), SIDE * (k // COLUMNS), SIDE, SIDE) for k in range(faces)]
        seen = np.stack([recognize(recognizer, arrays, [tile] * len(arrays)) for tile in tiles], axis=1)
        found.setdefault("every", []).append(seen)
        pictures, answers = picture_features(segment), seen.reshape(len(seen), -1)
        for divisor in DIVISORS:
            runs_of = {
                "even": even_runs(len(seen), divisor),
                "picture": cut_into_runs(pictures, divisor),
                "task": cut_into_runs(answers, divisor),
            }
            for way, runs in runs_of.items():
                ends = [run.first for run in runs[1:]] + [len(seen)]
                on_show = [run.coded for run, end in zip(runs, ends, strict=True) for _ in range(run.first, end)]
                found.setdefault(f"{way}_{divisor}", []).append(seen[on_show])
    return {name: np.concatenate(parts) for name, parts in found.items()}


def compare(reels: list[tuple[Outputs, NDArray[np.float64]]]) -> dict[str, float | None]:
    """The figures of reels, each with its outputs and its labels, shape (frames, faces, dimensions)."""
    figures: dict[str, float | None] = {}
    by_reel: dict[str, list[float]] = {}
    for found, labels in reels:
        count = labels.shape[1]
        faces = np.repeat(np.arange(count), len(labels))
        changing = looks_at_change(labels[:, :, 0].T.ravel(), faces).reshape(count, -1).T
        for name, seen in found.items():
            for kind, rows in (("changing", changing), ("calm", ~changing)):
                values = [score(seen[rows][:, k], labels[rows][:, k])["ccc"] for k in range(len(AFFECT))]
                by_reel.setdefault(f"{name}_{kind}", []).append(float(np.mean(values)))
    figures.update({name: float(np.mean(values)) for name, values in by_reel.items()})
    for divisor in DIVISORS:
        for way in WAYS[1:]:
            gain = np.subtract(by_reel[f"{way}_{divisor}_changing"], by_reel[f"even_{divisor}_changing"])
            figures |= bench.estimate(f"{way}_{divisor}_regained", gain)
    return figures


def show(figures: dict[str, float | None]) -> None:
    """Print a row a divisor."""
    rows = [["1", *[f"{figures['every_changing']:.4f}"] * 3, f"{figures['every_calm']:.4f}"]]
    for divisor in DIVISORS:
        changing = [f"{figures[f'{way}_{divisor}_changing']:.4f}" for way in WAYS]
        rows.append([str(divisor), *changing, f"{figures[f'even_{divisor}_calm']:.4f}"])
    head = ["divisor", *(f"{way}: changing" for way in WAYS), "even: calm"]
    print(bench.markdown(head, rows), end="\n\n")


def main() -> None:
    """Look at the reels, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="one reel")
    parser.add_argument("--reels", type=int, default=4, metavar="N", help="how many reels (%(default)s)")
    arguments = parser.parse_args()
    faces = bench.data("ferplus.zip", "no reels can be made")
    if faces is None:
        parser.exit(2)
    count = 1 if arguments.quick else arguments.reels
    recognizer = load_recognizer("affect", device="cpu", weights=None, arguments=())
    reels = []
    with bench.folder_or_scratch(None) as folder:
        for clip in write_reels(f"ferplus:{faces}", "valid", folder, count=count, seconds=10, seed=SEED, quiet=True):
            table = pd.read_csv(clip.with_suffix(".csv"))
            labels = np.stack([rows[list(AFFECT)].to_numpy() for _, rows in table.groupby("face")], axis=1)
            reels.append((outputs(clip, labels.shape[1], recognizer), labels))
    figures = compare(reels)
    show(figures)
    bench.report(figures, arguments.json)


if __name__ == "__main__":
    run_command(main)
