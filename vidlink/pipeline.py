"""Work on many items in a few threads, results in order, few items in flight."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], *, ahead: int
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, function(item)) in the order of the items, while up to ``ahead`` of the next are worked on.

    Only so many items are taken from the iterable before their turn, so memory stays flat however many there are.

    Examples
    --------
    >>> with thread_pool(2) as pool:
    ...     [result for _, result in in_order(pool, abs, [-3, 1, -2], ahead=2)]
    [3, 1, 2]
    """
    flying: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            flying.append((item, pool.submit(function, item)))
            if len(flying) > ahead:
                first, future = flying.popleft()
                yield first, future.result()
        while flying:
            first, future = flying.popleft()
            yield first, future.result()
    finally:
        for _, future in flying:
            future.cancel()


class Closed(Exception):
    """What was being made is no longer wanted."""


class Background:
    """Makes items in threads of their own while those before them are used; a context manager.

    Where its block is left early, what is being made ends soon, with :class:`Closed`.

    Parameters
    ----------
    early
        Whether it does so, or makes each item when it is asked for.

    Examples
    --------
    >>> with Background() as background:
    ...     list(background.made(iter([1, 2, 3])))
    [1, 2, 3]
    """

    def __init__(self, *, early: bool = True) -> None:
        self._early = early
        self._closed = threading.Event()
        self._making: list[_Maker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        for maker in self._making:
            maker.end()
        for maker in self._making:
            maker.join()

    def made(self, items: Iterable[Item], *, ahead: int = 1) -> Iterator[Item]:
        """The items, up to ``ahead`` of which are made before they are asked for; what making them raises is raised."""
        if not self._early:
            yield from items
            return
        maker = _Maker(items, ahead)
        self._making.append(maker)
        maker.start()
        try:
            yield from maker.made()
        finally:
            maker.end()

    def pool(self, pool: Executor) -> Executor:
        """A pool that takes nothing more once the block was left."""
        return _Pool(pool, self._closed)


class _Maker(threading.Thread):
    """Makes items until there is no more room, or nobody wants them."""

    def __init__(self, items: Iterable[Any], ahead: int) -> None:
        super().__init__(daemon=True)
        self._items, self._room = iter(items), threading.Semaphore(ahead)
        self._done: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._ended = threading.Event()

    def end(self) -> None:
        """Nobody wants more."""
        self._ended.set()
        self._room.release()

    def made(self) -> Iterator[Any]:
        """What it makes."""
        while True:
            item, error = self._done.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            self._room.release()
            yield item
            del item  # before the next is waited for

    def run(self) -> None:
        """Make them."""
        try:
            while True:
                self._room.acquire()
                if self._ended.is_set():
                    raise Closed
                self._done.put((next(self._items), None))
        except BaseException as error:
            self._done.put((None, error))
        with suppress(BaseException):  # what they are made of may come from another thread, which ends with them
            self._items.close()  # type: ignore[attr-defined]


class _Pool(Executor):
    def __init__(self, pool: Executor, closed: threading.Event) -> None:
        self._pool, self._closed = pool, closed

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        if self._closed.is_set():
            raise Closed
        return self._pool.submit(function, *given, **named)


@contextmanager
def thread_pool(workers: int | None) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads, one a core by default; what has not started when the block is left is dropped."""
    pool = ThreadPoolExecutor(workers or available_cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
