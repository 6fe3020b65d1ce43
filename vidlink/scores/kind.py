"""What a kind of recognizer is: one object that answers everything that is asked of what recognizers give.

There are four, by the attribute of the recognizer that says what it gives (:mod:`vidlink.recognizers.recognizer`):
``gives``, ``classes``, ``maps`` and ``boxes``. Everything that differs between them is asked of the kind: which labels
go with it, how it is scored and by what names, what a score is held beside, how far two answers are apart (for plans),
what is drawn, and what is said. A new one is a file here and a line in :mod:`vidlink.scores.kinds`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import av
    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box
    from vidlink.recognizers.recognizer import Context, Recognizer
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings
    from vidlink.types import Clip, Reception, Segment
    from vidlink.video.overlay import Overlay


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score of the recognizer, as tables and people know it."""

    name: str
    """In ``summary.json`` and in tables: ``ccc``."""
    label: str
    """What people call it."""
    low: float = -math.inf
    """The least that it can be."""
    high: float = math.inf
    """The most that it can be."""
    each: bool = False
    """Whether each dimension has its own, as in ``ccc_valence``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """Pictures of one segment that the recognizer looks at, n of them."""

    segment: Segment
    """The source's."""
    receptions: Sequence[Reception]
    """What became of each."""
    received: Sequence[NDArray[Any]]
    """As they were received: luma (height, width) or RGB (height, width, 3)."""
    pristine: Sequence[NDArray[Any]]
    """As they were sent."""
    places: Mapping[int, NDArray[Any]]
    """By face (0 for whole frames): slot in the segment, and box (x, y, width, height) in the source, shape (n, 5)."""
    crops: Mapping[int, list[Box] | None]
    """By face: boxes in these pictures; None for whole frames."""


class Collector(ABC):
    """Takes in the pictures of a run, asks the recognizer, and says at the end what came of it."""

    def begin(self) -> None:  # noqa: B027 - most have nothing to do
        """Another segment begins, or several that were joined: what was to be drawn of the one before was drawn."""

    @abstractmethod
    def add(self, look: Look) -> None:
        """Take in pictures; raises :class:`~vidlink.errors.UserError` where the recognizer fails."""

    def finish(self) -> None:  # noqa: B027 - as above
        """Ask about what is left at the end of the clip; raises as :meth:`add` does."""

    @abstractmethod
    def table(self, seconds: float) -> pd.DataFrame:
        """The table ``predictions`` of a run of so many seconds.

        Raises
        ------
        UserError
            The labels are of another clip.
        """

    @abstractmethod
    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """The section ``recognition`` of ``summary.json``."""

    def notes(self) -> list[str]:
        """What else is to be said of the run, a sentence each."""
        return []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Further tables of the run folder, by name."""
        return {}

    def files(self) -> dict[str, bytes]:
        """Further files of the run folder, by path."""
        return {}

    def overlays(self, segment: Segment) -> Mapping[str, list[Overlay | None]]:
        """What is to be drawn into the frames of the segment that was added last: ``received`` and ``pristine``."""
        return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Numbers over time, received beside pristine and true ones."""

    title: str
    """What they are."""
    face: int | None = None
    """Of which face; None where there is one alone."""
    curves: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    """Times in seconds and values of ``received``, ``pristine`` and ``label``: those that there are."""
    note: str = ""
    """How well they agree."""
    from_zero: bool = False
    """Whether the axis begins at 0."""


def curves_over_time(
    predictions: pd.DataFrame, columns: Mapping[str, str]
) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Those of the columns that a table has, over its times, for :class:`Curves`."""
    times_s = predictions["time_s"].to_numpy(float)
    return {
        kind: (times_s, predictions[column].to_numpy(float))
        for kind, column in columns.items()
        if column in predictions
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """Names over time."""

    title: str
    """What is named."""
    rows: Mapping[str, Sequence[Any]]
    """Names of ``label``, ``pristine`` and ``received``, those that there are; what is no text is no name."""
    starts_s: NDArray[Any]
    """When each window begins."""
    ends_s: NDArray[Any]
    """When it ends."""
    note: str = ""
    """How well they agree."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """Names by the colours in which they are drawn into pictures."""

    title: str
    """What is named."""
    names: Mapping[str, tuple[int, str]]
    """Number of the colour, and what is to be said beside the name."""


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """What is drawn of a run's recognition."""

    over_time: Sequence[Curves | Strip]
    """One below the other."""
    keys: Sequence[Key] = field(default=())
    """What colours in the pictures mean."""


