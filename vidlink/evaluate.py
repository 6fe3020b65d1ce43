"""Score a recognizer on labelled faces, scale by scale: ``python -m vidlink.evaluate --data ferplus:PATH``.

``--task`` says what is scored; where it is missing, ``--data classes:PATH`` is scored as clips of activities, all else
as faces. Each task has options of its own (:mod:`vidlink.tasks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.tasks.task import check_json, pick_task, save_json

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: print the table and write the JSON file."""
    task, words = pick_task(arguments, "vidlink.evaluate", by_data=True)
    options = task.evaluation_parser().parse_args(words)
    task.check_evaluation(options)
    check_json(options)
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    table, result = task.evaluate(options)
    print(table)
    if options.json:
        save_json(options.json, result)


if __name__ == "__main__":
    run_command(main)
