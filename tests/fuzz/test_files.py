"""Whatever stands in a file that a user gives, it is read or refused in one line: UserError, and nothing else."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from odd import NUMBERS, ODD, TOKENS, answered, damaged, share
from safetensors.torch import save

from vidlink import units
from vidlink.channel.channel import Channel
from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace
from vidlink.codec.shelf import load_channel, load_codec, names, shelf
from vidlink.errors import UserError
from vidlink.labels.classes import load_class_labels
from vidlink.labels.dimensions import load_labels
from vidlink.nets.build import Network, build, build_restorer
from vidlink.nets.weights import Header, describe, load_activity, load_network, load_restorer


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else repr(value) if value is not None else '""'


RECIPES = [(shelf("codecs") / f"{name}.toml").read_bytes() for name in names("codecs")]
OWN = b'description = "own"\nimplementation = "a.b:C"\n[quality]\noption = "q"\nbest = 1\nworst = 9\ngrid = [2]\n'
PARAMETERS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz-_=:,/.'\\ 019\n\0"), max_size=30)


def recipe(place, data):
    (place / "mine.toml").write_bytes(data)
    codec = answered(load_codec, str(place / "mine.toml"), allowed=UserError)
    if codec:
        for value in (codec.quality.best, codec.quality.worst, 0.0, 1e300, -1e300):
            assert codec.quality.best <= codec.quality.rounded(value) <= codec.quality.worst


@given(damaged([*RECIPES, OWN]))
def test_recipes(place, data):
    recipe(place, data)


@given(
    st.sampled_from(["best", "worst", "step", "grid", "option"]),
    ODD | st.lists(NUMBERS, max_size=4),
    st.dictionaries(PARAMETERS | st.sampled_from(["x264-params", "flags", "preset"]), PARAMETERS | ODD, max_size=3),
)
def test_recipes_with_odd_values(place, key, value, options):
    quality = {"option": "crf", "best": 10, "worst": 51, "grid": [20, 30]} | {key: value}
    text = 'description = "mine"\nencoder = "libx264"\ndecoder = "h264"\npayload = "h264"\n[options]\n'
    text += "".join(f"{json.dumps(name)} = {toml(each)}\n" for name, each in options.items())
    text += "[quality]\n" + "".join(f"{name} = {toml(each)}\n" for name, each in quality.items())
    recipe(place, text.encode(errors="replace"))


@given(st.text(max_size=30) | st.sampled_from(["a" * 5000 + ".toml", "\0.toml", "/", "/dev/zero.toml", "..", ".toml"]))
def test_names_of_recipes_and_channels(name):
    answered(load_codec, name, allowed=UserError)
    answered(load_channel, name, allowed=UserError)


CHANNELS = [path.read_bytes() for path in sorted(shelf("channels").glob("*.toml"))]


@given(damaged(CHANNELS))
def test_channels(place, data):
    (place / "link.toml").write_bytes(data)
    profile = answered(load_channel, str(place / "link.toml"), allowed=UserError)
    if profile:
        answered(Channel, profile, rng=np.random.default_rng(1), allowed=UserError)


TRACES = {
    "mahimahi": b"1\n1\n5\n9\n20\n",
    "json": b'[{"duration_ms": 100, "bandwidth_kbps": 64, "latency_ms": 20}, {"duration_ms": 50, "bandwidth_kbps": 0}]',
    "csv": b"time_s,rate_bps\n0,64000\n1.5,0\n2,128000\n",
}


def trace(place, kind, data):
    path = place / "trace"
    path.write_bytes(data)
    found = answered(read_trace, Trace.model_construct(path=path, format=kind), allowed=UserError)
    if found:
        capacity, latency = found
        times = np.array([0, 1, 10**6, 10**9, 3600 * 10**9], dtype=np.int64)
        work = capacity.work_until(times)
        assert (np.diff(work) >= 0).all()
        assert (work >= 0).all()
        assert (capacity.time_of(work) >= 0).all()
        if latency:
            assert (latency.at(times) >= 0).all()


@given(st.sampled_from(sorted(TRACES)).flatmap(lambda kind: st.tuples(st.just(kind), damaged(TRACES[kind]))))
def test_traces(place, drawn):
    trace(place, *drawn)


@given(st.sampled_from(["duration_ms", "bandwidth_kbps", "latency_ms"]), ODD, st.sampled_from([list, dict]))
def test_traces_with_odd_values(place, key, value, kind):
    piece = {"duration_ms": 100, "bandwidth_kbps": 64, "latency_ms": 20} | {key: value}
    trace(place, "json", json.dumps([piece, piece] if kind is list else piece).encode())


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4))
def test_csv_traces_with_odd_numbers(place, rows):
    trace(place, "csv", "\n".join(["time_s,rate_bps", *(f"{a},{b}" for a, b in rows)]).encode())


LABELS = [
    b"time_s,valence,arousal\n0,0.1,0.2\n1,0.3,0.4\n2.5,,\n",
    b"time_s,face,x,y,w,h,valence,arousal\n0,0,1,2,30,40,0.1,0.2\n0,1,50,2,30,40,0.3,0.4\n1,0,1,2,30,40,0,0\n",
]
CLASSES = [b"time_s,class\n0,run\n1,sit down\n2,\n", b"time_s,class\r\n0.5,run\r\n"]


@given(damaged(LABELS))
def test_labels_of_dimensions(place, data):
    (place / "labels.csv").write_bytes(data)
    answered(load_labels, place / "labels.csv", ("valence", "arousal"), allowed=UserError)


@given(damaged(CLASSES))
def test_labels_of_classes(place, data):
    (place / "labels.csv").write_bytes(data)
    answered(load_class_labels, place / "labels.csv", ("run", "sit down"), allowed=UserError)


READERS = {
    "rate": units.parse_rate,
    "size": lambda text: units.parse_size("--a", text),
    "frame rate": lambda text: units.parse_frame_rate("--a", text),
    "scales": lambda text: units.parse_scales("--a", text),
    "divisors": lambda text: units.parse_divisors("--a", text),
    "roi": lambda text: units.parse_roi("--a", text),
    "fec": units.parse_fec,
    "bytes": lambda text: units.parse_bytes("--a", text),
}
WRITTEN = ["64k", "1.5M", "640x480", "30000/1001", "1,2,4.5", "faces", "0,0,40,30", "rs:k=10,n=12,key_n=14,depth=2"]
WRITTEN += ["auto:0.01,k=10", "xor:k=5", "2G", "none"]


@given(
    st.sampled_from(sorted(READERS)),
    damaged([each.encode() for each in WRITTEN]).map(lambda data: data.decode(errors="surrogateescape"))
    | st.text(max_size=12)
    | st.sampled_from(TOKENS).map(lambda token: token.decode(errors="replace")),
)
def test_quantities_as_people_write_them(reader, text):
    answered(READERS[reader], text, allowed=UserError)


SMALL = Network(name="recognition", width=4)
SRCNN = Header(kind="restorer", network="espcn", arguments={"scale": 3.0, "width": 48})
LOADERS = {"affect": load_network, "restorer": load_restorer, "activity": load_activity}
STORED = [
    save(build(SMALL).state_dict(), describe(SMALL).to_metadata()),
    save(build_restorer("espcn", scale=3).state_dict(), SRCNN.to_metadata()),
]


def weights(place, kind, data):
    (place / "w.safetensors").write_bytes(data)
    answered(LOADERS[kind], place / "w.safetensors", allowed=UserError)


@share(0.5)
@given(st.data())
def test_weights(place, data):
    """Damage lies in the header, mostly: the rest is numbers."""
    whole = data.draw(st.sampled_from(STORED))
    size = 8 + int.from_bytes(whole[:8], "little")
    head = data.draw(damaged(whole[:size]))
    if data.draw(st.booleans()):
        head = (len(head) - 8).to_bytes(8, "little", signed=True) + head[8:] if len(head) >= 8 else head
    weights(place, data.draw(st.sampled_from(sorted(LOADERS))), head + whole[size:])


@given(
    st.sampled_from(sorted(LOADERS)),
    st.sampled_from(["residual", "recognition", "twin+recognition", "espcn", "srcnn", "motion", "a:B", "a+b+c"]),
    st.dictionaries(
        st.sampled_from(["size", "outputs", "width", "scale", "classes", "restorer", "name", "self"]),
        NUMBERS | ODD | st.lists(st.text(max_size=4), max_size=3) | st.integers(1, 5000),
        max_size=4,
    ),
)
def test_headers_of_weights(place, kind, network, arguments):
    header = {"kind": kind, "network": network, "arguments": json.dumps(arguments)}
    weights(place, kind, save({"a": torch.zeros(1)}, header))


@given(st.sampled_from(sorted(LOADERS)), st.sampled_from(["network", "restorer", "activity"]), ODD)
def test_headers_of_earlier_versions(place, kind, entry, about):
    weights(place, kind, save({"a": torch.zeros(1)}, {entry: json.dumps(about)}))
