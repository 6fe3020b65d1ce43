"""The floor plan: which room may import which, and the drawing of it in ``docs/house.svg``.

``python docs/house.py`` draws it anew from the imports as they are; ``tests/test_imports.py`` holds the code to it.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from matplotlib.axes import Axes

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "vidlink"

LAYERS = {
    "commands": (
        "__main__",
        "demo",
        "report_command",
        "check",
        "reels",
        "train",
        "evaluate",
        "options",
        "simulate",
        "sweep",
        "recommend",
    ),
    "above runs": ("training", "tasks", "report", "scores", "sweeping", "choice"),
    "meeting place": ("link",),
    "rooms": ("data", "sender", "channel", "receiver", "restorers", "recognizers"),
    "shared": ("files", "video", "faces", "labels", "codec", "rtp", "nets", "weights"),
    "words": ("settings", "types", "units", "errors", "plugins", "pipeline", "progress", "parser", "command"),
}
"""Rooms by layer, from the top. A room imports from its own layer and those below."""

UPWARD = {
    ("sweeping", "simulate"): "a sweep is many runs of simulate",
    ("sweeping", "options"): "a sweep varies the options of a run",
    ("codec", "channel"): "one file knows where both shelves lie",
}
"""Imports that go up all the same, with the reason."""


def read_imports(package: Path) -> dict[str, set[str]]:
    """Read which modules of a package import which others of it.

    Imports within functions and for type checkers count.

    Parameters
    ----------
    package
        Its folder.

    Returns
    -------
    dict of str to set of str
        Names without the package's own, such as ``sender.encode``; a room's ``__init__`` goes by the room's name. The
        package's own ``__init__`` is left out.
    """
    paths = {".".join(_parts(path.relative_to(package))): path for path in sorted(package.rglob("*.py"))}
    modules = {name: path for name, path in paths.items() if name}
    found = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        targets = {target for imported in _imported(tree) if (target := _within(imported, package.name, modules))}
        found[name] = targets - {name}
    return found


def room_of(module: str) -> str:
    """Name the room that a module lies in, or the module itself where it lies loose.

    What ``python -m`` starts of a room is no part of it but a command: ``report.__main__`` is ``report_command``.
    """
    room, _, rest = module.partition(".")
    return f"{room}_command" if rest == "__main__" else room


def between_rooms(imports: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Imports by room instead of module."""
    rooms: dict[str, set[str]] = {room_of(module): set() for module in imports}
    for module, targets in imports.items():
        rooms[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    return rooms


def _parts(path: Path) -> list[str]:
    return [part for part in path.with_suffix("").parts if part != "__init__"]


def _imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what a module imports; of ``from a import b`` it is ``a.b``, whatever b is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _within(imported: str, package: str, modules: Iterable[str]) -> str | None:
    """The module of the package that an imported name lies in."""
    top, _, rest = imported.partition(".")
    while top == package and rest:
        if rest in modules:
            return rest
        rest = rest.rpartition(".")[0]
    return None


BITS = ("data", "sender", "channel", "receiver", "restorers", "recognizers")
"""The way of the bits, through a row of the drawing."""
LINES = {
    "__main__": "the one command:\nrun, sweep, ...",
    "demo": "a first look",
    "report_command": "the page of a\nrun or a sweep",
    "check": "what data hold,\nwhat is wrong",
    "simulate": "one run, the block\ndiagram",
    "sweep": "many runs,\none table",
    "recommend": "which setting\nto use",
    "train": "makes weights",
    "evaluate": "scores weights",
    "reels": "labelled clips\nof still faces",
    "options": "words of the\ncommand line",
    "sweeping": "grids, folders,\nexecutors, curves",
    "choice": "what to try, halving,\nhow sure",
    "tasks": "affect, activity,\nsuper-resolution",
    "training": "loop, regimes,\ndegradations",
    "scores": "what was kept:\nPSNR, CCC, BD ...",
    "report": "terminal, plot,\nrun folder",
    "link": "where sender, channel and receiver meet: planned, live; captures of what was sent",
    "data": "data sets,\nthe built-in clip",
    "sender": "ladder, planner,\npackets, parity",
    "channel": "queue, delay,\nloss, traces",
    "receiver": "repair, decode,\nconceal, hold",
    "restorers": "to full size:\nbicubic, networks",
    "recognizers": "what sees: affect,\nactivity, yours",
    "video": "FFmpeg in\nand out",
    "faces": "find, follow,\ncut",
    "codec": "recipes,\nshelves",
    "rtp": "payload\nformats",
    "labels": "what was\nin the clip",
    "nets": "one network\na file",
    "weights": "those that\nship",
    "files": "whole files,\nthe cache",
}
_COLOURS = ("#dfe8f3", "#e4efe2", "#fbeccb", "#f9dccb", "#e9e4f2", "#ededed")
_INK, _IMPORT, _BITS, _UP = "#30363d", "#6b7785", "#c2410c", "#8a63b8"
_WIDTH, _HEIGHT, _ROW, _LEFT = 16.0, 0.86, 1.72, 1.75


def drawn_imports(imports: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """What the drawing shows: imports between rooms that no chain of others implies, without those of plain words."""
    words = set(LAYERS["words"])
    rooms = {room: targets - words for room, targets in between_rooms(imports).items() if room not in words}
    down = {room: {target for target in targets if (room, target) not in UPWARD} for room, targets in rooms.items()}
    return {
        room: {target for target in targets if target not in _reached(down, down[room] - {target})}
        for room, targets in rooms.items()
    }


def _reached(rooms: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    found, waiting = set(), list(starts)
    while waiting:
        room = waiting.pop()
        if room not in found:
            found.add(room)
            waiting += rooms.get(room, ())
    return found


def draw(imports: Mapping[str, Iterable[str]], path: Path) -> None:
    """Draw rooms by layer, the way of the bits, and imports as arrows."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "vidlink", "font.size": 10, "font.family": "DejaVu Sans"})
    figure, axes = plt.subplots(figsize=(_WIDTH * 0.8, len(LAYERS) * _ROW * 0.8))
    axes.set(xlim=(0, _WIDTH), ylim=(-0.25, len(LAYERS) * _ROW - 0.1), aspect="equal")
    axes.axis("off")
    places = _draw_rooms(axes)
    for room, targets in drawn_imports(imports).items():
        for target in sorted(targets):
            _draw_import(axes, places, room, target)
    for room, after in pairwise(BITS):
        start, end = places[room], places[after]
        _arrow(axes, (start[0] + start[2] / 2, start[1]), (end[0] - end[2] / 2, end[1]), _BITS, width=3.2, head=16)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _draw_rooms(axes: Axes) -> dict[str, tuple[float, float, float]]:
    """Draw the layers; gives the middle and the width of each room."""
    from matplotlib.patches import FancyBboxPatch

    places = {}
    for number, (layer, rooms) in enumerate(LAYERS.items()):
        y = (len(LAYERS) - 1 - number) * _ROW + _ROW / 2 - 0.2
        band = FancyBboxPatch(
            (0.1, y - 0.62), _WIDTH - 0.2, 1.24, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=_COLOURS[number], edgecolor="none", zorder=0,
        )  # fmt: skip
        axes.add_patch(band)
        axes.text(0.28, y, layer.replace(" ", "\n", 1), va="center", fontsize=10.5, color=_INK, style="italic")
        step = (_WIDTH - _LEFT - 0.15) / len(rooms)
        width = min(step - 0.3, 2.3) if len(rooms) > 1 else 0.6 * step - 0.3
        for place, room in enumerate(rooms):
            x = _LEFT + step * (place + 0.5)
            places[room] = x, y, width
            box = FancyBboxPatch(
                (x - width / 2, y - _HEIGHT / 2), width, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.09",
                facecolor="white", edgecolor=_BITS if room in BITS else _INK, linewidth=1.6 if room in BITS else 0.9,
                zorder=4,
            )  # fmt: skip
            axes.add_patch(box)
            line = LINES.get(room, "")
            axes.text(x, y + (0.2 if line else 0), room, ha="center", va="center", weight="bold", zorder=5, color=_INK)
            axes.text(x, y - 0.15, line, ha="center", va="center", fontsize=7.6, zorder=5, color=_INK, linespacing=1.05)
    return places


def _draw_import(axes: Axes, places: Mapping[str, tuple[float, float, float]], room: str, target: str) -> None:
    (x, y, width), (to_x, to_y, to_width) = places[room], places[target]
    name = f"{room}-imports-{target}"
    lean = 0.35 * max(-1.0, min(1.0, (to_x - x) / 4))
    if y > to_y:
        start, end = (x + lean * width, y - _HEIGHT / 2), (to_x - lean * to_width, to_y + _HEIGHT / 2)
        _arrow(axes, start, end, _IMPORT, name=name)
    elif y < to_y:
        start, end = (x + lean * width, y + _HEIGHT / 2), (to_x - lean * to_width, to_y - _HEIGHT / 2)
        _arrow(axes, start, end, _UP, name=name, style="--")
    else:
        side = 1 if to_x > x else -1
        near = abs(to_x - x) < 0.6 * (width + to_width) + 0.4
        if near:
            _arrow(axes, (x + side * width / 2, y), (to_x - side * to_width / 2, to_y), _IMPORT, name=name)
        else:
            ends = (x + side * 0.3 * width, y - _HEIGHT / 2), (to_x - side * 0.3 * to_width, to_y - _HEIGHT / 2)
            _arrow(axes, *ends, _IMPORT, name=name, bend=0.18 * side)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, *, name: str = "", style: str = "-",
    bend: float = 0.0, width: float = 0.9, head: float = 9,
) -> None:  # fmt: skip
    from matplotlib.patches import FancyArrowPatch

    arrow = FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=head, color=colour, linewidth=width, linestyle=style,
        connectionstyle=f"arc3,rad={bend}", shrinkA=0, shrinkB=0, alpha=1.0 if width > 1 else 0.75, zorder=3,
    )  # fmt: skip
    arrow.set_gid(name or None)
    axes.add_patch(arrow)


if __name__ == "__main__":
    draw(read_imports(PACKAGE), DOCS / "house.svg")
