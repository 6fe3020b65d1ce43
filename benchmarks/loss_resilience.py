"""What packet loss does to a stream, and what slices, short groups of pictures, parity and retransmission do about it.

Independent losses of 0 to 30 % on the whole product (real encoder, packets and decoder), with every combination of

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

import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bench
from loss_resilience_figures import draw

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    from collections.abc import Sequence

LOSSES = (0, 1, 3, 5, 10, 20, 30)
GOPS = (25, 50, 250)
PROTECTIONS: dict[str, dict[str, Any]] = {"none": {}, "fec": {"fec": "rs:k=10,n=13,key_n=15"}, "nack": {"nack": True}}
STATUSES = ("ok", "concealed", "drifting", "frozen")
AXES = {"clip": "clip", "slices": "slices", "pictures": "gop", "protection": "protection", "lost": "loss"}
"""Axes of the sweep, which may not be called like a setting, and what the rows call them."""
FRAMES = 250
QUALITIES = {"bikes": 20, "carphone": 26, "builtin": 20}


def main() -> None:
    """Run everything, print the table, draw the figure, and write the JSON."""
    parser = bench.flags(__doc__, quick="one clip, one seed, 0, 5 and 20 %% loss, no NACK", figure=True, redraw=True)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds to average over (default: 3)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the table to this file too")
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
    bench.write_json(arguments.json, {row["setting"]: row["psnr_db"] for row in rows}, rows=rows)


def measure(*, quick: bool, seeds: int) -> list[dict[str, Any]]:
    """One row for each setting: a sweep over all of them and the seeds."""
    losses = (0, 5, 20) if quick else LOSSES
    protections = {name: PROTECTIONS[name] for name in (("none", "fec") if quick else PROTECTIONS)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_profiles(folder, losses)
        clips = find_clips(folder, 1 if quick else None)
        grid = {
            "clip": [{"name": name, "input": str(path), "quality": QUALITIES[name]} for name, path in clips.items()],
            "slices": [{"name": slices, "codec": f"slices-{slices}.toml"} for slices in ("on", "off")],
            "pictures": [{"name": str(gop), "segment": gop / bench.RATE} for gop in GOPS],
            "protection": [{"name": name, **how} for name, how in protections.items()],
            "lost": [{"name": str(loss), "channel": f"loss-{loss}.toml"} for loss in losses],
            "seed": list(range(seeds)),
        }
        made = sweep_from({"settings": {"scale": 1, "recognizer": "none"}, "grid": grid}).make_points(folder)
        # Retransmission is tried with slices alone, and without loss nothing is random.
        points = [
            point
            for point in made
            if (point.columns["slices"], point.columns["protection"]) != ("off", "nack")
            and (point.columns["lost"] != "0" or point.settings.seed == 0)
        ]
        found = bench.sweep_table(points, folder / "sweep")
    total = found[[f"frames_{status}" for status in STATUSES]].sum(axis=1)
    values = {
        **{status: 100 * found[f"frames_{status}"] / total for status in STATUSES},
        "psnr_db": found["quality_psnr_db"],
        "wire_kbps": found["rate_wire_bps"] / 1000,
        "packets_per_picture": found["delivery_packets"] / total,
        "lost_percent": 100 * found["delivery_loss_rate"],
    }
    rows = []
    for keys, group in found.assign(**values).groupby(list(AXES), sort=False):
        setting = dict(zip(AXES.values(), map(str, cast("tuple", keys)), strict=True))
        text = "{clip}/slices-{slices}/gop-{gop}/{protection}/loss-{loss}".format(**setting)
        means = {name: round(float(group[name].mean()), 3) for name in values}
        spread = round(float(group["psnr_db"].std(ddof=0)), 3)
        numbers = {"gop": int(setting["gop"]), "loss": int(setting["loss"])}
        rows.append({"setting": text, **setting, **numbers, "seeds": len(group), **means, "psnr_sd": spread})
    return rows


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
    bench.write_loss_channels(folder, losses)


def find_clips(folder: Path, count: int | None) -> dict[str, Path]:
    """So many of the real clips where they are, else the built-in one; all of 250 pictures, 25 a second."""
    real = {"bikes": bench.data("clips/bikes.mp4"), "carphone": bench.data("clips/carphone_pristine.mp4")}
    clips = {name: real[name] for name in [name for name in real if real[name]][:count]}
    if not clips:
        print("VIDLINK_DATA names no folder with the real clips: the built-in one stands in", file=sys.stderr)
        clips = {"builtin": None}
    return {name: bench.to_length(path, folder / f"{name}.mkv", frames=FRAMES) for name, path in clips.items()}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Frames by status, PSNR and wire rate as a Markdown table for each clip."""
    parts = []
    for clip in dict.fromkeys(row["clip"] for row in rows):
        mine = [row for row in rows if row["clip"] == clip]
        protections = list(dict.fromkeys(row["protection"] for row in mine))
        losses = sorted({row["loss"] for row in mine})
        by_place = {(row["slices"], row["gop"], row["protection"], row["loss"]): row for row in mine}
        names = {"none": "unprotected", "fec": "FEC", "nack": "NACK"}
        head = ["slices", "GOP", "loss"]
        for protection in protections:
            head += [f"{names[protection]}: ok / conc. / drift / frozen %", "PSNR dB", "kb/s"]
        lines = []
        for slices, gop, loss in itertools.product(("on", "off"), GOPS, losses):
            cells = [slices, str(gop), f"{loss} %"]
            for protection in protections:
                row = by_place.get((slices, gop, protection, loss))
                if row is None:
                    cells += ["", "", ""]
                    continue
                cells.append(" / ".join(f"{row[status]:.0f}" for status in STATUSES))
                cells += [f"{row['psnr_db']:.1f}", f"{row['wire_kbps']:.0f}"]
            lines.append(cells)
        parts.append(f"**{clip}**\n\n{bench.markdown(head, lines)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run_command(main)
