"""A picture that the log calls ok must be bit-exact, whatever was lost before it."""

from fractions import Fraction

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.receiver.decode import decode
from vidlink.receiver.start import follow_starts
from vidlink.scores.damage import follow_damage
from vidlink.sender.encode import encode
from vidlink.types import AccessUnit, Rung, Sample, Status
from vidlink.video.pictures import luma


def unit(frame, *, key=False, reference=True, recovery=None):
    return AccessUnit(frame=frame, time_s=frame / 25, nals=(b"x",), key=key, reference=reference, recovery=recovery)


def statuses(units, damaged):
    return follow_damage(units, [u.frame not in damaged for u in units])


def test_damage_spreads_from_references_only():
    units = [unit(0, key=True), unit(1), unit(2, reference=False), unit(3)]
    assert statuses(units, {2}) == [Status.OK, Status.OK, Status.CONCEALED, Status.OK]
    assert statuses(units, {1}) == [Status.OK, Status.CONCEALED, Status.DRIFTING, Status.DRIFTING]


def test_damage_ends_with_a_key_frame():
    units = [unit(0, key=True), unit(1), unit(2, key=True), unit(3)]
    assert statuses(units, {0}) == [Status.CONCEALED, Status.DRIFTING, Status.OK, Status.OK]


def test_an_intra_refresh_cycle_heals():
    units = [unit(0, key=True), unit(1), unit(2, recovery=2), unit(3), unit(4), unit(5)]
    assert statuses(units, {1})[2:] == [Status.DRIFTING, Status.DRIFTING, Status.OK, Status.OK]
    assert statuses(units, {1, 3})[4:] == [Status.DRIFTING, Status.DRIFTING]
    assert statuses(units, {0})[2:] == [Status.DRIFTING, Status.DRIFTING, Status.OK, Status.OK]


def sample(unit):
    """What is signalled of an access unit."""
    size = sum(map(len, unit.nals))
    return Sample(
        frame=unit.frame, time_s=unit.time_s, bytes=size, key=unit.key, recovery=unit.recovery, sent_s=unit.time_s
    )


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
        arrived = {u.frame: u.nals for u, w in zip(coded.units, whole, strict=True) if w}
        uses = follow_starts([sample(u) for u in coded.units], arrived)
        kept = [(u.frame, u.nals) for u, w, use in zip(coded.units, whole, uses, strict=True) if w and use.decode]
        shown = decode(kept, codec=codec, parameter_sets=coded.parameter_sets)
        for number, (u, status, use) in enumerate(
            zip(coded.units, follow_damage(coded.units, whole), uses, strict=True)
        ):
            if status is Status.OK:
                assert use.show
                called_ok += 1
                healed += number > min(lost)
                assert u.frame in shown
                assert np.array_equal(luma(shown[u.frame]), luma(clean[u.frame])), (sorted(lost), u.frame)
    assert called_ok > 50
    if name == "x264-realtime":
        assert healed > 50
