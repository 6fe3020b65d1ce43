"""How far something that takes long has come: a bar on a terminal, and a line now and then where there is none."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

Item = TypeVar("Item")
EVERY_S = 30.0
"""Seconds between two lines."""


def in_notebook() -> bool:
    """Whether a notebook runs this, which shows bars though there is no terminal."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def bar_of() -> Any:
    """The class of bars: of notebooks where one is shown there, or of terminals."""
    if in_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm


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
        shows = sys.stderr.isatty() or in_notebook()
        self._bar: Any = bar_of()(
            total=total,
            initial=done,
            desc=f"{stage:>5}" if stage else None,
            unit=unit,
            disable=quiet or not shows,
            leave=not stage,
        )
        self._ticker = None if quiet or shows else _Ticker(self)

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


def counted(
    items: Iterable[Item], unit: str, *, total: int | None = None, stage: str = "", quiet: bool = False
) -> Iterator[Item]:
    """The items, while it is shown how many are done; parameters as of :class:`Progress`."""
    with Progress(total, unit, stage=stage, quiet=quiet) as progress:
        for item in items:
            yield item
            progress.update()


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
