"""Raw video without a header: its name says what it is, and its length must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from av.video import format as formats

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_SUFFIX = {
    ".yuv": "yuv420p",
    ".i420": "yuv420p",
    ".iyuv": "yuv420p",
    ".i422": "yuv422p",
    ".i444": "yuv444p",
    ".nv12": "nv12",
    ".nv21": "nv21",
    ".p010": "p010le",
    ".uyvy": "uyvy422",
    ".yuyv": "yuyv422",
    ".yuy2": "yuyv422",
}
RAW_SUFFIXES = tuple(_BY_SUFFIX)
"""File names that mean raw video without a header."""
_SAMPLES = {
    "gray": (1, 1, 0),
    "nv12": (2, 2, 1),
    "nv21": (2, 2, 1),
    "p010le": (2, 2, 1),
    "uyvy422": (2, 1, 1),
    "yuyv422": (2, 1, 1),
    "yuv420p": (2, 2, 1),
    "yuv422p": (2, 1, 1),
    "yuv444p": (1, 1, 1),
}
"""Luma samples for one of chroma, across and down, and whether there is chroma."""
_SIZES = {"sqcif": (128, 96), "qcif": (176, 144), "cif": (352, 288), "4cif": (704, 576), "16cif": (1408, 1152)}
_ASSUMED = Fraction(25)
_DEPTHS = ("8", "9", "10", "12", "14", "16")
_START, _END = r"(?:^|[\W_])", r"(?=$|[\W_])"
_SIZE = re.compile(r"(?<!\d)(\d{1,5})x(\d{1,5})(?!\d)", re.IGNORECASE)
_RATE = re.compile(rf"(\d+(?:\.\d+)?)[\W_]?(?:fps|hz){_END}", re.IGNORECASE)
_RATE_AFTER_SIZE = re.compile(rf"(?:x\d+p?[-_]|x\d+p|cif[-_])(\d+(?:\.\d+)?){_END}", re.IGNORECASE)
_CHROMA = re.compile(rf"(?:{_START}|yuv|i)4:?(0:?0|2:?0|2:?2|4:?4)(?:p(\d+)?(?:le)?)?{_END}", re.IGNORECASE)
_DEPTH = re.compile(rf"(?<!\d)(\d+)[-_]?(?:b|bit|bits|bpp|bpc)(?:le)?{_END}", re.IGNORECASE)
_GREY = re.compile(rf"{_START}(?:gray|grey)(?:(\d+)(?:le)?)?{_END}", re.IGNORECASE)
_BIG_ENDIAN = re.compile(rf"\d+be{_END}", re.IGNORECASE)
_FORMATS: set[str] = formats.names  # type: ignore[attr-defined]
_READ = {"gray", "nv12", "nv21", "p010", "p010le", "uyvy422", "yuyv422"}
_HOW = "say what it is in its name, like NAME_416x240_50fps_10bit_422.yuv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """What raw video is."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    pixel_format: str
    """FFmpeg's name of its pixel format."""
    frame_rate: Fraction | None
    """Frames a second; None where the name does not say."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one picture."""
        name = re.sub(r"(?<=[py])\d+le$", "", self.pixel_format) if self.pixel_format != "p010le" else "p010le"
        across, down, chroma = _SAMPLES[name]
        samples = self.width * self.height + 2 * chroma * -(-self.width // across) * -(-self.height // down)
        return samples * (2 if self.pixel_format.endswith("le") else 1)

    @property
    def options(self) -> dict[str, str]:
        """Options of FFmpeg's demuxer ``rawvideo``."""
        return {
            "video_size": f"{self.width}x{self.height}",
            "pixel_format": self.pixel_format,
            "framerate": str(self.frame_rate or _ASSUMED),
        }


def is_raw(path: str) -> bool:
    """Whether a name is that of raw video."""
    return Path(path).suffix.lower() in _BY_SUFFIX


def look_at(
    path: str,
    *,
    video_size: tuple[int, int] | None,
    frame_rate: Fraction | None,
    note: Callable[[str], None] = lambda _: None,
) -> Raw:
    """What a file of raw video is, by the options of a run and else by its name.

    Parameters
    ----------
    path
        The file.
    video_size, frame_rate
        Width and height in pixels, and frames a second, where they are given.
    note
        Told what had to be assumed.

    Raises
    ------
    UserError
        Its size is not known, its format is none that can be read here, or it is no whole number of pictures long.

    Examples
    --------
    >>> raw = by_name("BasketballPass_416x240_50_10bit_422.yuv")
    >>> raw.width, raw.height, str(raw.frame_rate), raw.pixel_format
    (416, 240, '50', 'yuv422p10le')
    """
    raw = by_name(path, video_size=video_size, frame_rate=frame_rate)
    length = Path(path).stat().st_size
    if length < raw.frame_bytes:
        raise UserError(
            f"{path}: no frame is in its {length} bytes: one of {raw.width}x{raw.height} in {raw.pixel_format} has "
            f"{raw.frame_bytes}; {_HOW}, or give another --video-size"
        )
    if length % raw.frame_bytes:
        whole = [f"{name} would be {length // size}" for name, size in _others(raw) if length % size == 0]
        raise UserError(
            f"{path}: {length} bytes are no whole number of pictures of {raw.width}x{raw.height} in {raw.pixel_format} "
            f"({raw.frame_bytes} bytes each); {', '.join([*whole, _HOW])}, or give another --video-size"
        )
    if raw.frame_rate is None:
        note(f"raw video states no frame rate: {_ASSUMED} a second were assumed (--framerate says another)")
    return raw


def by_name(path: str, *, video_size: tuple[int, int] | None = None, frame_rate: Fraction | None = None) -> Raw:
    """What raw video is by its name, as :func:`look_at`, without looking into the file."""
    name = Path(path).stem
    size = video_size or _size(name)
    if size is None:
        raise UserError(f"{path}: raw video has no header; give --video-size WIDTHxHEIGHT (and --framerate), or {_HOW}")
    return Raw(
        width=size[0],
        height=size[1],
        pixel_format=_pixel_format(path, name),
        frame_rate=frame_rate or _rate(name),
    )


def _size(name: str) -> tuple[int, int] | None:
    if stated := _SIZE.search(name):
        return (int(stated[1]), int(stated[2])) if int(stated[1]) and int(stated[2]) else None
    parts = re.split(r"[\W_]+", name.lower())
    return next((_SIZES[part] for part in parts if part in _SIZES), None)


def _rate(name: str) -> Fraction | None:
    """``50fps``, or the number behind the size: ``416x240_50``."""
    stated = _RATE.search(name) or _RATE_AFTER_SIZE.search(name)
    if stated is None or (stated[1] in ("400", "420", "422", "444") and stated.re is _RATE_AFTER_SIZE):
        return None
    rate = Fraction(stated[1])
    return rate if 0 < rate <= 1000 else None


def _pixel_format(path: str, name: str) -> str:
    suffix = Path(path).suffix.lower()
    chroma, grey, depth = _CHROMA.search(name), _GREY.search(name), _DEPTH.search(name)
    planar = next((known for known in ("nv12", "nv21", "uyvy422", "yuyv422") if known in name.lower()), None)
    bits = (chroma and chroma[2]) or (grey and grey[1]) or (depth and depth[1]) or "8"
    if bits not in _DEPTHS or _BIG_ENDIAN.search(name):
        raise UserError(f"{path}: its name says {bits} bits a sample or big-endian ones, which are not read; {_HOW}")
    said = {part.lower() for part in re.split(r"[\W_]+", name)}
    other = sorted(part for part in said & _FORMATS if part not in _READ and not _CHROMA.search(part))
    if other and not _GREY.search(other[0]):
        raise UserError(f"{path}: its name says {other[0]}, which is not read as raw video; {_HOW}")
    if said & {"p010", "p010le"}:
        return "p010le"
    if suffix in (".yuv", ".i420", ".iyuv"):
        base = planar or ("gray" if grey else "yuv420p")
        if chroma and not planar:
            kind = chroma[1].replace(":", "")
            base = "gray" if kind == "00" else f"yuv4{kind}p"
    else:
        base = _BY_SUFFIX[suffix]
    if bits == "8" or base == "p010le":
        return base
    if base == "nv12" and bits == "10":
        return "p010le"
    if base not in ("gray", "yuv420p", "yuv422p", "yuv444p"):
        raise UserError(f"{path}: its name says {bits} bits a sample, which {base} has not; {_HOW}")
    return f"{base}{bits}le"


def _others(raw: Raw) -> list[tuple[str, int]]:
    """Other formats that pictures of that size may be in, by what to call them in a name, and their bytes."""
    found = []
    for kind in ("420", "422", "444"):
        for bits in ("8", "10"):
            pixel_format = f"yuv{kind}p" + ("10le" if bits == "10" else "")
            other = Raw(width=raw.width, height=raw.height, pixel_format=pixel_format, frame_rate=None)
            if pixel_format != raw.pixel_format:
                found.append((f"{bits}bit_{kind}", other.frame_bytes))
    return found
