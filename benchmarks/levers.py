"""What single levers of the sender buy at equal wire rate: which frames, the encoder's settings, a filter before it.

Each lever is pulled alone, all else as without it. Reels of still faces are held against their labels; clips of real
faces against what the recognizer says of the pristine pictures. On reels every budget has the scale factor and the
frame divisor that the planner mostly takes there, so that a lever is compared at one rung; clips have a ladder. There
is a key frame every second. Every run is a run of the product over a perfect channel.

Figures
-------
LEVER_ccc, LEVER_ccc_low, LEVER_ccc_high
    Reels: mean CCC of valence and arousal with the lever minus without it, mean over budgets, with its 95 % interval
    (Student's t over reels).
LEVER_changing, LEVER_changing_low, LEVER_changing_high
    The same of the looks at which a label is changing.
LEVER_psnr_db
    Clips: mean PSNR with the lever minus without it.
LEVER_error
    Clips: root mean square difference from the output on the pristine clip, with / without it, geometric mean.
LEVER_cpu
    Processor time of an encode with the lever / without it, of the trials of the same plans.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.filter
import bench
import numpy as np
from levers_figures import compare, draw, show, word_for
from tqdm import tqdm

from vidlink.codec.shelf import shelf
from vidlink.command import run_command
from vidlink.files.cache import Cache
from vidlink.labels.affect import AFFECT
from vidlink.reels import write_reels
from vidlink.scores.metrics import score
from vidlink.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from levers_figures import Point
    from numpy.typing import NDArray

RUNGS = {8_000: (2.0, 4), 12_000: (1.5, 4), 18_000: (1.5, 3), 26_000: (1.5, 2)}
"""By budget on a reel: scale factor and frame divisor."""
CLIPS: dict[str, tuple[str, tuple[int, ...], tuple[float, ...]]] = {
    "expressions": ("clips/expressions_640x360.mp4", (12_000, 24_000), (2.0, 3.0, 4.0)),
    "carphone": ("clips/carphone_pristine.mp4", (12_000, 16_000, 24_000, 32_000), (1.0, 1.5, 2.0)),
    "two people": ("clips/CiscoVT2people_320x192_12fps.yuv", (16_000, 24_000, 32_000), (1.0, 1.5, 2.0, 3.0)),
}
"""Real faces: file, budgets and ladder."""
FILTERS = {"gblur": ("gblur", "sigma=0.9"), "nlmeans": ("nlmeans", "s=2:p=3:r=7")}
"""Filters of FFmpeg that PyAV's wheel has, on reels before all else: a Gaussian, and non-local means."""
LOOK_EVERY = 5
"""On reels and on the longest clip the recognizer looks at every fifth frame: in step with no frame divisor."""
REELS, QUICK_REELS = 8, 1
SEED = 14
"""Of the reels."""


