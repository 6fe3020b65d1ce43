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
