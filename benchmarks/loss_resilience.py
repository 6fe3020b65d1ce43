"""What packet loss does to a stream, and what slices, short groups of pictures, parity and retransmission do about it.

Independent losses of 0 to 30 % on the whole product (:func:`vidlink.simulate.simulate`: real encoder, packets and
decoder), with every combination of

slices
    on: the recipe ``x264`` of the shelf (at preset veryfast, to save time), slices smaller than a packet. off: the same
    without them, so that a picture larger than a packet travels in fragments (FU-A), of which one lost loses all.
GOP
    25, 50 and 250 pictures: segments of 1, 2 and 10 seconds at 25 pictures a second.
protection
    none; FEC: ``--fec rs:k=10,n=13,key_n=15``; NACK, with slices only: ``--nack`` with a round trip of 100 ms
    (deadline 400 ms).

The clips: ``bikes`` (640x272, 2 to 3 packets a picture) and ``carphone`` (176x144, run forwards and backwards to ten
seconds, one packet a picture), where the environment variable VIDLINK_DATA names a folder that has them, otherwise the
built-in clip. Scale factor and quality are fixed and there is no rate limit: protection comes on top, its cost is the
wire rate beside it. All numbers are means over the seeds.

Figures
-------
CLIP/slices-on|off/gop-N/none|fec|nack/loss-P
    Mean PSNR in dB of the luma shown against the source, over all source frames (frozen ones count with what was on
    show) and seeds, at P % loss.

``rows`` in the JSON has the same with frames by status in percent, the spread over the seeds, the wire rate in kb/s and
the share of packets lost.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vidlink.codec.shelf import load_codec
from vidlink.video.open import open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

LOSSES = (0, 1, 3, 5, 10, 20, 30)
GOPS = (25, 50, 250)
PROTECTIONS = {"none": (), "fec": ("--fec", "rs:k=10,n=13,key_n=15"), "nack": ("--nack",)}
STATUSES = ("ok", "concealed", "drifting", "frozen")
FRAMES, RATE = 250, 25
DELAY_S = 0.05
CHANNEL = f"""description = "Independent losses, {1000 * DELAY_S:g} ms"
delay_s = {DELAY_S}
loss = {{ model = "bernoulli", probability = %s }}
"""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What is sent."""

    name: str
    path: str
    quality: float


@dataclass(frozen=True, kw_only=True, order=True)
class Setting:
    """One point of the table."""

    clip: str
    slices: str
    gop: int
    protection: str
    loss: int

    def __str__(self) -> str:
        return f"{self.clip}/slices-{self.slices}/gop-{self.gop}/{self.protection}/loss-{self.loss}"


