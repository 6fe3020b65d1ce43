"""Inputs of a sweep by pattern: ``input = "my/*.mp4"`` or a folder is every clip, with the labels beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.data.videos import SUFFIXES, clips_by_name, labels_beside
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

AXIS = "clip"
"""What the axis of clips is called, and its column."""


def spread(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A sweep in which patterns and folders among the inputs of the grid are an axis of clips, named by their stems.

    Labels beside a clip are its labels, where the sweep names none. A pattern of images is one clip, as for a run.

    Parameters
    ----------
    raw
        As in the sweep file.
    folder
        Where relative paths start.

    Raises
    ------
    UserError
        A pattern matches nothing, or a folder has no clips.
    """
    grid = raw.get("grid")
    if not isinstance(grid, dict) or "input" not in grid:
        return dict(raw)
    given = grid["input"] if isinstance(grid["input"], list) else [grid["input"]]
    found = [_clips(name, folder) for name in given]
    if all(clips is None for clips in found):
        return dict(raw)
    labelled = any("labels" in part for part in (grid, raw.get("settings", {})) if isinstance(part, dict))
    tables = []
    for name, clips in zip(given, found, strict=True):
        for stem, clip in ({Path(name).stem: Path(name)} if clips is None else clips).items():
            beside = None if clips is None or labelled else labels_beside(folder / clip)
            labels = {"labels": str(clip.with_suffix(".csv"))} if beside else {}
            tables.append({"name": stem, "input": str(clip), **labels})
    axis = AXIS if AXIS not in grid else f"{AXIS}s"
    return {**raw, "grid": {axis if key == "input" else key: tables if key == "input" else value
                            for key, value in grid.items()}}  # fmt: skip


def _clips(name: Any, folder: Path) -> dict[str, Path] | None:
    """The clips that a pattern or a folder stands for by name, relative as it is; None where it is one clip itself."""
    if not isinstance(name, str):
        return None
    place = folder / name
    if place.is_dir():
        return {stem: Path(name) / clip.relative_to(place) for stem, clip in clips_by_name(place).items()}
    if (
        not any(sign in Path(name).name for sign in "*?[")
        or place.exists()
        or Path(name).suffix.lower() not in SUFFIXES
    ):
        return None
    clips = sorted(place.parent.glob(place.name))
    if not clips:
        raise UserError(f"input {name}: no clip matches")
    return {clip.stem: Path(name).parent / clip.name for clip in clips}
