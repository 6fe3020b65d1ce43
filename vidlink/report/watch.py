"""A run while it goes on: its progress, and the seconds that each stage takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from vidlink.progress import Progress
from vidlink.video.scenes import Scenes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidlink.types import Segment
    from vidlink.video.source import Cut, Source


Item = TypeVar("Item")


class Watch:
    """Progress on stderr and seconds spent in each stage."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._start = time.perf_counter()
        self._spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time in this block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._spent[stage] = self._spent.get(stage, 0.0) + time.perf_counter() - start

    def segments(self, source: Source, seconds: float | Cut | Scenes, stage: str) -> Iterator[Segment]:
        """The segments of a source, with the progress shown."""
        stated = source.clip.seconds
        length_s = seconds.seconds if isinstance(seconds, Scenes) else seconds
        total = max(1, round(stated / length_s)) if stated and not callable(length_s) else None
        with Progress(total, "segment", stage=stage, quiet=self._quiet) as bar:
            for segment in source.segments(seconds):
                yield segment
                bar.update()

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, with the time it takes to wait for them counted to a stage."""
        iterator = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def timing_s(self) -> dict[str, float]:
        """Seconds by stage, and ``total``."""
        spent = {stage: round(seconds, 3) for stage, seconds in self._spent.items()}
        return spent | {"total": round(time.perf_counter() - self._start, 3)}