def main() -> None:
    """Run everything, print the table, draw the figure, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one clip, one seed, 0, 5 and 20 %% loss, no NACK")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds to average over (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the figure into this file (PNG, PDF, SVG)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the table to this file too")
    parser.add_argument("--redraw", type=Path, metavar="FILE", help="run nothing: take the rows of an earlier --json")
    arguments = parser.parse_args()
    if arguments.redraw:
        rows = json.loads(arguments.redraw.read_text())["rows"]
    else:
        rows = measure(quick=arguments.quick, seeds=1 if arguments.quick else arguments.seeds)
    text = table(rows)
    print(text)
    if arguments.table:
        arguments.table.write_text(text + "\n")
    if arguments.figure:
        draw(rows, arguments.figure)
    if arguments.json:
        figures = {row["setting"]: row["psnr_db"] for row in rows}
        arguments.json.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1) + "\n")


def measure(*, quick: bool, seeds: int) -> list[dict[str, Any]]:
    """One row for each setting."""
    import pandas as pd

    losses = (0, 5, 20) if quick else LOSSES
    protections = ("none", "fec") if quick else tuple(PROTECTIONS)
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(os.cpu_count()) as pool:
        folder = Path(name)
        write_profiles(folder, losses)
        clips = find_clips(folder)[: 1 if quick else None]
        futures = {}
        for clip, slices, gop, protection, loss in itertools.product(clips, ("on", "off"), GOPS, protections, losses):
            if slices == "off" and protection == "nack":
                continue
            setting = Setting(clip=clip.name, slices=slices, gop=gop, protection=protection, loss=loss)
            # Without loss nothing is random.
            for seed in range(seeds if loss else 1):
                futures[pool.submit(run, setting, clip, seed, folder)] = setting
        found: dict[Setting, list[dict[str, float]]] = {setting: [] for setting in futures.values()}
        for number, future in enumerate(as_completed(futures), 1):
            found[futures[future]].append(future.result())
            print(f"\r{number} of {len(futures)} runs", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    rows = []
    for setting, results in found.items():
        # In order of the seeds, not of their end, so that sums are the same every time.
        values = pd.DataFrame(sorted(results, key=lambda each: each["seed"])).drop(columns="seed")
        spread = float(values["psnr_db"].std(ddof=0))
        means = {key: round(value, 3) for key, value in values.mean().items()}
        rows.append(
            {"setting": str(setting), **vars(setting), "seeds": len(values), **means, "psnr_sd": round(spread, 3)}
        )
    return rows


def run(setting: Setting, clip: Clip, seed: int, folder: Path) -> dict[str, float]:
    """One run of the product."""
    import vidlink.report.plot
    from vidlink.options import parse_arguments, settings_from
    from vidlink.report.run_folder import RunFolder
    from vidlink.simulate import simulate

    arguments = [clip.path, "--scale", "1", "--quality", f"{clip.quality:g}", "--segment", f"{setting.gop / RATE:g}"]
    arguments += ["--codec", str(folder / f"slices-{setting.slices}.toml")]
    arguments += ["--channel", str(folder / f"loss-{setting.loss}.toml"), "--seed", str(seed)]
    arguments += ["--recognizer", "none", "--no-video", "--workers", "1", *PROTECTIONS[setting.protection]]
    # The run's own plot would take as long as the rest.
    vidlink.report.plot.draw_run = lambda *_: None
    with tempfile.TemporaryDirectory(dir=folder) as name, RunFolder(Path(name) / "run") as place:
        summary = simulate(settings_from(parse_arguments(arguments)), place, quiet=True)
    frames = summary["frames"]
    total = sum(frames.values())
    return {
        "seed": seed,
        **{status: 100 * frames[status] / total for status in STATUSES},
        "psnr_db": summary["quality"]["psnr_db"],
        "wire_kbps": summary["rate"]["wire_bps"] / 1000,
        "packets_per_picture": summary["delivery"]["packets"] / total,
        "lost_percent": 100 * summary["delivery"]["loss_rate"],
    }


def write_profiles(folder: Path, losses: Sequence[int]) -> None:
    """The recipe with and without slices, and a channel for each loss."""
    recipe = load_codec("x264")
    knob, slices = recipe.quality, ":slice-max-size=1400"
    if slices not in recipe.options["x264-params"]:
        raise RuntimeError(f"the recipe x264 has no {slices} to leave out")
    for name, without in (("on", ""), ("off", slices)):
        parameters = recipe.options["x264-params"].replace(without, "")
        lines = [
            f'description = "x264, slices {name}"',
            f'encoder = "{recipe.encoder}"',
            f'decoder = "{recipe.decoder}"',
            f'payload = "{recipe.payload}"',
            "[options]",
            'preset = "veryfast"',
            f'x264-params = "{parameters}"',
            "[quality]",
            f'option = "{knob.option}"',
            f"best = {knob.best}",
            f"worst = {knob.worst}",
            f"grid = {list(knob.grid)}",
        ]
        (folder / f"slices-{name}.toml").write_text("\n".join(lines) + "\n")
    for loss in losses:
        (folder / f"loss-{loss}.toml").write_text(CHANNEL % (loss / 100))


def find_clips(folder: Path) -> list[Clip]:
    """The real clips where they are, else the built-in one; all of 250 pictures, 25 a second."""
    data = Path(os.environ.get("VIDLINK_DATA") or folder / "nowhere") / "clips"
    clips = [
        Clip(name="bikes", path=str(data / "bikes.mp4"), quality=20),
        Clip(name="carphone", path=str(data / "carphone_pristine.mp4"), quality=26),
    ]
    clips = [clip for clip in clips if Path(clip.path).is_file()]
    if not clips:
        print("VIDLINK_DATA names no folder with the real clips: the built-in one stands in", file=sys.stderr)
        return [Clip(name="builtin", path=to_length(None, folder / "builtin.mkv"), quality=20)]
    return [
        Clip(name=clip.name, path=to_length(clip.path, folder / f"{clip.name}.mkv"), quality=clip.quality)
        for clip in clips
    ]


def to_length(path: str | None, target: Path, *, frames: int = FRAMES) -> str:
    """A clip that has so many pictures, 25 a second; if need be a lossless copy, run forwards and backwards."""
    import av

    source = open_source(path)
    pictures = [frame for segment in source.segments(1.0) for frame in segment.frames]
    if path and len(pictures) == frames and source.clip.frame_rate == RATE:
        return path
    pictures = pictures[:frames]
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = source.clip.width, source.clip.height, "yuv420p"
        for number, index in enumerate(itertools.islice(itertools.cycle(order), frames)):
            picture = pictures[index].reformat(format="yuv420p")
            copy = av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
            copy.pts, copy.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(copy))
        container.mux(stream.encode(None))
    return str(target)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Frames by status, PSNR and wire rate as a Markdown table for each clip."""
    parts = []
    for clip in dict.fromkeys(row["clip"] for row in rows):
        mine = [row for row in rows if row["clip"] == clip]
        protections = list(dict.fromkeys(row["protection"] for row in mine))
        losses = sorted({row["loss"] for row in mine})
        by_place = {(row["slices"], row["gop"], row["protection"], row["loss"]): row for row in mine}
        names = {"none": "unprotected", "fec": "FEC", "nack": "NACK"}
        head = [
            "slices",
            "GOP",
            "loss",
            *(f"{names[each]}: ok / conc. / drift / frozen % | PSNR dB | kb/s" for each in protections),
        ]
        head = " | ".join(head)
        columns = head.count("|") + 1
        parts += ["", f"**{clip}**", "", f"| {head} |", f"|{' ---: |' * columns}"]
        for slices, gop, loss in itertools.product(("on", "off"), GOPS, losses):
            cells = [slices, str(gop), f"{loss} %"]
            for protection in protections:
                row = by_place.get((slices, gop, protection, loss))
                if row is None:
                    cells += ["", "", ""]
                    continue
                cells.append(" / ".join(f"{row[status]:.0f}" for status in STATUSES))
                cells += [f"{row['psnr_db']:.1f}", f"{row['wire_kbps']:.0f}"]
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts[1:])


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """PSNR against loss, and frames by status, for each GOP and clip; readable without colour."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    clips = list(dict.fromkeys(row["clip"] for row in rows))
    style = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.5}
    with mpl.rc_context(style):
        figure = Figure(figsize=(7.2, 0.5 + 3.9 * len(clips)), layout="constrained", dpi=200)
        axes = figure.subplots(
            2 * len(clips), len(GOPS), squeeze=False, sharey="row", height_ratios=[1.25, 1] * len(clips)
        )
        for number, clip in enumerate(clips):
            for column, gop in enumerate(GOPS):
                here = [row for row in rows if row["clip"] == clip and row["gop"] == gop]
                lines, bars = axes[2 * number, column], axes[2 * number + 1, column]
                draw_psnr(lines, here)
                draw_statuses(bars, here)
                lines.set_title(f"{clip}, GOP {gop}", fontsize=8.5)
                if column == 0:
                    lines.set_ylabel("PSNR (dB)")
                    bars.set_ylabel("frames (%), slices on")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        more, names = axes[1, 0].get_legend_handles_labels()
        figure.legend(
            handles + more,
            labels + names,
            loc="outside lower center",
            ncols=5,
            frameon=False,
            fontsize=7.5,
            title="bars: – unprotected, F with FEC, N with NACK",
            title_fontsize=7.5,
        )
        figure.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def draw_psnr(axis: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of PSNR against loss; the losses at equal distances, as in the bars below."""
    losses = sorted({row["loss"] for row in rows})
    looks = {
        ("on", "none"): ("slices", "black", "-", "o"),
        ("off", "none"): ("no slices", "black", ":", "o"),
        ("on", "fec"): ("slices, FEC", "#0072b2", "-", "s"),
        ("off", "fec"): ("no slices, FEC", "#0072b2", ":", "s"),
        ("on", "nack"): ("slices, NACK", "#999999", "-", "^"),
    }
    for (slices, protection), (name, colour, line, marker) in looks.items():
        points = sorted(
            (losses.index(row["loss"]), row["psnr_db"])
            for row in rows
            if row["slices"] == slices and row["protection"] == protection
        )
        if points:
            face = colour if slices == "on" else "white"
            axis.plot(*zip(*points, strict=True), line, c=colour, marker=marker, ms=3.5, mfc=face, lw=1.1, label=name)
    axis.set_xticks(range(len(losses)), [str(loss) for loss in losses])
    axis.set_xlim(-0.5, len(losses) - 0.5)
    axis.grid(axis="y", color="#dddddd", lw=0.5)


