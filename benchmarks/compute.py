"""What restoring saves by computing where it pays: multiply-adds, time and PSNR against the longest path everywhere.

Pictures are those of Set5, downsampled as on the link, and pictures of held-out clips, coded by x264. Each is restored
by the longest path of a network, undivided (the complex branch of ClassSR, all residual blocks of Path-Restore), by the
paths that the network chooses by itself, and within budgets, which are shares of what the longest path takes. What is
counted is what was computed: classifier or path finder, and what is computed twice where patches meet, as well. Times
are processor time on one thread, the least of a few, taken in turns with that of the longest path.

Figures, of ClassSR, and after ``path_restore_`` of Path-Restore, at the budget of 0.6
-------
flops_share
    Multiply-adds as a share of those of the longest path, mean over all sets of pictures.
psnr_loss_db
    PSNR of the longest path minus that within the budget, mean over all sets of pictures.
psnr_loss_coded_db
    The same, mean over the sets of coded pictures.
psnr_loss_worst_db
    The same, of the set that loses most.
time_share
    Time as a share of that of the longest path, mean over all sets of pictures.
time_share_large
    The same, of pictures of 640x272.
gain_db
    PSNR of the longest path minus that of bicubic interpolation: what there is to lose.
free_flops_share, free_psnr_loss_db
    The first two without a budget.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from video_sr_clips import HELD_OUT, copy

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.data.images import read_images
from vidlink.data.sequences import read_sequence
from vidlink.errors import UserError
from vidlink.nets.fsrcnn import known_of
from vidlink.nets.patchwork import grid_of
from vidlink.nets.routes import load_routed
from vidlink.report.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from vidlink.restorers.count import MultiplyAdds
from vidlink.restorers.network import rounded
from vidlink.scores.psnr import psnr_db
from vidlink.training.sequences import FILM, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vidlink.nets.route import Routed, RoutedNetwork

    Luma = NDArray[np.uint8]

NAMES = ("classsr", "path-restore")
WEIGHTS = bench.ROOT / "vidlink" / "weights"
SCALES = (2.0, 3.0, 4.0)
CODED = ((3.0, 23.0), (3.0, 28.0), (3.0, 33.0))
"""Scale factor and CRF of the coded pictures."""
CODED_SET = "coded"
"""In the name of the sets of coded pictures."""
LARGE = "640x272"
"""Size of the largest pictures."""
ASKED = (1, 4, 7)
"""Pictures of each coded stretch that are scored."""
BUDGETS = (0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
"""As shares of what the longest path takes."""
WORKING = 0.6
"""That of the figures."""
FREE = "free"
"""What there is without a budget."""
TARGETS = {"flops_share": "<= 0.60", "psnr_loss_db": "<= 0.05"}
DRAWN = ("butterfly_GT", "woman_GT", "bikes-4", "camvid-4")
"""Pictures of the figure, those that are coded at the last quality."""
COLOURS = (BLUE, ORANGE, VERMILION, PURPLE, GREEN)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture before and after the link."""

    name: str
    """Which one."""
    wanted: Luma
    """As it was, shape (h, w)."""
    given: Luma
    """As received and interpolated, the same shape."""
    scale: float
    """Scale factor."""
    qp: float
    """Mean QP; 0 where it was not coded."""


def samples(quick: bool, work: Path) -> dict[str, list[Sample]]:
    """The sets of pictures, by name."""
    codec, found = load_codec("x264"), {}
    root = bench.data("sr/Set5")
    if root is None:
        raise UserError("VIDLINK_DATA names no folder with sr/Set5")
    images = {Path(name).stem: image for name, image in read_images(str(root)).items()}
    for scale in SCALES[1:2] if quick else SCALES:
        rows = []
        for name, image in images.items():
            wanted = np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
            given, _ = send(wanted[None], scale, None, codec)
            rows.append(Sample(name=name, wanted=wanted, given=given[0], scale=scale, qp=0.0))
        found[f"Set5 x{scale:g}"] = rows[:2] if quick else rows
    clips = [copy(name, work) for name in (HELD_OUT[1:2] if quick else HELD_OUT)]
    films = {clip.stem: read_sequence(clip, FILM) for clip in clips}
    for scale, quality in CODED[1:2] if quick else CODED:
        rows = []
        for name, film in films.items():
            given, qp = send(film, scale, quality, codec)
            rows += [
                Sample(name=f"{name}-{place}", wanted=film[place], given=given[place], scale=scale, qp=float(qp[place]))
                for place in (ASKED[:1] if quick else ASKED)
            ]
        found[f"{CODED_SET} x{scale:g} CRF {quality:g}"] = rows
    return found


