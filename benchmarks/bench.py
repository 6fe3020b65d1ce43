"""What the benchmarks share: flags, clips, runs, tables, the JSON file, the look of figures.

The checkout that a benchmark belongs to is what it measures: importing this puts it in front of any other vidlink.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import resource
import shlex
import sys
import tempfile
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av

from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.recognizers.content import digest_file
from vidlink.report.memory import shared_memory
from vidlink.report.provenance import describe_versions, git_revision
from vidlink.report.summary import plain
from vidlink.simulate import simulate
from vidlink.sweeping.executors import Processes
from vidlink.sweeping.folder import read_record
from vidlink.sweeping.intervals import interval
from vidlink.sweeping.sweep import sweep
from vidlink.sweeping.work import DONE, REFUSED
from vidlink.units import parse_rate
from vidlink.video.open import open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd
    from av.video.stream import VideoStream
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from vidlink.files.cache import Cache
    from vidlink.report.run import Run
    from vidlink.settings import Settings
    from vidlink.sweeping.grid import Point
    from vidlink.video.source import Source

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
RATE = 25
"""Pictures a second of every clip that is written here."""
TRACE_FORMATS: dict[str, Literal["mahimahi", "json", "csv"]] = {
    ".json": "json",
    ".csv": "csv",
    ".up": "mahimahi",
    ".down": "mahimahi",
}
"""Format of a recorded trace by the end of its name."""


def flags(text: str | None, *, quick: str, figure: bool = False, redraw: bool = False) -> argparse.ArgumentParser:
    """A parser with the flags of every benchmark: ``--quick`` and ``--json``, and where asked for those of figures."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--quick", action="store_true", help=quick)
    add("--json", type=Path, metavar="FILE", help="write the figures to this file")
    if figure:
        add("--figure", type=Path, metavar="FILE", help="draw into this file (PNG, PDF, SVG)")
    if redraw:
        add("--redraw", type=Path, metavar="FILE", help="run nothing: take the results of an earlier --json")
    return parser


def read_rates(text: str) -> list[float]:
    """The bit rates of ``--rates 12k,18k`` in bits per second; raises UserError where one of them is none."""
    try:
        return [parse_rate(each) for each in text.split(",")]
    except UserError as error:
        raise UserError(f"--rates {text}: {error}") from None


def read_seeds(option: str, text: str) -> list[int]:
    """Whole numbers with commas between, each once; raises UserError."""
    seeds = text.split(",")
    if not all(seed.isascii() and seed.isdecimal() for seed in seeds) or len(set(map(int, seeds))) < len(seeds):
        raise UserError(f"{option} {text!r}: different whole numbers with commas between, like 0,1")
    return list(map(int, seeds))


@contextmanager
def folder_or_scratch(folder: Path | None) -> Iterator[Path]:
    """The folder, made where it is not there yet; without one a folder that is gone afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def data(name: str, instead: str = "") -> Path | None:
    """A file or folder of the data that VIDLINK_DATA names; None, and a word of what stands in, where it is not."""
    root = os.environ.get("VIDLINK_DATA")
    path = Path(root or "").absolute() / name
    if root and path.exists():
        return path
    if instead:
        print(f"VIDLINK_DATA names no folder with {name}: {instead}", file=sys.stderr)
    return None


def traces(folder: Path | None) -> list[Path]:
    """The recorded traces below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix in TRACE_FORMATS) if folder else []


def open_clip(path: Path | None) -> Source:
    """A clip; None for the built-in one."""
    return open_source(str(path)) if path else open_builtin()


def to_length(path: Path | None, target: Path, *, frames: int) -> Path:
    """A clip that has so many pictures, 25 a second; if need be a lossless copy, run forwards and backwards.

    A target that is there already is taken as it is, so that a sweep finds the same clip again.
    """
    if target.exists():
        return target
    source = open_clip(path)
    pictures = [frame for segment in source.segments(1.0) for frame in segment.frames]
    if path and len(pictures) == frames and source.clip.frame_rate == RATE:
        return path
    pictures = pictures[:frames]
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    repeated = (pictures[index] for index in itertools.islice(itertools.cycle(order), frames))
    return write_clip(target, repeated, (source.clip.width, source.clip.height), "ffv1", {})


def builtin_as_file(target: Path, *, seconds: float, size: tuple[int, int] | None = None) -> Path:
    """The built-in clip over and over for so many seconds, as a file that is cheap to read."""
    source = open_builtin()
    pictures = [frame for segment in source.segments(1.0) for frame in segment.frames]
    repeated = itertools.islice(itertools.cycle(pictures), round(seconds * RATE))
    options = {"preset": "ultrafast", "crf": "12"}
    return write_clip(target, repeated, size or (source.clip.width, source.clip.height), "libx264", options)


