"""Recognizers from files: ONNX, TorchScript, a class in a file of Python; with what is wrong with them in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scene import FRAMES, RATE

import vidlink
from vidlink.errors import UserError
from vidlink.recognizers.arguments import read_arguments
from vidlink.recognizers.decode import boxes_from
from vidlink.recognizers.recognize import load_recognizer, recognize_boxes, recognize_maps

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

DETECTOR = """
<ir_version: 8, opset_import: ["" : 17]>
square (float[{batch}, 1, {sides}] pictures) => (float[n, 1, 6] rows) {{
  level = Constant<value = float {{0.6}}>()
  far = Constant<value = float {{1000.0}}>()
  one = Constant<value = float {{1.0}}>()
  x = Constant<value_floats = [{columns}]>()
  y = Constant<value_floats = [{lines}]>()
  bright = Greater(pictures, level)
  seen = Cast<to = 1>(bright)
  across = ReduceMax<axes = [1, 2], keepdims = 0>(seen)
  down = ReduceMax<axes = [1, 3], keepdims = 0>(seen)
  no_x = Sub(one, across)
  no_y = Sub(one, down)
  away_x = Mul(no_x, far)
  away_y = Mul(no_y, far)
  in_x = Add(x, away_x)
  in_y = Add(y, away_y)
  left = ReduceMin<axes = [1], keepdims = 1>(in_x)
  upper = ReduceMin<axes = [1], keepdims = 1>(in_y)
  out_x = Sub(x, away_x)
  out_y = Sub(y, away_y)
  right_ = ReduceMax<axes = [1], keepdims = 1>(out_x)
  lower_ = ReduceMax<axes = [1], keepdims = 1>(out_y)
  right = Add(right_, one)
  lower = Add(lower_, one)
  most = ReduceMax<axes = [1, 2, 3], keepdims = 0>(pictures)
  last = Constant<value_ints = [1]>()
  score = Unsqueeze(most, last)
  number = Sub(score, score)
  row = Concat<axis = 1>(left, upper, right, lower, score, number)
  rows = Unsqueeze(row, last)
}}
"""


def write_detector(path, *, batch="n", sides="48, 64", **metadata):
    numbers = {"columns": ", ".join(f"{k}.0" for k in range(64)), "lines": ", ".join(f"{k}.0" for k in range(48))}
    model = onnx.parser.parse_model(DETECTOR.format(batch=batch, sides=sides, **numbers))
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)
    return path


class Square(torch.nn.Module):
    def forward(self, pictures):
        bright = pictures.mean(dim=1) - 0.6
        return torch.stack([-bright, bright], dim=1)


def write_script(path, module=None, **extra):
    files = {"recognizer.json": json.dumps(extra)} if extra else {}
    torch.jit.save(torch.jit.script(module or Square()), str(path), _extra_files=files)
    return path


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """What names and task are is in the file, as other programs write it."""
    path = tmp_path_factory.mktemp("onnx") / "square.onnx"
    return write_detector(path, names="{0: 'square'}", task="detect", threshold="0.4")


def run(scene, coarse, **given):
    fixed = {"bitrate": "30k", "scale": 1.0, "quality": 16, "framerate": RATE, "codec": str(coarse), "quiet": True}
    return vidlink.run(f"{scene}/images/*.png", **fixed, **given)


def test_an_onnx_detector_runs_and_has_its_page(detector, scene, coarse, tmp_path):
    found = run(scene, coarse, recognizer=str(detector), labels=scene / "boxes.csv", out=tmp_path / "run")
    section = found.summary["recognition"]
    assert (section["recognizer"], section["against"], section["n"]) == ("square", "labels", FRAMES)
    assert section["map50"] > 0.9
    assert "AP50 of each class" in (tmp_path / "run" / "report.html").read_text()


def test_a_torchscript_segmenter_is_swept_and_counts_by_its_content(scene, coarse, tmp_path):
    from vidlink.sweeping.executors import Here
    from vidlink.sweeping.grid import sweep_from
    from vidlink.sweeping.identity import identify
    from vidlink.sweeping.sweep import sweep

    net = write_script(tmp_path / "net.pt")
    settings = {
        "input": f"{scene}/images/*.png", "bitrate": "30k", "scale": 1.0, "framerate": RATE, "codec": str(coarse),
        "recognizer": str(net), "labels": str(scene / "labels"),
        "recognizer-arg": ["maps=ground,square", "size=64x48", "task=squares"],
    }  # fmt: skip
    points = list(sweep_from({"settings": settings, "grid": {"quality": [30, 47]}}).make_points(tmp_path))
    table = sweep(points, tmp_path / "results", Here(), quiet=True)
    assert table["status"].tolist() == ["done", "done"]
    assert table["recognition_miou"].iloc[0] > table["recognition_miou"].iloc[1] > 0.5
    assert set(table["recognition_task"]) == {"squares"}
    moved = tmp_path / "moved.pt"
    moved.write_bytes(net.read_bytes())
    other = write_script(tmp_path / "other.pt", task="other")
    here, there, elsewhere = (
        identify(replace(points[0].settings, recognizer=str(each))) for each in (net, moved, other)
    )
    assert here == there != elsewhere


@pytest.mark.parametrize("batch", ["n", "1", "4"])
def test_files_that_fix_how_many_pictures_they_take_get_as_many(tmp_path, batch):
    made = load_recognizer(str(write_detector(tmp_path / "d.onnx", batch=batch)), arguments=["boxes=square"])
    pictures = []
    for k in range(5):
        pictures.append(np.zeros((48, 64), np.uint8))
        pictures[k][10 : 20 + k, 5:15] = 255
    found = [each.rows.tolist() for each in recognize_boxes(made, pictures)]
    assert found == [[[5, 10, 15, 20 + k, 1, 0]] for k in range(5)]


def test_size_and_colour_are_the_files_or_are_asked_for(tmp_path):
    open_sides = str(write_detector(tmp_path / "open.onnx", sides="h, w"))
    with pytest.raises(UserError, match=r"open\.onnx: takes pictures of any size; say which, as in --recogn"):
        load_recognizer(open_sides, arguments=["boxes=a"])
    made = load_recognizer(open_sides, arguments=["boxes=a", "size=64x48"])
    assert (made.wants.width, made.wants.height, made.wants.colour) == (64, 48, "luma")
    fixed = str(write_detector(tmp_path / "fixed.onnx"))
    with pytest.raises(UserError, match="takes pictures of 64x48 pixels, not of 32x32"):
        load_recognizer(fixed, arguments=["boxes=a", "size=32"])
    with pytest.raises(UserError, match="takes pictures of 1 channels, and colour is rgb"):
        load_recognizer(fixed, arguments=["boxes=a", "colour=rgb"])
    with pytest.raises(UserError, match=r"gives nothing that is named; say what it gives .* boxes=car,person"):
        load_recognizer(fixed)
    with pytest.raises(UserError, match="is said to give maps and boxes"):
        load_recognizer(fixed, arguments=["boxes=a", "maps=b"])
    (tmp_path / "names.txt").write_text("road\nsky\n")
    assert load_recognizer(fixed, arguments=[f"maps={tmp_path}/names.txt"]).maps == ("road", "sky")


def test_what_is_fed_is_normalized_as_the_file_says(tmp_path):
    class Mean(torch.nn.Module):
        def forward(self, pictures):
            return pictures.mean(dim=(2, 3))

    net = write_script(
        tmp_path / "mean.pt", Mean(), gives=["r", "g", "b"], size="8x8", colour="bgr", white=255, mean=[1, 2, 3],
        deviation="2",
    )  # fmt: skip
    made = load_recognizer(str(net))
    pictures = torch.tensor([0.2, 0.4, 0.6])[None, :, None, None].expand(1, 3, 8, 8)
    assert made(pictures, None).tolist() == [pytest.approx([(153 - 1) / 2, (102 - 2) / 2, (51 - 3) / 2])]


def test_luma_is_brought_from_the_limited_range_of_films_to_black_at_0_and_white_at_1(tmp_path):
    class Mean(torch.nn.Module):
        def forward(self, pictures):
            return pictures.mean(dim=(2, 3))

    made = load_recognizer(
        str(write_script(tmp_path / "m.pt", Mean(), gives=["y"], size="8x8", colour="luma", white=255))
    )
    grey = torch.tensor([16.0, 235, 125.5])[:, None, None, None].expand(3, 1, 8, 8) / 255
    assert made(grey, None).flatten().tolist() == pytest.approx([0, 255, 127.5])


BYTES = """
<ir_version: 8, opset_import: ["" : 17]> g (uint8[n, 3, 4, 4] x) => (float[n, 3] y) {
  f = Cast<to = 1>(x)
  y = ReduceMean<axes = [2, 3], keepdims = 0>(f)
}
"""


def test_bytes_have_white_at_255_however_dark_pictures_are(tmp_path):
    onnx.save(onnx.parser.parse_model(BYTES), tmp_path / "b.onnx")
    net = str(tmp_path / "b.onnx")
    for arguments in (["gives=r,g,b"], ["gives=r,g,b", "white=255"]):
        made = load_recognizer(net, arguments=arguments)
        for level in (0, 1, 2, 255):
            given = torch.full((1, 3, 4, 4), level / 255)
            assert made(given, None).tolist() == [[level] * 3]
    for argument in ("mean=0.5", "deviation=0.2", "white=1"):
        with pytest.raises(UserError, match="takes bytes, in which white is 255; leave out white, mean and deviation"):
            load_recognizer(net, arguments=["gives=r,g,b", argument])


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("white=0", "white is 0, expected a number above 0"),
        ("white=nan", "white is nan"),
        ("deviation=1,0,1", r"deviation is \(1.0, 0.0, 1.0\), expected numbers above 0"),
        ("mean=inf", "inf as numbers of channels, expected 1 or 3 finite ones"),
        ("boxes=names.txt", r"names\.txt: no such file of names"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, argument, said):
    more = [] if argument.startswith("boxes") else ["boxes=a"]
    with pytest.raises(UserError, match=said):
        load_recognizer(str(write_script(tmp_path / "n.pt")), arguments=["size=16", argument, *more])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("imgsz", "abc", "metadata 'imgsz' is 'abc', expected numbers"),
        ("imgsz", [64, 48, 3], "expected height and width"),
        ("threshold", "high", "metadata 'threshold' is 'high', expected numbers"),
        ("names", {"x": "car"}, "expected names by their numbers"),
        ("boxes", None, "gives nothing that is named"),
    ],
)
def test_metadata_that_cannot_be_read_are_named(tmp_path, key, value, said):
    known = {"size": "16"} if key in ("names", "boxes") else {"size": "16", "boxes": ["a"]}
    with pytest.raises(UserError, match=rf"n\.pt: .*{said}"):
        load_recognizer(str(write_script(tmp_path / "n.pt", task="detect", **{**known, key: value})))


SINGLE = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[{batch}, 1, 4, 4] pictures) => (float[k, 4] boxes, float[k] scores, int64[k] labels) {{
  zero = Constant<value_int = 0>()
  level = Constant<value = float {{0.6}}>()
  unit = Constant<value_float = 1.0>()
  x_y = Constant<value_ints = [2, 1]>()
  first = Gather<axis = 0>(pictures, zero)
  bright = Greater(first, level)
  places = NonZero(bright)
  found = Transpose(places)
  labels = Gather<axis = 1>(found, zero)
  number = Cast<to = 1>(labels)
  scores = Add(number, unit)
  seen = Cast<to = 1>(found)
  corner = Gather<axis = 1>(seen, x_y)
  far = Add(corner, unit)
  boxes = Concat<axis = 1>(corner, far)
}}
"""


