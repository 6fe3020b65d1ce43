"""Where decoding can start: with a key frame, or where an intra-refresh cycle begins.

Without a key frame there is nothing to decode onto. Units are withheld until one arrives or a refresh cycle starts
anew; pictures of a cycle are decoded, and shown once it is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vidlink.types import Sample


class Use(NamedTuple):
    """What is to be done with what arrived of one picture."""

    decode: bool
    """Whether it is worth decoding."""
    show: bool
    """Whether its picture may be shown."""


def follow_starts(samples: Sequence[Sample], nals: Mapping[int, Sequence[bytes]]) -> list[Use]:
    """What to do with every picture of a closed group of pictures.

    Parameters
    ----------
    samples
        What is signalled of them, in decoding order.
    nals
        NAL units that arrived in time, by source frame; frames of which none did are not in it.
    """
    uses = []
    startless = False
    clean_at: int | None = None
    for number, sample in enumerate(samples):
        whole = sum(map(len, nals.get(sample.frame, ()))) == sample.bytes
        if sample.key:
            startless, clean_at = sample.frame not in nals, None
        if not whole:
            clean_at = None
        elif sample.recovery is not None and startless and clean_at is None:
            clean_at = number + sample.recovery
        if clean_at is not None and number >= clean_at:
            startless, clean_at = False, None
        uses.append(Use(decode=not startless or clean_at is not None, show=not startless))
    return uses
