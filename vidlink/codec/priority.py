"""Encoders that make a process urgent: SVT-AV1, started by root, gives the thread that opens it real-time priority.

So do the threads that it starts, and every process that is started from there on inherits it; all else on the machine
then waits. What was before is put back.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def priority_kept() -> Iterator[None]:
    """Give this thread, and those that are started within, the scheduling policy back that this one had; Linux only."""
    if sys.platform != "linux":
        yield
        return
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        urgent = os.sched_getscheduler(0)
        if urgent != policy:
            for thread in (int(place.name) for place in Path("/proc/self/task").iterdir()):
                with suppress(OSError):  # it has ended
                    if os.sched_getscheduler(thread) == urgent:
                        os.sched_setscheduler(thread, policy, param)
            os.sched_setscheduler(0, policy, param)
