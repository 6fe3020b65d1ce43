"""The films of a run: which there are, and what is in them."""

import av
import numpy as np
import pytest

from vidlink.settings import Settings
from vidlink.video.films import REPORT, SIDE_BY_SIDE, Films
from vidlink.video.open import open_source


@pytest.fixture
def shown(small_clip, tmp_path):
    """Writes the films of a run in which every picture on show is the first one; gives their folder."""

    def write(**settings):
        source = open_source(str(small_clip))
        spent = []
        from contextlib import contextmanager

        @contextmanager
        def watch(stage):
            spent.append(stage)
            yield

        with Films(tmp_path / "received.mp4", source.clip, Settings(bitrate_bps=1e5, **settings)) as films:
            for segment in source.segments(1.0):
                films.show([segment.frames[0]] * len(segment.frames), segment, watch)
        return tmp_path, set(spent)

    return write


def test_only_what_was_seen_without_more(shown):
    folder, stages = shown(save_report=False)
    assert [path.name for path in folder.iterdir()] == ["received.mp4"]
    assert stages == {"film"}


def test_sent_and_seen_side_by_side_at_full_size(shown, small_clip):
    folder, stages = shown(film="side-by-side")
    assert {path.name for path in folder.iterdir()} == {"received.mp4", SIDE_BY_SIDE, REPORT}
    assert stages == {"film", "report"}
    with av.open(str(folder / SIDE_BY_SIDE)) as both, av.open(str(small_clip)) as own:
        pictures = [frame.to_ndarray(format="gray") for frame in both.decode(video=0)]
        sources = [frame.to_ndarray(format="gray") for frame in own.decode(video=0)]
    height, width = sources[0].shape
    assert len(pictures) == len(sources)
    assert pictures[0].shape == (height, 2 * width)
    left, right = pictures[20][:, :width].astype(float), pictures[20][:, width:].astype(float)
    assert np.abs(left - sources[20]).mean() < 4
    assert np.abs(right - sources[0]).mean() < 4
    assert np.abs(left - right).mean() > 4


def test_without_a_place_there_is_none(small_clip):
    source = open_source(str(small_clip))
    with Films(None, source.clip, Settings(bitrate_bps=1e5)) as films:
        segment = next(source.segments(1.0))
        films.show(list(segment.frames), segment, watch=None)


def test_the_choice_is_checked():
    from vidlink.errors import UserError

    with pytest.raises(UserError, match="side-by-side"):
        Settings(bitrate_bps=1e5, film="both")
