"""What there is to choose from: codecs, channels, estimators, recognizers."""

from __future__ import annotations


def print_shelf(kind: str) -> None:
    """Print what there is of ``codecs``, ``channels``, ``estimators`` or ``recognizers``, a line each."""
    from vidlink.codec.shelf import load_channel, load_codec, names
    from vidlink.recognizers.recognize import list_recognizers

    if kind == "recognizers":
        lines = list_recognizers()
    elif kind == "estimators":
        from vidlink.sender.estimator import list_estimators

        lines = list_estimators()
    elif kind == "codecs":
        lines = {name: load_codec(name).description for name in names("codecs")}
    else:
        lines = {name: load_channel(name).description for name in names("channels")}
    width = max(map(len, lines), default=0)
    for name, line in lines.items():
        print(f"{name:<{width}}  {line}")
