"""Labelled clips from still faces: ``python -m vidlink.reels --data ferplus:PATH --split valid --out reels/``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.parser import Parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(
        prog="python -m vidlink.reels",
        description="Make labelled clips from still faces: galleries of twelve, as in a video conference, that sway "
        "and fade from face to face.",
        examples=("--data ferplus:ferplus.zip --out reels/", "--data generated:500 --count 3 --out reels/"),
        epilog="python -m vidlink.simulate reels/00.mkv --labels reels/00.csv --bitrate 24k sends the first one.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip")
    add("--split", default="valid", help="whose faces (%(default)s); no others are used")
    add("--count", type=int, default=6, metavar="N", help="how many reels (%(default)s)")
    add("--seconds", type=float, default=10.0, metavar="S", help="length of each (%(default)s)")
    add("--seed", type=int, default=0, help="decides everything (%(default)s)")
    add("--pace", default="1", metavar="0.5,1,2", help="how long each face is on show, as a multiple of the usual 1.2 "
        "to 2.8 s: one value, or several, one reel after another (%(default)s)")  # fmt: skip
    add("--out", required=True, type=Path, metavar="FOLDER", help="where 00.mkv, 00.csv, 01.mkv, ... go")
    add("--overwrite", action="store_true", help="replace reels that are there already")
    add("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(arguments)


def parse_paces(text: str) -> tuple[float, ...]:
    """``0.5,1,2`` as numbers.

    Raises
    ------
    UserError
        One is no number from 0.4 to 100: faster, a fade would not end before the next begins.

    Examples
    --------
    >>> parse_paces("0.5,1")
    (0.5, 1.0)
    """
    try:
        paces = tuple(float(part) for part in text.split(","))
    except ValueError:
        paces = ()
    if not paces or not all(0.4 <= pace <= 100 for pace in paces):
        raise UserError(f"--pace {text}: numbers from 0.4 to 100 with commas between them, like 0.5,1,2")
    return paces


def write_reels(
    data: str,
    split: str,
    folder: Path,
    *,
    count: int,
    seconds: float,
    seed: int,
    paces: Sequence[float] = (1.0,),
    overwrite: bool = False,
    quiet: bool,
) -> list[Path]:
    """Write reels and their labels into a folder.

    Parameters
    ----------
    data, split
        Whose faces, as :func:`~vidlink.data.faces.load_faces` takes them.
    folder
        Where ``00.mkv``, ``00.csv``, ... go; made where it is not there.
    count, seconds, seed, paces
        As on the command line.
    overwrite
        Whether to replace reels that are there.
    quiet
        Whether to show no progress.

    Returns
    -------
    list of Path
        The clips; the labels lie beside them with the suffix ``.csv``.

    Raises
    ------
    UserError
        The faces cannot be had, a number is out of range, or the folder cannot be written.
    """
    from vidlink.data.faces import load_faces
    from vidlink.data.reels import HOLD_S, make_reel, write_reel
    from vidlink.files.outputs import check_apart, existing_files
    from vidlink.files.whole import write_whole
    from vidlink.progress import counted

    if count < 1:
        raise UserError(f"--count {count}: at least 1")
    if not 0 < seconds <= 3600:
        raise UserError(f"--seconds {seconds:g}: must be more than 0 and at most 3600")
    if seed < 0:
        raise UserError(f"--seed {seed}: at least 0")
    clips = [folder / f"{index:02d}.mkv" for index in range(count)]
    written = [path for clip in clips for path in (clip, clip.with_suffix(".csv"))]
    for path in written:
        check_apart("--out", path, {"--data": existing_files(data)})
    there = [path for path in written if path.exists()]
    if there and not overwrite:
        raise UserError(f"--out {folder}: has {there[0].name} already; give another folder, or --overwrite")
    faces = load_faces(data, split)
    shortest_s = HOLD_S[0] * min(paces)
    whole = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, clip in enumerate(counted(clips, "reel", total=count, quiet=quiet)):
            pace = paces[index % len(paces)]
            hold_s = HOLD_S[0] * pace, HOLD_S[1] * pace
            reel = make_reel(faces, seconds=seconds, seed=seed, index=index, hold_s=hold_s, apart_s=shortest_s)
            save_labels = partial(reel.labels().to_csv, index=False, lineterminator="\n")
            write_whole(clip.with_suffix(".csv"), save_labels)
            write_whole(clip, partial(write_reel, reel))
            whole += 1
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"whole reels in {folder}: {whole} of {count}") from None
    except OSError as error:
        raise UserError(f"--out {folder}: cannot be written: {error.strerror or error}") from error
    return clips


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    options = parse(arguments)
    clips = write_reels(
        options.data,
        options.split,
        options.out,
        count=options.count,
        seconds=options.seconds,
        seed=options.seed,
        paces=parse_paces(options.pace),
        overwrite=options.overwrite,
        quiet=options.quiet,
    )
    print(f"{len(clips)} reels of {options.seconds:g} s in {options.out}: {clips[0].name} to {clips[-1].name}")


if __name__ == "__main__":
    run_command(main)