def measure(network: RoutedNetwork, count: MultiplyAdds, sample: Sample, repeats: int) -> dict[str, Any]:
    """A picture by each way: PSNR in dB, multiply-adds a pixel, seconds, and patches by path."""
    size = sample.wanted.size
    picture = torch.from_numpy(sample.given).float() / 255
    known = known_of(torch.tensor([sample.scale]), torch.tensor([sample.qp]))

    def longest() -> torch.Tensor:
        return network.whole(picture[None, None], known)[0, 0]

    def routed(share: float | None) -> Routed:
        return network.route(picture, sample.scale, sample.qp, budget=None if share is None else share * most)

    count.total = 0
    restored = longest()
    most = count.total
    rows: dict[str, dict[str, Any]] = {"bicubic": {"psnr_db": psnr_db(sample.given, sample.wanted)}}
    rows["longest"] = {"psnr_db": _score(restored, sample), "multiply_adds": most / size}
    for share in (*BUDGETS, None):
        if share is not None and share * most < network.least(*picture.shape):
            continue
        count.total = 0
        found = routed(share)
        name = FREE if share is None else f"{share:g}"
        rows[name] = {"psnr_db": _score(found.picture, sample), "multiply_adds": count.total / size}
        rows[name]["patches"] = found.patches
    for name, share in ((f"{WORKING:g}", WORKING), (FREE, None)):
        if name in rows:
            rows[name]["seconds"], rows[name]["seconds_longest"] = _times(partial(routed, share), longest, repeats)
    return rows


def _score(restored: torch.Tensor, sample: Sample) -> float:
    return psnr_db(rounded(restored.clamp(0, 1).numpy()), sample.wanted)


