import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.recognizers import registry
from vidlink.recognizers.crop import bring_to, crop_square
from vidlink.recognizers.recognize import (
    Context,
    Recognizer,
    Wants,
    list_recognizers,
    load_recognizer,
    recognize,
)
from vidlink.recognizers.registry import find_device


class Mean:
    """Mean brightness of what it is shown."""

    name, task = "mean", "test"
    wants = Wants(region="face", height=8, width=8, colour="luma")
    gives = ("brightness", "scale")

    def __init__(self):
        self.batches = []

    def __call__(self, pictures, context):
        self.batches.append(len(pictures))
        assert pictures.dtype == torch.float32
        assert len(context.status) == len(pictures)
        return torch.stack([pictures.mean(dim=(1, 2, 3)), torch.from_numpy(context.scale).float()], dim=1)


class Frames(Mean):
    """Whole frames in colour."""

    wants = Wants(region="frame", height=4, width=6, colour="rgb")
    gives = ("red", "green", "blue")

    def __call__(self, pictures, context):
        assert pictures.shape[1:] == (3, 4, 6)
        return pictures.mean(dim=(2, 3))


def context(count):
    return Context(scale=np.arange(count, dtype=float), quality=np.zeros(count), status=["ok"] * count)


@pytest.fixture
def plugin(monkeypatch):
    made = types.ModuleType("test_plugin_of_ours")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_rows_match_pictures_and_batches_are_bounded():
    pictures = [np.full((20, 30), 10 * k, np.uint8) for k in range(7)]
    boxes = [(5, 5, 8, 8) if k != 2 else None for k in range(7)]
    recognizer = Mean()
    answers = recognize(recognizer, pictures, boxes, context(7), batch=4)
    assert recognizer.batches == [4, 2]
    assert np.isnan(answers[2]).all()
    seen = [0, 1, 3, 4, 5, 6]
    assert answers[seen, 0] == pytest.approx(np.array(seen) * 10 / 255)
    assert answers[seen, 1].tolist() == seen
    assert answers.dtype == np.float32


def test_whole_frames_need_no_box():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[..., 0] = 255
    assert recognize(Frames(), [picture], None).tolist() == [[1, 0, 0]]
    assert recognize(Frames(), [np.full((40, 60), 51, np.uint8)], None)[0] == pytest.approx(0.2)


def test_no_pictures_give_no_rows():
    assert recognize(Mean(), [], []).shape == (0, 2)


def test_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="equal numbers"):
        recognize(Mean(), [np.zeros((8, 8), np.uint8)], [])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: torch.zeros(n, 3), r"gave shape \(2, 3\), expected \(2, 2\)"),
        (lambda n: torch.zeros(2 * n), r"gave shape"),
        (lambda n: torch.full((n, 2), float("nan")), "gave numbers that are not finite"),
        (lambda n: np.zeros((n, 2)), "gave ndarray, expected a Tensor"),
        (lambda n: 1 / 0, "raised ZeroDivisionError"),
        (lambda n: sys.exit(0), "raised SystemExit: 0"),
        (lambda n: torch.ones(n, 2).to_sparse(), "gave a tensor of layout torch.sparse_coo"),
        (lambda n: torch.ones(n, 2, dtype=torch.complex64), "gave complex numbers"),
        (lambda n: torch.ones(n, 2, device="meta"), "gave what cannot be read"),
        (lambda n: torch.full((n, 2), 1e30), r"gave numbers up to 1e\+30"),
        (lambda n: torch.full((n, 2), 1e300, dtype=torch.float64), "gave numbers that are not finite"),
        (lambda n: torch.full((n, 2), -(2**60)), "gave numbers up to"),
        (lambda n: torch.ones(1).expand(10**9, 2), "gave shape"),
    ],
)
def test_a_wrong_answer_names_the_recognizer(answer, message):
    class Wrong(Mean):
        def __call__(self, pictures, context):
            return answer(len(pictures))

    with pytest.raises(UserError, match=f"recognizer 'mean': {message}"):
        recognize(Wrong(), [np.zeros((8, 8), np.uint8)] * 2, [(0, 0, 8, 8)] * 2)


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool])
def test_real_numbers_of_any_type_are_taken(kind):
    class Typed(Mean):
        def __call__(self, pictures, context):
            return torch.ones(len(pictures), 2, dtype=kind, requires_grad=kind == torch.float64)

    assert recognize(Typed(), [np.zeros((8, 8), np.uint8)], [(0, 0, 8, 8)]).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("wants", "message"),
    [
        ({"stride_s": 1e-9}, "stride_s = 1e-09, expected a number above 0, from 0.001"),
        ({"stride_s": 1e300}, "stride_s"),
        ({"stride_s": float("nan")}, "stride_s"),
        ({"frame_rate": 1e9}, "frame_rate"),
        ({"frame_rate": 1e-300}, "frame_rate"),
        ({"frames": 10**9}, "frames = 1000000000, expected a whole number from 1 to"),
        ({"height": 10**400}, "height"),
        ({"width": 0}, "width"),
        ({"margin": 1e9}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"margin": -0.5}, "margin"),
        ({"margin": "wide"}, "margin"),
    ],
)
def test_nobody_wants_what_cannot_be_given(plugin, wants, message):
    usual = {"region": "frame", "height": 8, "width": 8, "colour": "luma"}
    plugin.Wanting = type("Wanting", (Mean,), {"wants": Wants(**(usual | wants)), "classes": ("a", "b")})
    with pytest.raises(UserError, match=message):
        load_recognizer("test_plugin_of_ours:Wanting")


