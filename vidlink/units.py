"""What people write for a setting, read into plain values: rates, sizes, factors, boxes, codes.

What can be found wrong names the option that it was given for, as ``--scales``.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    from fractions import Fraction

_RATE = re.compile(r"\s*(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e(?P<power>[+-]?[0-9]+))?\s*(?P<prefix>[kKMG]?)\s*")
_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}

LARGEST_BLOCK = 255
"""Packets in a block of a code over GF(256), sources and parity together."""
_FEC_KEYS = {"none": set[str](), "xor": {"k", "depth"}, "rs": {"k", "n", "key_n", "depth"}, "auto": {"k", "depth"}}
_FEC_GRAMMAR = "none, xor:k=5, rs:k=10,n=12[,key_n=14][,depth=2] or auto:0.01[,k=10][,depth=2]"


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


def check_seconds(option: str, value: float, *, least: float = 0.0) -> float:
    """Refuse what is not finite or below ``least`` seconds; raises UserError."""
    if not (math.isfinite(value) and value >= least):
        raise UserError(f"{option} {value:g}: must be a number of seconds, at least {least:g}")
    return value


def check_count(option: str, value: int, *, least: int) -> int:
    """Refuse what is below ``least``; raises UserError."""
    if value < least:
        raise UserError(f"{option} {value}: at least {least}")
    return value


def parse_size(option: str, text: str) -> tuple[int, int]:
    """Parse ``320x240`` into width and height in pixels.

    Raises
    ------
    UserError
        Anything else.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise UserError(f"{option} {text!r}: write width x height in pixels, like 320x240")
    return int(width), int(height)


def parse_frame_rate(option: str, text: str) -> Fraction:
    """Parse ``25``, ``29.97`` or ``30000/1001`` into frames a second, without rounding.

    Raises
    ------
    UserError
        Not such a number; or not above 0 and at most 1000.
    """
    from fractions import Fraction

    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise UserError(f"{option} {text!r}: write frames a second, like 25 or 30000/1001")
    return rate


def parse_scales(option: str, text: str) -> tuple[float, ...]:
    """Parse ``1,1.5,2`` into sorted scale factors.

    Raises
    ------
    UserError
        A factor that is no number, below 1, not finite, or named twice.
    """
    scales = []
    for part in text.split(","):
        try:
            scale = float(part)
        except ValueError:
            raise UserError(f"{option}: {part.strip()!r} is not a number; write factors like 1,1.5,2") from None
        if not (math.isfinite(scale) and scale >= 1):
            raise UserError(f"{option}: a scale factor is HR side / LR side and at least 1, found {part.strip()!r}")
        scales.append(scale)
    if len(set(scales)) < len(scales):
        raise UserError(f"{option}: a factor is named twice in {text!r}")
    return tuple(sorted(scales))


def parse_divisors(option: str, text: str) -> tuple[int, ...]:
    """Parse ``1,2,4`` into sorted frame divisors.

    Raises
    ------
    UserError
        A divisor that is no whole number from 1, or named twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or len(set(parts)) < len(parts):
        raise UserError(f"{option} {text!r}: write different whole numbers from 1, like 1,2,4")
    return tuple(sorted(map(int, parts)))


def parse_roi(option: str, text: str) -> tuple[bool, tuple[int, int, int, int] | None]:
    """Parse ``none``, ``face``, ``face:x,y,w,h`` or ``x,y,w,h``.

    Returns
    -------
    tuple
        Whether only a window about the face is coded, and the face's box (x, y, width, height in HR pixels) or None
        where it is to be found.

    Raises
    ------
    UserError
        Not of this form, or a box with a negative corner, or a width or height that is not positive.
    """
    if text in ("none", "face"):
        return text == "face", None
    cut = text.startswith("face:")
    box = text.removeprefix("face:")
    try:
        x, y, width, height = (int(part) for part in box.split(","))
    except ValueError:
        raise UserError(
            f"{option} {box!r}: write none, face, x,y,w,h (a face's box in pixels) or face:x,y,w,h"
        ) from None
    if x < 0 or y < 0 or width <= 0 or height <= 0:
        raise UserError(f"{option} {box}: x and y must not be negative, w and h must be positive")
    return cut, (x, y, width, height)


def parse_fec(text: str) -> dict[str, Any]:
    """Parse what forward error correction is asked for.

    ``none``
        No parity.
    ``xor:k=5``
        After each 5 packets one that is the XOR of them.
    ``rs:k=10,n=12``
        After each 10 packets 2 of a Reed-Solomon code: any 10 of the 12 are enough. ``key_n=14`` gives key pictures 4;
        with ``n=10`` only they are protected.
    ``auto:0.01``
        Blocks of up to ``k`` packets (10) with as much parity as brings independent losses of the channel's mean rate
        down to 0.01 of the packets.

    ``depth=4`` lets the packets of 4 blocks alternate.

    Returns
    -------
    dict
        ``code``, ``k``, ``n``, ``key_n``, ``depth`` and ``target``: see :class:`~vidlink.sender.fec.Fec`.

    Raises
    ------
    UserError
        Not of this form; n < k; key_n < n; a block of more than 255 packets; a target outside 0 to 1.
    """
    name, _, rest = text.strip().partition(":")
    if name not in _FEC_KEYS:
        raise UserError(f"fec {text!r}: expected {_FEC_GRAMMAR}")
    parts = [part.strip() for part in rest.split(",")] if rest else []
    target = _target(parts.pop(0) if parts else "", text) if name == "auto" else None
    numbers = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key not in _FEC_KEYS[name] or key in numbers or not (value.isascii() and value.isdigit()) or len(value) > 6:
            raise UserError(f"fec {text!r}: found {part!r}, expected {_FEC_GRAMMAR}")
        numbers[key] = int(value)
    k, depth = numbers.get("k", 10), numbers.get("depth", 1)
    n = k + 1 if name == "xor" else numbers.get("n", k + 2 if name == "rs" else k)
    key_n = numbers.get("key_n", n)
    if k < 1:
        raise UserError(f"fec {text!r}: k = {k}, a block has at least 1 source packet")
    if n < k:
        raise UserError(f"fec {text!r}: n = {n} is less than k = {k}; n counts source and parity packets together")
    if key_n < n:
        raise UserError(f"fec {text!r}: key_n = {key_n} is less than n = {n}; key pictures get at least as much parity")
    if key_n > LARGEST_BLOCK:
        raise UserError(f"fec {text!r}: a block has at most {LARGEST_BLOCK} packets")
    if not 1 <= depth <= LARGEST_BLOCK:
        raise UserError(f"fec {text!r}: depth = {depth}, must be 1 to {LARGEST_BLOCK}")
    return {"code": name, "k": k, "n": n, "key_n": key_n, "depth": depth, "target": target}


def _target(text: str, setting: str) -> float:
    try:
        target = float(text)
    except ValueError:
        target = math.nan
    if not 0 < target < 1:
        raise UserError(f"fec {setting!r}: found {text!r}, expected a residual loss between 0 and 1, such as auto:0.01")
    return target


def parse_bytes(option: str, text: str) -> int:
    """Read a size in bytes: ``500M``, ``2G``, or a plain number.

    Raises
    ------
    UserError
        It is none; the message names the option.

    Examples
    --------
    >>> parse_bytes("--cache", "2G")
    2000000000
    """
    prefixes = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
    number, factor = (text[:-1], prefixes[text[-1:]]) if text[-1:] in prefixes else (text, 1)
    if not number.isdecimal():
        raise UserError(f"{option} {text}: write bytes, like 500M or 2G, or 0 for none")
    return int(number) * factor
