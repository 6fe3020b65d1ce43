"""How a run is stopped by Ctrl-C or SIGTERM: between two segments, with what is done so far in hand."""

from __future__ import annotations

import signal
import threading
from functools import wraps
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from vidlink.command import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vidlink.report.run import Run

Item = TypeVar("Item")
Given = ParamSpec("Given")
_OF_THREAD = threading.local()


class Stopped(KeyboardInterrupt):
    """Somebody asked to stop. What was done until then is in ``run``."""

    def __init__(self, run: Run) -> None:
        super().__init__("what is done is in the run, and nothing was written")
        self.run = run
        """The run so far; whole where it was over already (``run.summary["complete"]``)."""


def stoppable(work: Callable[Given, Run]) -> Callable[Given, Run]:
    """Let a function that makes a run raise :class:`Stopped` where somebody asks to stop.

    Until its first segment is done, and after a second request, it is a plain KeyboardInterrupt.
    """

    @wraps(work)
    def run(*given: Given.args, **named: Given.kwargs) -> Run:
        before = getattr(_OF_THREAD, "stop", None)
        with Stop(holding=False) as stop:
            _OF_THREAD.stop = stop
            try:
                done = work(*given, **named)
            finally:
                _OF_THREAD.stop = before
            asked = stop.take()
        if asked:
            raise Stopped(done)
        return done

    return run


class UntilStopped(Generic[Item]):
    """Gives items until there are none, or somebody asks to stop; each is dealt with whole, or not at all.

    From its end on requests wait, so that what is done can be brought home. It is for functions that are
    :func:`stoppable`.

    Parameters
    ----------
    items
        Given one by one.
    is_last
        Whether none comes after an item: who asks then is too late, and the run is whole.
    """

    def __init__(self, items: Iterable[Item], is_last: Callable[[Item], bool] = lambda _: False) -> None:
        self._items, self._is_last = items, is_last
        self.complete = True
        """Whether all items were given."""

    def __iter__(self) -> Iterator[Item]:
        stop = getattr(_OF_THREAD, "stop", None) or Stop()
        iterator, done, over = iter(self._items), 0, False
        try:
            while True:
                if not over:
                    stop.holding = False
                    if stop.asked:  # where a library swallowed it
                        raise KeyboardInterrupt
                item = next(iterator)
                stop.holding = True
                over = self._is_last(item)
                yield item
                done += 1
        except StopIteration:
            pass
        except KeyboardInterrupt:
            if not done:
                raise
            self.complete = False
            stop.asked = stop.asked or signal.SIGINT
        finally:
            stop.holding = True
