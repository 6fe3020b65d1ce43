"""How good the pictures of a run are, by every measure that the run asks for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from vidlink.scores.measure import FrameMeasure, RunMeasure
from vidlink.scores.measures import quality_measures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import av
    import pandas as pd

    from vidlink.scores.measure import PictureMeter, RunMeter
    from vidlink.settings import Settings
    from vidlink.types import Clip


class PictureScores:
    """Compares what was on show with the source; a context manager, since measures of a whole run end with it.

    Parameters
    ----------
    clip
        The source.
    settings
        Say whether pictures are scored, and which measures are asked for beyond those of every run.

    Raises
    ------
    UserError
        A measure cannot be taken on this machine.
    """

    def __init__(self, clip: Clip, settings: Settings) -> None:
        self._stated = [each for each in quality_measures() if each.option is None or getattr(settings, each.option)]
        taken = [each for each in self._stated if each.option is not None or settings.score_pictures]
        self._of_frames: dict[str, tuple[FrameMeasure, PictureMeter]] = {
            each.column: (each, each.make(clip)) for each in taken if isinstance(each, FrameMeasure)
        }
        self._of_run: dict[str, tuple[RunMeasure, RunMeter]] = {
            each.column: (each, each.make(clip)) for each in taken if isinstance(each, RunMeasure)
        }
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        for _, meter in self._of_run.values():
            self._ends.enter_context(meter)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.__exit__(kind, error, trace)

    def look(self, screen: Sequence[av.VideoFrame], source: Sequence[av.VideoFrame]) -> list[dict[str, float | None]]:
        """Columns of n frames, which come in order of time.

        Parameters
        ----------
        screen, source
            What was on show, and the source: n pictures each, at HR and ``yuv420p``. Where nothing is measured, nothing
            is looked at.
        """
        if not (self._of_frames or self._of_run):
            return [{} for _ in source]
        return [self._columns(screen[slot], reference) for slot, reference in enumerate(source)]

    def _columns(self, picture: av.VideoFrame, reference: av.VideoFrame) -> dict[str, float | None]:
        for _, meter in self._of_run.values():
            meter(picture, reference)
        return {
            column: measure.rounded(meter(picture, reference)) for column, (measure, meter) in self._of_frames.items()
        }

    def of_segment(self, rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
        """Columns of a segment from the rows of its frames; None where nothing was measured."""
        return {
            measure.column: self._mean(measure, [row[measure.column] for row in rows])
            if measure.column in self._of_frames
            else None
            for measure in self._stated
            if isinstance(measure, FrameMeasure)
        }

    def summary(self, frames: pd.DataFrame) -> dict[str, float | None]:
        """The section ``quality`` of ``summary.json`` from the table of frames, once the block has ended."""
        found: dict[str, float | None] = {}
        for measure in self._stated:
            value = None
            if isinstance(measure, FrameMeasure) and measure.column in self._of_frames:
                value = self._mean(measure, frames[measure.column].to_numpy(float))
            elif measure.column in self._of_run:
                value = measure.rounded(self._of_run[measure.column][1].score)
            found[measure.column] = value
        return found

    @staticmethod
    def _mean(measure: FrameMeasure, values: Any) -> float | None:
        return measure.rounded(measure.mean(values))
