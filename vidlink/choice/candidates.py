"""What is worth trying: codecs, sizes, frame rates and protection, every combination that makes sense."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from vidlink.codec.shelf import load_channel, load_codec
from vidlink.errors import UserError
from vidlink.link.probe import check_codec
from vidlink.settings import declarations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.settings import Settings

AUTO = "auto"
"""The planner chooses, segment by segment."""
CODECS = ("x264", "x265", "vp9", "av1")
SIZES = (AUTO, "1", "2", "4")
RATES = (AUTO, "1", "2")
PROTECTIONS = ("none", "nack", "auto:0.01")


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A setting to try."""

    options: dict[str, Any]
    """What it says, under the names of the command line."""

    @property
    def name(self) -> str:
        """The options as one types them.

        Examples
        --------
        >>> Candidate(options={"codec": "x264", "scale": 2.0, "nack": True}).name
        '--codec x264 --scale 2 --nack'
        """
        words = []
        for name, value in self.options.items():
            words += [f"--{name}"] if value is True else [f"--{name}", f"{value:g}" if isinstance(value, float) else
                                                          str(value)]  # fmt: skip
        return " ".join(words)


def make_candidates(
    codecs: Sequence[str], sizes: Sequence[str], rates: Sequence[str], protections: Sequence[str]
) -> list[Candidate]:
    """Every combination, the plain ones first.

    Where the planner chooses sizes it chooses frame rates, too, and a fixed size has a fixed rate, unless nothing else
    was asked for.

    Parameters
    ----------
    codecs
        Recipes.
    sizes
        Scale factors, or ``auto``.
    rates
        Frame divisors (2: every second frame), or ``auto``.
    protections
        ``none``, ``nack``, or a code as ``--fec`` takes it; ``nack+CODE`` for both.

    Raises
    ------
    UserError
        One of them cannot be.

    Examples
    --------
    >>> for each in make_candidates(["x264"], ["auto", "2"], ["auto", "1"], ["none", "nack"]):
    ...     print(each.name)
    --codec x264
    --codec x264 --nack
    --codec x264 --scale 2 --divisors 1
    --codec x264 --scale 2 --divisors 1 --nack
    """
    pairs = list(product(dict.fromkeys(map(_size, sizes)), dict.fromkeys(map(_rate, rates))))
    alike = [(size, rate) for size, rate in pairs if (size is None) == (rate is None)]
    guards = list({str(guard): guard for guard in map(_protection, protections)}.values())
    found = []
    for codec, (size, rate), guard in product(dict.fromkeys(codecs), alike or pairs, guards):
        options: dict[str, Any] = {"codec": codec}
        options |= {} if size is None else {"scale": size}
        options |= {} if rate is None else {"divisors": rate}
        found.append(Candidate(options=options | guard))
    return found


def usable_codecs(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The codecs that this machine has, and of each other one a line that says why not.

    Raises
    ------
    UserError
        There is no such recipe, or none of them can be used here.
    """
    usable, left_out = [], []
    for name in names:
        codec = load_codec(name)
        try:
            check_codec(codec)
            usable.append(name)
        except UserError as error:
            left_out.append(str(error))
    if not usable:
        raise UserError(f"--codecs {' '.join(names)}: this machine has none of them: {left_out[0]}")
    return usable, left_out


def worth_protecting(settings: Settings, asked: Sequence[str] | None) -> Sequence[str]:
    """The protections to try: those that were asked for, or on a channel that loses nothing by itself none.

    Raises
    ------
    UserError
        There is no such channel, or it is wrong.
    """
    loses = load_channel(settings.channel, settings.loss).loss.expected() > 0
    return asked or (PROTECTIONS if loses else PROTECTIONS[:1])


def _size(text: str) -> float | None:
    if text == AUTO:
        return None
    try:
        return float(declarations()["scale"].value(text))
    except UserError as error:
        raise UserError(f"--sizes {text}: expected auto or a scale factor like 2 ({error})") from None


def _rate(text: str) -> int | None:
    if text == AUTO:
        return None
    try:
        (divisor,) = declarations()["divisors"].value(text)
    except (UserError, ValueError):
        raise UserError(f"--rates {text}: expected auto or a frame divisor like 2, for every second frame") from None
    return int(divisor)


def _protection(text: str) -> dict[str, Any]:
    if text == "none":
        return {}
    first, _, code = text.partition("+")
    if first != "nack":
        first, code = "", text
    elif not code:
        return {"nack": True}
    try:
        declarations()["fec"].value(code)
    except UserError as error:
        raise UserError(
            f"--protect {text}: expected none, nack, nack+CODE or a CODE as --fec has it ({error})"
        ) from None
    return {"fec": code, **({"nack": True} if first else {})}
