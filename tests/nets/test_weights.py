"""One header names the weights of every kind; those of earlier versions are read as before."""

import json
import sys
import types

import pytest
import torch
from safetensors.torch import save_file

from vidlink.errors import UserError
from vidlink.nets.build import Network, build, build_restorer
from vidlink.nets.motion import ActivityNet
from vidlink.nets.recognition import RecognitionNet
from vidlink.nets.weights import (
    Header,
    describe,
    load_activity,
    load_network,
    load_restorer,
    load_weights,
    read_header,
    read_kind,
    read_weights,
)
from vidlink.recognizers.recognize import load_recognizer
from vidlink.training.checkpoint import save_weights

SMALL = Network(name="recognition", width=4)


@pytest.mark.parametrize(
    "header",
    [
        describe(SMALL),
        Header(kind="activity", network="motion", arguments={"classes": ["Run", "Sit"], "restorer": 6}),
        Header(kind="restorer", network="espcn", arguments={"scale": 3.0, "width": 48}),
    ],
)
def test_a_header_comes_back_as_it_was(tmp_path, header):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, header.to_metadata() | {"seed": "3"})
    assert set(header.to_metadata()) == {"kind", "network", "arguments"}
    assert read_kind(path, header.kind, expected="")[0] == header


EARLIER = {
    "affect": {
        "network": '{"name": "recognition", "outputs": 10, "size": 48, "width": 4}',
        "regime": "mix",
        "seed": "1",
    },
    "activity": {"activity": '{"classes": ["Run", "Sit"], "restorer": 0, "seed": 0}'},
    "restorer": {"restorer": '{"name": "espcn", "scale": 3.0, "width": 48}'},
}


def test_weights_of_earlier_versions_are_read(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(build(SMALL).state_dict(), path, EARLIER["affect"])
    assert load_network(path)[0] == SMALL
    save_weights(path, ActivityNet(2, restorer=0).state_dict(), EARLIER["activity"])
    assert load_activity(path)[1] == ("Run", "Sit")
    save_file(build_restorer("espcn", scale=3).state_dict(), path, EARLIER["restorer"])
    assert load_restorer(path)[1] == 3


def test_the_shipped_weights_are_of_their_kinds():
    from importlib.resources import as_file, files

    for kind in ("affect", "activity"):
        with as_file(files("vidlink.weights") / f"{kind}.safetensors") as path:
            header = read_header(read_weights(path)[1])
        assert header is not None
        assert header.kind == kind


@pytest.mark.parametrize("load", [load_network, load_activity, load_restorer])
def test_weights_of_another_kind_are_refused(tmp_path, load):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, Header(kind="afect", network="x", arguments={}).to_metadata())
    with pytest.raises(UserError, match=r"expected a file of vidlink\.train.*it is of kind 'afect'") as caught:
        load(path)
    assert "\n" not in str(caught.value)


LOAD = {"affect": load_network, "activity": load_activity, "restorer": load_restorer}


@pytest.mark.parametrize(
    ("kind", "network", "arguments", "message"),
    [
        ("affect", "recogntion", {}, "unknown network 'recogntion': did you mean 'recognition'"),
        ("affect", "recognition", {"depth": 3}, "no description of a network: {'depth': 3}"),
        ("restorer", "srcn", {"scale": 2, "width": 4}, "unknown restorer 'srcn': did you mean 'srcnn'"),
        ("restorer", "srcnn", {"width": 4}, "no restorer's"),
        ("activity", "motoin", {"classes": ["a"], "restorer": 0}, "unknown network of activities 'motoin'"),
        ("activity", "motion", {"restorer": 0}, "does not name the classes"),
        ("affect", "mine:Net", {}, "code of its own: it runs only where the command names it"),
    ],
)
def test_networks_that_are_none_are_named(tmp_path, kind, network, arguments, message):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, Header(kind=kind, network=network, arguments=arguments).to_metadata())
    with pytest.raises(UserError, match=message):
        LOAD[kind](path)


HUGE = [
    ("affect", "residual", {"width": 6000}),
    ("affect", "residual", {"width": 4096}),
    ("affect", "recognition", {"width": 4096}),
    ("affect", "recognition", {"size": 4096, "width": 4096, "outputs": 65536}),
    ("affect", "twin+recognition", {"width": 4096}),
    ("affect", "residual", {"width": 10**400}),
    ("restorer", "residual", {"scale": 2, "width": 4096}),
    ("restorer", "twin", {"scale": 2, "width": 10**9}),
    ("activity", "motion", {"classes": ["a"], "restorer": 4096}),
    ("activity", "motion", {"classes": ["a"], "restorer": 10**12}),
]


