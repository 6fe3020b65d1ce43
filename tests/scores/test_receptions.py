"""One reception for every source frame, its status from the packet log, and the picture that the status promises."""

import numpy as np
import pytest
from received import lose, sent

from vidlink.codec.shelf import load_codec
from vidlink.link.carry import wire_of
from vidlink.link.lossless import decode_all
from vidlink.receiver.receive import Receiver
from vidlink.scores.receptions import Receptions, late_packets
from vidlink.sender.encode import encode
from vidlink.types import Fate, Kind, Ledger, Rung, Status
from vidlink.video.open import open_source

SHELF = ("x264", "x264-realtime", "x265", "vp9", "av1")


@pytest.fixture(scope="module")
def clip(tmp_path_factory, make_clip):
    """176x144, 60 frames, two segments."""
    path = make_clip(tmp_path_factory.mktemp("receive") / "clip.mp4", count=60, size=(176, 144))
    source = open_source(str(path))
    return source.clip, list(source.segments(1.2))


@pytest.fixture(scope="module")
def coded(clip):
    """Both segments by every codec of the shelf, small and large."""
    made = {}

    def code(name, quality=30, divisor=1):
        key = name, quality, divisor
        if key not in made:
            rung = Rung(scale=1, quality=quality, frame_divisor=divisor)
            made[key] = [encode(segment, rung, clip=clip[0], codec=load_codec(name)) for segment in clip[1]]
        return made[key]

    return code


def receive(clip, coded, tables, name, deadline_s=0.4):
    """All receptions of a clip, and how many packets were late in each segment."""
    receiver, log = Receiver(load_codec(name), latency_s=2.4, deadline_s=deadline_s), Receptions()
    receptions, late = [], []
    for segment, each, packets in zip(clip[1], coded, tables, strict=True):
        nothing = np.zeros(len(packets), bool)
        ledger = Ledger(segment=segment, coded=each, packets=packets, recovered=nothing, doubled=nothing)
        arrival = receiver.collect(wire_of(ledger))
        receptions += log.add(ledger, arrival, receiver.hold(arrival, receiver.decode(arrival)))
        late.append(late_packets(ledger, arrival.due_s))
    return receptions, late


@pytest.mark.parametrize("name", SHELF)
@pytest.mark.parametrize("aggregate_s", [0.0, 0.1])
def test_without_loss_all_is_ok_and_as_sent(clip, coded, name, aggregate_s):
    segments = coded(name)
    receptions, _ = receive(clip, segments, sent(segments, aggregate_s), name)
    assert [r.frame for r in receptions] == list(range(60))
    assert {r.status for r in receptions} == {Status.OK}
    assert {r.late_s for r in receptions} == {0.0}
    assert [r.time_s for r in receptions] == pytest.approx(np.arange(60) / 25)
    codec = load_codec(name)
    pictures = {frame: picture for each in segments for frame, picture in decode_all(each, codec=codec).items()}
    for r in receptions:
        assert np.array_equal(r.picture.to_ndarray(), pictures[r.frame].to_ndarray())


@pytest.mark.parametrize("name", SHELF)
@pytest.mark.parametrize("share", [0.03, 0.15, 0.5])
def test_any_loss_gives_one_reception_each_and_ok_means_bit_exact(clip, coded, name, share):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        segments = coded(name, quality=24)
        tables = list(sent(segments, 0.05 if seed == 2 else 0.0))
        for packets in tables:
            lose(packets, (packets.kind == Kind.VIDEO) & (rng.random(len(packets)) < share))
        receptions, late = receive(clip, segments, tables, name)
        assert [r.frame for r in receptions] == list(range(60))
        codec = load_codec(name)
        whole = {frame: picture for each in segments for frame, picture in decode_all(each, codec=codec).items()}
        previous = None
        for r in receptions:
            if r.status is Status.OK:
                assert np.array_equal(r.picture.to_ndarray(), whole[r.frame].to_ndarray()), (seed, r.frame)
            if r.status is Status.FROZEN:
                assert r.picture is previous
            previous = r.picture
        # By the packet log: what lost nothing is ok or drifting, what lost a part is concealed or frozen.
        units = [unit for each in segments for unit in each.units]
        hurt, gone = set(), {unit.frame for unit in units}
        for packets in tables:
            for row in range(len(packets)):
                frames = {
                    units[number].frame
                    for number in range(packets.unit[row], packets.unit[row] + packets.unit_count[row])
                }
                if packets.fate[row] == Fate.LOST:
                    hurt |= frames
                elif packets.kind[row] == Kind.VIDEO:
                    gone -= frames
        for r in receptions:
            if r.frame in gone:
                assert r.status is Status.FROZEN
            elif r.frame in hurt:
                assert r.status in (Status.CONCEALED, Status.FROZEN)
            elif r.status is Status.FROZEN:  # it arrived, but the decoder had nothing to predict it from
                assert hurt
            else:
                assert r.status in (Status.OK, Status.DRIFTING)
            assert np.isnan(r.late_s) == (r.frame in hurt)
        first = next((unit.frame for unit in units if unit.frame in hurt), None)
        if first is None:
            assert {r.status for r in receptions} == {Status.OK}
        assert late == [0, 0]


