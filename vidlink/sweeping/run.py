"""Run the points of a sweep, each once, whatever dies meanwhile."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import RAISED
from vidlink.sweeping.work import DONE, DiskFullError, Task, failed, run_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vidlink.sweeping.executors import Executors
    from vidlink.sweeping.folder import ResultsFolder

Record = dict[str, Any]

_ASK_AGAIN_S = 0.5
"""How often to ask whether another process is done with its points."""


class Runner:
    """Runs tasks and keeps their records.

    A task that another process on the same folder holds is left to it. Its record is waited for; if that process ends
    without one, the task is taken over. When a worker process dies, whatever was in flight is run again, one task at a
    time, and a task that then kills its process again becomes a record of that.

    Parameters
    ----------
    folder
        Where the records go.
    executors
        What runs the tasks.
    on_record
        Called with each record as it comes.
    """

    def __init__(self, folder: ResultsFolder, executors: Executors, on_record: Callable[[Record], None]) -> None:
        self._folder, self._executors, self._on_record = folder, executors, on_record
        self._pending: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._elsewhere: list[Task] = []
        self._flying: dict[Future[Record], Task] = {}
        self._one_by_one = False

    def __call__(self, tasks: Iterable[Task]) -> None:
        """Run them all.

        Raises
        ------
        UserError
            A disk is full, the cluster is gone, or processes cannot start; every record so far is kept.
        """
        self._pending.extend(tasks)
        while self._pending or self._suspects or self._flying or self._elsewhere:
            self._submit()
            if self._flying:
                patience_s = _ASK_AGAIN_S if self._elsewhere else None
                done, _ = wait(self._flying, timeout=patience_s, return_when=FIRST_COMPLETED)
                self._collect(done)
            elif self._elsewhere:
                time.sleep(_ASK_AGAIN_S)
            if not self._pending:
                self._pending.extend(self._elsewhere)
                self._elsewhere.clear()

    def _submit(self) -> None:
        """Hand over as many tasks as the executor should have."""
        if self._one_by_one and not self._flying:
            self._one_by_one = bool(self._suspects)
        limit = 1 if self._one_by_one else self._executors.slots()
        while len(self._flying) < limit:
            task = self._next()
            if task is None:
                return
            try:
                future = self._executors.executor.submit(run_task, task)
            except BrokenExecutor:  # it broke since it was last waited for
                self._suspects.append(task)
                self._restart()
                return
            self._flying[future] = task

    def _next(self) -> Task | None:
        """A task to run, its lock held."""
        if self._suspects:
            return self._suspects.popleft()
        locks = self._folder.locks
        while self._pending:
            task = self._pending.popleft()
            if not locks.take(task.identity):
                self._elsewhere.append(task)
                continue
            record = self._folder.record(task.identity)
            if record is None or not has_run(record, task):
                self._folder.clear_run(task.identity)
                return task
            locks.release(task.identity)
            self._on_record(record)
        return None

    def _collect(self, done: Iterable[Future[Record]]) -> None:
        broken = False
        for future in done:
            try:
                record = future.result()
            except BrokenExecutor:
                broken = True
                continue
            except DiskFullError as error:
                raise UserError(
                    f"a disk is full ({error}); what is done is kept: make room and give the same command again"
                ) from None
            except CancelledError as error:
                raise UserError("the cluster is gone; what is done is kept: give the same command again") from error
            except RAISED as error:  # whatever kept the task from running at all
                record = failed(self._flying[future].identity, f"{type(error).__name__}: {error}")
            self._settle(self._flying.pop(future), record)
        if broken:
            self._restart()

    def _settle(self, task: Task, record: Record) -> None:
        self._folder.write_record(record)
        self._folder.clear_run(task.identity)
        self._folder.locks.release(task.identity)
        self._on_record(record)

    def _restart(self) -> None:
        """Go on after a worker process died: nobody knows which task killed it, so each is tried alone."""
        died = list(self._flying.values())
        self._flying.clear()
        how = self._executors.renew()
        if self._one_by_one and len(died) == 1:
            self._settle(died[0], failed(died[0].identity, f"its worker process died, twice ({how})"))
        else:
            self._suspects.extend(died)
        self._one_by_one = True


def has_run(record: Record, task: Task) -> bool:
    """Whether a record is all that a task is to give: the run folder too, where it is to be kept."""
    return task.keep_at is None or record["status"] != DONE or (task.keep_at / "summary.json").is_file()
