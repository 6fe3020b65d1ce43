"""What people write for a setting, read into plain values: rates, sizes, factors, boxes, codes.

What can be found wrong names the option that it was given for, as ``--scales``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError, is_no_name

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

_RATE = re.compile(
    r"\s*(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e(?P<power>[+-]?[0-9]+))?\s*(?P<prefix>[kKMG]?)"
    r"(?:bps|b/s|bits?/s)?\s*"
)
_BYTES_A_SECOND = re.compile(r"[0-9.\s]+[kKMG]?(?:B/s|Bps|[Bb]ytes?/s)\s*")
_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")

LARGEST_BLOCK = 255
"""Packets in a block of a code over GF(256), sources and parity together."""
_FEC_KEYS = {"none": set[str](), "xor": {"k", "depth"}, "rs": {"k", "n", "key_n", "depth"}, "auto": {"k", "depth"}}
_FEC_GRAMMAR = "none, xor:k=5, rs:k=10,n=12[,key_n=14][,depth=2] or auto:0.01[,k=10][,depth=2]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """A kind of number that recipes, channels, traces, options and labels hold, and its bounds.

    The bounds are far beyond what anybody measures, and near enough that sums of nanoseconds and of bits stay within
    64 bits. Infinity, NaN and what is no number are outside.
    """

    name: str
    """What such a number is, for messages."""
    least: float
    """Smallest that is allowed."""
    most: float
    """Largest that is allowed."""

    def read(self, what: str, found: Any) -> float:
        """Read a number, or text that is one.

        Parameters
        ----------
        what
            Begins the message, such as ``trace a.csv, line 3: rate_bps``.
        found
            A number or text.

        Raises
        ------
        UserError
            It is no number, or beyond the bounds.

        Examples
        --------
        >>> SECONDS.read("--deadline", "0.4")
        0.4
        """
        number = math.nan
        is_text = isinstance(found, str) and _NUMBER.fullmatch(found)
        if is_text or (isinstance(found, Real) and not isinstance(found, bool)):
            try:
                number = float(found)
            except OverflowError:  # a whole number of hundreds of digits
                number = math.inf
        if not self.least <= number <= self.most:
            raise UserError(f"{what}: found {shown(found)}, expected {self}")
        return number

    def __str__(self) -> str:
        """What is allowed, in words."""
        if self.least == 0:
            return f"{self.name}, 0 or more and {self.most:g} at most"
        return f"{self.name} from {self.least:g} to {self.most:g}"


NUMBER = Quantity(name="a number", least=-1e9, most=1e9)
"""What has no unit, or one of its own: a label, an encoder's option."""
SECONDS = Quantity(name="a number of seconds", least=0, most=1e6)
"""Eleven days."""
RATE = Quantity(name="bits per second", least=0, most=1e12)
"""A bit rate; where it stands still a link waits."""
SIZE = Quantity(name="a number of bytes", least=0, most=1e15)
"""What a queue or a disk holds."""
SLOWEST_RATE = 1.0
"""Bits per second of a link or a budget, at the least."""
LEAST_SHARE = 0.01
"""Share of packets that arrives, as rates are reckoned with it: no rate makes up for a link that loses all."""
LARGEST_COUNT = 2**31 - 1
"""Of things that are counted: frames, threads."""
LARGEST_SIDE = 65_535
"""Of a picture, in pixels."""
SLOWEST = 86_400
"""Seconds between two pictures at the most: one a day."""


def shown(found: Any) -> str:
    """What was found, for a message: short, whatever it is.

    Examples
    --------
    >>> shown("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    try:
        text = repr(found)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= 80 else f"{text[:40]}..."


def parse_rate(text: str | float) -> float:
    """Read a bit rate in bits per second.

    Parameters
    ----------
    text
        A number, or a number with one of the decimal prefixes ``k``, ``M``, ``G``: ``64k`` is 64000, ``1.5M`` is
        1500000. The unit may stand behind it: ``64kbps``, ``64 kb/s``, ``64kbit/s``.

    Returns
    -------
    float
        Bits per second, positive and finite.

    Raises
    ------
    UserError
        Not such a number; or below 1, above a terabit, infinite or NaN.

    Examples
    --------
    >>> parse_rate("64k"), parse_rate("1.5M"), parse_rate(24000)
    (64000.0, 1500000.0, 24000.0)
    >>> parse_rate("64kbps"), parse_rate("1.5 Mb/s")
    (64000.0, 1500000.0)
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UserError(f"bit rate {shown(text)}: expected bits per second, such as 64k, 1.5M or 64000")
    if isinstance(text, str):
        match = _RATE.fullmatch(text)
        if match is None and _BYTES_A_SECOND.fullmatch(text):
            raise UserError(f"bit rate {shown(text)}: is in bytes; write bits per second, eight times that, like 64k")
        if match is None:
            raise UserError(
                f"bit rate {shown(text)}: expected a positive number of bits per second, such as 64k, 1.5M or 64000"
            )
        rate = float(f"{match['number']}e{match['power'] or 0}") * _FACTORS[match["prefix"]]
    else:
        rate = math.inf if abs(text) > RATE.most else float(text)
    if not 0 < rate <= RATE.most:
        raise UserError(
            f"bit rate {shown(text)}: must be positive and finite, such as 64k, 1.5M or 64000, at most {RATE.most:g}"
        )
    if rate < SLOWEST_RATE:
        raise UserError(f"bit rate {shown(text)}: must be at least {SLOWEST_RATE:g} bit per second, such as 64k")
    return rate


