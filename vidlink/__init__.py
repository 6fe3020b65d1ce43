"""Send video over thin, lossy links so that a machine at the far end still recognizes what is in it.

``vidlink.run("my.mp4", bitrate="48k")`` sends one clip, ``vidlink.compare([...], bitrate=["24k", "48k"])`` many.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "run": "vidlink.sweeping.notebook",
    "compare": "vidlink.sweeping.notebook",
    "Run": "vidlink.report.run",
    "Table": "vidlink.sweeping.notebook",
    "Settings": "vidlink.settings",
    "Wants": "vidlink.recognizers.recognizer",
    "Context": "vidlink.recognizers.recognizer",
    "Recognizer": "vidlink.recognizers.recognizer",
    "load_recognizer": "vidlink.recognizers.registry",
    "load_codec": "vidlink.codec.shelf",
    "load_channel": "vidlink.codec.shelf",
    "UserError": "vidlink.errors",
}
"""Where each public name is defined. It is imported when it is first asked for: ``--help`` is to be quick."""

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name."""
    if name not in _HOME:
        raise AttributeError(f"module 'vidlink' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
