"""Labelled faces, and labelled videos of faces, by a spec: ``ferplus:PATH`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.data.sets import DATA_SETS, is_own, kinds_of, read, split_spec
from vidlink.errors import UserError

if TYPE_CHECKING:
    from vidlink.data.clips import LabelledClip
    from vidlink.data.face_set import FaceSet


def load_faces(spec: str, split: str) -> FaceSet:
    """Load the faces that a command line names.

    Parameters
    ----------
    spec
        ``ferplus:PATH``, a folder or a zip file; ``recola:PATH`` or ``recola:PATH?delay=SECONDS``; ``afewva:PATH``;
        ``videos:PATH``, a folder of clips with their labels beside them;
        ``generated:COUNT``, so many drawn faces; or ``package.module:function:PATH``, where the function takes path and
        split and gives a :class:`~vidlink.data.face_set.FaceSet`.
    split
        The split's name, as the data set calls it.

    Raises
    ------
    UserError
        Where the spec has no kind, the kind is unknown, or the data set is not there or damaged.
    """
    from vidlink.data.face_set import FaceSet

    kind, path = split_spec(spec)
    if not kind:
        raise UserError(f"data {spec!r}: expected KIND:PATH, for example ferplus:/data/ferplus.zip")
    if kind in DATA_SETS and "faces" not in DATA_SETS[kind].reads:
        raise UserError(f"data {spec!r}: {DATA_SETS[kind].about}; faces are {', '.join(kinds_of('faces'))}")
    found = read(kind, "faces", path, split)
    if not isinstance(found, FaceSet):
        raise UserError(f"data {spec!r}: {kind} gives {type(found).__name__}, expected a vidlink.data.face_set.FaceSet")
    return found


def load_clips(spec: str, split: str) -> list[LabelledClip]:
    """The labelled videos that a command line names: ``recola:PATH``, ``afewva:PATH`` or a function of one's own.

    Raises
    ------
    UserError
        As :func:`load_faces` does; and where the data set has stills, no videos.
    """
    kind, path = split_spec(spec)
    if kind not in kinds_of("videos") and not is_own(kind):
        having = " and ".join(f"{name}:PATH" for name in reversed(kinds_of("videos")))
        raise UserError(f"data {spec!r}: has no videos; {having} have")
    clips: list[LabelledClip] = read(kind, "videos", path, split, into=list)
    return clips
