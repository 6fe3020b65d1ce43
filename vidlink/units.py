"""Quantities as people write them."""

from __future__ import annotations

import math
import re

from vidlink.errors import UserError

_RATE = re.compile(r"\s*(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e(?P<power>[+-]?[0-9]+))?\s*(?P<prefix>[kKMG]?)\s*")
_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


def parse_rate(text: str | float) -> float:
    """Read a bit rate in bits per second.

    Parameters
    ----------
    text
        A number, or a number with one of the decimal prefixes ``k``, ``M``, ``G``: ``64k`` is 64000, ``1.5M`` is
        1500000.

    Returns
    -------
    float
        Bits per second, positive and finite.

    Raises
    ------
    UserError
        Not such a number; or zero, negative, infinite or NaN.

    Examples
    --------
    >>> parse_rate("64k"), parse_rate("1.5M"), parse_rate(24000)
    (64000.0, 1500000.0, 24000.0)
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UserError(f"bit rate {text!r}: expected bits per second, such as 64k, 1.5M or 64000")
    if isinstance(text, str):
        match = _RATE.fullmatch(text)
        if match is None:
            raise UserError(
                f"bit rate {text!r}: expected a positive number of bits per second, such as 64k, 1.5M or 64000"
            )
        rate = float(f"{match['number']}e{match['power'] or 0}") * _FACTORS[match["prefix"]]
    else:
        rate = float(text)
    if not (math.isfinite(rate) and rate > 0):
        raise UserError(f"bit rate {text!r}: must be positive and finite, such as 64k, 1.5M or 64000")
    return rate
