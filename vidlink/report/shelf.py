"""What there is to choose from: codecs, channels, estimators, face detectors, recognizers, restorers."""

from __future__ import annotations


def print_shelf(kind: str) -> None:
    """Print what there is of ``codecs``, ``channels``, ``estimators``, ``face-detectors``, ``recognizers`` ..."""
    from vidlink.codec.shelf import load_channel, load_codec, names
    from vidlink.recognizers.recognize import list_recognizers

    if kind == "recognizers":
        lines = list_recognizers()
    elif kind == "estimators":
        from vidlink.sender.estimator import list_estimators

        lines = list_estimators()
    elif kind == "face-detectors":
        from vidlink.faces.detector import list_detectors

        lines = list_detectors()
    elif kind == "restorers":
        from vidlink.restorers.registry import list_restorers

        lines = list_restorers()
    elif kind == "codecs":
        lines = {name: load_codec(name).description for name in names("codecs")}
    else:
        lines = {name: load_channel(name).description for name in names("channels")}
    width = max(map(len, lines), default=0)
    for name, line in lines.items():
        print(f"{name:<{width}}  {line}")