@pytest.mark.parametrize("batch", ["n", "1"])
@pytest.mark.parametrize("counts", [(1, 1, 1), (0, 0, 0), (1, 0, 3), (2,)])
def test_boxes_of_networks_for_one_picture_are_asked_for_one_by_one(tmp_path, batch, counts):
    onnx.save(onnx.parser.parse_model(SINGLE.format(batch=batch)), tmp_path / "s.onnx")
    made = load_recognizer(str(tmp_path / "s.onnx"), arguments=["boxes=a"])
    pictures = [np.zeros((4, 4), np.uint8) for _ in counts]
    for picture, count in zip(pictures, counts, strict=True):
        picture[2, :count] = 255
    found = [each.rows.tolist() for each in recognize_boxes(made, pictures)]
    assert found == [[[k, 2, k + 1, 3, 1, 0] for k in range(count)] for count in counts]


def test_a_torchscript_segmenter_of_another_size_than_its_pictures(tmp_path):
    made = load_recognizer(str(write_script(tmp_path / "n.pt", maps=["ground", "square"], size="64x48")))
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[20:40, 20:60] = 255
    assert recognize_maps(made, [picture])[0, 10:20, 10:30].all()


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        (
            "a.pt",
            lambda path: torch.save(Square().state_dict(), path),
            "holds what torch.save wrote, weights or",
        ),
        ("a.pt", lambda path: torch.save(Square(), path), "could run any code; expected TorchScript: torch.jit.script"),
        ("a.pt", lambda path: path.write_bytes(b"nothing"), "is no TorchScript file"),
        ("a.onnx", lambda path: path.write_bytes(b"nothing"), "onnxruntime cannot load it"),
        ("a.onnx", lambda path: path.mkdir(), "is a folder, expected a file"),
        ("a.onnx", lambda path: None, "no such file"),
        ("a.py:Net", lambda path: (path.parent / "a.py").write_text("1 / 0"), "failed: ZeroDivisionError"),
        ("a.py:Net", lambda path: (path.parent / "a.py").write_text("x = 1"), "has no class Net"),
    ],
)
def test_files_that_are_no_networks_are_refused(tmp_path, name, write, said):
    write(tmp_path / name)
    with pytest.raises(UserError, match=said):
        load_recognizer(f"{tmp_path}/{name}")


