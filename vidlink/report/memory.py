"""The memory of runs that share a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidlink.files.cache import Cache
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings


def shared_memory(settings: Settings, cache: Cache) -> Memory:
    """What runs that share a cache need not do twice.

    Raises
    ------
    UserError
        What the recognizer is cannot be said.
    """
    from vidlink.recognizers.content import recognizer_content, with_sources
    from vidlink.scores.objective import asks_recognizer
    from vidlink.sender.memory import Memory

    judge = recognizer_content(settings)
    objective = with_sources(settings.objective, what="objective")
    if asks_recognizer(settings.objective):
        objective += judge
    return Memory(cache, objective=" ".join(objective), judge=" ".join(judge))
