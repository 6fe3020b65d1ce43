"""What a task is: one object with its options, its data, its learner and its scores; and how a command finds it.

A new task is a file in this folder and a line in :data:`TASKS`; one of a user's own is ``package.module:Class``.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.files.outputs import check_apart, check_output, existing_files
from vidlink.parser import Parser
from vidlink.plugins import Catalogue

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

TASKS = Catalogue(
    what="task",
    shipped={
        "recognition": "vidlink.tasks.affect:AffectTask",
        "sr": "vidlink.tasks.superresolution:SuperResolutionTask",
        "activity": "vidlink.tasks.activity:ActivityTask",
        "temporal": "vidlink.tasks.temporal:TemporalTask",
        "classification": "vidlink.tasks.classification:ClassificationTask",
        "segmentation": "vidlink.tasks.segmentation:SegmentationTask",
        "detection": "vidlink.tasks.detection:DetectionTask",
        "codec": "vidlink.tasks.codec:CodecTask",
    },
)
"""The tasks by name; the first one is that of a command line that names none."""
OF_DATA = {"classes": "activity", "images": "classification", "camvid": "segmentation", "coco": "detection"}
"""The tasks that are scored on some kinds of data where the command line names none."""


class Task(ABC):
    """What can be trained and evaluated."""

    @abstractmethod
    def training_parser(self) -> Parser:
        """Options of ``vidlink.train`` for this task: at least ``--out``, ``--threads`` and ``--overwrite``."""

    @abstractmethod
    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training, before anything is loaded; raises UserError."""

    @abstractmethod
    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on with the run whose checkpoint lies beside ``options.out``; returns the card.

        The files beside the weights share their name: ``.csv`` the log, ``.json`` the card, ``.png`` a picture
        and, until the run is whole, ``.checkpoint``.

        Raises
        ------
        UserError
            Where options or data are wrong.
        """

    @abstractmethod
    def report(self, card: dict[str, Any]) -> str:
        """The scores of a card for the terminal; empty for none."""

    @abstractmethod
    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate`` for this task: at least ``--json`` and ``--threads``."""

    @abstractmethod
    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation, before anything is loaded; raises UserError."""

    @abstractmethod
    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score as the options say; returns a table for the terminal and what goes into the JSON file.

        Raises
        ------
        UserError
            Where options or data are wrong.
        """


def pick_task(arguments: Sequence[str] | None, prog: str, *, by_data: bool = False) -> tuple[Task, list[str]]:
    """The task of a command line, and the words that are for the task's own parser.

    Parameters
    ----------
    arguments
        The command line; None for this process's own.
    prog
        The command, for messages.
    by_data
        Whether the kind of ``--data`` decides where there is no ``--task``.
    """
    parser = Parser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--task")
    parser.add_argument("--data", nargs="?", const="")
    chosen, words = parser.parse_known_args(arguments)
    if chosen.data is not None:
        words += ["--data", chosen.data] if chosen.data else ["--data"]
    names = list(TASKS.known())
    if chosen.task is None:
        kind = (chosen.data or "").partition(":")[0] if ":" in (chosen.data or "") else ""
        chosen.task = OF_DATA.get(kind, names[0]) if by_data else names[0]
    if ":" not in chosen.task and chosen.task not in names:
        parser.error(f"argument --task: invalid choice: {chosen.task!r} (choose from {', '.join(map(repr, names))})")
    return TASKS.make(chosen.task, {}), words


def add_machine(parser: Parser) -> None:
    """Add the options that say where to compute."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")


def add_run(parser: Parser) -> None:
    """Add the options of every training run."""
    add_machine(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the weights at --out")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def add_out(parser: Parser) -> None:
    """Add ``--out``."""
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.safetensors", help="weights to write")


def check_out(options: argparse.Namespace, *others: Path) -> None:
    """Refuse an ``--out`` that is no name of weights, and to write over what is read, or there already.

    That goes for the files beside the weights, and for ``others``, too. Where the checkpoint of a run is there, what is
    there beside it is of that run, which is gone on with.
    """
    if options.out.suffix != ".safetensors":
        raise UserError(f"--out {options.out}: the name of a .safetensors file")
    inputs, checkpoint = inputs_of(options), options.out.with_suffix(".checkpoint")
    beside = [options.out.with_suffix(suffix) for suffix in (".json", ".csv", ".png")]
    for path in (options.out, checkpoint, *beside, *others):
        check_apart("--out", path, inputs)
    for path in [] if checkpoint.exists() else filter(Path.exists, beside):
        for name, files in inputs.items():
            for folder in files:
                if folder.is_dir() and path.resolve().is_relative_to(folder.resolve()):
                    raise UserError(
                        f"--out {options.out}: {path} lies in what {name} reads ({folder}); give another place"
                    )
    for path in (options.out, *beside[:2], *others):
        if path.exists() and not options.overwrite and not checkpoint.exists():
            raise UserError(f"--out {path}: exists; --overwrite replaces it")


def inputs_of(options: argparse.Namespace) -> dict[str, list[Path]]:
    """The files and folders that options name, but for those that are written; a bare word names something else."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in vars(options).items()}
    given = {
        name: [value for value in values if isinstance(value, Path) or re.search("[:/.]", str(value))]
        for name, values in listed.items()
    }
    found = {f"--{name.replace('_', '-')}": existing_files(*values) for name, values in given.items()}
    return {name: files for name, files in found.items() if files and name not in ("--out", "--json", "--confusion")}


def without_folder(spec: str) -> str:
    """Data as ``KIND:NAME``: the same folder elsewhere is the same data."""
    from vidlink.data.sets import split_spec

    kind, path = split_spec(spec)
    return f"{kind}:{Path(path).name}"


def check_json(options: argparse.Namespace) -> None:
    """Refuse to write the scores over what is read, or over what is no earlier scores."""
    if options.json is None:
        return
    check_output("--json", options.json, inputs_of(options))
    if options.json.is_file():
        try:
            json.loads(options.json.read_bytes() or b"{}")
        except ValueError:
            raise UserError(
                f"--json {options.json}: is there already, and holds no scores; give another name"
            ) from None


def check_least(options: argparse.Namespace, **least: int) -> None:
    """Refuse numbers below their least value, option by option."""
    for name, low in least.items():
        if getattr(options, name) < low:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: at least {low}")


def check_folder(path: Path | None, option: str) -> None:
    """Refuse a file that would lie in no folder."""
    if path and not path.absolute().parent.is_dir():
        raise UserError(f"{option}{path}: no such folder")


def versions() -> dict[str, str]:
    """What a card says of the programs that made it."""
    from importlib.metadata import version

    import vidlink

    return {"vidlink": vidlink.__version__, **{name: version(name) for name in ("torch", "numpy")}}


def save_json(path: Path, result: dict[str, Any]) -> None:
    """Write what an evaluation found."""
    from vidlink.files.whole import write_whole

    text = json.dumps(result, indent=2) + "\n"
    if path.exists() and not path.is_file():  # a device, or a pipe
        path.write_text(text, encoding="utf-8")
    else:
        write_whole(path.resolve(), lambda partial: partial.write_text(text, encoding="utf-8"))
