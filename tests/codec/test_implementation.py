"""Codecs that are classes: the example of CONTRIBUTING.md, through the whole product, and classes that are wrong."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from vidlink.codec.implementation import decode_with_class, encode_with_class
from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.plugins import sources_of

DOC = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
PYTHON = re.search(r"```python\n(# motion_jpeg.py\n.*?)```", DOC, re.DOTALL)[1]
RECIPE = re.search(r"```toml\n([^`]*implementation[^`]*)```", DOC)[1]

WRONG = """
import numpy as np
import av

class Whole:
    def encode(self, pictures, quality): return [b"x"] * len(pictures)
    def decode(self, units): return {}

class Few(Whole):
    def encode(self, pictures, quality): return [b"x"]

class Text(Whole):
    def encode(self, pictures, quality): return ["x"] * len(pictures)

class Raises(Whole):
    def encode(self, pictures, quality): raise RuntimeError("no GPU")

class Stray(Whole):
    def decode(self, units): return {99: av.VideoFrame(16, 16, "yuv420p")}

class Large(Whole):
    def decode(self, units): return {frame: av.VideoFrame(64, 64, "yuv420p") for frame in units}

class Arrays(Whole):
    def decode(self, units): return {frame: np.zeros((16, 16)) for frame in units}

class Half:
    def encode(self, pictures, quality): return []

class Picky(Whole):
    def __init__(self, *, size): raise ValueError("no such size")
"""


SLOW = """
import time

class Slow:
    made = inside = together = 0

    def __init__(self):
        time.sleep(0.05)
        Slow.made += 1

    def encode(self, pictures, quality):
        Slow.together += Slow.inside
        Slow.inside += 1
        time.sleep(0.01)
        Slow.inside -= 1
        return [b"x"] * len(pictures)

    def decode(self, units):
        return {}