def test_operators_that_onnxruntime_does_not_know_are_named(tmp_path):
    head = '<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>'
    text = head + " g (float[n,1,4,4] x) => (float[n,1,4,4] y) { y = mine.Odd(x) }"
    onnx.save(onnx.parser.parse_model(text), tmp_path / "odd.onnx")
    with pytest.raises(UserError, match=r"odd\.onnx: onnxruntime cannot load it: .*Odd"):
        load_recognizer(str(tmp_path / "odd.onnx"), arguments=["boxes=a"])
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,1,4,4] x) => (float[2,8] y) <int64[2] s = {7, 5}>'
    onnx.save(onnx.parser.parse_model(text + " { y = Reshape(x, s) }"), tmp_path / "shape.onnx")
    wrong = load_recognizer(str(tmp_path / "shape.onnx"), arguments=["boxes=a"])
    with pytest.raises(
        UserError, match=r"shape\.onnx: onnxruntime cannot run it on pictures of shape \[1, 1, 4, 4\]"
    ) as raised:
        recognize_boxes(wrong, [np.zeros((4, 4), np.uint8)])
    assert "onnxruntime_src" not in str(raised.value)
    with pytest.raises(UserError, match=r"takes no weights, but w\.pt was given"):
        load_recognizer(str(write_detector(tmp_path / "d.onnx")), weights="w.pt", arguments=["boxes=a"])


