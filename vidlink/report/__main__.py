"""A run or a sweep as one page: ``python -m vidlink.report FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """The command ``python -m vidlink.report``."""
    parser = Parser(
        prog="python -m vidlink.report",
        description="Write report.html, a page that needs no network and no other file, into the folder of a run or of "
        "a sweep.",
        examples=("runs/my-64k-lte-drive --open", "results/"),
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="run folder, or results folder of a sweep")
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    arguments = parser.parse_args(argv)
    path = make_report(arguments.folder)
    print(path)
    if arguments.open:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            raise UserError(f"--open: no browser was found; open {path} in one")


def make_report(folder: Path) -> Path:
    """Write the page of a run folder or of a results folder, and say where it is.

    Raises
    ------
    UserError
        It is neither, nothing of it can be read, or it cannot be written.
    """
    from vidlink.files.whole import write_whole
    from vidlink.report.page.found import PAGE
    from vidlink.report.page.run_page import page_of_folder
    from vidlink.sweeping.page import is_sweep, page_of_sweep

    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {what}; give the folder of a run or of a sweep")
    page = page_of_sweep(folder) if is_sweep(folder) else page_of_folder(folder)
    write_whole(folder / PAGE, lambda path: path.write_text(page, encoding="utf-8", newline="\n"))
    return folder / PAGE


if __name__ == "__main__":
    run_command(main)