@pytest.mark.parametrize("gives", [("frame",), ("status", "x"), ("a", "a_pristine"), ("a", "a_label")])
def test_dimensions_are_not_called_like_other_columns(gives):
    from vidlink.scores.dimensions import DimensionScores

    with pytest.raises(UserError, match="the name of another column"):
        DimensionScores(type("Named", (Mean,), {"gives": gives})(), None)


def test_crop_is_square_centred_and_replicates_edges():
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert (crop_square(picture, (2, 3, 4, 4)) == picture[3:7, 2:6]).all()
    assert (crop_square(picture, (4, 3, 2, 4)) == picture[3:7, 3:7]).all()
    assert (crop_square(picture, (3, 3, 4, 4), margin=0.25) == picture[2:8, 2:8]).all()
    outside = crop_square(picture, (-2, -2, 4, 4))
    assert outside.shape == (4, 4)
    assert (outside[:2, :2] == picture[0, 0]).all()
    assert (outside[2:, 2:] == picture[:2, :2]).all()
    far = crop_square(picture, (50, 50, 3, 3))
    assert (far == picture[-1, -1]).all()


def test_a_recognizer_is_told_by_how_much_a_face_was_enlarged():
    class Told(Mean):
        gives = ("enlarged", "seen_scale")
        wants = Wants(region="face", height=6, width=6, colour="luma", margin=0.25)

        def __call__(self, pictures, context):
            return torch.from_numpy(np.stack([context.enlarged, context.seen_scale], axis=1))

    boxes = [(0, 0, 2, 2), (0, 0, 4, 3), None, (0, 0, 8, 8), (-3, 0, 16, 16)]
    known = replace(Context.pristine(5), scale=np.array([1.0, 2.0, 2.0, 3.0, 3.0]))
    answers = recognize(Told(), [np.zeros((9, 9), np.uint8)] * 5, boxes, known)
    expected = [[2, 2], [1, 2], [np.nan, np.nan], [0.5, 1.5], [0.25, 1]]
    assert answers == pytest.approx(np.array(expected), nan_ok=True)
    whole = type("Whole", (Told,), {"wants": Wants(region="frame", height=6, width=6, colour="luma")})()
    assert recognize(whole, [np.zeros((9, 9), np.uint8)] * 2, None, known.take(np.arange(2))).tolist() == [
        [1, 1],
        [1, 2],
    ]


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (0, 0, -1, 5), (float("nan"), 0, 5, 5)])
def test_boxes_without_area_are_refused(box):
    with pytest.raises(ValueError, match="positive size"):
        crop_square(np.zeros((9, 9), np.uint8), box)


