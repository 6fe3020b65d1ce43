"""The two calls of a notebook: run one clip, compare many."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.settings import declarations
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from vidlink.report.run import Run

_MOST_SEEDS = 10_000


def run(
    input: str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Send a clip over a channel and measure what a machine at the far end still recognizes.

    ``vidlink.run("my.mp4", bitrate="48k", channel="gilbert-elliott")`` does what ``python -m vidlink.simulate my.mp4
    --bitrate 48k --channel gilbert-elliott`` does.

    Parameters
    ----------
    input
        The clip, anything FFmpeg reads; None for the built-in, labelled one.
    out
        Run folder to write, film included; None to write nothing.
    overwrite
        Whether a run folder, and captures, that are there already are replaced.
    resume
        Whether to go on with the run in ``out``, if it was stopped.
    quiet
        Whether to show no progress bars.
    options
        The options of the command, with underscores: text, numbers, lists (``scales=[1, 2]``), and booleans for
        switches (``nack=True``). ``docs/options.md`` lists them. ``recognizer`` may also be a class, an object or a
        function of pictures, see :func:`vidlink.recognizers.given.name_of`.

    Returns
    -------
    Run
        Summary, tables and picture.

    Raises
    ------
    UserError
        The input, an option or ``out`` is wrong; the message names it.
    """
    from vidlink.options import settings_of
    from vidlink.report.outputs import check_outputs
    from vidlink.simulate import run_into, simulate

    settings = settings_of(input=None if input is None else str(input), **_named(options))
    if out is None:
        check_outputs(settings, None, overwrite=overwrite)
        return simulate(settings, quiet=quiet)
    return run_into(Path(out), settings, overwrite=overwrite, resume=resume, quiet=quiet)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What came of many runs."""

    frame: pd.DataFrame
    """A row a run: settings, status and scores, as ``docs/sweeps.md`` describes."""
    encode_s: pd.Series | None = None
    """Processor seconds of encoding in each run, trials among them; they differ from machine to machine."""

    @property
    def tidy(self) -> pd.DataFrame:
        """A row a setting: means and 95 % intervals over clips (or seeds) in about twenty columns with short names.

        See :func:`vidlink.sweeping.tidy.tidy`.
        """
        from vidlink.sweeping.tidy import tidy

        return tidy(self.frame, self.encode_s)

    def plot(self, x: str = "kbps", y: str | None = None, by: str | Sequence[str] | None = None) -> Figure:
        """Plot one column against another: the mean over the runs of a setting, with a band, and each run as a dot.

        Parameters
        ----------
        x, y
            Columns of numbers, of the frame or short ones such as ``ccc``, ``psnr_db``, ``kbps``, ``lost``; without
            ``y`` the first score of the recognizer, or else PSNR.
        by
            Column, or several, whose values have a line each; without it what was varied, but for budgets, clips, seeds
            and ``x``.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; ``figure.savefig(path)`` writes it. Its title says what points, band and bars are.

        Raises
        ------
        UserError
            There is no such column, or nothing in it.
        """
        from vidlink.sweeping.lines import draw_lines
        from vidlink.sweeping.summary import group_keys
        from vidlink.sweeping.tidy import add_short

        y = y or next(iter(self.scores()), None)
        if y is None:
            raise UserError("no run has a score; name a column of numbers as y")
        if y == x:
            raise UserError(f"x and y are both {x!r}; name two columns")
        keys = group_keys(self.frame)
        if by is None:
            by = [name for name in keys if name not in (x, "bitrate_bps")]
        by = [by] if isinstance(by, str) else list(by)
        return draw_lines(add_short(self.frame, self.encode_s), x=x, y=y, by=by, per=keys)

    def scores(self) -> list[str]:
        """The columns of scores that have values: of the recognizer, then of pictures."""
        from vidlink.scores.kinds import KINDS, SCORES
        from vidlink.sweeping.summary import is_score

        headlines = [kind.headline for kind in KINDS]
        order = [*headlines, *(name for name in SCORES if name not in headlines), "quality"]
        shown = [name for name in map(str, self.frame) if is_score(name) or name.startswith("quality_")]
        return [
            name
            for score in order
            for name in shown
            if name.removeprefix("recognition_").partition("_")[0] == score and self.frame[name].notna().any()
        ]

    def _repr_html_(self) -> str:
        """The tidy table, for notebooks."""
        return str(self.tidy.to_html(index=False, float_format="{:.4g}".format, na_rep=""))


def compare(
    inputs: str | Path | Sequence[str | Path] | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    loss: float | Sequence[float] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
    **options: Any,
) -> Table:
    """Run every combination of inputs and settings, each in a process of its own, and put the scores into one table.

    ``vidlink.compare(["a.mp4", "b.mp4"], bitrate=["24k", "48k"], loss=[0, 0.02, 0.05], seeds=5)`` makes 60 runs.
    A script guards the call by ``if __name__ == "__main__":``, since the processes import the script.

    Parameters
    ----------
    inputs
        One clip or several; None for the built-in one.
    seeds
        How many seeds, from 0, or which.
    loss
        Shares of packets that are lost, each independently of the others, over a link that is perfect but for that:
        channels made for this table. Not together with ``channel``.
    out
        Results folder, new or to go on with; None to keep none.
    workers
        Processes; None for one a core.
    quiet
        Whether to show no progress bar.
    options
        The options of a run as for :func:`run`; a list has each of its values in turn. A value that is a list itself is
        text here: ``scales=["1,2", "1,2,4"]``. With a recognizer that no other process can import (a function, an
        object, a class of a notebook) the runs are made in this process, one after another.

    Raises
    ------
    UserError
        An input, an option or ``out`` is wrong, or no run succeeded; the message names it.
    """
    from vidlink.recognizers.given import is_given
    from vidlink.settings import BUILTIN
    from vidlink.sweeping.executors import Here, choose_executors
    from vidlink.sweeping.grid import sweep_from
    from vidlink.sweeping.sweep import sweep
    from vidlink.sweeping.work import DONE

    grid: dict[str, Any] = {
        name.replace("_", "-"): _axis(value) for name, value in _named(options).items() if value is not None
    }
    grid["input"] = [BUILTIN] if inputs is None else [str(each) for each in _axis(inputs)]
    if seeds is not None:
        if isinstance(seeds, int) and not 1 <= seeds <= _MOST_SEEDS:
            raise UserError(f"seeds = {shown(seeds)}: expected how many, from 1 to {_MOST_SEEDS:,}, or a list of seeds")
        grid["seed"] = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    with tempfile.TemporaryDirectory(prefix="vidlink-") as scratch:
        folder = Path(scratch) / "results" if out is None else Path(out)
        if loss is not None:
            if "channel" in grid:
                raise UserError("loss makes a channel of its own and channel names one: give one of them")
            grid["loss"] = _shares(_axis(loss))
        points = list(sweep_from({"grid": grid}, "compare").make_points(Path()))
        only_here = any(is_given(point.settings.recognizer) for point in points)
        executors = Here() if only_here else choose_executors(workers=workers, dask=None)
        frame = sweep(points, folder, executors, quiet=quiet)
        encode_s = _encode_s(folder, frame)
    if not (frame["status"] == DONE).any():
        raise UserError(f"no run succeeded: {frame['error'].iloc[0]}")
    _warn_of_failures(frame)
    if loss is not None:
        frame = frame.astype({"loss": float})
    return Table(frame=frame, encode_s=encode_s)


def _named(options: dict[str, Any]) -> dict[str, Any]:
    """The options with recognizers by name, where they were handed over themselves."""
    if options.get("recognizer") is None:
        return options
    from vidlink.recognizers.given import name_of

    found = options["recognizer"]
    names = [name_of(each) for each in found] if isinstance(found, list | tuple) else name_of(found)
    return {**options, "recognizer": names}


def _encode_s(folder: Path, frame: pd.DataFrame) -> pd.Series:
    """Processor seconds that encoding took in each run, as its record says; NaN where there were no trials."""
    import pandas as pd

    from vidlink.sweeping.folder import read_record

    timing = [(read_record(folder, point) or {}).get("timing_s") or {} for point in frame["point"]]
    return pd.Series([each.get("encode_cpu", float("nan")) for each in timing], index=frame.index, dtype=float)


def _warn_of_failures(frame: pd.DataFrame) -> None:
    """Say what went wrong in some runs of a table, where others are fine."""
    for column, what in (("error", "runs failed"), ("recognition_error", "runs have no recognition")):
        if column in frame and (said := frame[column].dropna()).size:
            warnings.warn(f"{len(said)} of {len(frame)} {what}, the first with: {said.iloc[0]}", stacklevel=3)


def _axis(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _shares(axis: Sequence[Any]) -> list[float]:
    """Shares of lost packets, as numbers."""
    shares = []
    for share in axis:
        if isinstance(share, str):
            share = declarations()["loss"].value(share)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise UserError(f"loss = {share!r}: expected shares from 0 to below 1, like [0, 0.02, 0.05]")
        shares.append(float(share))
    return shares