def test_what_torchscript_says_of_a_size_that_it_cannot_take_is_told(tmp_path):
    class Fixed(torch.nn.Module):
        def forward(self, pictures):
            return pictures + torch.zeros(1, 3, 8, 8)

    made = load_recognizer(str(write_script(tmp_path / "f.pt", Fixed())), arguments=["maps=a,b,c", "size=16"])
    with pytest.raises(
        UserError, match=r"f\.pt: TorchScript cannot run it on pictures of shape \[1, 3, 16, 16\]: The si"
    ):
        recognize_maps(made, [np.zeros((16, 16, 3), np.uint8)])


def test_a_network_that_gives_another_shape_is_named(tmp_path):
    net = str(write_script(tmp_path / "net.pt"))
    wrong = load_recognizer(net, arguments=["boxes=a", "size=16"])
    with pytest.raises(UserError, match=r"'net': gave outputs of shape \(1, 2, 16, 16\), which are no boxes"):
        recognize_boxes(wrong, [np.zeros((16, 16, 3), np.uint8)])
    with pytest.raises(UserError, match=r"'net': gave torch.float32 of shape \(1, 2, 16, 16\), expected .* 3, "):
        recognize_maps(load_recognizer(net, arguments=["maps=a,b,c", "size=16"]), [np.zeros((16, 16, 3), np.uint8)])


