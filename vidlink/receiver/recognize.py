"""The recognizer's interface by the path at which it lay before :mod:`vidlink.recognizers`; code outside may use it."""

from vidlink.recognizers.recognize import (
    Context,
    Recognizer,
    Wants,
    list_recognizers,
    load_recognizer,
    names_classes,
    outputs,
    recognize,
    recognize_windows,
)

__all__ = [
    "Context",
    "Recognizer",
    "Wants",
    "list_recognizers",
    "load_recognizer",
    "names_classes",
    "outputs",
    "recognize",
    "recognize_windows",
]
