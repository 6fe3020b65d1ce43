"""Which of a file's streams is the clip."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from av.stream import Disposition

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    import av

    from vidlink.video.input import Input

_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails
"""Pictures that go with a film or a song: cover art, and thumbnails of chapters."""
_IMAGES = {"bmp", "gif", "jpegxl", "mjpeg", "png", "tiff", "webp"}
"""Codecs of cover art that is not marked as such."""
_SEEN = 2000
"""Packets looked at to see whether a stream has more than one picture."""


def film_in(
    container: av.container.InputContainer, given: Input, note: Callable[[str], None] = lambda _: None
) -> av.VideoStream:
    """The film in a container: the one with the largest pictures, and of those the default one, or the first.

    A stream of one image beside others is cover art, whether it is marked as such or not.

    Parameters
    ----------
    container
        As opened.
    given
        What it was opened from.
    note
        Told where there are several.

    Raises
    ------
    UserError
        No video stream, only cover art, or no stream whose codec FFmpeg knows.
    """
    path = given.name
    films = [stream for stream in container.streams.video if not stream.disposition & _NO_FILM]
    if not films:
        kinds: set[str] = {stream.type for stream in container.streams if stream.type != "video"}
        kinds |= {"cover art"} if container.streams.video else set()
        raise UserError(f"{path}: has no video stream, only {', '.join(sorted(kinds)) or 'nothing to be decoded'}")
    known = [stream for stream in films if stream.codec_context is not None]
    if not known:
        raise UserError(f"{path}: its video codec is not known to FFmpeg")
    if len(known) > 1:
        known = [stream for stream in known if not _is_one_image(stream, given)] or known
    largest = max(known, key=lambda stream: (_area(stream), bool(stream.disposition & Disposition.default)))
    if len(films) > 1:
        note(
            f"of {len(films)} films in the file the largest was taken: stream {largest.index}, "
            f"{largest.codec_context.width}x{largest.codec_context.height}"
        )
    return largest


def _area(stream: av.VideoStream) -> int:
    return stream.codec_context.width * stream.codec_context.height


def _is_one_image(stream: av.VideoStream, given: Input) -> bool:
    """Whether a stream is a single image, as far as can be seen from the start of the file."""
    if stream.codec_context.name not in _IMAGES:
        return False
    with given.open() as again:
        packets = islice(again.demux(), _SEEN)
        return sum(packet.stream_index == stream.index and packet.size > 0 for packet in packets) <= 1
