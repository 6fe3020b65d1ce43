"""Road scenes over thin links: mIoU of label maps and mAP50 of boxes against rate, on CamVid's validation film.

The film is ``camvid/val``: 101 pictures, 15 a second, 320x240, one recording. The shipped networks look at what arrives
(``road-segmentation``, ``road-detection``); neither learned from these pictures. Scores are held against the labels;
boxes are those about connected regions of the label maps. The film goes over each channel at each rate

- at full size, and at fixed factors, with the planner's own choice of frame rate and key frames;
- adaptive: the planner chooses the factor, too, by PSNR or by how little the recognizer's answer moves.

Over channels that lose packets two rates and three ways are tried, with three or six seeds of the channel, and plans
by the task (a minute of processor time each) on the perfect channel alone, at 24 and 48 kb/s.

The shipped networks serve every factor. With ``--trained FOLDER`` three networks that were tuned alike take part:
``maps-mix.safetensors`` over all factors, ``maps-lr-2`` and ``maps-lr-4`` at one alone (docs/pictures.md has the
commands), through the perfect channel.

It is one film of one street. Intervals are a jackknife over ten stretches of 0.7 s: they say what other moments of this
film would have given, and nothing of other streets. Where seeds of the channel differ by more, the interval is theirs.

Figures, for ``miou`` and ``map50``
-----------------------------------
NAME_ceiling
    On the pristine pictures.
NAME_full, NAME_s2, NAME_s4, NAME_adaptive_psnr, NAME_adaptive_task
    Perfect channel, mean over the rates that every way could code.
NAME_full_lossy, NAME_s2_lossy, NAME_adaptive_psnr_lossy
    Mean over both channels that lose, rates and seeds.
miou_all_s2, miou_dedicated_s2, miou_all_s4, miou_dedicated_s4
    The network that was tuned over all factors, and the one that was tuned at this factor, both at this factor: perfect
    channel, mean over rates.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import pandas as pd
from roads_figures import draw, figures_of, tables
from roads_scores import Film, scored

from vidlink.command import run_command
from vidlink.data.camvid import BOXED, camvid_boxes, camvid_maps
from vidlink.errors import UserError
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from vidlink.sweeping.grid import Point

FRAME_RATE = 15
"""Pictures a second of the film."""
RATES = ("24k", "48k", "96k", "192k", "512k")
LOSSY = ("bernoulli-5", "gilbert-elliott")
"""Channels that lose packets."""
SEEDS = {"24k": 6, "96k": 3}
"""Draws of the channels that lose packets, by rate: most where the ways differ."""
TASK_RATES = RATES[:2]
"""Where plans by the task are made."""
TRAINED_RATES = RATES[:3]
"""Where the networks of ``--trained`` are compared."""
SCORES = {"road-segmentation": "miou", "road-detection": "map50"}
"""The score of each recognizer."""
WAYS: dict[str, dict[str, Any]] = {
    "full": {"scale": 1},
    "s = 2": {"scale": 2},
    "s = 4": {"scale": 4},
    "adaptive, psnr": {"objective": "psnr"},
    "adaptive, task": {"objective": "task"},
}
"""Ways of sending, as settings."""
LOSSY_WAYS = ("full", "s = 2", "adaptive, psnr")
TRAINED = {"mix": ("s = 2", "s = 4", "adaptive, psnr"), "lr-2": ("s = 2",), "lr-4": ("s = 4",)}
"""Networks of ``--trained``, and the ways that each is tried in."""


def main() -> None:
    """Run the sweep (or go on with it), print the tables, draw the figure."""
    parser = bench.flags(
        __doc__, quick="perfect channel, two rates, two ways, the first two seconds", figure=True, redraw=True
    )
    parser.add_argument("--data", type=Path, help="camvid's folder (default: camvid in VIDLINK_DATA)")
    parser.add_argument("--recognizers", default=",".join(SCORES), help="which (%(default)s)")
    parser.add_argument("--rates", default="", help="these alone, in bits per second")
    parser.add_argument("--channels", default="", help="these alone")
    parser.add_argument("--methods", default="", metavar="full;s = 2;...", help="these ways of sending alone")
    parser.add_argument("--trained", type=Path, metavar="FOLDER", help="networks that were tuned alike")
    parser.add_argument("--out", type=Path, default=Path("runs/roads"), help="results folder, gone on with")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.redraw:
        rows = pd.DataFrame(json.loads(arguments.redraw.read_text(encoding="utf-8"))["rows"])
    else:
        rows = measure(arguments)
    print(*tables(rows), sep="\n\n")
    if arguments.figure:
        draw(arguments.figure, rows)
    bench.report(figures_of(rows), arguments.json, rows=json.loads(rows.to_json(orient="records")))


def measure(arguments: argparse.Namespace) -> pd.DataFrame:
    """Send the film in every way, and score what arrived; see :func:`roads_scores.scored`."""
    place = arguments.data or bench.data("camvid")
    if place is None:
        raise UserError("no pictures: give --data, or set VIDLINK_DATA to a folder with camvid")
    beside = arguments.out.with_name(f"{arguments.out.name}-{'quick' if arguments.quick else 'film'}")
    beside.mkdir(parents=True, exist_ok=True)
    count = 30 if arguments.quick else None
    film, labels = write_film(place, beside, count), write_labels(place, beside, count)
    points = list(make_points(film, labels, arguments))
    table = bench.sweep_table(
        points, arguments.out, arguments.workers, may_refuse=True, cache_bytes=2 * 10**9, keep_runs=True
    )
    return scored(table, arguments.out, Film(maps=labels["miou"], boxes=labels["map50"]))


def make_points(film: Path, labels: dict[str, Path], arguments: argparse.Namespace) -> Iterator[Point]:
    """Every run. Those that are cheap come first, so that a part of the sweep says something, too."""
    chosen = _Chosen(arguments)
    looks = {
        name: {"name": SCORES[name], "recognizer": name, "labels": str(labels[SCORES[name]])}
        for name in chosen("recognizer", arguments.recognizers.split(","), SCORES)
    }
    shipped = {"name": "shipped"}
    every = [way for way in WAYS if way != "adaptive, task"]
    parts: list[tuple[Sequence[str], dict[str, Any], Sequence[str], Sequence[str], Sequence[str], Sequence[int]]] = [
        (list(looks), shipped, every, RATES, ["perfect"], [0]),
    ]
    if arguments.trained is not None:
        maps = [name for name in looks if SCORES[name] == "miou"]
        for name, ways in TRAINED.items():
            weights = (arguments.trained / f"maps-{name}.safetensors").absolute()
            if not weights.exists():
                raise UserError(
                    f"--trained {arguments.trained}: no {weights.name}; expected maps-{', maps-'.join(TRAINED)}"
                )
            parts.append((maps, {"name": name, "weights": str(weights)}, ways, TRAINED_RATES, ["perfect"], [0]))
    parts += [(list(looks), shipped, LOSSY_WAYS, [rate], LOSSY, range(seeds)) for rate, seeds in SEEDS.items()]
    parts.append((list(looks), shipped, ["adaptive, task"], TASK_RATES, ["perfect"], [0]))
    for looking, network, how, rates, channels, seeds in parts[:1] if arguments.quick else parts:
        grid = {
            "looks": [looks[name] for name in looking],
            "network": [network],
            "method": [{"name": name, **WAYS[name]} for name in chosen.of_methods(how)],
            "bitrate": list(chosen.of_rates(rates)),
            "channel": list(chosen.of_channels(channels)),
            "seed": list(seeds),
        }
        if not all(grid.values()):
            continue
        raw = {"settings": {"input": str(film), "no-scores": True, "device": "cpu"}, "grid": grid}
        for point in sweep_from(raw).make_points(Path()):
            maps = point.columns["looks"] == "miou"  # they are kept beside the film as it arrived
            yield replace(point, settings=replace(point.settings, save_plot=False, save_report=False, save_video=maps))


class _Chosen:
    """What the command line leaves of the grid."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        quick = arguments.quick
        self._methods = self("way", _words(arguments.methods, ";"), WAYS) or (
            ["full", "s = 4"] if quick else list(WAYS)
        )
        self._rates = _words(arguments.rates, ",") or (["48k", "192k"] if quick else [])
        self._channels = self("channel", _words(arguments.channels, ","), ("perfect", *LOSSY))

    def __call__(self, what: str, asked: Sequence[str], known: Any) -> list[str]:
        """What was asked for, all of it known."""
        for name in asked:
            if name not in known:
                raise UserError(f"{what} {name!r}: expected some of {'; '.join(known)}")
        return list(asked)

    def of_methods(self, ways: Sequence[str]) -> list[str]:
        return [way for way in ways if way in self._methods]

    def of_rates(self, rates: Sequence[str]) -> list[str]:
        return [rate for rate in rates if not self._rates or rate in self._rates]

    def of_channels(self, channels: Sequence[str]) -> list[str]:
        return [channel for channel in channels if not self._channels or channel in self._channels]


def _words(text: str, sign: str) -> list[str]:
    return [word.strip() for word in text.split(sign) if word.strip()]


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


if __name__ == "__main__":
    run_command(main)