class Kind(ABC):
    """A kind of recognizer."""

    attribute: ClassVar[str]
    """The recognizer's attribute that says what it gives."""
    headline: ClassVar[str]
    """The score by which a run is graded; sections of ``summary.json`` are told apart by it."""
    columns: ClassVar[frozenset[str]] = frozenset()
    """Columns that only its table ``predictions`` has."""
    scores: ClassVar[tuple[Score, ...]]
    """Its scores."""

    @abstractmethod
    def labels(self, settings: Settings, recognizer: Recognizer, own: pd.DataFrame | None) -> Any:
        """The labels of a run, or None.

        Parameters
        ----------
        settings
            Of the run: ``labels``, ``label``, ``input``.
        recognizer
            Who is held against them.
        own
            Labels of dimensions that came with the clip.

        Raises
        ------
        UserError
            They are wrong, or of another kind.
        """

    @abstractmethod
    def collect(
        self,
        recognizer: Recognizer,
        clip: Clip,
        labels: Any,
        *,
        every: int = 1,
        memory: Memory | None = None,
        later: bool = True,
    ) -> Collector:
        """Make what collects the answers of a run; parameters as for :class:`~vidlink.scores.recognition.Recognition`.

        Raises
        ------
        UserError
            What it needs is not installed, or names in it clash.
        """

    def looks(self, recognizer: Recognizer, segment: Segment, clip: Clip) -> list[int] | None:
        """Frames of a segment at which a plan has to look; None for any few of them."""
        return None

    @abstractmethod
    def answers(
        self,
        recognizer: Recognizer,
        pictures: Sequence[av.VideoFrame],
        boxes: Sequence[list[Box] | None],
        times_s: Sequence[float],
        context: Context | None = None,
    ) -> Any:
        """What the recognizer says of some frames of a segment, for :meth:`difference`; raises ``UserError``.

        A picture that is there several times is looked at once, but by recognizers that want windows. Without a context
        the pictures were never coded.
        """

    @abstractmethod
    def difference(self, seen: Any, pristine: Any) -> float:
        """How far two answers are apart, from 0: about 1 is as bad as can be."""

    def features(self, recognizer: Recognizer, pictures: Sequence[NDArray[Any]], boxes: list[Box] | None) -> Any:
        """What tells pictures apart by what the recognizer says of them, shape (n, features); raises ``UserError``."""
        raise NotImplementedError

    def refuse_frames(self, recognizer: Recognizer) -> str | None:
        """Why the recognizer cannot say which frames matter; None where it can."""
        return None

    @abstractmethod
    def baselines(self, recognition: dict[str, Any], predictions: pd.DataFrame) -> dict[str, Any]:
        """What the scores are to be held beside: ``ceiling``, ``constant``, ``chance``, ``kept``, ``above_chance``.

        Each is laid out as the scores are; :mod:`vidlink.scores.baselines` says what they mean.
        """

    def headlines(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The headline scores in a section that is laid out as the scores are, by what people call them."""
        score = next(each for each in self.scores if each.name == self.headline)
        return {score.label: found.get(self.headline)}

    @abstractmethod
    def rows(self, recognition: dict[str, Any], against: str) -> list[tuple[str, str]]:
        """The outcome as rows of a name and a text, for the terminal."""

    @abstractmethod
    def sentences(self, recognition: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
        """The scores in sentences, for people who are new to them."""

    @abstractmethod
    def lanes(self, predictions: pd.DataFrame, recognition: Mapping[str, Any]) -> Lanes:
        """What is drawn of the table ``predictions``; of the section there may be anything or nothing."""

    def joined(self, runs: pd.DataFrame, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Scores over several runs together.

        Parameters
        ----------
        runs
            A row a run, as in the table of a sweep.
        weights
            How often each run counts in each of m sums, shape (m, runs).

        Returns
        -------
        dict
            Score to values of shape (m,); empty where the runs have none of this kind.
        """
        return {}
