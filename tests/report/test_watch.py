"""Seconds by stage, and segments with a progress bar."""

import time

import pytest

from vidlink.report.watch import Watch
from vidlink.video.open import open_source


def test_time_is_counted_to_its_stage():
    watch = Watch(quiet=True)
    for _ in range(2):
        with watch("score"):
            time.sleep(0.02)
    with pytest.raises(ValueError, match="no"), watch("write"):
        raise ValueError("no")
    spent = watch.timing_s()
    assert list(spent) == ["score", "write", "total"]
    assert 0.04 <= spent["score"] <= spent["total"]


def test_waiting_for_items_is_counted_but_not_what_is_done_with_them():
    def slow():
        for item in range(2):
            time.sleep(0.02)
            yield item

    watch = Watch(quiet=True)
    for _ in watch.each("link", slow()):
        time.sleep(0.1)
    assert 0.04 <= watch.timing_s()["link"] < 0.2


@pytest.mark.parametrize("quiet", [True, False])
def test_segments_are_those_of_the_source(small_clip, quiet, capsys):
    source = open_source(str(small_clip))
    watched = Watch(quiet=quiet).segments(source, 0.4, "plan")
    expected = [segment.first_frame for segment in source.segments(0.4)]
    assert [segment.first_frame for segment in watched] == expected
    assert "plan" not in capsys.readouterr().err, "stderr is no terminal here"
