"""Where points run: in processes of this machine, in this one, or on a Dask cluster; each by an ``Executor``."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from vidlink.errors import UserError
from vidlink.pipeline import available_cores

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from multiprocessing.process import BaseProcess
    from types import TracebackType

UNGUARDED = 89
"""Exit status of a worker whose script starts a sweep when it is imported."""
_PATIENCE_S = 5.0


class Executors(Protocol):
    """Gives an executor, and another one when that broke. Used as a context manager."""

    def __enter__(self) -> Self:
        """Get ready."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; after an error at once, without waiting for what runs."""
        ...

    @property
    def executor(self) -> Executor:
        """What takes points at the moment."""
        ...

    def slots(self) -> int:
        """How many points to hand over at a time."""
        ...

    def renew(self) -> str:
        """Replace an executor that is broken.

        Returns
        -------
        str
            How it ended, for messages.

        Raises
        ------
        UserError
            A new one would end in the same way.
        """
        ...


class Processes:
    """Worker processes of this machine, each computing in one thread.

    Parameters
    ----------
    workers
        How many; None for one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or available_cores()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Processes start with the first point."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes, after an error at once."""
        self._end(at_once=error is not None)

    @property
    def executor(self) -> ProcessPoolExecutor:
        """The pool of processes."""
        if self._pool is None:
            # Spawned, not forked: torch, OpenCV and FFmpeg have threads that a fork would cut off in the middle.
            import multiprocessing

            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=_live_with_parent)
        return self._pool

    def slots(self) -> int:
        """One point a process, and one that waits."""
        return self._workers + 1

    def renew(self) -> str:
        """Start afresh, after a process died."""
        processes = self._processes()
        self._end(at_once=True)
        statuses = [_status(process) for process in processes]
        if UNGUARDED in statuses:
            raise UserError(
                'worker processes import the script that starts them: put its calls under `if __name__ == "__main__":`'
            )
        # Those that died first took the others with them: these were asked to end.
        ended = [status for status in statuses if status is not None and status != -signal.SIGTERM]
        return _how(ended[0]) if ended else "killed"

    def _processes(self) -> list[BaseProcess]:
        return list((self._pool._processes or {}).values()) if self._pool else []

    def _end(self, *, at_once: bool) -> None:
        if self._pool is None:
            return
        processes = self._processes()
        self._pool.shutdown(wait=not at_once, cancel_futures=at_once)
        if at_once:
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(_PATIENCE_S)  # so that what it was about to write can be cleared away
        self._pool = None


def _status(process: BaseProcess) -> int | None:
    """The exit status of a process that has ended.

    The pool's own thread may be the one that hears of the end; until it has written down the status there is none.
    """
    process.join(_PATIENCE_S)
    until = time.monotonic() + _PATIENCE_S
    while process.exitcode is None and time.monotonic() < until:
        time.sleep(0.01)
    return process.exitcode


def _how(status: int) -> str:
    """How a process ended, by its exit status."""
    if status == -signal.SIGKILL:
        return "killed: out of memory?"
    return f"by signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def refuse_unguarded() -> None:
    """End a worker process that is about to start a sweep of its own, because the script that it imports does.

    A worker imports the script that started it. Where nothing guards the call there, every worker would sweep, too,
    and wait for the points that its parent gave to it. The parent says what is missing.

    Raises
    ------
    UserError
        This program is in no file that a worker could import, as one that was read from standard input.
    """
    import multiprocessing

    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(UNGUARDED)
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    if script and getattr(main, "__spec__", None) is None and not Path(script).exists():
        raise UserError(f"worker processes import the script that starts them, and {script} is no file: save it as one")


def _live_with_parent() -> None:
    """End this worker process when the one that started it does, even by ``kill -9``, and quietly on Ctrl-C."""
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


class Here:
    """One point after another, in the process that asks: for recognizers that no other process can import."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the point that runs; drop those that wait."""
        self._executor.shutdown(cancel_futures=error is not None)

    @property
    def executor(self) -> ThreadPoolExecutor:
        """A thread."""
        return self._executor

    def slots(self) -> int:
        """The point that runs."""
        return 1

    def renew(self) -> str:
        """Nothing to do: a thread does not die alone."""
        return "in this process"


class Dask:
    """The workers of a Dask cluster that runs already.

    vidlink must be installed there, and the inputs be there under the same paths.

    Parameters
    ----------
    address
        Of the scheduler, like ``tcp://10.0.0.1:8786``.
    timeout_s
        How long to try to reach it.

    Raises
    ------
    UserError
        The package ``distributed`` is missing, or nobody answers at the address.
    """

    def __init__(self, address: str, *, timeout_s: float = 10.0) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UserError("--dask needs the package 'distributed': pip install 'vidlink[cluster]'") from None
        self._address = address
        try:
            self._client: Any = Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise UserError(f"--dask {address}: no Dask scheduler answers there ({type(error).__name__})") from error
        self._executor: Executor = self._client.get_executor(pure=False)

    def __enter__(self) -> Self:
        """Nothing to do: the cluster runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cluster; it runs on."""
        self._executor.shutdown(wait=error is None)
        self._client.close()

    @property
    def executor(self) -> Executor:
        """The cluster."""
        return self._executor

    def slots(self) -> int:
        """Two points a worker thread, as many as there are now: workers may come and go."""
        try:
            return max(2, 2 * sum(self._client.nthreads().values()))
        except (OSError, TimeoutError) as error:
            raise UserError(f"--dask {self._address}: the scheduler is gone; what is done is kept") from error

    def renew(self) -> str:
        """Nothing to do: Dask replaces workers itself."""
        return "on the cluster"


def choose_executors(*, workers: int | None, dask: str | None) -> Executors:
    """What runs the points of a sweep: processes here, or a Dask cluster at an address.

    Raises
    ------
    UserError
        Both are given, there would be no process, or no cluster is there.
    """
    if workers is not None and workers < 1:
        raise UserError(f"--workers {workers}: at least 1")
    if workers and dask:
        raise UserError("--workers starts processes here and --dask uses a cluster's: give one of them")
    return Dask(dask) if dask else Processes(workers)
