"""One rule of colour: 8-bit 4:2:0 in limited range, by the matrix that the source states; its tags go along.

A matrix is what turns luma and chroma into red, green and blue. Where a source states none, that of BT.601 is used
everywhere, as FFmpeg does. Its *tags* decide, never the name of its pixel format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from vidlink.errors import UserError
from vidlink.types import NOT_STATED, Colour

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidlink.types import Clip

HDR = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}
"""Transfer characteristics of high dynamic range, with their names."""
BT601 = 6
"""The matrix of BT.601 (SMPTE 170M): what RGB is converted by."""
_SWSCALE = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
"""Matrices that FFmpeg's swscale knows, and what it calls them."""
_OTHERS = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "YDzDx",
    12: "chromaticity-derived",
    13: "chromaticity-derived with constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-R",
    17: "YCgCo-R",
}
_BT709 = Colour(matrix=1, primaries=1, transfer=1)
"""What HDR is brought to."""


def colour_within(frame: av.VideoFrame, name: str) -> Colour:
    """What the pictures of a clip have for colour on their way, by its first frame as it was decoded.

    Raises
    ------
    UserError
        Its colours are coded in a way that FFmpeg cannot convert.
    """
    if frame.color_trc in HDR:
        return _BT709
    matrix = frame.colorspace
    if _is_rgb(frame):
        matrix = BT601
    elif matrix in _OTHERS:
        raise UserError(
            f"{name}: its colours are coded as {_OTHERS[matrix]}, which cannot be converted here; "
            "convert it to BT.709 before"
        )
    return Colour(
        matrix=matrix if matrix in _SWSCALE else NOT_STATED, primaries=frame.color_primaries, transfer=frame.color_trc
    )


def conversions(frame: av.VideoFrame) -> list[str]:
    """What is done to the pictures of a clip by its first frame, a sentence each."""
    notes = []
    if frame.format.name != "yuv420p":
        notes.append(f"{frame.format.name} was converted to 8-bit yuv420p")
    if frame.color_trc in HDR:
        notes.append(f"HDR ({HDR[frame.color_trc]}) was tone-mapped to BT.709")
    elif frame.color_range == ColorRange.JPEG and not _is_rgb(frame):
        notes.append("full range was brought to limited range")
    return notes


class Converter:
    """Brings decoded pictures to what segments are made of: 8-bit ``yuv420p`` of one size, in the clip's colour.

    A picture that is so already passes untouched. One converter serves all readings of a clip, one after the other:
    the tables of HDR take seconds to make.

    Parameters
    ----------
    clip
        Size and colour.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, note: Callable[[str], None]) -> av.VideoFrame:
        """The picture as segments have it. What a change within the file makes necessary is noted.

        Raises
        ------
        UserError
            Its colours cannot be converted.
        """
        clip = self._clip
        for said in conversions(frame):
            note(said)
        scaled = frame.width != clip.width or frame.height != clip.height
        if scaled:
            note(f"the picture size changes within the file; all were scaled to {clip.width}x{clip.height}")
        wanted = _SWSCALE.get(clip.colour.matrix)
        same = _is_rgb(frame) or _SWSCALE.get(frame.colorspace) == wanted
        hdr = frame.color_trc in HDR
        if not same and not hdr:
            note("the colours change their meaning within the file; all were converted to that of the first picture")
        matrix = None if same and not _is_rgb(frame) else wanted or Colorspace.ITU601
        try:
            picture = self._reformatter.reformat(
                frame,
                width=clip.width,
                height=clip.height,
                format="yuv420p",
                interpolation="BICUBIC" if scaled else None,  # as the ffmpeg program scales
                dst_colorspace=matrix,
                dst_color_range=_range_of(frame),
                dst_color_trc=ColorTrc.BT709 if hdr else None,
                dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
            )
        except av.FFmpegError as error:
            colour_within(frame, clip.name)  # it may say why
            raise UserError(f"{clip.name}: its colours cannot be converted: {error.strerror}") from error
        picture.duration = frame.duration
        return tagged(picture, clip.colour)


def tagged(picture: av.VideoFrame, colour: Colour) -> av.VideoFrame:
    """The same picture, with the tags of a colour in limited range."""
    picture.colorspace, picture.color_range = colour.matrix, ColorRange.MPEG
    picture.color_primaries, picture.color_trc = colour.primaries, colour.transfer
    return picture


def as_signalled(picture: av.VideoFrame, colour: Colour) -> av.VideoFrame:
    """A decoded picture as ``yuv420p`` of the colour that its segment has.

    Not every stream says what its colours are (VP8's cannot), so what was signalled holds. Only pictures in RGB or full
    range, as codecs of users' own may give them, are converted.
    """
    if _is_rgb(picture):
        matrix = _SWSCALE.get(colour.matrix, Colorspace.ITU601)
        picture = picture.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=ColorRange.MPEG)
    else:
        picture = picture.reformat(format="yuv420p", dst_color_range=_range_of(picture))
    return tagged(picture, colour)


def tag_stream(context: av.VideoCodecContext, colour: Colour) -> None:
    """Have an encoder write a colour into its stream; where nothing is stated, it writes nothing."""
    if colour != Colour():
        context.colorspace, context.color_range = colour.matrix, ColorRange.MPEG
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer


def _is_rgb(frame: av.VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.name == "pal8"


def _range_of(frame: av.VideoFrame) -> ColorRange | None:
    """What to ask for so that the range is limited: nothing where it is, so that nothing is done."""
    limited = frame.format.name == "yuv420p" and frame.color_range != ColorRange.JPEG
    return None if limited else ColorRange.MPEG
