"""The training loop: schedule, seeds, checks, clipping, checkpoints, log and progress, whatever is learned.

A run has one stage or several, one after another; each stage may train a :class:`~vidlink.training.learner.Learner`.
A killed run goes on from its checkpoint to the same result: stages that are done are not repeated, and the one that was
under way goes on after its last whole epoch.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.errors import UserError
from vidlink.files.whole import write_whole
from vidlink.progress import Progress
from vidlink.training.checkpoint import load_checkpoint, save_checkpoint
from vidlink.training.schedule import one_cycle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from vidlink.training.learner import Learner, Row


class Training:
    """One run.

    Parameters
    ----------
    settings
        Everything that decides what is learned; a checkpoint resumes only under the same.
    checkpoint
        Where the state is kept, and from where it is taken up if it is there; None for nowhere.
    log
        Where the log is written as CSV, a row an epoch; None for nowhere.
    device
        Where the learners compute: the dropout of that device is seeded.
    quiet
        No progress bar, and no word of what is taken up.

    Raises
    ------
    UserError
        Where the checkpoint is damaged or belongs to a run with other settings.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        checkpoint: Path | None = None,
        log: Path | None = None,
        device: torch.device | None = None,
        quiet: bool = False,
    ) -> None:
        self.checkpoint, self._log_file, self._quiet = checkpoint, log, quiet
        self._seeded = [device] if device is not None and device.type == "cuda" else []
        found = load_checkpoint(checkpoint, dict(settings)) if checkpoint else None
        self._state: dict[str, Any] = found or {"settings": dict(settings), "done": {}, "log": [], "learner": None}
        if found is not None and not quiet:
            print(f"going on after {found['reached']}, from {checkpoint}", file=sys.stderr)

    @property
    def log(self) -> list[Row]:
        """The rows so far."""
        return self._state["log"]  # type: ignore[no-any-return]

    def stage(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a stage gives; where the checkpoint has it, the work is not done again.

        Parameters
        ----------
        name
            The stage, different from all others.
        work
            Does it; gives tensors, numbers, texts and containers of them.
        """
        done = self._state["done"]
        if name not in done:
            with self._telling():
                done[name] = work()
                self._state["learner"] = None
                self._save(name)
        return done[name]  # type: ignore[no-any-return]

    def fit(self, learner: Learner, name: str = "") -> dict[str, Any]:
        """Train a learner to its last epoch, or to where its patience ends.

        Parameters
        ----------
        learner
            What learns; afterwards it is as its last epoch left it.
        name
            The stage, for progress bar and messages; empty where there is one only.

        Returns
        -------
        dict
            The best epoch: ``score``, ``epoch`` (from 1) and ``weights``; the last one where epochs have no score.

        Raises
        ------
        UserError
            Where the loss is no longer finite: it names the step and the last good checkpoint.
        """
        with self._telling():
            return self._fit(learner, name)

    def _fit(self, learner: Learner, name: str) -> dict[str, Any]:
        steps = [learner.steps(epoch) for epoch in range(learner.epochs)]
        epoch, best = self._take_up(learner, name)
        with Progress(sum(steps), "step", stage=name, done=sum(steps[:epoch]), quiet=self._quiet) as bar:
            while epoch < learner.epochs and not 0 < learner.patience <= epoch - best["epoch"]:
                loss = self._train_epoch(learner, name, epoch, steps, bar)
                epoch += 1
                scores = learner.validate()
                row = learner.row(epoch, sum(steps[:epoch]), loss, scores)
                self.log.append({"stage": name, **row} if name else row)
                score = learner.score(scores)
                if score is None or score > best["score"]:
                    weights = learner.weights()
                    if score is not None:
                        weights = {key: tensor.clone() for key, tensor in weights.items()}
                    best = {"score": score, "epoch": epoch, "weights": weights}
                self._put_down(learner, name, epoch, best, row)
                bar.note(learner.shown(row))
        return best

    def _train_epoch(self, learner: Learner, name: str, epoch: int, steps: list[int], bar: Progress) -> float:
        generator = torch.Generator().manual_seed(learner.seed(epoch))
        before, total = sum(steps[:epoch]), sum(steps)
        learner.begin()
        losses: list[float] = []
        with torch.random.fork_rng(devices=self._seeded):
            torch.manual_seed(learner.seed(epoch))
            for step, batch in enumerate(learner.batches(epoch, generator), start=before):
                loss = learner.loss(batch)
                losses.append(float(loss.detach()))
                if not math.isfinite(losses[-1]):
                    raise UserError(self._not_finite(losses[-1], step + 1, name))
                learner.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if learner.clip is not None:
                    torch.nn.utils.clip_grad_norm_(learner.network.parameters(), learner.clip)
                rate = one_cycle(step / total, learner.learning_rate)
                for group in learner.optimizer.param_groups:
                    group["lr"] = rate * group.get("share", 1.0)
                learner.optimizer.step()
                learner.after_step(step)
                bar.update()
        return float(np.mean(losses)) if losses else math.nan

    def _not_finite(self, loss: float, step: int, name: str) -> str:
        kept = self.checkpoint if self.checkpoint is not None and self.checkpoint.exists() else "none yet"
        where = f"step {step} of {name}" if name else f"step {step}"
        return f"the loss is {loss} at {where}; last good checkpoint: {kept}; a lower --learning-rate may help"

    def _take_up(self, learner: Learner, name: str) -> tuple[int, dict[str, Any]]:
        """Epochs that are done of a stage, and its best one: from the checkpoint, if it stopped in this stage."""
        state = self._state["learner"]
        if state is None or state["stage"] != name:
            return 0, {"score": -math.inf, "epoch": 0, "weights": learner.weights()}
        learner.network.load_state_dict(state["network"])
        learner.optimizer.load_state_dict(state["optimizer"])
        learner.load(state["own"])
        return state["epoch"], state["best"] or {"score": None, "epoch": state["epoch"], "weights": learner.weights()}

    def _put_down(self, learner: Learner, name: str, epoch: int, best: dict[str, Any], row: Row) -> None:
        self._state["learner"] = {
            "stage": name,
            "epoch": epoch,
            "network": learner.network.state_dict(),
            "optimizer": learner.optimizer.state_dict(),
            "own": learner.state(),
            "best": None if best["score"] is None else best,  # the last epoch's weights are there already
        }
        self._save(f"{learner.unit} {row[learner.unit]}" + (f" of {name}" if name else ""))

    def _save(self, reached: str) -> None:
        self._state["reached"] = reached
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self._state)
        self._write_log()

    def _write_log(self) -> None:
        if self._log_file is not None and self.log:
            save_log(self._log_file, self.log)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """An interrupt in here says that the checkpoint, where there is one, holds what was done so far."""
        try:
            yield
        except KeyboardInterrupt:
            if self.checkpoint is None or not self.checkpoint.exists():
                raise
            told = f"{self.checkpoint} holds what was done; the same command goes on from there"
            raise KeyboardInterrupt(told) from None

    def finish(self) -> None:
        """Remove the checkpoint: all that it held is written elsewhere."""
        self._write_log()  # killed before it, the run may have had no step left to write it after
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)


def save_log(path: Path, log: list[Row]) -> None:
    """Save one row an epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, fieldnames=list(dict.fromkeys(key for row in log for key in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(log)
    write_whole(path, lambda partial: partial.write_text(text.getvalue(), encoding="utf-8"))
