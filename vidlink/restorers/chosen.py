"""The restoration that the settings of a run ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.restorers.registry import DEFAULT
from vidlink.restorers.restoration import Restoration
from vidlink.restorers.sent import SentRestoration

if TYPE_CHECKING:
    from vidlink.settings import Settings
    from vidlink.types import Clip


def make_restoration(clip: Clip, settings: Settings) -> Restoration:
    """What brings the pictures of a run to full size; raises as :class:`~vidlink.restorers.restoration.Restoration`."""
    if settings.overfit == "auto":
        return SentRestoration(clip)
    if settings.restorer == DEFAULT:
        return Restoration(clip)
    from vidlink.recognizers.registry import find_device

    return Restoration(
        clip,
        settings.restorer,
        later=not settings.live,
        device=find_device(settings.device),
        budget=settings.restorer_budget,
    )