def test_a_class_in_a_file_runs_by_its_path(tmp_path):
    (tmp_path / "beside.py").write_text("FACTOR = 2.0\n")
    (tmp_path / "mine.py").write_text(
        "from beside import FACTOR\nfrom vidlink import Wants\n\n\nclass Bright:\n"
        "    name, task, gives = 'bright', 'exposure', ('bright',)\n"
        "    wants = Wants(region='frame', height=8, width=8, colour='luma')\n\n"
        "    def __init__(self, more: float = 0.0):\n        self.more = more\n\n"
        "    def __call__(self, pictures, context):\n"
        "        return FACTOR * pictures.mean(dim=(1, 2, 3))[:, None] + self.more\n"
    )
    made = load_recognizer(f"{tmp_path}/mine.py:Bright", arguments=["more=0.5"])
    assert made(torch.ones(1, 1, 8, 8), None).tolist() == [[2.5]]


def boxes_of(outputs, **how):
    return [each.tolist() for each in boxes_from(outputs, **{"count": 1, "classes": 2, **how})]


def test_boxes_come_in_the_layouts_in_which_detectors_are_exported():
    boxes, scores, labels = torch.tensor([[1.0, 2, 3, 4]]), torch.tensor([0.5]), torch.tensor([1])
    rows = [[[1, 2, 3, 4, 0.5, 1]]]
    assert boxes_of([labels, boxes, scores]) == rows
    assert boxes_of({"boxes": boxes, "scores": scores, "labels": labels}) == rows
    assert boxes_of([{"boxes": boxes, "scores": scores, "labels": labels}]) == rows
    assert boxes_of((torch.empty(0), [{"boxes": boxes, "scores": scores, "labels": labels}])) == rows
    assert boxes_of([labels[None], boxes[None], scores[None]]) == rows
    raw = torch.tensor([[[2.0, 3, 2, 2, 0.1, 0.5, 0], [2.1, 3, 2, 2, 0.1, 0.4, 0], [9, 9, 2, 2, 0.7, 0.0, 0]]])
    for each in (raw, raw.transpose(1, 2)):  # the second overlaps the first, and is of its class
        found = boxes_of(each, classes=3)[0]
        assert [np.round(row, 3).tolist() for row in found] == [[8, 8, 10, 10, 0.7, 0], [1, 2, 3, 4, 0.5, 1]]
    raw[0, 0, 5] = float("nan")  # would be found by no threshold
    with pytest.raises(UserError, match="gave numbers that are not finite"):
        boxes_of(raw, classes=3)


def test_arguments_of_files_have_types(detector):
    from functools import partial

    from vidlink.recognizers.onnx_file import from_onnx

    found = read_arguments("x", partial(from_onnx, detector), ["mean=0.1,0.2", "threshold=0.3", "boxes=a"])
    assert found == {"mean": (0.1, 0.2), "threshold": 0.3, "boxes": ("a",)}
