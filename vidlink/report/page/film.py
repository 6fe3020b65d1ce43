"""The film of a run in its page, and stills of it for paper and for a first look."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from vidlink.report.page.found import BESIDE, FILM
from vidlink.report.page.html import data_uri
from vidlink.report.page.moments import FATES, fate_numbers
from vidlink.report.thumbnails import COUNT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vidlink.report.page.found import Found

_UNPLAYABLE = (OSError, ValueError, LookupError, AttributeError, StopIteration)
"""What else than its own errors PyAV raises of files that are no films: what a damaged header leaves out is no
attribute of a stream."""
LARGEST_BYTES = 6_000_000
"""A film up to this size is in the page; a larger one is played from the file beside it."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """What the page plays."""

    name: str
    """Its file."""
    source: str
    """Where the page has it from: itself, or the file beside it."""
    inside: bool
    """Whether the page holds it."""
    size: str
    """How large it is, as people read it."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    pair: bool
    """Whether the left half is what was sent; otherwise it is all of what was seen."""


@dataclass(frozen=True, kw_only=True)
class Still:
    """What was sent and seen at one moment."""

    time_s: float
    """When, in seconds."""
    sent: str | None
    """Address of the picture that was sent; None where it is not known."""
    seen: str
    """Address of the picture that was seen."""
    fate: str
    """Status of the frame."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    brightness: float
    """Mean of what was seen, 0 to 255."""


def film_of(found: Found) -> Film | None:
    """The film of a run: both sides, or what was seen alone; None where there is none that plays."""
    import av

    for name in (BESIDE, FILM):
        path = found.folder / name
        if not path.is_file():
            continue
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                width, height = stream.width, stream.height
                next(container.decode(stream))
        except (av.FFmpegError, *_UNPLAYABLE) as error:
            found.problems.append(f"{name}: damaged or cut short ({' '.join(str(error).split())})")
            continue
        size = path.stat().st_size
        inside = size <= LARGEST_BYTES
        return Film(
            name=name,
            source=data_uri("video/mp4", path.read_bytes()) if inside else quote(name),
            inside=inside,
            size=f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, size // 1000)} kB",
            width=width,
            height=height,
            pair=name == BESIDE,
        )
    return None


def stills_of(found: Found, film: Film | None, end_s: float) -> list[Still]:
    """A few moments, evenly over the clip: those that were kept, or else from the film."""
    pairs: list[tuple[float, NDArray[np.uint8] | None, NDArray[np.uint8]]] = list(found.pictures)
    if not pairs and film is not None:
        pairs = _moments(found.folder / film.name, end_s, pair=film.pair)
    stills = []
    for time_s, sent, seen in pairs:
        height, width = seen.shape[:2]
        stills.append(
            Still(
                time_s=time_s,
                sent=None if sent is None else _picture(sent),
                seen=_picture(seen),
                fate=_fate_at(found, time_s),
                width=width,
                height=height,
                brightness=float(seen.mean()),
            )
        )
    return stills


def _moments(
    path: Path, end_s: float, *, pair: bool
) -> list[tuple[float, NDArray[np.uint8] | None, NDArray[np.uint8]]]:
    """Pictures of a film at moments evenly over it; those that cannot be decoded are left out."""
    import av

    found: list[tuple[float, NDArray[np.uint8] | None, NDArray[np.uint8]]] = []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            tick = stream.time_base or Fraction(1, 1000)
            for wanted_s in (np.arange(COUNT) + 0.5) / COUNT * end_s:
                container.seek(int(wanted_s / tick), stream=stream)
                for frame in container.decode(stream):
                    time_s = float((frame.pts or 0) * tick)
                    if time_s >= wanted_s - 1e-3:
                        picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                        half = picture.shape[1] // 2
                        left = picture[:, :half] if pair else None
                        if not any(time_s == before for before, _, _ in found):
                            found.append((time_s, left, picture[:, half:] if pair else picture))
                        break
    except (av.FFmpegError, *_UNPLAYABLE):
        pass
    return found


def _picture(rgb: NDArray[np.uint8]) -> str:
    import cv2

    small = rgb
    if max(rgb.shape[:2]) > 320:
        factor = 320 / max(rgb.shape[:2])
        size = max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, coded = cv2.imencode(".jpg", np.ascontiguousarray(small[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data_uri("image/jpeg", coded.tobytes())


def _fate_at(found: Found, time_s: float) -> str:
    frames = found.tables.get("frames")
    if frames is None:
        return "unknown"
    row = int(np.abs(frames["time_s"].to_numpy(float) - time_s).argmin())
    fate = fate_numbers(frames.iloc[row : row + 1])[0]
    return FATES[fate] if fate >= 0 else "unknown"
