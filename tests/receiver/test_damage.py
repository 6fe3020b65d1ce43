"""A picture that the log calls ok must be bit-exact, whatever was lost before it."""

from fractions import Fraction

import numpy as np
import pytest

from vidlink.codec.profiles import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.receiver.damage import follow_damage
from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.types import AccessUnit, Rung, Status
from vidlink.video.pictures import luma


def unit(frame, *, key=False, reference=True, recovery=None):
    return AccessUnit(frame=frame, time_s=frame / 25, nals=(b"x",), key=key, reference=reference, recovery=recovery)


def statuses(units, lost, partial=()):
    whole = [u.frame not in lost and u.frame not in partial for u in units]
    return [state.status for state in follow_damage(units, whole=whole, present=[u.frame not in lost for u in units])]


def test_damage_spreads_from_references_only():
    units = [unit(0, key=True), unit(1), unit(2, reference=False), unit(3)]
    assert statuses(units, {2}) == [Status.OK, Status.OK, Status.FROZEN, Status.OK]
    assert statuses(units, {1}) == [Status.OK, Status.FROZEN, Status.DRIFTING, Status.DRIFTING]
    assert statuses(units, set(), {1}) == [Status.OK, Status.CONCEALED, Status.DRIFTING, Status.DRIFTING]


def test_without_a_key_frame_nothing_can_be_shown():
    units = [unit(0, key=True), unit(1), unit(2, key=True), unit(3)]
    assert statuses(units, {0}) == [Status.FROZEN, Status.FROZEN, Status.OK, Status.OK]


def test_an_intra_refresh_cycle_heals():
    units = [unit(0, key=True), unit(1), unit(2, recovery=2), unit(3), unit(4), unit(5)]
    assert statuses(units, {1})[2:] == [Status.DRIFTING, Status.DRIFTING, Status.OK, Status.OK]
    assert statuses(units, {1, 3})[4:] == [Status.DRIFTING, Status.DRIFTING]
    assert statuses(units, {0})[1:] == [Status.FROZEN, Status.FROZEN, Status.FROZEN, Status.OK, Status.OK]


@pytest.fixture(scope="module")
def segment():
    frames = []
    for segment in open_builtin().segments(2.0):
        frames.append(segment)
        break
    return frames[0]


@pytest.mark.parametrize("name", ["x264", "x264-realtime", "x265"])
def test_what_is_called_ok_is_bit_exact(segment, name):
    codec, clip = load_codec(name), open_builtin().clip
    assert clip.frame_rate == Fraction(25)
    coded = encode(segment, Rung(scale=2, quality=32), clip=clip, codec=codec)
    if name == "x264-realtime":
        assert any(u.recovery is not None for u in coded.units[1:])
    clean = decode(((u.frame, u.nals) for u in coded.units), codec=codec, parameter_sets=coded.parameter_sets)
    assert len(clean) == len(segment.frames)
    rng = np.random.default_rng(1)
    called_ok = healed = 0
    for _ in range(12):
        lost = {int(k) for k in rng.integers(0 if _ % 4 == 0 else 1, len(coded.units), size=2)}
        lost_frames = {coded.units[k].frame for k in lost}
        whole = [u.frame not in lost_frames for u in coded.units]
        states = follow_damage(coded.units, whole=whole, present=whole)
        kept = [(u.frame, u.nals) for u, w, s in zip(coded.units, whole, states, strict=True) if w and s.decodable]
        shown = decode(kept, codec=codec, parameter_sets=coded.parameter_sets)
        for number, (u, state) in enumerate(zip(coded.units, states, strict=True)):
            if state.status is Status.OK:
                called_ok += 1
                healed += number > min(lost)
                assert u.frame in shown
                assert np.array_equal(luma(shown[u.frame]), luma(clean[u.frame])), (sorted(lost), u.frame)
    assert called_ok > 50
    if name == "x264-realtime":
        assert healed > 50