def test_pictures_come_in_the_colour_and_size_wanted():
    luma, rgb = np.full((9, 9), 77, np.uint8), np.full((9, 9, 3), (10, 200, 30), np.uint8)
    grey = Wants(region="face", height=5, width=4, colour="luma")
    colour = Wants(region="face", height=12, width=12, colour="rgb")
    assert bring_to(grey, rgb, None).shape == grey.shape == (1, 5, 4)
    assert (bring_to(grey, rgb, None) == round(0.299 * 10 + 0.587 * 200 + 0.114 * 30)).all()
    assert bring_to(colour, luma, (0, 0, 9, 9)).shape == colour.shape
    assert (bring_to(colour, luma, None) == 77).all()
    with pytest.raises(ValueError, match="expected"):
        bring_to(grey, np.zeros((9, 9, 4), np.uint8), None)


def test_lists_name_the_shipped_one_without_importing_torch():
    import subprocess

    assert "Valence and arousal" in list_recognizers()["affect"]
    code = (
        "import sys; from vidlink.recognizers.recognize import list_recognizers as listed; "
        "listed(); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UserError, match="unknown recognizer 'afect': did you mean 'affect'"):
        load_recognizer("afect")


def test_a_class_is_found_by_module_and_name(plugin):
    plugin.Mean = Mean
    recognizer = load_recognizer("test_plugin_of_ours:Mean")
    assert isinstance(recognizer, Recognizer)
    assert recognizer.gives == ("brightness", "scale")


def test_the_constructor_gets_what_it_takes(plugin, tmp_path):
    class Taking(Mean):
        def __init__(self, device, weights=None):
            self.device, self.weights = device, weights

    plugin.Taking, plugin.Mean = Taking, Mean
    recognizer = load_recognizer("test_plugin_of_ours:Taking", device="cpu", weights=tmp_path / "w")
    assert recognizer.device == torch.device("cpu")
    assert recognizer.weights == tmp_path / "w"
    with pytest.raises(UserError, match="takes no weights"):
        load_recognizer("test_plugin_of_ours:Mean", weights=tmp_path / "w")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_of_ours:X", "importing no_such_module_of_ours failed: ModuleNotFoundError"),
        ("test_plugin_of_ours:Missing", "has no Missing"),
        ("test_plugin_of_ours:", "expected a registered name or package.module:Class"),
        ("test_plugin_of_ours:NUMBER", "is int, not a class"),
        ("test_plugin_of_ours:Raises", "making it failed: RuntimeError: no such GPU"),
        ("test_plugin_of_ours:Exits", "making it failed: SystemExit: 0"),
        ("exits_when_imported:X", "importing exits_when_imported failed: SystemExit: 0"),
        ("test_plugin_of_ours:NoWants", "wants is missing, expected a Wants"),
        ("test_plugin_of_ours:ListGives", r"gives is \['a'\], expected a tuple of dimensions"),
        ("test_plugin_of_ours:GivesNothing", "expected different names, at least one"),
        ("test_plugin_of_ours:NoCall", "cannot be called"),
    ],
)
def test_wrong_plugins_are_named(plugin, tmp_path, monkeypatch, name, message):
    (tmp_path / "exits_when_imported.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)

    class Raises(Mean):
        def __init__(self):
            raise RuntimeError("no such GPU")

    class Exits(Mean):
        def __init__(self):
            sys.exit(0)

    class NoWants:
        name, task, gives = "x", "y", ("a",)

    class NoCall(NoWants):
        wants = Mean.wants

    plugin.NUMBER, plugin.Raises, plugin.NoWants, plugin.NoCall = 3, Raises, NoWants, NoCall
    plugin.Exits = Exits
    plugin.ListGives = type("ListGives", (Mean,), {"gives": ["a"]})
    plugin.GivesNothing = type("GivesNothing", (Mean,), {"gives": ()})
    with pytest.raises(UserError, match=message):
        load_recognizer(name)


def test_duplicate_names_are_an_error(monkeypatch):
    entries = [
        types.SimpleNamespace(name="affect", value=value)
        for value in (registry.RECOGNIZERS.shipped["affect"], "other:Affect")
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries)
    with pytest.raises(
        UserError, match=r"'affect' is registered twice, as vidlink\.recognizers\.affect:Affect and other"
    ):
        load_recognizer("affect")


def test_unknown_devices_are_named():
    assert find_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match=r"--device warp: not on this machine"):
        find_device("warp")
