"""How far something that takes long has come: a bar on a terminal, and a line now and then where there is none."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Self

from tqdm import tqdm

if TYPE_CHECKING:
    from types import TracebackType

EVERY_S = 30.0
"""Seconds between two lines."""


class Progress:
    """Counts what is done; a context manager.

    Parameters
    ----------
    total
        How many there are; None where nobody knows.
    unit
        What is counted, in the singular.
    stage
        What is done with it; empty for nothing to say.
    done
        How many were done before.
    quiet
        Whether to show nothing.
    """

    def __init__(self, total: int | None, unit: str, *, stage: str = "", done: int = 0, quiet: bool = False) -> None:
        self._total, self._unit, self._stage, self._done = total, unit, stage, done
        self._note = ""
        terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=f"{stage:>5}" if stage else None,
            unit=unit,
            disable=quiet or not terminal,
            leave=not stage,
        )
        self._ticker = None if quiet or terminal else _Ticker(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticker:
            self._ticker.end()
        self._bar.close()

    def update(self) -> None:
        """One more is done."""
        self._done += 1
        self._bar.update()

    def note(self, text: str) -> None:
        """Say something beside the count."""
        self._note = text
        self._bar.set_postfix_str(text, refresh=False)

    def line(self, seconds: float) -> str:
        """Where it is after so many seconds."""
        of = f" of {self._total}" if self._total else ""
        stage = f"{self._stage}: " if self._stage else ""
        units = self._unit if (self._total or self._done) == 1 else f"{self._unit}s"
        return f"{stage}{self._done}{of} {units}, {seconds:.0f} s{', ' if self._note else ''}{self._note}"


class _Ticker:
    """Writes a line to stderr every half a minute, also while one item takes that long."""

    def __init__(self, progress: Progress) -> None:
        self._over = threading.Event()
        # It must not keep alive what it speaks of: where nobody ends that, it ends with it.
        threading.Thread(target=_tick, args=(weakref.ref(progress), self._over), daemon=True).start()

    def end(self) -> None:
        self._over.set()


def _tick(progress: weakref.ref[Progress], over: threading.Event) -> None:
    start = time.monotonic()
    while not over.wait(EVERY_S):
        found = progress()
        if found is None:
            return
        print(f"vidlink: {found.line(time.monotonic() - start)}", file=sys.stderr, flush=True)
        del found
