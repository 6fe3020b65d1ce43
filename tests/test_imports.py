"""Dependencies point one way: the imports are read and held to the floor plan in ``docs/house.py``."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LOOSE = 20
ROOMS = ("sender", "channel", "receiver")
BASE = ("settings", "types", "errors", "units")
SHIM = "receiver.recognize"


def load_house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = load_house()


def circles(graph):
    """Sets of nodes that reach each other (Tarjan 1972), sorted, without those of one node."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in index:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == index[node]:
            place = stack.index(node)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for node in graph:
        if node not in index:
            visit(node)
    return found


def check_circles(imports):
    for circle in circles(imports):
        yield f"files import each other in a circle: {', '.join(circle)}"
    for circle in circles(house.between_rooms(imports)):
        yield f"rooms import each other in a circle: {', '.join(circle)}"


def check_rooms(imports):
    for module, targets in imports.items():
        room = house.room_of(module)
        for target in sorted(targets):
            other = house.room_of(target)
            if room in ROOMS and other in ROOMS and room != other:
                yield f"{module} imports {target}: sender, channel and receiver meet in link and simulate"
            if room == "receiver" and other == "recognizers" and module != SHIM:
                yield f"{module} imports {target}: the receiver's job ends with pictures"
            if room == "data" and other == "sender":
                yield f"{module} imports {target}: data knows no sender"
            if target == SHIM:
                yield f"{module} imports {target}, which is kept for users alone"


def check_base(imports):
    for module in BASE:
        for target in sorted(imports.get(module, ())):
            if "." in target or any("." in other and house.room_of(other) == target for other in imports):
                yield f"{module} imports {target}, a room"


def check_layers(imports):
    depth = {room: number for number, rooms in enumerate(house.LAYERS.values()) for room in rooms}
    rooms = house.between_rooms(imports)
    for room in rooms:
        if room not in depth:
            yield f"{room} stands in no layer of docs/house.py"
    for room, targets in rooms.items():
        for target in sorted(targets):
            up = depth.get(target, 0) < depth.get(room, 0)
            if up and (room, target) not in house.UPWARD:
                yield f"{room} imports {target}, which stands above it"


def check_all(imports):
    return [problem for check in (check_circles, check_rooms, check_base, check_layers) for problem in check(imports)]


def test_imports_follow_the_floor_plan():
    assert check_all(house.read_imports(house.PACKAGE)) == []


def test_every_exception_and_every_room_of_the_floor_plan_is_there():
    rooms = house.between_rooms(house.read_imports(house.PACKAGE))
    assert [f"{room} does not import {target}" for room, target in house.UPWARD if target not in rooms[room]] == []
    assert [room for layer in house.LAYERS.values() for room in layer if room not in rooms] == []


def test_the_drawing_shows_the_imports_as_they_are():
    drawn = set(re.findall(r'id="(\w+-imports-\w+)"', (ROOT / "docs" / "house.svg").read_text(encoding="utf-8")))
    rooms = house.drawn_imports(house.read_imports(house.PACKAGE))
    wanted = {f"{room}-imports-{target}" for room, targets in rooms.items() for target in targets}
    assert drawn == wanted, "python docs/house.py draws it anew"


def test_few_modules_lie_loose():
    assert len(list(house.PACKAGE.glob("*.py"))) <= MOST_LOOSE


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"sender/a.py": "from vidlink.receiver.b import c", "receiver/b.py": ""},
            "sender.a imports receiver.b: sender",
        ),
        ({"channel/a.py": "def f():\n    import vidlink.sender.b", "sender/b.py": ""}, "channel.a imports sender.b: "),
        ({"receiver/a.py": "from vidlink import channel", "channel/__init__.py": ""}, "receiver.a imports channel: "),
        ({"receiver/a.py": "from vidlink.recognizers import x", "recognizers/x.py": ""}, "the receiver's job ends"),
        ({"link/a.py": "from vidlink.receiver.recognize import Wants", "receiver/recognize.py": ""}, "for users alone"),
        ({"data/a.py": "from vidlink.sender.b import c", "sender/b.py": ""}, "data knows no sender"),
        (
            {"settings.py": "def f():\n    from vidlink.faces.roi import g", "faces/roi.py": ""},
            "settings imports faces",
        ),
        ({"types.py": "from vidlink.nets import x", "nets/__init__.py": "", "nets/a.py": ""}, "types imports nets, a"),
        (
            {"nets/a.py": "import vidlink.nets.b", "nets/b.py": "from vidlink.nets.a import x"},
            "files import each other in a circle: nets.a, nets.b",
        ),
        (
            {
                "nets/a.py": "import vidlink.rtp.a",
                "rtp/a.py": "",
                "rtp/b.py": "from vidlink.nets import c",
                "nets/c.py": "",
            },
            "rooms import each other in a circle: nets, rtp",
        ),
        ({"rtp/a.py": "from vidlink.link.b import c", "link/b.py": ""}, "rtp imports link, which stands above it"),
        ({"utils/a.py": ""}, "utils stands in no layer"),
    ],
)
def test_what_breaks_a_rule_is_found(tmp_path, files, problem):
    package = tmp_path / "vidlink"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert any(problem in found for found in check_all(house.read_imports(package)))


def test_a_tree_that_keeps_the_rules_passes(tmp_path):
    package = tmp_path / "vidlink"
    (package / "sender").mkdir(parents=True)
    (package / "__init__.py").write_text("from vidlink.simulate import run")
    (package / "simulate.py").write_text("import numpy\nfrom vidlink.sender import encode")
    (package / "sender" / "encode.py").write_text("from vidlink.types import Clip\nfrom vidlink import __version__")
    (package / "types.py").write_text("")
    imports = house.read_imports(package)
    assert imports == {"simulate": {"sender.encode"}, "sender.encode": {"types"}, "types": set()}
    assert check_all(imports) == []
