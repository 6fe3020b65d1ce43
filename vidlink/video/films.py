"""The films that a run writes while it runs: what was seen, and what was sent beside what was seen."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from vidlink.video.comparison import LONGEST_SIDE, Comparison
from vidlink.video.film import Film
from vidlink.video.park import is_large

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    import av

    from vidlink.settings import Settings
    from vidlink.types import Clip, Segment

SIDE_BY_SIDE, REPORT = "side-by-side.mp4", "report.mp4"
"""Files beside ``received.mp4``: at full size where it is asked for, and small, for the page."""


class Films:
    """Shows each segment in every film, in a thread of its own; a context manager.

    Parameters
    ----------
    place
        Of ``received.mp4``; None to write none.
    clip
        What is sent.
    settings
        Of the run: which films.
    """

    def __init__(self, place: Path | None, clip: Clip, settings: Settings) -> None:
        self._shows: dict[str, list[Callable[[Sequence[av.VideoFrame], Segment], None]]] = {}
        self._open = ExitStack()
        self._thread = ThreadPoolExecutor(1)
        self._early = not is_large(clip.width, clip.height)  # or a segment of them would fill the memory
        self._shown: Future[None] | None = None
        if place is None:
            return
        film = Film(place, clip)
        self._add("film", film, film.show)
        if settings.film == "side-by-side":
            both = Comparison(place.with_name(SIDE_BY_SIDE), clip)
            self._add("film", both, both.compare)
        if settings.save_report:
            small = Comparison(place.with_name(REPORT), clip, longest_side=LONGEST_SIDE)
            self._add("report", small, small.compare)

    def _add(
        self, stage: str, film: AbstractContextManager, show: Callable[[Sequence[av.VideoFrame], Segment], None]
    ) -> None:
        self._open.enter_context(film)
        self._shows.setdefault(stage, []).append(show)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._thread:
                if error is None:
                    self._wait()
        except BaseException as late:
            self._open.__exit__(type(late), late, late.__traceback__)
            raise
        self._open.__exit__(kind, error, trace)

    def show(
        self, screen: Sequence[av.VideoFrame], segment: Segment, watch: Callable[[str], AbstractContextManager]
    ) -> None:
        """Add a segment to each film, as soon as the one before it is there; nobody else looks at ``screen`` any more.

        ``watch`` counts the time to a stage, ``film`` or ``report``. What went wrong with the segment before is raised.
        """
        if not self._shows:
            return
        self._wait()
        if self._early:
            # Those that nobody looked at yet are made here: what makes them goes on to the next segment.
            pictures = list(screen)
            self._shown = self._thread.submit(self._show, pictures, segment, watch)
        else:
            self._show(screen, segment, watch)

    def _wait(self) -> None:
        if self._shown is not None:
            self._shown.result()

    def _show(
        self, screen: Sequence[av.VideoFrame], segment: Segment, watch: Callable[[str], AbstractContextManager]
    ) -> None:
        for stage, shows in self._shows.items():
            with watch(stage):
                for show in shows:
                    show(screen, segment)