def write_clip(
    target: Path,
    pictures: Iterable[av.VideoFrame],
    size: tuple[int, int],
    encoder: str,
    options: dict[str, str],
    *,
    rate: int = RATE,
) -> Path:
    """Write a file that is there whole or not at all."""
    beside = target.with_name(f"partial-{target.name}")
    with av.open(str(beside), "w") as container:
        stream = cast("VideoStream", container.add_stream(encoder, rate=Fraction(rate), options=options))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, picture in enumerate(pictures):
            small = picture.reformat(width=size[0], height=size[1], format="yuv420p")
            frame = av.VideoFrame.from_ndarray(small.to_ndarray(), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return beside.replace(target)


def write_loss_channels(folder: Path, percents: Iterable[int]) -> list[Path]:
    """Channels with so many percent of independent loss and a delay of 50 ms; their names end in the percents."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {percent: folder / f"loss-{percent}.toml" for percent in percents}
    for percent, place in places.items():
        loss = f'{{ model = "bernoulli", probability = {percent / 100} }}'
        place.write_text(f'description = "Independent losses"\ndelay_s = 0.05\nloss = {loss}\n')
    return list(places.values())


def run(settings: Settings, cache: Cache | None = None) -> Run:
    """One run of the product in this process; a cache holds what runs share: trial encodes, what recognizers said."""
    return simulate(settings, quiet=True, memory=shared_memory(settings, cache) if cache is not None else None)


def sweep_table(
    points: Sequence[Point],
    folder: Path,
    workers: int | None = None,
    *,
    may_refuse: bool = False,
    cache_bytes: int = 0,
    keep_runs: bool = False,
    about: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """Run the points that have no result in the folder yet; the table of all, a row a point.

    A point that broke ends the benchmark; so does one that was refused (mostly: its budget is too low), unless that is
    a result, too.
    """

    def announce(done: int, left: int) -> None:
        print(f"{left} points to run, {done} done", file=sys.stderr)

    table = sweep(
        points,
        folder,
        Processes(workers),
        cache_bytes=cache_bytes,
        keep_runs=keep_runs,
        about=about,
        on_start=announce,
    )
    bad = table[~table["status"].isin([DONE, REFUSED] if may_refuse else [DONE])]
    if len(bad):
        raise RuntimeError(f"{len(bad)} of {len(table)} points have no result; the first: {bad['error'].iloc[0]}")
    return table


def summaries(table: pd.DataFrame, folder: Path) -> list[dict[str, Any] | None]:
    """For each row of a sweep's table the whole ``summary.json``; None where the point was refused."""
    records = [read_record(folder, identity) or {} for identity in table["point"]]
    return [record["summary"] | {"timing_s": record["timing_s"]} if "summary" in record else None for record in records]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is aligned to the left and the others to the right."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def report(
    figures: Mapping[str, float | None], path: Path | None, targets: Mapping[str, str] | None = None, **more: Any
) -> None:
    """Print the figures beside their targets, and write the JSON file if there is to be one.

    Parameters
    ----------
    figures
        Name to value; None where there is none.
    path
        Of the JSON file.
    targets
        Name to target in words.
    more
        What else the file says, under these names.
    """
    width = max(map(len, figures), default=0)
    for name, value in figures.items():
        shown = "-" if value is None else format(value, ",.0f" if abs(value) >= 1000 else ".4g")
        print(f"{name:<{width}} {shown:>12} {(targets or {}).get(name, '')}".rstrip())
    write_json(path, figures, **more)


def estimate(name: str, values: Sequence[float] | NDArray[np.float64]) -> dict[str, float | None]:
    """Mean and 95 % t interval of values as the figures NAME, NAME_low and NAME_high."""
    return {f"{name}{end}": value for end, value in zip(("", "_low", "_high"), interval(values), strict=True)}


def write_json(path: Path | None, figures: Mapping[str, float | None], **more: Any) -> None:
    """Write ``{"figures": {...}, "made": {...}, ...}``, each part of a part on its own line; nothing without a path.

    ``made`` says from what the figures come (:func:`made`). What is drawn again (``--redraw``) was made before.
    """
    if path is not None:
        words = sys.argv[1:]
        again = words[words.index("--redraw") + 1] if "--redraw" in words else None
        known = json.loads(Path(again).read_text(encoding="utf-8")).get("made") if again else made()
        content = plain({"figures": dict(figures), **({"made": known} if known else {}), **more})
        parts = [f"{json.dumps(name)}: {_in_lines(value)}" for name, value in content.items()]
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def made() -> dict[str, Any]:
    """From what this process makes its figures.

    ``command``, without the machine's folders; ``commit``, with ``-dirty`` where files other than documents differ from
    it; ``weights``, the digests of those that ship; ``cpu_s``, processor seconds of this process and its children, so
    far; ``versions``.
    """
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    weights = sorted((ROOT / "vidlink" / "weights").glob("*.safetensors"))
    return {
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *map(_without_folder, sys.argv[1:])]),
        "commit": git_revision(besides="docs"),
        "weights": {path.stem: digest_file(path)[:12] for path in weights},
        "cpu_s": round(sum(each.ru_utime + each.ru_stime for each in usage)),
        "versions": describe_versions(),
    }


def _without_folder(word: str) -> str:
    """A word of a command line, with paths below VIDLINK_DATA named so, and other absolute ones by their last part."""
    root = os.environ.get("VIDLINK_DATA")
    if root:
        word = word.replace(str(Path(root).absolute()), "$VIDLINK_DATA")
    return re.sub(r"(?<![\w$.])/[\w./-]*/", "", word)


def _in_lines(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(part)}" for name, part in value.items()) + "\n}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f" {json.dumps(part)}" for part in value) + "\n]"
    return json.dumps(value)


def save(figure: Figure, path: Path) -> None:
    """Write a figure without the time and the version of what drew it."""
    figure.savefig(path, metadata={".png": {"Software": None}, ".svg": {"Date": None}}.get(path.suffix))
