"""Whether labels are of the clip that they are held against."""

from __future__ import annotations


def wrong_unit(last: float, seconds: float, frame_rate: float) -> str:
    """What the times of labels may be counted in, where they are no seconds: a hint for messages, or nothing.

    Parameters
    ----------
    last
        The last time in the labels.
    seconds
        Length of the clip.
    frame_rate
        Its frames a second.

    Examples
    --------
    >>> wrong_unit(3960, seconds=4.0, frame_rate=25.0)
    '; time_s is in seconds, and these look like milliseconds'
    >>> wrong_unit(99, seconds=4.0, frame_rate=25.0)
    '; time_s is in seconds, and these look like frames'
    >>> wrong_unit(30, seconds=4.0, frame_rate=25.0)
    '; time_s is in seconds'
    """
    for unit, a_second in (("milliseconds", 1000.0), ("frames", frame_rate)):
        if 0.5 * seconds < last / a_second <= 1.1 * seconds:
            return f"; time_s is in seconds, and these look like {unit}"
    return "; time_s is in seconds"


def beyond(where: str, last: int, frames: int) -> list[str]:
    """What is to be said of labels by numbers of frames that go on after the clip's last frame; nothing where none do.

    Parameters
    ----------
    where
        Begins the sentence: ``labels FOLDER``.
    last
        The last frame that has a label.
    frames
        How many the clip has.

    Examples
    --------
    >>> beyond("labels maps", 24, 24)
    ['labels maps: the last is of frame 24, and the clip ends with frame 23: frames are counted from 0']
    >>> beyond("labels maps", 23, 24)
    []
    """
    if last < frames:
        return []
    return [
        f"{where}: the last is of frame {last}, and the clip ends with frame {frames - 1}: frames are counted from 0"
    ]
