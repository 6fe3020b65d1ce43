"""torchvision's detectors and segmenters, where torchvision goes with PyTorch: in .ci/run, in a pair of its own."""

import pytest
from scene import FRAMES, RATE

import vidlink
from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer

try:
    import torchvision
except Exception as error:  # one of another index raises RuntimeError
    pytest.skip(f"torchvision does not import: {error}", allow_module_level=True)

NAMES = {
    "ssdlite320_mobilenet_v3_large": "boxes",
    "fcos_resnet50_fpn": "boxes",
    "retinanet_resnet50_fpn": "boxes",
    "fasterrcnn_mobilenet_v3_large_fpn": "boxes",
    "fasterrcnn_mobilenet_v3_large_320_fpn": "boxes",
    "lraspp_mobilenet_v3_large": "maps",
    "deeplabv3_mobilenet_v3_large": "maps",
    "deeplabv3_resnet50": "maps",
}


@pytest.mark.parametrize(("name", "kind"), NAMES.items())
def test_each_is_found_by_name_and_knows_its_classes(name, kind):
    made = load_recognizer(name, arguments=["random=true"])
    names = getattr(made, kind)
    assert len(names) == len(set(names)) == {"boxes": 91, "maps": 21}[kind]
    assert {"person", "car"} <= set(names)
    assert made.notes == (f"{name} has random weights: what it says means nothing",)


def run(scene, coarse, **given):
    fixed = {"bitrate": "30k", "scale": 1.0, "quality": 30, "framerate": RATE, "codec": str(coarse), "quiet": True}
    return vidlink.run(f"{scene}/images/*.png", **fixed, **given)


def test_a_detector_runs_and_has_its_page(scene, coarse, tmp_path):
    how = {"recognizer": "ssdlite320_mobilenet_v3_large", "recognizer_arg": ["random=true", "size=64x48"]}
    found = run(scene, coarse, out=tmp_path / "run", recognize_every=6, **how)
    assert "recognition_error" not in found.summary
    section = found.summary["recognition"]
    assert "has random weights" in " ".join(found.summary["notes"])
    assert (tmp_path / "run" / "boxes.csv").stat().st_size > 100
    assert section["classes"] == 91
    assert "boxes in each frame" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("name", "score"), [("lraspp_mobilenet_v3_large", "miou"), ("ssdlite320_mobilenet_v3_large", "map50")]
)
def test_both_are_swept(scene, coarse, name, score):
    made = load_recognizer(name, arguments=["random=true", "size=64x48"])
    made.threshold = 0.01  # random scores are low
    table = vidlink.compare(
        [f"{scene}/images/*.png"], quality=[30, 47], scale=1, framerate=RATE, codec=str(coarse), quiet=True,
        recognizer=made, recognize_every=6,
    )  # fmt: skip
    assert table.frame["recognition_n"].tolist() == [FRAMES // 6] * 2
    assert table.frame[f"recognition_{score}"].between(0, 1).all()


def test_published_weights_without_a_network_and_wrong_names_get_one_line(monkeypatch):
    def offline(*given, **how):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", offline)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"lraspp_mobilenet_v3_large: its weights cannot be fetched .* --weights"):
        load_recognizer("lraspp_mobilenet_v3_large")
    with pytest.raises(UserError, match=r"publishes no weights 'COCO'; known are COCO_V1, DEFAULT"):
        load_recognizer("ssdlite320_mobilenet_v3_large", arguments=["published=COCO"])
    assert torchvision.__version__