def parse_work(option: str, text: str | float) -> float:
    """Read an amount of arithmetic, multiply-adds a pixel: ``900``, ``1.2k``, ``0.01M``.

    Raises
    ------
    UserError
        It is none, or not above 0 and at most 1e12; the message names the option.

    Examples
    --------
    >>> parse_work("--restorer-budget", "1.2k"), parse_work("--restorer-budget", 900)
    (1200.0, 900.0)
    """
    written = str(text).strip()
    number, factor = (written[:-1], _FACTORS[written[-1:]]) if written[-1:] in _FACTORS else (written, 1.0)
    amount = float(number) * factor if _NUMBER.fullmatch(number) else math.nan
    if not 0 < amount <= RATE.most:
        raise UserError(f"{option} {shown(text)}: write multiply-adds a pixel, above 0, like 900 or 1.2k")
    return amount


def plain_seconds(text: str) -> str:
    """Text of a time as a number of seconds: ``400ms`` is ``0.4``, ``2s`` is ``2``; what has no unit stays as it is.

    Examples
    --------
    >>> plain_seconds("400ms"), plain_seconds("2 s"), plain_seconds("0.4"), plain_seconds("soon")
    ('0.4', '2', '0.4', 'soon')
    """
    number = text.strip().removesuffix("s").removesuffix("m").rstrip()
    if number == text.strip() or not _NUMBER.fullmatch(number):
        return text
    return f"{float(number) / 1000:.12g}" if text.strip().endswith("ms") else number if text.endswith("s") else text


def plain_share(text: str) -> str:
    """Text of a share as a number: ``5%`` is ``0.05``; what has no percent sign stays as it is.

    Examples
    --------
    >>> plain_share("5%"), plain_share("0.5 %"), plain_share("0.05")
    ('0.05', '0.005', '0.05')
    """
    number = text.strip().removesuffix("%").rstrip()
    if number == text.strip() or not _NUMBER.fullmatch(number):
        return text
    return f"{float(number) / 100:.12g}"


def check_path(option: str, path: Path) -> Path:
    """Refuse a name that no file can have: too long, with a zero in it, or a link that leads to itself.

    Raises
    ------
    UserError
        Which name, and what is wrong with it.

    Examples
    --------
    >>> from pathlib import Path
    >>> check_path("--out", Path("a" * 300))
    Traceback (most recent call last):
    ...
    vidlink.errors.UserError: --out 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...: File name too long
    """
    try:
        path.stat()
    except ValueError:
        raise UserError(f"{option} {shown(str(path))}: no file can have such a name") from None
    except OSError as error:
        if is_no_name(error):
            raise UserError(f"{option} {shown(str(path))}: {error.strerror}") from error
    return path


def check_share(option: str, value: float) -> float:
    """Refuse what is no share of a whole from 0 to below 1; raises UserError."""
    if not 0 <= value < 1:
        hint = f", or as {value:g}%" if 1 <= value < 100 else ""
        raise UserError(f"{option} {value:g}: expected a share from 0 to below 1, like 0.05 or 5%{hint}")
    return value


def check_seconds(option: str, value: float, *, least: float = 0.0) -> float:
    """Refuse what is below ``least`` seconds or beyond :data:`SECONDS`; raises UserError."""
    if not least <= value <= SECONDS.most:
        raise UserError(
            f"{option} {value:g}: must be a number of seconds, at least {least:g} and at most {SECONDS.most:g}"
        )
    return value


def parse_gop(option: str, text: str | float) -> float | str:
    """Read the longest time between key frames: seconds, or ``auto``.

    Raises
    ------
    UserError
        Neither.

    Examples
    --------
    >>> parse_gop("--gop", "auto"), parse_gop("--gop", "2")
    ('auto', 2.0)
    """
    if text == "auto":
        return "auto"
    try:
        seconds = float(text)
    except ValueError:
        raise UserError(f"{option} {shown(text)}: expected seconds between key frames, such as 2, or auto") from None
    return check_seconds(option, seconds, least=0.1)


def check_number(option: str, value: float) -> float:
    """Refuse what is not finite or beyond :data:`NUMBER`; raises UserError."""
    return NUMBER.read(option, value)


def check_count(option: str, value: int, *, least: int, most: int = LARGEST_COUNT) -> int:
    """Refuse what is below ``least`` or above ``most``; raises UserError."""
    if value < least:
        raise UserError(f"{option} {shown(value)}: at least {least}")
    if value > most:
        raise UserError(f"{option} {shown(value)}: at most {most}")
    return value


