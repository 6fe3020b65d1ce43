"""Train a recognizer: ``python -m vidlink.train --regime joint-oa --data ferplus:PATH --out my.safetensors``.

``--task`` says what is learned; each task has options of its own (:mod:`vidlink.tasks`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vidlink.command import run_command
from vidlink.tasks.task import Task, pick_task

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def train(task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """Train, or go on with the run whose checkpoint lies beside ``options.out``; returns the card.

    Raises
    ------
    UserError
        Where options or data are wrong.
    """
    # Threads that spin while they wait take the core from those they wait for wherever the machine is shared: with one
    # other busy process on two cores, training was three times as slow. Read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    task.check(options)
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    return task.train(options)


def run(arguments: Sequence[str]) -> dict[str, Any]:
    """Train as a command line says; returns the card."""
    task, words = pick_task(arguments, "vidlink.train")
    return train(task, task.training_parser().parse_args(words))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and print the scores."""
    task, words = pick_task(arguments, "vidlink.train")
    report = task.report(train(task, task.training_parser().parse_args(words)))
    if report:
        print(report)


if __name__ == "__main__":
    run_command(main)
