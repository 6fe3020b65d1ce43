"""The sweep file: a grid, and points given one by one, as TOML.

::

    [settings]                      # holds for every point
    scales = "1,2,4"

    [grid]                          # every combination
    bitrate = ["16k", "32k"]
    channel = ["perfect", "bernoulli-5"]

    [[grid.clip]]                   # settings that go together: an axis of tables, under any name
    input = "a.mp4"
    labels = "a.csv"

    [[grid.clip]]
    input = "b.mp4"
    labels = "b.csv"

    [[points]]                      # a point by itself
    bitrate = "64k"
    codec = "x265"
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vidlink.codec.shelf import read_toml
from vidlink.errors import UserError, unknown
from vidlink.settings import Settings
from vidlink.sweeping.options import as_columns, check_option, known_options, resolved, to_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = "name"
"""Key of a table in an axis of tables that says what to call it; it becomes a column under the axis's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One run of a sweep."""

    settings: Settings
    """What to run, paths absolute."""
    columns: dict[str, Any]
    """Names of the tables it is from, and the settings as the sweep file has them: the row's first columns."""


class SweepFile(BaseModel):
    """The content of a sweep file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of every point."""
    grid: dict[str, Any] = Field(default_factory=dict)
    """An axis each: a list of values of one setting, or a list of tables of settings that go together."""
    points: tuple[dict[str, Any], ...] = ()
    """Points by themselves."""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        try:
            for name in self.settings:
                _check("settings", name)
            for number, point in enumerate(self.points, 1):
                for name in point:
                    _check(f"points {number}", name)
            _check_axes(self.grid)
        except UserError as error:
            raise ValueError(str(error)) from None
        if not self.grid and not self.points:
            raise ValueError("no points: give a [grid] of lists, or [[points]]")
        return self

    def __len__(self) -> int:
        """Number of points, without making them."""
        return (math.prod(len(axis) for axis in self._axes()) if self.grid else 0) + len(self.points)

    def _axes(self) -> list[list[dict[str, Any]]]:
        """For each axis, what it sets in turn."""
        return [
            [value if isinstance(value, dict) else {name: value} for value in _as_list(axis)]
            for name, axis in self.grid.items()
        ]

    def make_points(self, folder: Path) -> Iterator[Point]:
        """The points in order: the grid, its last axis changing fastest, then the points by themselves.

        Parameters
        ----------
        folder
            Where relative paths start.

        Raises
        ------
        UserError
            A point's settings cannot be; the message names the point.
        """
        names = [name for name, axis in self.grid.items() if any(isinstance(value, dict) for value in _as_list(axis))]
        combinations = product(*self._axes()) if self.grid else ()
        for parts in combinations:
            called = {axis: part.get(NAME) for axis, part in zip(self.grid, parts, strict=True) if axis in names}
            chosen = {key: value for part in parts for key, value in part.items() if key != NAME}
            yield _point(self.settings, chosen, called, folder)
        for chosen in self.points:
            yield _point(self.settings, chosen, dict.fromkeys(names), folder)


def read_sweep(path: Path) -> SweepFile:
    """Read and check a sweep file.

    Raises
    ------
    UserError
        No such file, no TOML, a key that is not known (the nearest known one is named), or no points.
    """
    return sweep_from(read_toml(path), str(path), path.parent)


def sweep_from(raw: Mapping[str, Any], where: str = "sweep", folder: Path = Path()) -> SweepFile:
    """Check a sweep given as a mapping of ``settings``, ``grid`` and ``points``. Raises as :func:`read_sweep` does.

    Patterns among the inputs are found from ``folder``.

    Examples
    --------
    >>> len(sweep_from({"grid": {"bitrate": ["16k", "32k"], "seed": [0, 1, 2]}}))
    6
    """
    from vidlink.sweeping.inputs import spread

    try:
        return SweepFile.model_validate(spread(raw, folder))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UserError(f"{where}: {unknown('key', key, SweepFile.model_fields)}") from None
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}: {f'key {key!r}: ' if key else ''}{message}") from None


def list_points(points: Sequence[Point]) -> Iterator[str]:
    """What differs between points, a line each."""
    varying = [name for name in points[0].columns if len({str(point.columns.get(name)) for point in points}) > 1]
    for number, point in enumerate(points, 1):
        shown = ", ".join(f"{name} = {point.columns[name]}" for name in varying if point.columns[name] is not None)
        yield f"{number:>{len(str(len(points)))}}  {shown}".rstrip()


def _as_list(axis: Any) -> list[Any]:
    return axis if isinstance(axis, list) else [axis]


def _check(where: str, name: str) -> None:
    try:
        check_option(name)
    except UserError as error:
        raise UserError(f"[{where}]: {error}") from None


def _check_axes(grid: Mapping[str, Any]) -> None:
    setter: dict[str, str] = {}
    for axis, values in grid.items():
        tables = [value for value in _as_list(values) if isinstance(value, dict)]
        if not _as_list(values):
            raise UserError(f"[grid]: {axis} is an empty list, so there are no points")
        if not tables:
            _check("grid", axis)
        elif len(tables) < len(_as_list(values)):
            raise UserError(f"[grid]: {axis} mixes tables with values; give one or the other")
        elif axis in known_options() or axis.replace("-", "_") in Settings.__dataclass_fields__:
            raise UserError(f"[grid]: {axis} is a setting, so it needs values; call the axis of tables something else")
        for name in dict.fromkeys(name for table in tables for name in table) if tables else (axis,):
            if name == NAME and tables:
                continue
            _check(f"grid.{axis}" if tables else "grid", name)
            if setter.setdefault(name, axis) != axis:
                raise UserError(f"[grid]: {name} is set by {setter[name]} and by {axis}; one of them may")


def _point(
    common: Mapping[str, Any], chosen: Mapping[str, Any], called: Mapping[str, str | None], folder: Path
) -> Point:
    try:
        settings = to_settings({**common, **chosen})
    except UserError as error:
        shown = ", ".join(f"{name} = {value}" for name, value in chosen.items())
        raise UserError(f"point {shown}: {error}") from None
    return Point(settings=resolved(settings, folder), columns={**called, **as_columns(settings)})