def _whole(text: str, most: int) -> int:
    """A whole number from 1 to ``most``, or 0 for anything else."""
    digits = text.isascii() and text.isdecimal() and len(text) < 20
    return int(text) if digits and int(text) <= most else 0


def parse_size(option: str, text: str) -> tuple[int, int]:
    """Parse ``320x240`` into width and height in pixels.

    Raises
    ------
    UserError
        Anything else, or more than 65,535 pixels.
    """
    sides = [_whole(part, LARGEST_SIDE) for part in text.lower().split("x")]
    if len(sides) != 2 or not all(sides):
        raise UserError(
            f"{option} {shown(text)}: write width x height in pixels, like 320x240, each at most {LARGEST_SIDE}"
        )
    return sides[0], sides[1]


def parse_frame_rate(option: str, text: str) -> Fraction:
    """Parse ``25``, ``29.97`` or ``30000/1001`` into frames a second, without rounding.

    Raises
    ------
    UserError
        Not such a number; or not from one a day to 1000 a second.
    """
    from fractions import Fraction

    try:
        # Longer numbers are none that anybody means, and powers of ten can be too large to compute.
        rate = Fraction(text) if len(text) <= 40 and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not Fraction(1, SLOWEST) <= rate <= 1000:
        raise UserError(f"{option} {shown(text)}: write frames a second, like 25 or 30000/1001, at most 1000")
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
            raise UserError(f"{option}: {shown(part.strip())} is not a number; write factors like 1,1.5,2") from None
        if not 1 <= scale <= LARGEST_SIDE:
            raise UserError(
                f"{option}: a scale factor is HR side / LR side and at least 1, found {shown(part.strip())}"
            )
        scales.append(scale)
    if len(set(scales)) < len(scales):
        raise UserError(f"{option}: a factor is named twice in {shown(text)}")
    return tuple(sorted(scales))


def parse_divisors(option: str, text: str) -> tuple[int, ...]:
    """Parse ``1,2,4`` into sorted frame divisors.

    Raises
    ------
    UserError
        A divisor that is no whole number from 1, or named twice.
    """
    divisors = [_whole(part.strip(), LARGEST_COUNT) for part in text.split(",")]
    if not all(divisors) or len(set(divisors)) < len(divisors):
        raise UserError(f"{option} {shown(text)}: write different whole numbers from 1, like 1,2,4")
    return tuple(sorted(divisors))


def parse_roi(option: str, text: str) -> tuple[bool, tuple[int, int, int, int] | None]:
    """Parse ``none``, ``qp``, ``face``, ``face:x,y,w,h`` or ``x,y,w,h``.

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
    if text in ("none", "face", "qp"):
        return text == "face", None
    cut = text.startswith("face:")
    box = text.removeprefix("face:")
    try:
        x, y, width, height = (int(part) for part in box.split(","))
    except ValueError:
        raise UserError(
            f"{option} {shown(box)}: write none, face, qp, x,y,w,h (a face's box in pixels) or face:x,y,w,h"
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
        raise UserError(f"fec {shown(text)}: expected {_FEC_GRAMMAR}")
    parts = [part.strip() for part in rest.split(",")] if rest else []
    target = _target(parts.pop(0) if parts else "", text) if name == "auto" else None
    numbers = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key not in _FEC_KEYS[name] or key in numbers or not (value.isascii() and value.isdigit()) or len(value) > 6:
            raise UserError(f"fec {shown(text)}: found {shown(part)}, expected {_FEC_GRAMMAR}")
        numbers[key] = int(value)
    k, depth = numbers.get("k", 10), numbers.get("depth", 1)
    n = k + 1 if name == "xor" else numbers.get("n", k + 2 if name == "rs" else k)
    key_n = numbers.get("key_n", n)
    if k < 1:
        raise UserError(f"fec {shown(text)}: k = {k}, a block has at least 1 source packet")
    if n < k:
        raise UserError(f"fec {shown(text)}: n = {n} is less than k = {k}; n counts source and parity packets together")
    if key_n < n:
        raise UserError(
            f"fec {shown(text)}: key_n = {key_n} is less than n = {n}; key pictures get at least as much parity"
        )
    if key_n > LARGEST_BLOCK:
        raise UserError(f"fec {shown(text)}: a block has at most {LARGEST_BLOCK} packets")
    if not 1 <= depth <= LARGEST_BLOCK:
        raise UserError(f"fec {shown(text)}: depth = {depth}, must be 1 to {LARGEST_BLOCK}")
    return {"code": name, "k": k, "n": n, "key_n": key_n, "depth": depth, "target": target}


def _target(text: str, setting: str) -> float:
    try:
        target = float(plain_share(text))
    except ValueError:
        target = math.nan
    if not 0 < target < 1:
        expected = "expected a residual loss between 0 and 1, such as auto:0.01"
        raise UserError(f"fec {shown(setting)}: found {shown(text)}, {expected}")
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
    digits = number.isascii() and number.isdecimal() and len(number) < 20
    if not digits or int(number) * factor > SIZE.most:
        raise UserError(f"{option} {shown(text)}: write bytes, like 500M or 2G, or 0 for none, at most {SIZE.most:g}")
    return int(number) * factor
