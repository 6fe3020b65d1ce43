"""The learned codec beside x264 and x265: rate and distortion on clips that it never saw, and how long coding takes.

Everything goes through the product: each clip is sent whole at full size, at several fixed qualities, as one group that
begins with a key frame, over a link that loses nothing. Rate is everything on the wire: units, and headers
of RTP, UDP and IP. PSNR is of luma, a mean over pictures.

The codecs
    ``dvc``, the learned one; ``x264`` and ``x265``, preset medium, of the shelf; ``x264-zerolatency``, the recipe
    ``x264`` with ``tune=zerolatency``: like ``dvc`` it predicts from earlier pictures only; ``x264-realtime`` of the
    shelf, for live use: preset veryfast, intra refresh in place of key frames.
The clips
    Those of VIDLINK_DATA that ``video_sr_clips.py --stills``, from which the shipped weights come, leaves out; without
    it the built-in clip.

Figures
-------
bd_rate_vs_x264, bd_rate_vs_x264_zerolatency, bd_rate_vs_x264_realtime, bd_rate_vs_x265
    Bits of ``dvc`` beyond the other's at equal PSNR, in percent, mean over the clips; of points from 64 to 512 kb/s.
encode_ratio, decode_ratio
    Processor time of ``dvc`` as a multiple of that of x264 medium, in turns in this process, one thread.
encode_fps, decode_fps
    Pictures of 320x240 that it codes in a second of processor time.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
import torch
from learned_codec_figures import draw

from vidlink.codec.dvc import SHIPPED
from vidlink.codec.shelf import load_codec, shelf
from vidlink.command import run_command
from vidlink.receiver.decode import decode
from vidlink.recognizers.content import digest_file
from vidlink.scores.bd import bd_rate
from vidlink.sender.encode import encode
from vidlink.sweeping.grid import sweep_from
from vidlink.types import Rung

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = list[dict[str, Any]]

CLIPS = {
    "carphone": "clips/carphone_pristine.mp4",
    "meeting": "clips/CiscoVT2people_320x192_12fps.yuv",
    "road": "camvid/val/images/*.png",
    "bikes": "clips/bikes.mp4",
    "dark": "arid6/Jump/Jump_8_1.mp4",
}
QUALITIES = {
    "dvc": tuple(range(20, 51, 4)),
    "x264": tuple(range(19, 48, 4)),
    "x264-zerolatency": tuple(range(19, 48, 4)),
    "x264-realtime": tuple(range(19, 48, 4)),
    "x265": tuple(range(19, 48, 4)),
}
AGAINST = {
    "bd_rate_vs_x264": "x264",
    "bd_rate_vs_x264_zerolatency": "x264-zerolatency",
    "bd_rate_vs_x264_realtime": "x264-realtime",
    "bd_rate_vs_x265": "x265",
}
LEAST_KBPS, MOST_KBPS = 64.0, 512.0
TARGETS = {"bd_rate_vs_x264_zerolatency": "hoped for: at most 30"}


def main() -> None:
    """Run everything, print the tables, draw the figure, and write the JSON."""
    parser = bench.flags(__doc__, quick="one small clip, 12 pictures, no speeds", figure=True, redraw=True)
    add = parser.add_argument
    add("--frames", type=int, default=30, metavar="N", help="pictures of each clip (%(default)s)")
    add("--clips", nargs="+", choices=tuple(CLIPS), default=list(CLIPS), help="which ones (all)")
    add("--work", type=Path, metavar="FOLDER", help="keep clips and runs there, and go on from what is there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.redraw:
        found = json.loads(arguments.redraw.read_text(encoding="utf-8"))
        rows, speeds = found["rows"], {name: found["figures"].get(name) for name in SPEEDS}
    else:
        frames, clips = (12, ["carphone"]) if arguments.quick else (arguments.frames, arguments.clips)
        with bench.folder_or_scratch(arguments.work) as work:
            paths = find_clips(clips, work, frames)
            rows = measure(paths, work)
            speeds = {} if arguments.quick else measure_speed(work)
    differences = compare(rows)
    show(rows, differences)
    if arguments.figure:
        draw(rows, arguments.figure)
    figures = {name: mean_of([each[name] for each in differences.values()]) for name in AGAINST}
    bench.report({**figures, **speeds}, arguments.json, TARGETS, rows=rows, clips=differences)


def find_clips(names: Sequence[str], work: Path, frames: int) -> dict[str, Path]:
    """The first pictures of each clip as a lossless film, 25 a second; those that VIDLINK_DATA has."""
    found = {}
    for name in names:
        target = work / f"{name}-{frames}.mkv"
        place = bench.data(CLIPS[name].partition("/images")[0], "left out")
        if place is None:
            continue
        if not target.exists():
            source = bench.open_clip(place / "images" / "*.png" if "*" in CLIPS[name] else place)
            pictures = [frame for segment in source.segments(1.0) for frame in segment.frames][:frames]
            bench.write_clip(target, pictures, (source.clip.width, source.clip.height), "ffv1", {})
        found[name] = target
    return found or {"built-in": bench.to_length(None, work / f"builtin-{frames}.mkv", frames=frames)}


def measure(clips: dict[str, Path], work: Path) -> Rows:
    """A row for each clip, codec and quality."""
    recipe = (shelf("codecs") / "x264.toml").read_text(encoding="utf-8")
    (work / "x264-zerolatency.toml").write_text(recipe.replace("[options]\n", '[options]\ntune = "zerolatency"\n'))
    codings = [
        {"name": f"{name} {quality}", "quality": quality, "codec": f"{name}.toml" if "zero" in name else name}
        for name, qualities in QUALITIES.items()
        for quality in qualities
    ]
    grid = {"clip": [{"name": name, "input": str(path)} for name, path in clips.items()], "coding": codings}
    settings = {"scale": 1, "recognizer": "none", "segment": 2.0}
    points = list(sweep_from({"settings": settings, "grid": grid}).make_points(work))
    # What a sweep did before is not done again, and it does not know of the codec's weights: they get a folder each.
    weights = digest_file(SHIPPED)[:12]
    ours = [point for point in points if point.columns["coding"].startswith("dvc ")]
    others = [point for point in points if point not in ours]
    tables = [bench.sweep_table(others, work / "others", 1), bench.sweep_table(ours, work / f"dvc-{weights}", 1)]
    rows = []
    for _, point in pd.concat(tables).iterrows():
        codec, quality = point["coding"].split()
        rows.append(
            {
                "clip": point["clip"],
                "codec": codec,
                "quality": float(quality),
                "wire_kbps": round(point["rate_wire_bps"] / 1000, 2),
                "payload_kbps": round(point["rate_payload_bps"] / 1000, 2),
                "psnr_db": round(point["quality_psnr_db"], 3),
            }
        )
    return rows


def compare(rows: Rows) -> dict[str, dict[str, float | None]]:
    """By clip: the BD-rates against each other codec, None where the curves do not support one."""
    found: dict[str, dict[str, float | None]] = {}
    for clip in dict.fromkeys(row["clip"] for row in rows):
        ours = curve(rows, clip, "dvc")
        found[clip] = {name: bd_rate(*ours, *curve(rows, clip, other)).value for name, other in AGAINST.items()}
    return found


def curve(rows: Rows, clip: str, codec: str) -> tuple[list[float], list[float]]:
    """Rates and PSNR of a codec on a clip, within the range of rates."""
    points = [row for row in rows if (row["clip"], row["codec"]) == (clip, codec)]
    within = [row for row in points if LEAST_KBPS <= row["wire_kbps"] <= MOST_KBPS]
    return [row["wire_kbps"] for row in within], [row["psnr_db"] for row in within]


def mean_of(percents: list[float | None]) -> float | None:
    """Mean of the factors that percents stand for, as percent."""
    logs = [np.log1p(percent / 100) for percent in percents if percent is not None]
    return 100 * float(np.expm1(np.mean(logs))) if logs else None


SPEEDS = ("encode_ratio", "decode_ratio", "encode_fps", "decode_fps")


def measure_speed(work: Path, turns: int = 3) -> dict[str, float]:
    """Processor time of coding a second of 320x240, both codecs in turns; the least of the turns counts."""
    source = bench.open_clip(bench.builtin_as_file(work / "speed.mkv", seconds=0.5, size=(320, 240)))
    segment = next(source.segments(1.0))
    rungs = {"dvc": Rung(scale=1, quality=34), "x264": Rung(scale=1, quality=30)}
    took: dict[tuple[str, str], list[float]] = {}
    for _ in range(turns + 1):
        for name, rung in rungs.items():
            codec = load_codec(name)
            start = time.process_time()
            coded = encode(segment, rung, clip=source.clip, codec=codec)
            middle = time.process_time()
            units = [(unit.frame, unit.nals) for unit in coded.units]
            decode(units, codec=codec, parameter_sets=coded.parameter_sets)
            took.setdefault((name, "encode"), []).append(middle - start)
            took.setdefault((name, "decode"), []).append(time.process_time() - middle)
    least = {key: min(times[1:]) for key, times in took.items()}
    count = len(segment.frames)
    return {
        **{f"{way}_ratio": least["dvc", way] / least["x264", way] for way in ("encode", "decode")},
        **{f"{way}_fps": count / least["dvc", way] for way in ("encode", "decode")},
    }


def show(rows: Rows, differences: dict[str, dict[str, float | None]]) -> None:
    """Print the tables as Markdown."""
    lines = [
        (clip, *("–" if value is None else f"{value:+.0f} %" for value in each.values()))
        for clip, each in differences.items()
    ]
    print(bench.markdown(("clip", *AGAINST.values()), lines), "\n")
    head = ("clip, codec", "quality", "wire kb/s", "payload kb/s", "PSNR")
    points = [
        (f"{row['clip']}, {row['codec']}", f"{row['quality']:g}", f"{row['wire_kbps']:.1f}",
         f"{row['payload_kbps']:.1f}", f"{row['psnr_db']:.2f}")
        for row in rows
    ]  # fmt: skip
    print(bench.markdown(head, points), "\n")


if __name__ == "__main__":
    run_command(main)