def _times(first: Callable[[], Any], second: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Processor seconds of both, in turns, the least of each."""
    times: list[list[float]] = [[], []]
    for _ in range(repeats):
        for number, work in enumerate((first, second)):
            start = time.process_time()
            work()
            times[number].append(time.process_time() - start)
    return min(times[0]), min(times[1])


def summarize(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means over the pictures of a set, a row a way: PSNR, and shares of what the longest path takes."""
    ways = [way for way in rows[0] if all(way in row for row in rows)]
    found = {}
    for way in ways:
        row: dict[str, float] = {"psnr_db": float(np.mean([each[way]["psnr_db"] for each in rows]))}
        if "multiply_adds" in rows[0][way]:
            longest = sum(each["longest"]["multiply_adds"] for each in rows)
            row["flops_share"] = sum(each[way]["multiply_adds"] for each in rows) / longest
        if "seconds" in rows[0][way]:
            row["time_share"] = sum(each[way]["seconds"] for each in rows) / sum(
                each[way]["seconds_longest"] for each in rows
            )
        found[way] = row
    return found


def figures_of(sets: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """The figures of one network, means over the sets of pictures."""
    at = f"{WORKING:g}"

    def mean(of: Callable[[dict[str, dict[str, float]]], float], among: str = "") -> float:
        found = [of(rows) for name, rows in sets.items() if among in name]
        return float(np.mean(found)) if found else float("nan")

    def lost(rows: dict[str, dict[str, float]]) -> float:
        return rows["longest"]["psnr_db"] - rows[at]["psnr_db"]

    return {
        "flops_share": mean(lambda rows: rows[at]["flops_share"]),
        "psnr_loss_db": mean(lost),
        "psnr_loss_coded_db": mean(lost, CODED_SET),
        "psnr_loss_worst_db": max(map(lost, sets.values())),
        "time_share": mean(lambda rows: rows[at]["time_share"]),
        "gain_db": mean(lambda rows: rows["longest"]["psnr_db"] - rows["bicubic"]["psnr_db"]),
        "free_flops_share": mean(lambda rows: rows[FREE]["flops_share"]),
        "free_psnr_loss_db": mean(lambda rows: rows["longest"]["psnr_db"] - rows[FREE]["psnr_db"]),
    }


def show(name: str, sets: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print the table of one network: PSNR of bicubic and the longest path, then loss in dB and share by budget."""
    ways = [f"{share:g}" for share in BUDGETS] + [FREE]
    head = (name, "bicubic", "longest", *ways)
    lines = []
    for label, rows in sets.items():
        cells = [f"{rows[way]['psnr_db']:.2f}" for way in ("bicubic", "longest")]
        for way in ways:
            row = rows.get(way)
            loss = rows["longest"]["psnr_db"] - row["psnr_db"] if row else 0.0
            cells.append(f"{loss:+.3f} ({row['flops_share']:.2f})" if row else "–")
        lines.append((label, *cells))
    print(bench.markdown(head, lines), "\n")


def by_size(
    samples_of: dict[str, list[Sample]], measured: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """What is saved by the size of the picture: the rows of :func:`summarize` for each, small ones first."""
    sizes: dict[tuple[int, ...], list[dict[str, Any]]] = {}
    for label, rows in measured.items():
        for sample, row in zip(samples_of[label], rows, strict=True):
            sizes.setdefault(sample.wanted.shape, []).append(row)
    ordered = sorted(sizes.items(), key=lambda item: math.prod(item[0]))
    return {f"{width}x{height}": summarize(rows) | {"patches": grid_of(height, width).patches}
            for (height, width), rows in ordered}  # fmt: skip


def show_sizes(name: str, sizes: dict[str, dict[str, Any]]) -> None:
    """Print shares of multiply-adds and time by the size of the picture."""
    at = f"{WORKING:g}"
    head = (name, "patches", f"multiply-adds, {at}", f"time, {at}", "multiply-adds, free", "time, free")
    lines = [
        (size, str(rows["patches"]),
         *(f"{rows[way][key]:.2f}" for way in (at, FREE) for key in ("flops_share", "time_share")))
        for size, rows in sizes.items()
    ]  # fmt: skip
    print(bench.markdown(head, lines), "\n")


def draw(path: Path, networks: dict[str, RoutedNetwork], chosen: list[Sample]) -> None:
    """Which patch went where: restored pictures, each patch tinted by its path."""
    figure = Figure(figsize=(3.6 * len(chosen), 3.5 * len(networks)), layout="constrained")
    axes = figure.subplots(len(networks), len(chosen), squeeze=False)
    for line, (name, network) in zip(axes, networks.items(), strict=True):
        labels = network.paths if name == "classsr" else [f"{number} residual" for number in range(len(COLOURS))]
        for axis, sample in zip(line, chosen, strict=True):
            picture = torch.from_numpy(sample.given).float() / 255
            found = network.route(picture, sample.scale, sample.qp)
            height, width = (4 * side for side in _patch(picture.shape))
            axis.imshow(rounded(found.picture.clamp(0, 1).numpy()), cmap="gray", vmin=0, vmax=255)
            for (row, column), path_number in np.ndenumerate(found.chosen.numpy()):
                corner = (column * width - 0.5, row * height - 0.5)
                how: dict[str, Any] = {"facecolor": COLOURS[path_number], "alpha": 0.35, "edgecolor": "white"}
                axis.add_patch(Rectangle(corner, width, height, **how))
            axis.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5), xticks=[], yticks=[])
            axis.set_title(f"{name}: {sample.name} x{sample.scale:g}" + (" coded" if sample.qp else ""), fontsize=9)
        handles = [Patch(color=colour, alpha=0.6, label=label) for colour, label in zip(COLOURS, labels, strict=False)]
        line[-1].legend(handles=handles, loc="lower right", fontsize=8)
    bench.save(figure, path)


def _patch(shape: torch.Size) -> tuple[int, int]:
    grid = grid_of(*shape)
    return grid.height, grid.width


def main() -> None:
    """Measure both networks, print the tables, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="two images of Set5 and one coded picture, one factor", figure=True)
    for name in NAMES:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help="other weights than those that ship")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep the clips there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    files = {
        name: getattr(arguments, name.replace("-", "_")) or WEIGHTS / f"restorer-{name}.safetensors" for name in NAMES
    }
    networks = {name: load_routed(file)[0].eval() for name, file in files.items() if file.exists()}
    if not networks:
        raise UserError("no weights ship: give --classsr FILE or --path-restore FILE, from vidlink train --task sr")
    with bench.folder_or_scratch(arguments.work) as work, torch.inference_mode():
        pictures = samples(arguments.quick, work)
        figures: dict[str, float] = {}
        tables = {}
        for name, network in networks.items():
            count, repeats = MultiplyAdds(network), 1 if arguments.quick else 3
            measured = {
                label: [measure(network, count, sample, repeats) for sample in rows] for label, rows in pictures.items()
            }
            found = {label: summarize(rows) for label, rows in measured.items()}
            sizes = by_size(pictures, measured)
            show(name, found)
            show_sizes(name, sizes)
            prefix = "" if name == NAMES[0] else "path_restore_"
            figures |= {prefix + key: value for key, value in figures_of(found).items()}
            if LARGE in sizes:
                figures[f"{prefix}time_share_large"] = sizes[LARGE][f"{WORKING:g}"]["time_share"]
            tables[name] = found
        if arguments.figure:
            known = {sample.name: sample for rows in pictures.values() for sample in rows if sample.scale == SCALES[1]}
            chosen = [known[name] for name in DRAWN if name in known] or list(known.values())[:1]
            draw(arguments.figure, networks, chosen)
    rows = {f"{name} {label}": row for name, table in tables.items() for label, row in table.items()}
    bench.report(figures, arguments.json, {} if arguments.quick else TARGETS, rows=rows)


if __name__ == "__main__":
    run_command(main)
