"""Nothing is shown before a key frame has arrived or an intra-refresh cycle is complete."""

from vidlink.receiver.start import follow_starts
from vidlink.types import Sample


def sample(frame, *, key=False, recovery=None):
    return Sample(frame=frame, time_s=frame / 25, bytes=10, key=key, recovery=recovery, sent_s=1.0)


def uses(samples, lost, partial=()):
    """Frames to be decoded, and frames that may be shown."""
    nals = {each.frame: [bytes(4), bytes(6)] for each in samples if each.frame not in lost}
    for frame in partial:
        del nals[frame][0]
    found = follow_starts(samples, nals)
    return (
        [each.frame for each, use in zip(samples, found, strict=True) if use.decode],
        [each.frame for each, use in zip(samples, found, strict=True) if use.show],
    )


def test_losses_after_a_key_frame_withhold_nothing():
    samples = [sample(0, key=True), sample(1), sample(2)]
    assert uses(samples, {1}, {0}) == ([0, 1, 2], [0, 1, 2])


def test_without_a_key_frame_nothing_is_shown():
    samples = [sample(0, key=True), sample(1), sample(2, key=True), sample(3)]
    assert uses(samples, {0}) == ([2, 3], [2, 3])


def test_a_refresh_cycle_is_decoded_from_its_start_and_shown_from_its_end():
    samples = [sample(0, key=True), sample(1), sample(2, recovery=2), sample(3), sample(4), sample(5)]
    assert uses(samples, {0}) == ([2, 3, 4, 5], [4, 5])


def test_a_damaged_refresh_cycle_is_no_start():
    samples = [sample(0, key=True), sample(1, recovery=2), sample(2), sample(3), sample(4, recovery=1), sample(5)]
    assert uses(samples, {0, 2}) == ([1, 4, 5], [5])
    assert uses(samples, {0}, {1}) == ([4, 5], [5])
