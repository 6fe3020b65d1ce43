import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidlink.errors import UserError
from vidlink.nets.foreign import load_foreign, read_state
from vidlink.recognizers.recognize import load_recognizer, recognize_windows

MODELS = ("r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t")


def small():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 2))


@pytest.fixture
def state():
    torch.manual_seed(0)
    return {name: tensor.clone() for name, tensor in small().state_dict().items()}


def test_state_dicts_of_all_kinds_are_read(tmp_path, state):
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "a.pth")
    torch.save(
        {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}, "epoch": 3}, tmp_path / "b.pt"
    )
    for name in ("a.safetensors", "a.pth", "b.pt"):
        found = read_state(tmp_path / name)
        assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


class Bomb:
    def __reduce__(self):
        return (exec, ("open('ran', 'w').close()",))


def test_pickles_that_need_more_than_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Bomb()}, tmp_path / "bomb.pth")
    torch.save(small(), tmp_path / "whole.pth")
    for name in ("bomb.pth", "whole.pth"):
        with pytest.raises(UserError, match="could run code and is refused"):
            read_state(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "cannot be read|refused"), (b"garbage" * 99, "cannot be read|refused"), (None, "no such file")],
)
def test_damaged_files_are_named(tmp_path, content, message):
    path = tmp_path / "w.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_state(path)


def test_weights_of_another_network_are_named(tmp_path, state):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(UserError, match="holds list, expected a state dict"):
        read_state(tmp_path / "list.pth")
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"not of mine: lacks '1\.bias'"):
        load_foreign(small(), tmp_path / "other.pth", "mine")
    torch.save(state | {"1.bias": torch.zeros(5)}, tmp_path / "shape.pth")
    with pytest.raises(UserError, match=r"not of mine: '1.bias' is \(5,\), expected \(2,\)"):
        load_foreign(small(), tmp_path / "shape.pth", "mine")


def test_an_image_classifier_has_the_classes_that_are_named():
    pytest.importorskip("torchvision")
    named = ["model=resnet18", "classes=walk,run"]
    pair = load_recognizer("image-classifier", arguments=[*named, "random=true", "size=32"])
    assert pair(torch.rand(1, 8, 3, 32, 32), None).shape == (1, 2)
    with pytest.raises(UserError, match="2 classes for resnet18, whose published weights know 1000"):
        load_recognizer("image-classifier", arguments=named)


def test_any_module_is_pooled_over_time(tmp_path, monkeypatch, state):
    (tmp_path / "my_nets.py").write_text(
        "import torch\ndef net():\n    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))\n"
        "def wrong():\n    return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    torch.save(state, tmp_path / "w.pth")
    arguments = ["model=my_nets:net", "classes=walk,run", "size=8", "frames=3", "frame_rate=4"]
    mean, largest = (
        load_recognizer("image-classifier", device="cpu", weights=tmp_path / "w.pth", arguments=[*arguments, *more])
        for more in ([], ["pool=max"])
    )
    assert (mean.classes, mean.wants.frames, mean.wants.frame_rate) == (("walk", "run"), 3, 4.0)
    windows = torch.rand(2, 3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    scores = torch.stack([mean.network((windows[:, k] - mean._mean) / mean._deviation) for k in range(3)], 1)
    assert torch.allclose(mean(windows, None), scores.mean(1), atol=1e-5)
    assert torch.allclose(largest(windows, None), scores.amax(1), atol=1e-5)
    with pytest.raises(UserError, match="name the classes of my_nets:net"):
        load_recognizer("image-classifier", arguments=["model=my_nets:net"])
    with pytest.raises(UserError, match=r"gave int, expected an nn\.Module"):
        load_recognizer("image-classifier", arguments=["model=my_nets:wrong", "classes=a,b"])


def test_without_torchvision_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(UserError, match=r"torchvision is not installed: pip install 'vidlink\[torchvision\]'"):
        load_recognizer("r3d_18")


@pytest.mark.parametrize("name", MODELS)
def test_video_models_run_behind_windows(name):
    pytest.importorskip("torchvision", reason="torchvision is not installed (pip install 'vidlink[torchvision]')")
    recognizer = load_recognizer(name, device="cpu", arguments=["random=true"])
    assert len(recognizer.classes) == 400
    channels, height, width = recognizer.wants.shape
    noise = np.random.default_rng(0).integers(0, 256, (4, channels, height, width), dtype=np.uint8)
    # The models are long-winded; four different pictures, held, will do.
    window = np.repeat(np.arange(4), -(-min(recognizer.wants.frames, 16) // 4))
    shares = recognize_windows(recognizer, list(noise), [window])
    assert shares.shape == (1, 400)
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert load_recognizer(name, device="cpu", arguments=["random=true", "classes=a,b,c"]).classes == ("a", "b", "c")


def test_where_nothing_can_be_fetched_a_file_is_asked_for(monkeypatch):
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")

    def refuse(*_, **__):
        raise OSError("no route")

    weights = torchvision.models.get_model_weights("s3d")
    monkeypatch.setattr(weights, "get_state_dict", refuse)
    with pytest.raises(UserError, match=r"s3d: its weights cannot be fetched from .* give a file with --weights"):
        load_recognizer("s3d", device="cpu")