def test_losing_a_picture_that_no_other_needs_hurts_no_other(clip, coded):
    segments = coded("x264")
    spare = next(unit.frame for unit in segments[0].units if not unit.reference)
    tables = list(sent(segments))
    lose(tables[0], tables[0].frame == spare)
    receptions, _ = receive(clip, segments, tables, "x264")
    assert [r.frame for r in receptions if r.status is not Status.OK] == [spare]
    assert receptions[spare].status is Status.FROZEN
    assert receptions[spare].picture is receptions[spare - 1].picture
    assert np.isnan(receptions[spare].late_s)


def test_losing_a_reference_drifts_to_the_end_of_the_segment_and_no_further(clip, coded):
    segments = coded("x264")
    units = segments[0].units
    place = next(k for k, unit in enumerate(units) if unit.reference and k > 4)
    tables = list(sent(segments))
    lose(tables[0], tables[0].frame == units[place].frame)
    receptions, _ = receive(clip, segments, tables, "x264")
    for unit in units[:place]:
        assert receptions[unit.frame].status is Status.OK
    for unit in units[place + 1 :]:
        assert receptions[unit.frame].status in (Status.DRIFTING, Status.FROZEN)
    assert {r.status for r in receptions[30:]} == {Status.OK}


def test_losing_the_first_segment_shows_nothing_until_the_second(clip, coded):
    segments = coded("x264")
    tables = list(sent(segments))
    lose(tables[0], tables[0].kind == Kind.VIDEO)
    receptions, _ = receive(clip, segments, tables, "x264")
    assert {r.status for r in receptions[:30]} == {Status.FROZEN}
    assert all(r.picture is None for r in receptions[:30])
    assert {r.status for r in receptions[30:]} == {Status.OK}


def test_losing_the_second_segment_holds_the_last_picture(clip, coded):
    segments = coded("x264")
    tables = list(sent(segments))
    lose(tables[1], tables[1].kind == Kind.VIDEO)
    receptions, _ = receive(clip, segments, tables, "x264")
    assert all(r.picture is receptions[29].picture for r in receptions[30:])
    assert {r.status for r in receptions[30:]} == {Status.FROZEN}


def test_late_packets_count_as_lost_for_the_picture_but_are_known_to_be_late(clip, coded):
    segments = coded("x264")
    spare = next(unit.frame for unit in segments[0].units if not unit.reference)
    tables = list(sent(segments))
    rows = np.flatnonzero(tables[0].frame == spare)
    due = max(spare / 25 + 2.4, float(tables[0].send_s[rows].max())) + 0.4
    for after_s, status in ((-0.01, Status.OK), (0.25, Status.FROZEN)):
        tables[0].arrival_s[rows] = due + after_s
        receptions, late = receive(clip, segments, tables, "x264")
        assert receptions[spare].status is status
        assert receptions[spare].late_s == pytest.approx(max(after_s, 0), abs=1e-6)
        assert late[0] == (len(rows) if after_s > 0 else 0)
        assert {r.status for r in receptions if r.frame != spare} == {Status.OK}


def test_a_copy_in_time_saves_a_packet_that_was_lost_or_late(clip, coded):
    segments = coded("x264")
    tables = list(sent(segments))
    row = len(tables[0]) // 2
    again = tables[0].take(np.sort(np.append(np.arange(len(tables[0])), row)))
    again.fate[row] = Fate.LOST
    again.arrival_s[row] = np.nan
    receptions, _ = receive(clip, segments, [again, tables[1]], "x264")
    assert {r.status for r in receptions} == {Status.OK}
    again.fate[row] = Fate.DELIVERED
    again.arrival_s[row] = 99
    receptions, late = receive(clip, segments, [again, tables[1]], "x264")
    assert {r.status for r in receptions} == {Status.OK}
    assert {r.late_s for r in receptions} == {0.0}
    assert late[0] == 1


def test_order_of_arrival_does_not_matter(clip, coded):
    segments = coded("x264")
    rng = np.random.default_rng(3)
    tables = list(sent(segments, 0.1))
    for packets in tables:
        packets.arrival_s[:] = packets.send_s.max() + rng.permutation(len(packets)) / 10_000
    receptions, _ = receive(clip, segments, tables, "x264", deadline_s=5)
    assert {r.status for r in receptions} == {Status.OK}


@pytest.mark.parametrize("divisor", [2, 3])
def test_frames_left_out_on_purpose_show_the_one_before_with_its_status(clip, coded, divisor):
    segments = coded("x264", divisor=divisor)
    tables = list(sent(segments))
    receptions, _ = receive(clip, segments, tables, "x264")
    assert [r.frame for r in receptions] == list(range(60))
    assert {r.status for r in receptions} == {Status.OK}
    for r in receptions:
        assert r.picture is receptions[r.frame // divisor * divisor].picture
    spare = next(unit.frame for unit in segments[0].units if not unit.reference)
    lose(tables[0], tables[0].frame == spare)
    receptions, _ = receive(clip, segments, tables, "x264")
    frozen = [r.frame for r in receptions if r.status is Status.FROZEN]
    assert frozen == list(range(spare, spare + divisor))


def test_scale_and_quality_are_those_of_the_picture_on_show(clip):
    codec = load_codec("x264")
    rungs = [Rung(scale=2, quality=30), Rung(scale=4, quality=40)]
    segments = [encode(s, rung, clip=clip[0], codec=codec) for s, rung in zip(clip[1], rungs, strict=True)]
    tables = list(sent(segments))
    lose(tables[1], tables[1].kind == Kind.VIDEO)
    receptions, _ = receive(clip, segments, tables, "x264")
    assert {(r.scale, r.quality) for r in receptions} == {(2, 30)}
