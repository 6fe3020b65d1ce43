"""The table of data sets: what stands behind ``KIND:PATH`` on a command line.

A data set is a file in this folder and a line in :data:`DATA_SETS`. One of a user's own is
``package.module:function:PATH``; the function is called as those of the table are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import RAISED, Catalogue, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One kind of data."""

    reads: Mapping[str, str]
    """What can be had of it, and by which function: ``faces`` (path, split) -> FaceSet, ``videos`` (path, split) ->
    list of LabelledClip, ``actions`` (path, pattern of groups) -> list of ClipFile, ``images`` (path) -> luma by name,
    ``sequences`` (path, split) -> luma of clips by name, ``labels``, ``maps`` and ``boxes`` (path, split) ->
    PictureSet. Paths are texts as they were given."""
    about: str = ""
    """What it is, for those who want something else of it."""


DATA_SETS = {
    "afewva": DataSet(reads={"faces": "vidlink.data.afewva:load_afewva", "videos": "vidlink.data.afewva:afewva_clips"}),
    "camvid": DataSet(
        reads={"maps": "vidlink.data.camvid:camvid_maps", "boxes": "vidlink.data.camvid:camvid_boxes"},
        about="road scenes, for --task segmentation and --task detection",
    ),
    "classes": DataSet(
        reads={"actions": "vidlink.data.classfolders:list_clips"},
        about="clips in folders of classes, for --task activity",
    ),
    "coco": DataSet(reads={"boxes": "vidlink.data.coco:coco_boxes"}, about="boxes, for --task detection"),
    "ferplus": DataSet(reads={"faces": "vidlink.data.ferplus:load_ferplus"}),
    "generated": DataSet(reads={"faces": "vidlink.data.generated:draw_faces"}),
    "images": DataSet(
        reads={"images": "vidlink.data.images:read_images", "labels": "vidlink.data.class_pictures:class_pictures"},
        about="pictures, for --task sr, and --task classification where they lie in class folders",
    ),
    "recola": DataSet(
        reads={"faces": "vidlink.data.recola:load_recola", "videos": "vidlink.data.recola:recola_videos"}
    ),
    "videos": DataSet(
        reads={
            "faces": "vidlink.data.videos:load_videos",
            "videos": "vidlink.data.videos:video_clips",
            "sequences": "vidlink.data.sequences:read_sequences",
        }
    ),
}
"""Every kind of data that has a name."""


def kinds_of(form: str) -> list[str]:
    """Names of the kinds of which ``form`` can be had, sorted."""
    return sorted(name for name, each in DATA_SETS.items() if form in each.reads)


def split_spec(spec: str) -> tuple[str, str]:
    """Kind and path of ``KIND:PATH`` or ``package.module:function:PATH``; both are empty where one is missing."""
    kind, _, path = spec.partition(":")
    name, colon, rest = path.partition(":")
    if kind not in DATA_SETS and colon and name.isidentifier():
        kind, path = f"{kind}:{name}", rest
    return (kind, path) if kind and path else ("", "")


def is_own(kind: str) -> bool:
    """Whether a kind is ``package.module:function``."""
    return ":" in kind


def find_reader(kind: str, form: str, *, what: str = "kind of data") -> Callable[..., Any]:
    """The function that reads ``form`` of a kind.

    Raises
    ------
    UserError
        There is no such kind of which that can be had (the nearest one is named), or it cannot be imported.
    """
    known = {name: each.reads[form] for name, each in DATA_SETS.items() if form in each.reads}
    return Catalogue(what=what, shipped=known).find(kind)


def read(
    kind: str, form: str, *given: Any, into: Callable[[Any], Any] = lambda found: found, what: str = "kind of data"
) -> Any:
    """Read ``form`` of a kind: what :func:`find_reader` finds, called with ``given``, and put ``into`` a list or so.

    Raises
    ------
    UserError
        As :func:`find_reader`, where the data are missing or damaged, and where a function of one's own fails.
    """
    reader = find_reader(kind, form, what=what)
    try:
        return into(reader(*given))
    except UserError:
        raise
    except RAISED as error:
        if not is_own(kind):
            raise
        raise UserError(f"data of {kind}: reading them failed: {reason(error)}") from error
