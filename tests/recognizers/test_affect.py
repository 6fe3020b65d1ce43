import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidlink.data.generated import draw_faces
from vidlink.errors import UserError
from vidlink.nets.build import Network, build
from vidlink.nets.weights import describe
from vidlink.recognizers.affect import Affect
from vidlink.recognizers.recognize import Context, load_recognizer, recognize

SMALL = Network(name="recognition", width=4)


def save(path, network, header=None):
    save_file(build(network).state_dict(), path, describe(header or network).to_metadata())


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "good.safetensors"
    save(path, SMALL)
    return path


def test_shipped_weights_fit_and_are_small():
    from importlib.resources import files

    assert len((files("vidlink.weights") / "affect.safetensors").read_bytes()) < 8e6
    recognizer = load_recognizer("affect", device="cpu")
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    answers = recognize(recognizer, list(faces), [(0, 0, 48, 48)] * 5)
    assert answers.shape == (5, 2)
    assert np.abs(answers).max() < 1.5


def test_the_same_picture_gives_the_same_answer(weights):
    recognizer = Affect(weights=weights)
    faces = list(np.random.default_rng(0).integers(0, 256, (9, 60, 60), dtype=np.uint8))
    boxes = [(4, 4, 50, 50)] * 9
    assert (recognize(recognizer, faces, boxes) == recognize(recognizer, faces, boxes)).all()
    in_ones = recognize(recognizer, faces, boxes, batch=1)
    assert in_ones == pytest.approx(recognize(recognizer, faces, boxes), abs=1e-5)


def test_a_face_that_is_larger_than_what_is_seen_loses_no_pixels():
    """96 pixels sent at half the size: what the network gets of them has all of its 48."""
    recognizer = Affect()
    faces = [np.kron(face, np.ones((2, 2), np.uint8)) for face in draw_faces("5", "valid").images]
    large, small = [(0, 0, 96, 96)] * len(faces), [(0, 0, 48, 48)] * len(faces)
    halved = replace(Context.pristine(len(faces)), scale=np.full(len(faces), 2.0))
    assert (recognize(recognizer, faces, large, halved) == recognize(recognizer, faces, large)).all()
    assert (recognize(recognizer, faces, small, halved) != recognize(recognizer, faces, small)).any()


def test_half_precision_stays_close_and_does_not_depend_on_the_batch():
    faces = list(draw_faces("70", "valid").images)
    boxes = [(0, 0, *face.shape[::-1]) for face in faces]
    full, half = (Affect(half=half) for half in (False, True))
    answers = recognize(half, faces, boxes)
    error = np.abs(answers - recognize(full, faces, boxes))
    assert error.max() < 0.02
    assert error.mean() < 0.004
    assert (error > 0).any()
    assert recognize(half, faces[:5], boxes[:5], batch=2) == pytest.approx(answers[:5], abs=0.005)


def test_emotions_are_shares(weights):
    recognizer, pictures = Affect(weights=weights), torch.rand(3, 1, 48, 48)
    both = recognizer.with_emotions(pictures, Context.pristine(3))
    assert torch.equal(both[:, :2], recognizer(pictures, Context.pristine(3)))
    assert both[:, 2:].sum(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_networks_for_larger_pictures_get_them(tmp_path):
    save(tmp_path / "large.safetensors", Network(name="recognition", width=4, size=96))
    recognizer = Affect(weights=tmp_path / "large.safetensors")
    assert (recognizer.wants.height, recognizer.wants.width) == (96, 96)
    faces = list(np.random.default_rng(0).integers(0, 256, (3, 120, 120), dtype=np.uint8))
    assert recognize(recognizer, faces, [(10, 10, 100, 100)] * 3).shape == (3, 2)
    assert Affect().wants.height == Affect.wants.height == 48


def test_in_the_mirror_a_face_is_seen_twice(weights):
    once, twice = Affect(weights=weights, half=False), Affect(weights=weights, half=False, mirror=True)
    pictures = torch.rand(4, 1, 48, 48)
    both = [once(each, Context.pristine(4)) for each in (pictures, pictures.flip(-1))]
    assert torch.allclose(twice(pictures, Context.pristine(4)), (both[0] + both[1]) / 2, atol=1e-6)
    assert not torch.allclose(both[0], both[1], atol=1e-4)


def damaged(path, how):
    data = path.read_bytes()
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "garbage":
        path.write_bytes(b"\x00garbage" * 100)
    elif how == "pickle":
        path.write_bytes(pickle.dumps({"layers.0.weight": 1}))
    elif how == "torch":
        torch.save({"layers.0.weight": torch.zeros(1)}, path)
    elif how == "size":
        save(path, Network(name="recognition", width=4, outputs=3))
    elif how == "other":
        save(path, SMALL, header=Network(name="recognition", width=8))
    elif how == "unsaid":
        save_file(build(SMALL).state_dict(), path)
    elif how == "unknown":
        save_file(build(SMALL).state_dict(), path, {"network": '{"name": "transformer"}'})
    elif how == "nonsense":
        save_file(build(SMALL).state_dict(), path, {"network": "[1, 2"})
    elif how == "network":
        save_file({"conv.weight": torch.zeros(3)}, path, describe(SMALL).to_metadata())
    elif how == "nan":
        state = build(SMALL).state_dict()
        state["head.bias"][0] = float("nan")
        save_file(state, path, describe(SMALL).to_metadata())
    elif how == "missing":
        path.unlink()
    return path


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", "not safetensors, or damaged"),
        ("empty", "not safetensors, or damaged"),
        ("garbage", "not safetensors, or damaged"),
        ("pickle", "a pickle"),
        ("torch", "a pickle"),
        ("size", "with 3 outputs; expected 10"),
        ("other", r"of another network: 'layers.0.weight' is \(4, 1, 5, 5\), expected \(8, 1, 5, 5\)"),
        ("unsaid", "the header does not say of which network"),
        ("unknown", "unknown network 'transformer'"),
        ("nonsense", "no description of a network"),
        ("network", "of another network"),
        ("nan", "'head.bias' has numbers that are not finite"),
        ("missing", "no such file"),
    ],
)
def test_wrong_weights_are_refused(weights, how, message):
    with pytest.raises(UserError, match=message):
        load_recognizer("affect", weights=damaged(weights, how))


def test_a_pickle_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    path = tmp_path / "bomb.safetensors"
    path.write_bytes(pickle.dumps(Bomb(), protocol=0))
    with pytest.raises(UserError):
        Affect(weights=path)
    assert not (tmp_path / "ran").exists()
