import numpy as np
import pytest

from vidlink.recognizers.recognize import Context, Wants, recognize_windows
from vidlink.recognizers.windows import Windower, window_positions


def wants(frames=4, frame_rate=None, stride_s=None):
    return Wants(
        region="frame", height=8, width=8, colour="luma", frames=frames, frame_rate=frame_rate, stride_s=stride_s
    )


def test_windows_hold_the_frames_nearest_to_their_instants():
    windows = window_positions(wants(4, 10, 0.5), (np.arange(61) / 30).tolist(), 30)
    assert [window.tolist() for window in windows[:2]] == [[0, 3, 6, 9], [15, 18, 21, 24]]
    assert windows[-1].max() <= 60


def test_frames_are_taken_as_they_come_where_no_rate_is_asked_for():
    windows = window_positions(wants(3), (np.arange(9) / 25).tolist(), 25)
    assert windows[0].tolist() == [0, 1, 2]
    assert windows[-1].tolist() == [6, 7, 8]


def test_a_clip_shorter_than_the_window_gives_one_and_holds_its_last_picture():
    windows = window_positions(wants(4, 2), [0.0, 0.1, 0.2], 10)
    assert [window.tolist() for window in windows] == [[0, 2, 2, 2]]


def test_one_picture_is_a_window_and_none_is_none():
    assert [window.tolist() for window in window_positions(wants(3, 8), [0.0], 25)] == [[0, 0, 0]]
    assert window_positions(wants(), [], 25) == []


def test_the_end_of_a_clip_is_seen():
    windows = window_positions(wants(4, 10, 1.0), (np.arange(30) / 10).tolist(), 10)
    assert windows[-1].tolist() == [26, 27, 28, 29]


def test_a_stream_gives_the_same_windows_as_a_whole_clip_and_forgets():
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 300)).tolist()
    wanted = window_positions(wants(8, 12.5, 0.3), times_s, 25)
    windower = Windower(wants(8, 12.5, 0.3), 25)
    found = []
    for start in range(0, 300, 7):
        part = windower.add(times_s[start : start + 7])
        assert all(window.min() >= windower.oldest - 40 for window in part)
        found += part
    assert 300 - windower.oldest < 60
    found += windower.finish()
    assert [window.tolist() for window in found] == [window.tolist() for window in wanted]


def test_windows_are_batched_with_the_context_of_each_picture():
    class Brightest:
        name, task, classes = "brightest", "test", ("first", "last")
        wants = wants(2, 10)

        def __call__(self, windows, context):
            assert windows.shape[1:] == (2, 1, 8, 8)
            assert context.scale.tolist() == [[row, row + 1] for row in context.scale[:, 0]]
            return windows.mean(dim=(2, 3, 4)) * 20

    pictures = [np.full((1, 8, 8), value, np.uint8) for value in (0, 255, 0, 128)]
    context = Context(scale=np.arange(4.0), quality=np.zeros(4), status=("ok",) * 4)
    rows = [np.array([k, k + 1]) for k in range(3)]
    shares = recognize_windows(Brightest(), pictures, rows, context, batch=2)
    assert shares.argmax(axis=1).tolist() == [1, 0, 1]
    assert shares.sum(axis=1) == pytest.approx(np.ones(3))


def test_no_window_lies_in_a_gap_of_hours():
    from vidlink.recognizers.recognizer import Wants

    wants = Wants(region="frame", height=8, width=8, colour="luma", frames=4, frame_rate=10, stride_s=0.4)
    times = [k / 10 for k in range(20)] + [36_000 + k / 10 for k in range(20)]
    windows = window_positions(wants, times, 10.0)
    assert len(windows) <= 12
    seen = {int(place) for window in windows for place in window}
    assert {0, 19, 20, 39} <= seen, "the pictures beside the gap are looked at"
    assert all((np.diff(window) >= 0).all() for window in windows)


@pytest.mark.parametrize("gap_s", [0.5, 3.0, 9.0])
def test_shorter_gaps_show_the_picture_before(gap_s):
    from vidlink.recognizers.recognizer import Wants

    wants = Wants(region="frame", height=8, width=8, colour="luma", frames=4, frame_rate=10, stride_s=0.4)
    times = [k / 10 for k in range(20)] + [2 + gap_s + k / 10 for k in range(20)]
    assert len(window_positions(wants, times, 10.0)) == pytest.approx((times[-1] - 0.3) / 0.4 + 1, abs=1)
