"""An encoder does not make the process more urgent than it was."""

import os
import sys
from pathlib import Path

import pytest

from vidlink.codec.priority import priority_kept
from vidlink.codec.shelf import load_codec
from vidlink.link.probe import check_codec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scheduling policies are Linux's")


def policies():
    return {os.sched_getscheduler(int(place.name)) for place in Path("/proc/self/task").iterdir()}


def test_an_encoder_that_makes_itself_urgent_is_put_back():
    before = os.sched_getscheduler(0), policies()
    check_codec(load_codec("av1"))
    assert (os.sched_getscheduler(0), policies()) == before


def test_what_was_before_is_put_back_after_an_error_too():
    def urgent():
        with priority_kept():
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            raise ValueError("refused")

    before = os.sched_getscheduler(0)
    with pytest.raises(ValueError, match="refused"):
        urgent()
    assert os.sched_getscheduler(0) == before
