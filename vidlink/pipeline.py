"""Work on many items in a few threads, results in order, few items in flight."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

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