@pytest.mark.parametrize(("kind", "network", "arguments"), HUGE)
def test_what_a_header_asks_for_is_not_allocated(tmp_path, monkeypatch, kind, network, arguments):
    """Only the outline of the network is made, on a device without memory."""
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, Header(kind=kind, network=network, arguments=arguments).to_metadata())
    made = []
    register = torch.nn.Module.register_parameter

    def watched(self, name, parameter):
        made.append(0 if parameter is None or parameter.is_meta else parameter.numel())
        register(self, name, parameter)

    monkeypatch.setattr(torch.nn.Module, "register_parameter", watched)
    with pytest.raises(UserError) as caught:
        LOAD[kind](path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert sum(made) < 10_000


@pytest.mark.parametrize("odd", [None, True, "4", 4.5, -1, 0, float("nan"), float("inf"), [4], {"a": 4}, 10**30])
@pytest.mark.parametrize(
    ("kind", "network", "arguments", "key"),
    [
        ("affect", "recognition", {"width": 4}, "width"),
        ("affect", "recognition", {"width": 4}, "size"),
        ("affect", "residual", {"width": 4}, "outputs"),
        ("restorer", "espcn", {"scale": 2, "width": 4}, "scale"),
        ("restorer", "residual", {"scale": 2, "width": 4}, "width"),
        ("activity", "motion", {"classes": ["a"], "restorer": 0}, "classes"),
        ("activity", "motion", {"classes": ["a"], "restorer": 1}, "restorer"),
    ],
)
def test_arguments_of_another_type_or_size_are_named(tmp_path, kind, network, arguments, key, odd):
    path = tmp_path / "w.safetensors"
    wrong = Header(kind=kind, network=network, arguments=arguments | {key: odd})
    save_file({"a": torch.zeros(1)}, path, wrong.to_metadata())
    with pytest.raises(UserError) as caught:
        LOAD[kind](path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("classes", [[], [1], ["a", "a"], [""], ["a\nb"], "ab"])
def test_classes_are_names_that_differ(tmp_path, classes):
    path = tmp_path / "w.safetensors"
    arguments = {"classes": classes, "restorer": 0}
    header = Header(kind="activity", network="motion", arguments=arguments)
    save_weights(path, ActivityNet(max(1, len(classes)), restorer=0).state_dict(), header.to_metadata())
    with pytest.raises(UserError, match=r"does not name the classes.*\(classes"):
        load_activity(path)


@pytest.mark.parametrize(
    "arguments", ["[" * 100_000, '{"width": ' + "9" * 5000 + "}", '{"size": 1e999}', "[[1, 2, 3]]"]
)
def test_json_that_no_reader_likes_is_named(tmp_path, arguments):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"kind": "affect", "network": "residual", "arguments": arguments})
    with pytest.raises(UserError, match="no description of a network"):
        load_network(path)


@pytest.mark.parametrize(
    ("header", "load"),
    [
        ({"network": '{"name": 5}'}, load_network),
        ({"network": "[1]"}, load_network),
        ({"restorer": '{"name": null, "scale": 2, "width": 4}'}, load_restorer),
        ({"activity": '["a"]'}, load_activity),
    ],
)
def test_broken_headers_of_earlier_versions_are_named(tmp_path, header, load):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, header)
    with pytest.raises(UserError):
        load(path)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float8_e4m3fn, torch.complex64])
def test_numbers_of_another_kind_are_named(tmp_path, dtype):
    path = tmp_path / "w.safetensors"
    state = {name: tensor.to(dtype) for name, tensor in build(SMALL).state_dict().items()}
    try:
        save_file(state, path, describe(SMALL).to_metadata())
    except (KeyError, ValueError):
        pytest.skip(f"this safetensors does not write {dtype}")
    with pytest.raises(UserError, match=r"of another network: '.*' holds \w+, expected F64 or F32"):
        load_network(path)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 8, b"\xff" * 100, (10).to_bytes(8, "little") + b"{}"])
def test_files_that_are_no_safetensors_are_named(tmp_path, data):
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(UserError, match="not safetensors, or damaged"):
        load_weights(build(SMALL), path)


def test_a_header_that_claims_more_than_its_file_holds_is_named(tmp_path):
    path = tmp_path / "w.safetensors"
    count = 3 * 10**9
    tensors = {"a": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    text = json.dumps(tensors | {"__metadata__": describe(SMALL).to_metadata()}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"1234")
    with pytest.raises(UserError, match="not safetensors, or damaged"):
        load_network(path)


@pytest.mark.parametrize("arguments", ["[1", "3", None])
def test_a_broken_header_is_named(tmp_path, arguments):
    path = tmp_path / "w.safetensors"
    metadata = {"kind": "affect", "network": "residual"} | ({"arguments": arguments} if arguments else {})
    save_file({"a": torch.zeros(1)}, path, metadata)
    with pytest.raises(UserError, match="no description of a network"):
        load_network(path)


@pytest.fixture
def own(monkeypatch):
    class Net(RecognitionNet):
        def __init__(self, size, outputs):
            super().__init__(size, outputs, widths=(4, 8, 8))

    module = types.ModuleType("networks_of_ours")
    module.Net, module.Linear = Net, torch.nn.Flatten
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return "networks_of_ours:Net"


def test_a_network_of_ones_own_runs_where_the_command_names_it(own, tmp_path):
    network, path = Network(name=own), tmp_path / "w.safetensors"
    save_file(build(network).state_dict(), path, describe(network).to_metadata())
    with pytest.raises(UserError, match="runs only where the command names it"):
        load_recognizer("affect", weights=path)
    assert load_recognizer("affect", weights=path, arguments=[f"network={own}"]).gives == ("valence", "arousal")
    with pytest.raises(UserError, match=r"Flatten has no features, see vidlink\.nets\.build"):
        build(Network(name="networks_of_ours:Linear"))


def test_ours_are_read_by_what_wrote_them_too(tmp_path):
    """The header holds texts only, as safetensors asks, and its arguments are JSON."""
    metadata = describe(SMALL).to_metadata()
    assert all(isinstance(text, str) for text in metadata.values())
    assert json.loads(metadata["arguments"]) == {"outputs": 10, "size": 48, "width": 4}
