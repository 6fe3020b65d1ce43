"""What data hold and what is wrong with them: ``vidlink check my/``, ``vidlink check ferplus:ferplus.zip``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.data.examine import Examined

PICTURES = ("images", "camvid", "coco")
"""Kinds of labelled pictures."""
HEADINGS = ("size", "fps", "seconds", "frames", "rows", "people", "separator", "valence", "arousal", "face")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: a line a clip, then what is wrong; status 2 where something is."""
    parser = Parser(
        prog="python -m vidlink.check",
        description="List the clips of a folder (name.mp4 with name.csv beside it, and perhaps split.csv) with their "
        "frames, rows, ranges, separators and share of looks with a face, faces that two splits share, and what is "
        "wrong. Of labelled pictures it lists sizes and classes, and what is wrong; of faces in other data sets what "
        "splits share.",
        examples=("my/", "camvid:camvid/train", "ferplus:ferplus.zip", "ferplus:ferplus.zip --splits train,valid"),
    )
    parser.add_argument("data", metavar="FOLDER|KIND:PATH", help="a folder of clips, or data as for --data")
    parser.add_argument("--splits", default="train,valid", help="splits to compare of KIND:PATH (%(default)s)")
    options = parser.parse_args(arguments)
    kind, _, path = options.data.partition(":")
    if Path(options.data).is_dir() or kind == "videos" or not path:
        wrong = _check_folder(Path(path if kind == "videos" and path else options.data).expanduser())
    elif kind in PICTURES:
        wrong = _check_pictures(options.data)
    else:
        wrong = _check_faces(options.data, [name.strip() for name in options.splits.split(",")])
    for line in wrong:
        print(f"wrong: {line}")
    if wrong:
        raise UserError(f"{options.data}: {len(wrong)} thing{'s are' if len(wrong) > 1 else ' is'} wrong")
    print("nothing is wrong")


def _check_folder(folder: Path) -> list[str]:
    from tqdm import tqdm

    from vidlink.data.examine import examine, face_sets, shared_faces
    from vidlink.data.videos import SHARES, SPLIT_FILE, videos_in

    count = len(videos_in(folder))
    examined = list(tqdm(examine(folder), total=count, unit="clip", disable=None, leave=False))
    print(table(examined))
    missing = [split for split in SHARES if split not in {each.split for each in examined}]
    if missing and not (folder / SPLIT_FILE).is_file():
        print(f"note: no clip is in {' or '.join(missing)}, there are too few; {SPLIT_FILE} may say which is in which")
    return [*(line for each in examined for line in each.wrong), *shared_faces(face_sets(examined))]


def _check_pictures(spec: str) -> list[str]:
    from vidlink.data.examine_pictures import examine_pictures, forms_of

    wrong: list[str] = []
    for form in forms_of(spec):
        found = examine_pictures(spec, form)
        print("\n".join(found.lines()))
        wrong += [line for line in found.wrong if line not in wrong]
    return wrong


def _check_faces(spec: str, splits: list[str]) -> list[str]:
    from vidlink.data.examine import shared_faces
    from vidlink.data.faces import load_faces

    sets = [load_faces(spec, split) for split in splits]
    for faces in sets:
        print(f"{faces.split}  {len(faces)} faces, {faces.skipped} left out")
    return list(shared_faces(sets))


def table(examined: Sequence[Examined]) -> str:
    """A line a clip, in columns."""
    rows = [("clip", "split", *HEADINGS)]
    rows += [(each.name, each.split, *(each.row.get(name, "-") for name in HEADINGS)) for each in examined if each.row]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    run_command(main)
