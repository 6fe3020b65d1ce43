"""The promise of ``--max-size``: nothing finer leaves the sender, as the coded stream itself says.

The size is read from the sequence parameter set of every segment, not from what the encoder was asked for. Codecs whose
streams vidlink does not read are held to the size that they were given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.rtp.formats import payload_format

if TYPE_CHECKING:
    from vidlink.types import CodedSegment


class PromiseBrokenError(Exception):
    """A segment is finer than was promised: a defect, and nothing of it may be sent."""


def keep_promise(coded: CodedSegment, max_size: tuple[int, int]) -> None:
    """Refuse a segment whose pictures are larger than ``max_size``.

    Raises
    ------
    PromiseBrokenError
        The stream says so.
    """
    width, height = stream_size(coded)
    if width > max_size[0] or height > max_size[1]:
        raise PromiseBrokenError(
            f"segment {coded.index} is coded at {width}x{height}, and at most {max_size[0]}x{max_size[1]} was promised"
        )


def stream_size(coded: CodedSegment) -> tuple[int, int]:
    """Width and height in pixels that the coded stream states: the larger of several parameter sets."""
    payload = payload_format(coded.payload)
    sizes = [size for each in coded.parameter_sets if (size := payload.picture_size(each)) is not None]
    if not sizes:
        return coded.width, coded.height
    return max(width for width, _ in sizes), max(height for _, height in sizes)