def write_recipes(folder: Path) -> dict[str, Path]:
    """The recipe of the shelf with x264's psychovisual tools, as x264 has them by itself, and with a slower preset."""
    text = (shelf("codecs") / "x264.toml").read_text()
    plain = "aq-mode=1:aq-strength=0:psy=0:"
    if text.count(plain) != 1 or text.count('preset = "medium"') != 1:
        raise RuntimeError("the recipe x264 is not the one that this compares with others")
    texts = {
        "psy": text.replace(plain, ""),
        "veryslow": text.replace('"medium"', '"veryslow"'),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.toml" for name in texts}
    for name, path in paths.items():
        path.write_text(texts[name])
    return paths


def levers(recipes: dict[str, Path]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By name: the settings without the lever, and with it."""
    even = {"frames": "even"}
    return {
        "picture": (even, {"frames": "picture"}),
        "task": (even, {"frames": "task"}),
        "no_psy": ({**even, "codec": str(recipes["psy"])}, even),
        "veryslow": (even, {**even, "codec": str(recipes["veryslow"])}),
        **{name: (even, {**even, "filter": name}) for name in FILTERS},
    }


def filtered(clip: Path, name: str) -> Path:
    """A lossless copy of a clip through one of the filters, written beside it once."""
    target = clip.with_name(f"{clip.stem}-{name}.mkv")
    if target.exists():
        return target
    source = bench.open_clip(clip)
    width, height = source.clip.width, source.clip.height
    graph = av.filter.Graph()
    nodes = [graph.add("buffer", video_size=f"{width}x{height}", pix_fmt="yuv420p", time_base="1/90000")]
    nodes += [graph.add(*FILTERS[name]), graph.add("buffersink", "")]
    graph.link_nodes(*nodes).configure()

    def smooth() -> Iterator[av.VideoFrame]:
        for segment in source.segments(1.0):
            for frame in segment.frames:
                graph.vpush(frame)
                yield graph.vpull()

    return bench.write_clip(target, smooth(), (width, height), "ffv1", {})


def run(settings: dict[str, Any], cache: Cache) -> Point:
    """One run: rate, pictures, closeness of the output, and against the labels where there are some."""
    made = bench.run(Settings(**settings), cache)
    summary, table = made.summary, made.predictions.sort_values(["face", "time_s"])
    seen, pristine = (table[[name + end for name in AFFECT]].to_numpy(float) for end in ("", "_pristine"))
    known = np.isfinite(seen).all(axis=1) & np.isfinite(pristine).all(axis=1)
    point: Point = {
        "wire_bps": summary["rate"]["wire_bps"],
        "psnr_db": summary["quality"]["psnr_db"] if summary["quality"] else None,
        "error": float(np.sqrt(np.mean(np.square(seen - pristine)[known]))),
        "agreement": [score(seen[known, k], pristine[known, k])["ccc"] for k in range(len(AFFECT))],
        "encode_cpu_s": summary["timing_s"]["encode_cpu"] / summary["timing_s"]["encodes"],
        "divisor": float(np.mean([row["frame_divisor"] for row in summary["plan"]])),
    }
    if summary["recognition"]["against"] == "labels":
        truth = table[[f"{name}_label" for name in AFFECT]].to_numpy(float)
        changing = looks_at_change(truth[:, 0], table["face"].to_numpy())
        for name, rows in (("ccc", known), ("changing", known & changing), ("calm", known & ~changing)):
            point[name] = [score(seen[rows, k], truth[rows, k])["ccc"] for k in range(len(AFFECT))]
    return point


def looks_at_change(labels: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Looks whose label differs from that of the look before or after it, of the same face."""
    step = (np.abs(np.diff(labels)) > 1e-6) & (np.diff(faces) == 0)
    return np.concatenate([[False], step]) | np.concatenate([step, [False]])


def measure(work: Path, *, reels: int, names: tuple[str, ...], rates: tuple[int, ...], clips: bool) -> dict[str, Point]:
    """All points, by ``source rate settings``; those that the folder has are taken from it."""
    recipes = write_recipes(work / "recipes")
    chosen = {name: sides for name, sides in levers(recipes).items() if name in names}
    ways = {word_for(side): side for sides in chosen.values() for side in sides}
    jobs: list[tuple[str, dict[str, Any]]] = []
    faces = bench.data("ferplus.zip", "no reels are made")
    if faces is not None and reels:
        folder = work / "reels"
        if not (folder / f"{reels - 1:02d}.mkv").exists():
            write_reels(
                f"ferplus:{faces}", "valid", folder, count=reels, seconds=10, seed=SEED, overwrite=True, quiet=True
            )
        for number in range(reels):
            for rate in rates:
                scale, divisor = RUNGS[rate]
                given = {"input": str(folder / f"{number:02d}.mkv"), "labels": folder / f"{number:02d}.csv"}
                rung = {"scales": (scale,), "divisors": (divisor,), "score_pictures": False}
                jobs.append(
                    (f"reel {number:02d}", {**given, **rung, "bitrate_bps": rate, "recognize_every": LOOK_EVERY})
                )
    for name, (file, budgets, scales) in CLIPS.items() if clips else ():
        path = bench.data(file, f"{name} is left out")
        for rate in budgets if path else ():
            every = LOOK_EVERY if name == "expressions" else 1
            given = {"input": str(path), "scales": scales, "bitrate_bps": rate, "recognize_every": every}
            jobs.append((name, given))
    cache, found = Cache(work / "cache", max_bytes=2 << 30), {}
    todo = [
        (source, given, way)
        for source, given in jobs
        for way in ways
        if source.startswith("reel") or "filter" not in ways[way]  # which needs labels, not its own pristine output
    ]
    for source, given, way in tqdm(todo, unit="run", disable=None):
        key = f"{source} {given['bitrate_bps']} {way}"
        note = work / "points" / f"{key.replace(' ', '-')}.json"
        if not note.exists():
            note.parent.mkdir(parents=True, exist_ok=True)
            settings = {**given, "gop": 1.0, **ways[way]}
            if smoothing := settings.pop("filter", None):
                settings["input"] = str(filtered(Path(settings["input"]), smoothing))
            note.write_text(json.dumps(run(settings, cache)))
        found[key] = json.loads(note.read_text())
    return found


def main() -> None:
    """Run everything, print the table, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="one reel, one budget, two levers", figure=True, redraw=True)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep trials and points there, and go on from them")
    parser.add_argument("--levers", metavar="A,B", help="these levers only")
    parser.add_argument("--rates", metavar="12k,18k", help="these budgets on reels only")
    parser.add_argument("--no-clips", action="store_true", help="reels only")
    parser.add_argument("--reels", type=int, default=REELS, metavar="N", help="how many reels (%(default)s)")
    arguments = parser.parse_args()
    everything = levers({name: Path(f"{name}.toml") for name in ("psy", "veryslow")})
    names = tuple((arguments.levers or "picture,no_psy" * arguments.quick or ",".join(everything)).split(","))
    if wrong := [name for name in names if name not in everything]:
        parser.error(f"--levers: no lever {wrong[0]!r}; there are {', '.join(everything)}")
    if arguments.redraw:
        points = json.loads(arguments.redraw.read_text())["points"]
    else:
        rates = (18_000,) if arguments.quick else tuple(RUNGS)
        if arguments.rates:
            rates = tuple(map(round, bench.read_rates(arguments.rates)))
        if unknown := [rate for rate in rates if rate not in RUNGS]:
            parser.error(f"--rates: {unknown[0]} has no rung here; there are {', '.join(map(str, RUNGS))}")
        clips = not (arguments.quick or arguments.no_clips)
        reels = QUICK_REELS if arguments.quick else arguments.reels
        with bench.folder_or_scratch(arguments.work) as work:
            points = measure(work, reels=reels, names=names, rates=rates, clips=clips)
    sides = {name: everything[name] for name in names}
    show(points, sides)
    if arguments.figure:
        draw(points, sides, arguments.figure)
    bench.report(compare(points, sides), arguments.json, points=points)


if __name__ == "__main__":
    run_command(main)
