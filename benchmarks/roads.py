"""Road scenes over thin links: mIoU of label maps and mAP50 of boxes against rate, on CamVid's validation film.

The film is ``camvid/val``: 101 pictures, 15 a second, 320x240, one recording. The shipped networks look at what arrives
(``road-segmentation``, ``road-detection``); neither learned from these pictures. Scores are held against the labels;
boxes are those about connected regions of the label maps. The film goes over each channel at each rate

- at full size, and at each fixed factor, with the planner's own choice of frame rate and key frames;
- adaptive: the planner chooses the factor, too, by PSNR and by how little the recognizer's answer moves.

One network serves every factor. ``--dedicated 2=maps-lr-2.safetensors`` (again for other factors) also holds networks
that were trained at one factor against it, at that factor.

It is one film of one street: there is no interval, and small differences say nothing.

Figures, for each recognizer, means over channels and rates that every method could code
-----------------------------------------------------------------------------------------
miou_full, miou_fixed, miou_adaptive_psnr, miou_adaptive_task
    mIoU over all frames; ``fixed`` is the best fixed factor above 1.
map50_full, map50_fixed, map50_adaptive_psnr, map50_adaptive_task
    The same of mAP50.
miou_ceiling, map50_ceiling
    On the pristine pictures.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vidlink.command import run_command
from vidlink.data.camvid import BOXED, camvid_boxes, camvid_maps
from vidlink.errors import UserError
from vidlink.report.style import BLACK, BLUE, FAINT_GREY, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    import argparse

FRAME_RATE = 15
"""Pictures a second of the film."""
CHANNELS = ("perfect", "bernoulli-5", "gilbert-elliott")
RATES = ("24k", "48k", "96k", "192k", "512k")
FACTORS = (2, 4)
"""Fixed factors that full size is held against."""
SCORES = {"road-segmentation": "miou", "road-detection": "map50"}
"""The score of each recognizer."""
WRITTEN = {"miou": "mIoU", "map50": "mAP50"}
COLOURS = {
    "full": VERMILION,
    "s = 2": GREY,
    "s = 4": ORANGE,
    "adaptive, psnr": SKY,
    "adaptive, task": BLUE,
    "dedicated": PURPLE,
}


def main() -> None:
    """Run the sweep (or go on with it), print the table, draw the figure."""
    parser = bench.flags(__doc__, quick="one channel, two rates, three ways, the first two seconds", figure=True)
    parser.add_argument("--data", type=Path, help="camvid's folder (default: camvid in VIDLINK_DATA)")
    parser.add_argument("--recognizers", default=",".join(SCORES), help="which (%(default)s)")
    parser.add_argument("--rates", default=",".join(RATES), help="bits per second (%(default)s)")
    parser.add_argument("--channels", default=",".join(CHANNELS), help="(%(default)s)")
    parser.add_argument("--methods", metavar="full;s = 2;...", help="some of the ways of sending (all)")
    parser.add_argument("--dedicated", action="append", default=[], metavar="S=FILE", help="a network of one factor")
    parser.add_argument("--out", type=Path, default=Path("runs/roads"), help="results folder, gone on with")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    place = arguments.data or bench.data("camvid")
    if place is None:
        raise UserError("no pictures: give --data, or set VIDLINK_DATA to a folder with camvid")
    rows = summarize(run(place, arguments))
    print(rows.to_string(index=False))
    if arguments.figure:
        draw(arguments.figure, rows)
    bench.report(figures_of(rows), arguments.json, rows=rows.to_dict("records"))


def run(place: Path, arguments: argparse.Namespace) -> pd.DataFrame:
    """The table of the sweep, a row a run."""
    beside = arguments.out.with_name(f"{arguments.out.name}-{'quick' if arguments.quick else 'film'}")
    beside.mkdir(parents=True, exist_ok=True)
    film = write_film(place, beside, 30 if arguments.quick else None)
    labels = write_labels(place, beside, 30 if arguments.quick else None)
    looking = [
        {"name": name, "recognizer": name, "labels": str(labels[SCORES[name]])}
        for name in arguments.recognizers.split(",")
    ]
    ways: list[dict[str, Any]] = [{"name": "full", "scale": 1}, *({"name": f"s = {s}", "scale": s} for s in FACTORS)]
    ways += [{"name": f"adaptive, {each}", "objective": each} for each in ("psnr", "task")]
    for each in arguments.dedicated:
        factor, _, weights = each.partition("=")
        ways.append(
            {"name": f"dedicated, s = {factor}", "scale": float(factor), "weights": str(Path(weights).absolute())}
        )
    if arguments.methods:
        wanted = [name.strip() for name in arguments.methods.split(";")]
        unknown = [name for name in wanted if name not in {way["name"] for way in ways}]
        if unknown:
            raise UserError(f"--methods {unknown[0]!r}: expected some of {'; '.join(way['name'] for way in ways)}")
        ways = [way for way in ways if way["name"] in wanted]
    raw = {
        "settings": {"input": str(film), "no-scores": True, "device": "cpu"},
        "grid": {
            "looks": looking,
            "method": ways[1::2] if arguments.quick else ways,
            "bitrate": ["48k", "192k"] if arguments.quick else arguments.rates.split(","),
            "channel": ["perfect"] if arguments.quick else arguments.channels.split(","),
        },
    }
    points = list(sweep_from(raw).make_points(Path()))
    return bench.sweep_table(points, arguments.out, arguments.workers, may_refuse=True, cache_bytes=2 * 10**9)


def write_film(place: Path, folder: Path, count: int | None) -> Path:
    """The pictures as a film without loss, in order of their names."""
    import av

    found = camvid_maps(str(place), "valid").pictures[:count]
    target = folder / f"val-{len(found)}.mkv"
    if target.exists():
        return target.absolute()
    pictures = (av.VideoFrame.from_ndarray(each.read(), format="rgb24") for each in found)
    high, wide = found[0].read().shape[:2]
    return bench.write_clip(target, pictures, (wide, high), "ffv1", {}, rate=FRAME_RATE).absolute()


def write_labels(place: Path, folder: Path, count: int | None) -> dict[str, Path]:
    """The labels as a run takes them: a folder of maps, a table of boxes; by score."""
    import cv2

    maps, boxes = folder / "maps", folder / "boxes.csv"
    maps.mkdir(exist_ok=True)
    for frame, each in enumerate(camvid_maps(str(place), "valid").pictures[:count]):
        cv2.imwrite(str(maps / f"{frame}.png"), each.label())
    rows: list[list[Any]] = []
    for frame, each in enumerate(camvid_boxes(str(place), "valid").pictures[:count]):
        found = each.label()
        rows += [
            [frame, BOXED[int(kind)], left, upper, right - left, lower - upper]
            for left, upper, right, lower, kind in found.tolist()
        ]
        rows += [] if len(found) else [[frame, "", "", "", "", ""]]
    with boxes.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["frame", "class", "x", "y", "width", "height"], *rows])
    return {"miou": maps.absolute(), "map50": boxes.absolute()}


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """A row a run: score, ceiling, wire rate, bits per pixel, mean scale factor."""
    rows = []
    for _, each in table.iterrows():
        score = SCORES[str(each["looks"])]
        done = each["status"] == "done"

        def value(name: str, each: Any = each, done: bool = done) -> float:
            return float(each[name]) if done and name in each and pd.notna(each[name]) else np.nan

        rows.append(
            {
                "score": score,
                "channel": each["channel"],
                "method": each["method"],
                "kbps": float(each["bitrate_bps"]) / 1000,
                "value": value(f"recognition_{score}"),
                "ceiling": value(f"recognition_{score}_ceiling"),
                "wire_kbps": value("rate_wire_bps") / 1000,
                "bpp": value("rate_bpp"),
                "scale": value("plan_mean_scale"),
            }
        )
    return pd.DataFrame(rows).round(4)


def figures_of(rows: pd.DataFrame) -> dict[str, float | None]:
    """The figures that the head of this file describes."""
    found: dict[str, float | None] = {}
    for score, mine in rows.groupby("score", sort=False):
        wide = mine.pivot_table(index=["channel", "kbps"], columns="method", values="value", dropna=False)
        wide = wide[[name for name in wide.columns if not name.startswith("dedicated")]].dropna()
        means = wide.mean()
        fixed = [means[name] for name in means.index if name.startswith("s = ")]
        named = {"full": means.get("full"), "fixed": max(fixed, default=None)}
        named |= {f"adaptive_{each}": means.get(f"adaptive, {each}") for each in ("psnr", "task")}
        for name, value in named.items():
            found[f"{score}_{name}"] = None if value is None or np.isnan(value) else float(value)
        found[f"{score}_ceiling"] = float(mine["ceiling"].max()) if mine["ceiling"].notna().any() else None
    return found


def draw(path: Path, rows: pd.DataFrame) -> None:
    """Draw each score against wire rate and against bits per pixel, a column a channel."""
    channels = list(dict.fromkeys(rows["channel"]))
    panels = [(score, key) for score in dict.fromkeys(rows["score"]) for key in ("wire_kbps", "bpp")]
    figure = Figure(figsize=(max(5.5, 3.6 * len(channels)), 2.7 * len(panels)), layout="constrained", dpi=100)
    axes = figure.subplots(len(panels), len(channels), sharey="row", squeeze=False)
    for row, (score, key) in enumerate(panels):
        for column, channel in enumerate(channels):
            axis = axes[row, column]
            shown = rows[(rows["score"] == score) & (rows["channel"] == channel)].dropna(subset=["value"])
            for number, (method, mine) in enumerate(shown.groupby("method", sort=False)):
                colour = COLOURS.get(str(method), PURPLE if number % 2 else GREEN)
                axis.plot(mine[key], mine["value"], "o-", color=colour, markersize=4, label=method)
            if shown["ceiling"].notna().any():
                axis.axhline(shown["ceiling"].max(), color=BLACK, linewidth=0.8, linestyle=":", label="pristine")
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:.2g}" if value < 1 else f"{value:g}")
            axis.set_xlabel("wire rate (kb/s)" if key == "wire_kbps" else "payload bits per pixel")
            axis.grid(color=FAINT_GREY)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=8)
            if not column:
                axis.set_ylabel(WRITTEN[score])
            if not row:
                axis.set_title(channel, fontsize=10)
    axes[0, 0].legend(frameon=False, fontsize=8, loc="lower right")
    bench.save(figure, path)


if __name__ == "__main__":
    run_command(main)
