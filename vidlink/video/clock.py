"""The clock of a file: jumps ahead are mended, and the last picture lasts as long as the container says."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from vidlink.errors import UserError
from vidlink.types import CLOCK_HZ
from vidlink.video.structure import is_whole_matroska

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

JUMP_S = 10.0
"""A gap longer than this may be a jump of the clock; shorter ones are kept. The ``ffmpeg`` program has the same limit
(``-dts_delta_threshold``)."""
_MANY = 10
"""A jump is so many times as long as any gap before it: pictures may be minutes apart everywhere."""
_TELLING_S = 0.5
"""Gaps longer than this in a clock that may jump are told."""
_TS_DISCONT = 0x0200
"""FFmpeg's flag of formats whose clock may start anew (``AVFMT_TS_DISCONT``)."""
_FAST = 1000
"""Frames a second above which a stated rate is held against the first times."""
_WRAP_S = 2**33 / 90_000
"""Seconds after which the clock of MPEG-2 systems starts anew (ISO/IEC 13818-1); FFmpeg adds them to a clock that runs
far back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """What a container says of time."""

    period_s: float
    """Seconds from picture to picture at the nominal rate."""
    may_jump: bool
    """Whether clocks of this format start anew in mid-file (MPEG-2 transport and program streams, Ogg). What FFmpeg
    states as their duration is only the last time in the file."""
    stated_s: float | None
    """Seconds from the first picture to the end of the last one, as the container states it; None if it does not."""
    end_s: float | None = None
    """When the last picture ends on the clock of the pictures, where the container says so; else None."""
    count: int | None = None
    """Pictures in the container as it states them: with fewer, the last one decoded is not the last one."""


def clock_of(container: av.container.InputContainer, stream: av.VideoStream, rate: Fraction, path: str) -> Clock:
    """What an open container says of the time in one of its streams.

    Parameters
    ----------
    container, stream
        As opened.
    rate
        Nominal frames a second.
    path
        The file, to see whether it is cut.
    """
    whole_s = container.duration / av.time_base if container.duration else None
    # Where no duration of the stream is stated, that of the file counts from 0, not from the first picture.
    stated_s = whole_s - max(0, container.start_time or 0) / av.time_base if whole_s else None
    end_s = None
    alone = len(container.streams) == 1
    if "matroska" in container.format.name:
        end_s = _tagged_s(stream) or (whole_s if alone else None)
        if not is_whole_matroska(path):
            end_s = None
        elif end_s is None:
            stated_s = None  # sound may go on after the pictures
        else:
            stated_s = end_s - max(0, container.start_time or 0) / av.time_base
    elif stream.duration is not None and stream.time_base is not None:
        stated_s = float(stream.duration * stream.time_base)
        if "mp4" in container.format.name and alone:
            end_s = whole_s
    return Clock(
        period_s=float(1 / rate),
        may_jump=bool(container.format.flags & _TS_DISCONT),
        stated_s=stated_s,
        end_s=end_s,
        count=stream.frames or None,
    )


def nominal_rate(stream: av.VideoStream, times_s: Sequence[float], path: str) -> Fraction:
    """Frames a second as the container states them, or as the first times say where it states none.

    What FFmpeg guesses where there is no rate may be the ticks of the clock, which are no frames. An average over the
    whole file says little where it has a long gap.

    Raises
    ------
    UserError
        More frames a second than the clock of RTP can tell apart.
    """
    rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
    span_s = max(times_s) - min(times_s)
    measured = (len(times_s) - 1) / span_s if span_s > 0 else None
    if rate <= 0:
        rate = Fraction(25)
    ticks = rate > _FAST / 2 and stream.time_base is not None and rate * stream.time_base >= 1
    if measured is None:
        rate = Fraction(25) if rate > _FAST else rate
    elif ((rate > _FAST or ticks) and not 0.8 < measured / rate < 1.25) or measured > _MANY * rate:
        rate = Fraction(measured).limit_denominator(1000)
    if rate > CLOCK_HZ / 2:
        raise UserError(
            f"{path}: {float(rate):g} frames a second; at most {CLOCK_HZ // 2} can be told apart at {CLOCK_HZ} ticks"
        )
    return rate


def mended(
    dated: Iterator[tuple[float, av.VideoFrame]], clock: Clock, note: Callable[[str], None]
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Take jumps ahead out of the times, and say in the last picture's ``duration`` how long it lasts.

    A clock that runs back or stands still is mended by :class:`vidlink.video.source.Source`.
    """
    held: tuple[float, av.VideoFrame] | None = None
    count = 0
    start_s = previous_s = lasts_s = jumped_s = furthest_s = 0.0
    usual_s = clock.period_s
    for time_s, frame in dated:
        count += 1
        if held is None:
            start_s = time_s
        else:
            gap_s = time_s - previous_s
            if gap_s > max(JUMP_S, _MANY * usual_s) and (clock.may_jump or _too_late(time_s - start_s, clock)):
                note(_jump(gap_s - lasts_s, previous_s - start_s))
                jumped_s += gap_s - lasts_s
            else:
                if clock.may_jump and gap_s > max(_TELLING_S, _MANY * usual_s):
                    note(f"the file has no picture for {gap_s:.2f} s from {previous_s - start_s:.2f} s on")
                usual_s = max(usual_s, gap_s)
            yield held
        furthest_s = max(furthest_s, time_s - start_s)
        previous_s, lasts_s = time_s, _duration_s(frame) or clock.period_s
        held = time_s - jumped_s, frame
    if held is None:
        return
    frame = held[1]
    whole = clock.count is None or count >= clock.count
    if clock.end_s is not None and whole and clock.end_s > previous_s and frame.time_base:
        frame.duration = round((clock.end_s - previous_s) / frame.time_base)
    seconds = furthest_s + (_duration_s(frame) or clock.period_s)
    early = clock.stated_s and not clock.may_jump and seconds < 0.95 * clock.stated_s - clock.period_s
    if early and not jumped_s:
        note(f"the file ends early: {seconds:.2f} s decoded of the {clock.stated_s:.2f} s it states")
    yield held


def _duration_s(frame: av.VideoFrame) -> float:
    return float(frame.duration * (frame.time_base or 0))


def _too_late(elapsed_s: float, clock: Clock) -> bool:
    """Whether a picture comes long after the end of the clip that the container states."""
    return clock.stated_s is not None and elapsed_s > 1.05 * clock.stated_s + JUMP_S


def _jump(jump_s: float, after_s: float) -> str:
    back = jump_s - _WRAP_S
    way = f"ahead by {jump_s:.2f} s" if jump_s < _WRAP_S / 2 else f"back by {-back:.2f} s"
    return f"the clock of the file jumps (first {way} after {after_s:.2f} s); the next picture follows at once"


def _tagged_s(stream: av.VideoStream) -> float | None:
    """When a stream in Matroska ends, by its tag ``DURATION``: hours, minutes and seconds."""
    try:
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except (KeyError, ValueError):
        return None
