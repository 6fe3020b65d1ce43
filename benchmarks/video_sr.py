"""What several pictures bring to super-resolution: five against one, by the same network with the same steps.

Two networks of one size and seed learn from the same windows of the same clips at scale factors from 2 to 4, three of
five windows coded by x264. One sees each picture with its neighbours, the other sees the picture itself in their place.
Both are scored on clips that neither saw: downsampled only, and coded at several CRF. With files of weights nothing is
trained, and only those are scored. Clips are those of ``video_sr_clips.py``; PSNR is of luma, a mean over pictures.

Figures
-------
gain_x3, gain_x4
    PSNR of five pictures minus that of one, in dB, mean over the held-out clips, not coded.
gain_x3_crf28, gain_x4_crf28
    The same, coded.
over_bicubic_x3, over_bicubic_x4
    PSNR of five pictures minus that of bicubic interpolation, not coded.
gain_past_x4
    As gain_x4, without later pictures, as in live mode.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import torch
from video_sr_clips import make_clips

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.data.sequences import load_sequences
from vidlink.nets.temporal_sr import TemporalSR
from vidlink.nets.weights import Header, load_restorer
from vidlink.training.checkpoint import save_results
from vidlink.training.loop import Training
from vidlink.training.sequences import Through, score_windows
from vidlink.training.temporal_sr import ClipLearner, ClipSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    Clips = dict[str, NDArray[np.uint8]]

SCALES = (3.0, 4.0)
QUALITIES = (None, 23.0, 28.0, 33.0)
TARGETS = {"gain_x3": "0.2", "gain_x4": "0.2"}
SETTINGS = ClipSettings(
    network="temporal",
    width=32,
    data="video_sr_clips",
    scales=(2.0, 4.0),
    codec="x264",
    quality=(22.0, 36.0),
    patches=4096,
    steps=1800,
    batch=16,
    side=96,
    learning_rate=2e-3,
)
THROUGH = Through(codec=load_codec(SETTINGS.codec), scales=SETTINGS.scales, quality=SETTINGS.quality)


def train(clips: Clips, settings: ClipSettings, folder: Path) -> tuple[nn.Module, nn.Module]:
    """Five pictures and one: the networks, whose weights go to the folder as well."""
    networks, windows = [], None
    for name, still in (("temporal", False), ("single", True)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = TemporalSR.of_width(settings.width)
        each = replace(settings, still=still)
        learner = ClipLearner(network, clips, each, THROUGH, windows=windows, device=torch.device("cpu"))
        windows = learner.windows
        weights = Training({}, device=learner.device).fit(learner, name)["weights"]
        arguments = {"width": settings.width, "scale": settings.scales[1], "least": settings.scales[0]}
        header = Header(kind="restorer", network="temporal", arguments=arguments)
        save_results(folder / f"{name}.safetensors", weights, header.to_metadata(), {})
        networks.append(network)
    return networks[0], networks[1]


def score(
    clips: Clips, temporal: nn.Module, single: nn.Module, scales: tuple[float, ...], pictures: int
) -> dict[str, Any]:
    """PSNR in dB, a row a clip, factor and CRF: bicubic, one picture, five, and five without later ones."""
    rows: dict[str, Any] = {}
    for scale in scales:
        for quality in QUALITIES:
            how: dict[str, Any] = {"scale": scale, "quality": quality, "frames": 5, "count": pictures}
            ways = {"one": (single, {"still": True}), "five": (temporal, {}), "past": (temporal, {"later": False})}
            found = {
                way: score_windows(network, clips, THROUGH, **how, **more) for way, (network, more) in ways.items()
            }
            for number, clip in enumerate(clips):
                row = {"bicubic": found["one"][number]["bicubic_db"]}
                row |= {way: rows_of[number]["psnr_db"] for way, rows_of in found.items()}
                rows[f"{clip} x{scale:g} {_coded(quality)}"] = {key: round(value, 3) for key, value in row.items()}
    return rows


def _coded(quality: float | None) -> str:
    return "uncoded" if quality is None else f"crf{quality:g}"


def figures_of(rows: dict[str, Any]) -> dict[str, float]:
    """The figures from the rows."""

    def mean(condition: str, way: str, against: str) -> float | None:
        found = [row[way] - row[against] for name, row in rows.items() if name.endswith(condition)]
        return float(np.mean(found)) if found else None

    figures = {}
    for scale in SCALES:
        name = f"x{scale:g}"
        figures[f"gain_{name}"] = mean(f"{name} uncoded", "five", "one")
        figures[f"gain_{name}_crf28"] = mean(f"{name} crf28", "five", "one")
        figures[f"over_bicubic_{name}"] = mean(f"{name} uncoded", "five", "bicubic")
    figures["gain_past_x4"] = mean("x4 uncoded", "past", "one")
    return {name: value for name, value in figures.items() if value is not None}


def show(rows: dict[str, Any]) -> None:
    """Print the table as Markdown."""
    lines = [
        (name, *(f"{row[way]:.2f}" for way in ("bicubic", "one", "five", "past")), f"{row['five'] - row['one']:+.2f}")
        for name, row in rows.items()
    ]
    print(bench.markdown(("clip", "bicubic", "one picture", "five", "five, none later", "five − one"), lines), "\n")


def main() -> None:
    """Train both unless there are weights, score them, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="60 steps of small networks, factor 4 and three pictures of each clip alone")
    add = parser.add_argument
    add("--temporal", type=Path, metavar="FILE", help="weights of the network that sees five pictures")
    add("--single", type=Path, metavar="FILE", help="weights of the one that sees one; both or none")
    add("--steps", type=int, default=SETTINGS.steps, help="steps of each training (%(default)s)")
    add("--pictures", type=int, default=25, help="pictures of each held-out clip that are scored (%(default)s)")
    add("--work", type=Path, metavar="FOLDER", help="keep clips and weights there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, pictures = replace(SETTINGS, steps=arguments.steps), arguments.pictures
    scales: tuple[float, ...] = SCALES
    if arguments.quick:
        settings, scales, pictures = replace(SETTINGS, steps=60, width=8, patches=128, batch=8), (4.0,), 3
    with bench.folder_or_scratch(arguments.work) as work:
        folder = make_clips(work / "clips")
        if arguments.temporal and arguments.single:
            temporal, single = (load_restorer(path)[0] for path in (arguments.temporal, arguments.single))
        else:
            temporal, single = train(load_sequences(f"videos:{folder}", "train"), settings, work)
        rows = score(load_sequences(f"videos:{folder}", "valid"), temporal, single, scales, pictures)
        show(rows)
        bench.report(figures_of(rows), arguments.json, {} if arguments.quick else TARGETS, rows=rows)


if __name__ == "__main__":
    run_command(main)
