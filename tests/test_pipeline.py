from __future__ import annotations

import threading
import time

import pytest

from vidlink.pipeline import Background, Closed, thread_pool


def test_items_are_made_before_they_are_asked_for_but_not_too_many():
    made = []

    def items():
        for k in range(6):
            made.append((k, threading.current_thread()))
            yield k

    with Background() as background:
        early = background.made(items(), ahead=2)
        assert next(early) == 0
        until = time.monotonic() + 5
        while len(made) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        assert [k for k, _ in made] == [0, 1, 2]
        assert list(early) == [1, 2, 3, 4, 5]
    assert threading.current_thread() not in {thread for _, thread in made}


def test_not_early_each_is_made_when_it_is_asked_for():
    made = []
    with Background(early=False) as background:
        items = background.made(made.append(k) or k for k in range(3))
        assert next(items) == 0
    assert made == [0]


def test_what_making_raises_is_raised_in_its_place():
    def items():
        yield 1
        raise KeyError("here")

    with Background() as background:
        early = background.made(items())
        assert next(early) == 1
        with pytest.raises(KeyError, match="here"):
            next(early)


@pytest.mark.parametrize("how", ["block", "generator"])
def test_nothing_is_made_for_nobody(how):
    ended = threading.Event()

    def items():
        try:
            while True:
                yield 0
        finally:
            ended.set()

    def nested(background, pool):
        # Whoever makes items may wait for what others make.
        for item in background.made(items()):
            yield pool.submit(abs, item).result()

    with thread_pool(1) as plain, Background() as background:
        early = background.made(nested(background, background.pool(plain)))
        assert next(early) == 0
        if how == "generator":
            early.close()
    count = threading.active_count()
    assert ended.wait(5)
    assert count == threading.active_count()
    with pytest.raises(Closed):
        background.pool(plain).submit(abs, 1)
