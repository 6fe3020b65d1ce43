"""The receiver is given what crosses the wire, and nothing else."""

import ast
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from received import lose, sent

import vidlink.receiver as receiver_room
from vidlink import types
from vidlink.codec.shelf import load_codec
from vidlink.link.carry import wire_of
from vidlink.receiver.receive import Receiver
from vidlink.sender.encode import encode
from vidlink.types import Fate, Kind, Ledger, Rung
from vidlink.video.open import open_source


@pytest.fixture(scope="module")
def segments(tmp_path_factory, make_clip):
    """176x144, 60 frames, two segments, each with what it was coded to."""
    path = make_clip(tmp_path_factory.mktemp("receive") / "clip.mp4", count=60, size=(176, 144))
    source, rung = open_source(str(path)), Rung(scale=1, quality=24)
    return [(each, encode(each, rung, clip=source.clip, codec=load_codec("x264"))) for each in source.segments(1.2)]


def records_in(record, found):
    """Every type that the fields of a record name, however deep, is added to ``found``."""
    names = vars(types) | {"av": av, "NDArray": NDArray, "Sequence": Sequence}
    for kind in get_type_hints(record, names).values():
        for part in (kind, *get_args(kind)):
            if part not in found:
                found.add(part)
                if is_dataclass(part):
                    records_in(part, found)
    return found


def test_the_receiver_is_given_neither_source_pictures_nor_coded_units():
    held = records_in(types.Wire, set())
    assert {types.SegmentIndex, types.Sample, types.Packets} <= held
    assert not held & {types.Segment, types.CodedSegment, types.AccessUnit, types.Ledger, types.Rung, av.VideoFrame}


def test_the_receivers_code_names_no_record_of_the_sender():
    hidden = {"Segment", "CodedSegment", "AccessUnit", "Ledger", "Carried", "Rung"}
    folder = Path(receiver_room.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not hidden & {name.name for name in node.names}, path.name


@pytest.mark.parametrize("waits", [True, False])
def test_nothing_but_what_arrived_makes_a_difference(segments, waits):
    def shown(poisoned):
        receiver = Receiver(load_codec("x264"), latency_s=2.4, deadline_s=0.4, waits=waits)
        for (segment, each), packets in zip(segments, sent([coded for _, coded in segments]), strict=True):
            rng = np.random.default_rng(each.index)
            lose(packets, (packets.kind == Kind.VIDEO) & (rng.random(len(packets)) < 0.2))
            ledger = Ledger(segment=segment, coded=each, packets=packets, recovered=None, doubled=None)
            wire = wire_of(ledger)
            assert len(wire.packets) == (packets.fate == Fate.DELIVERED).sum() < len(packets)
            if poisoned:
                for name in ("segment", "coded"):
                    object.__setattr__(ledger, name, None)
                packets.data[:] = [b"poison"] * len(packets)
                for name in types.PACKET_COLUMNS:
                    getattr(packets, name)[:] = 7
                for name in ("frame", "unit", "unit_count", "send_s"):
                    getattr(wire.packets, name)[:] = 7
            arrival = receiver.collect(wire)
            yield from receiver.hold(arrival, receiver.decode(arrival))

    clean, poisoned = list(shown(False)), list(shown(True))
    assert 0 < sum(each.fresh for each in clean) < 60
    for before, after in zip(clean, poisoned, strict=True):
        assert before.fresh == after.fresh
        assert (before.picture is None) == (after.picture is None)
        assert before.picture is None or np.array_equal(before.picture.to_ndarray(), after.picture.to_ndarray())


def test_until_a_picture_comes_there_is_none_and_then_the_last_one_is_held(segments):
    receiver, shown = Receiver(load_codec("x264"), latency_s=2.4, deadline_s=0.4), []
    for (segment, each), packets in zip(segments, sent([coded for _, coded in segments]), strict=True):
        # Of the first segment the key picture is lost, of the second all but the first ten pictures.
        late = packets.unit >= packets.unit.max() - 19 if each.index else packets.unit == 0
        lose(packets, late & (packets.kind == Kind.VIDEO))
        ledger = Ledger(segment=segment, coded=each, packets=packets, recovered=None, doubled=None)
        arrival = receiver.collect(wire_of(ledger))
        shown.append(receiver.hold(arrival, receiver.decode(arrival)))
        assert [each.frame for each in shown[-1]] == list(range(30 * each.index, 30 * each.index + 30))
    assert not any(each.fresh or each.picture for each in shown[0])
    held = [each for each in shown[1] if not each.fresh]
    assert shown[1][0].fresh
    assert len(held) >= 19
    assert held[-1].picture is [each for each in shown[1] if each.fresh][-1].picture
