"""Which pictures a restorer looks at beside the one that it is asked about."""

from __future__ import annotations


def nearest(count: int, asked: int, frames: int, *, later: bool = True) -> list[int]:
    """Places of the pictures in a window: the one that is asked about, then its neighbours, the nearest first.

    Parameters
    ----------
    count
        So many pictures there are.
    asked
        Place of the one that is asked about.
    frames
        Pictures in a window. Where there are too few, the one that is asked about stands in for the rest.
    later
        Whether pictures after it may be in it.

    Examples
    --------
    >>> nearest(25, 10, 5), nearest(25, 10, 5, later=False), nearest(25, 0, 5), nearest(2, 1, 5)
    ([10, 9, 11, 8, 12], [10, 9, 8, 7, 6], [0, 1, 2, 3, 4], [1, 0, 1, 1, 1])
    """
    reachable = range(max(0, asked - frames), min(count, asked + frames + 1) if later else asked + 1)
    near = sorted(reachable, key=lambda place: (abs(place - asked), place))[:frames]
    return near + [asked] * (frames - len(near))