"""


@pytest.fixture(scope="module")
def wide_clip(tmp_path_factory, make_clip):
    """Two seconds of 160x128."""
    return make_clip(tmp_path_factory.mktemp("wide") / "wide.mp4", size=(160, 128))


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Write a recipe for a class of a module beside it; returns its path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("motion_jpeg", "wrong_codecs"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    (tmp_path / "motion_jpeg.py").write_text(PYTHON)
    (tmp_path / "wrong_codecs.py").write_text(WRONG)

    def write(implementation="motion_jpeg:MotionJpeg", *, text=RECIPE):
        path = tmp_path / f"{implementation.rpartition(':')[2]}.toml"
        path.write_text(text.replace("motion_jpeg:MotionJpeg", implementation))
        return str(path)

    return write


def pictures(count=3):
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (48, 32), dtype=np.uint8), format="yuv420p")
        frame.pts = 3600 * index
        made.append(frame)
    return made


def test_the_example_goes_through_the_whole_product(recipe, wide_clip, simulated, tmp_path):
    arguments = (wide_clip, "--codec", recipe(), "--recognizer", "none", "--no-video", "--scales", "1,2,4")
    runs = {
        budget: simulated(tmp_path / budget, *arguments, "--bitrate", budget) for budget in ("250k", "1M")
    }  # every picture costs a whole JPEG
    for run, budget in zip(runs.values(), (250_000, 1_000_000), strict=True):
        assert run.summary["rate"]["wire_bps"] <= budget
        assert run.summary["frames"]["ok"] == 50
    assert runs["1M"].summary["quality"]["psnr_db"] > runs["250k"].summary["quality"]["psnr_db"] + 1
    lossy = simulated(tmp_path / "lossy", *arguments, "--bitrate", "1M", "--channel", "bernoulli-10")
    # A picture that lost a packet is frozen; as each stands by itself, none drifts.
    assert lossy.summary["frames"]["frozen"] > 0
    assert lossy.summary["frames"]["drifting"] == 0
    assert lossy.summary["frames"]["ok"] + lossy.summary["frames"]["frozen"] == 50


def test_a_sweep_heeds_its_source(recipe, wide_clip, tmp_path):
    from vidlink.options import parse_arguments, settings_from
    from vidlink.sweeping.identity import identify

    arguments = [str(wide_clip), "--bitrate", "1M", "--codec", recipe(), "--recognizer", "none"]
    settings = settings_from(parse_arguments(arguments))
    before = identify(settings)
    assert identify(settings) == before
    source = tmp_path / "motion_jpeg.py"
    source.write_text(source.read_text() + "\n# changed\n")
    assert identify(settings) != before


def test_a_package_counts_as_a_whole_and_is_not_imported(recipe, tmp_path):
    package = tmp_path / "pk"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.py").write_text("x = 1")
    assert sources_of("pk.model:Codec", what="codec 'x'") == [package / "__init__.py", package / "model.py"]
    assert sources_of("motion_jpeg:MotionJpeg", what="codec 'x'") == [tmp_path / "motion_jpeg.py"]
    with pytest.raises(UserError, match="codec 'x': there is no module nowhere in the current folder"):
        sources_of("nowhere:Codec", what="codec 'x'")


def test_a_class_is_made_once_whoever_asks(recipe, tmp_path):
    (tmp_path / "slow_codecs.py").write_text(SLOW)
    codec = load_codec(recipe("slow_codecs:Slow", text=RECIPE.replace('optimize = "1"', "")))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: encode_with_class(codec, pictures(), 40), range(8)))
    assert sys.modules["slow_codecs"].Slow.made == 1
    assert sys.modules["slow_codecs"].Slow.together == 0


def test_live_mode_learns_what_it_costs(recipe, simulated, wide_clip, tmp_path):
    arguments = (wide_clip, "--codec", recipe(), "--recognizer", "none", "--no-video", "--bitrate", "auto")
    run = simulated(tmp_path / "run", *arguments, "--start-bitrate", "250k", "--channel", "satellite")
    first, *_ = run.summary["live"]["decisions"]
    assert first["wire_bits"] <= 1.3 * first["budget_bps"] * first["segment_s"]
    assert run.summary["rate"]["bpp"] < run.summary["rate"]["wire_bpp"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Few", "gave 1 units for 3 pictures"),
        ("Text", r"gave 3 units \(str\) for 3 pictures"),
        ("Raises", "encode.. failed: RuntimeError: no GPU"),
        ("Stray", "gave VideoFrame for frame 99"),
        ("Large", "gave 64x64 pixels for frame 0, expected 32x32, the size at which it was coded"),
        ("Arrays", "gave ndarray for frame 0"),
        ("Half", "has no method decode"),
        ("Missing", "wrong_codecs has no Missing"),
        ("Picky", "making it failed"),
    ],
)
def test_a_class_that_is_wrong_is_named(recipe, name, message):
    text = RECIPE.replace('optimize = "1"', 'size = "3"' if name == "Picky" else "")
    codec = load_codec(recipe(f"wrong_codecs:{name}", text=text))

    def use():
        units = encode_with_class(codec, pictures(), 40)
        decode_with_class(codec, dict(enumerate(unit for _, unit, _ in units)), (32, 32))

    with pytest.raises(UserError, match=f"codec {name!r}.*{message}"):
        use()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('encoder = "libx264"', "implementation takes the place of encoder"),
        ('program = "ffmpeg"', "implementation takes the place of program"),
        ('implementation = "motion_jpeg"', "implementation must be package.module:Class, found 'motion_jpeg'"),
        ("implementation = 3", "implementation must be package.module:Class, found 3"),
    ],
)
def test_recipes_that_cannot_be(recipe, line, message):
    ours = 'implementation = "motion_jpeg:MotionJpeg"'
    text = RECIPE.replace(ours, line) if line.startswith("implementation") else RECIPE.replace(ours, f"{ours}\n{line}")
    with pytest.raises(UserError, match=re.escape(message)):
        load_codec(recipe(text=text))