def draw_statuses(axis: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Stacked bars of frames by status with slices: for each loss unprotected, then protected."""
    looks = {
        "ok": ("white", ""),
        "concealed": ("#cccccc", "...."),
        "drifting": ("#999999", "////"),
        "frozen": ("#333333", ""),
    }
    mine = [row for row in rows if row["slices"] == "on"]
    protections = list(dict.fromkeys(row["protection"] for row in mine))
    losses = sorted({row["loss"] for row in mine})
    width = 0.84 / len(protections)
    letters = {"none": "–", "fec": "F", "nack": "N"}
    for place, loss in enumerate(losses):
        for shift, protection in enumerate(protections):
            row = next(each for each in mine if each["loss"] == loss and each["protection"] == protection)
            x, bottom = place + (shift - (len(protections) - 1) / 2) * width, 0.0
            for status, (colour, hatch) in looks.items():
                name = status if place == shift == 0 else None
                axis.bar(
                    x, row[status], 0.92 * width, bottom, color=colour, hatch=hatch, ec="black", lw=0.4, label=name
                )
                bottom += row[status]
            axis.text(x, 101, letters[protection], ha="center", va="bottom", fontsize=5)
    axis.set_xticks(range(len(losses)), [str(loss) for loss in losses])
    axis.set_xlabel("loss (%)", labelpad=1)
    axis.set_xlim(-0.5, len(losses) - 0.5)
    axis.set_ylim(0, 107)
    axis.set_yticks([0, 25, 50, 75, 100])


if __name__ == "__main__":
    main()
