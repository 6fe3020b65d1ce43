"""Coded segments made up for tests: NAL units of given sizes, filled by chance."""

import numpy as np

from vidlink.types import AccessUnit, CodedSegment, Rung

HEADERS = {"h264": b"\x41", "hevc": b"\x02\x01\xaa", "generic": b"\x00"}
SETS = {"h264": (b"\x67sps", b"\x68pps"), "hevc": (b"\x40\x01vps", b"\x42\x01sps", b"\x44\x01pps"), "generic": ()}


def coded(sizes, payload="h264", *, index=0, first_frame=None, start_s=0.0, fps=30, side_data=b"", reorder=False):
    """A segment whose pictures have NAL units of the given sizes (without their headers), all different.

    Pictures are numbered from ``first_frame``, by default 100 x ``index``; ``reorder`` swaps each two of them.
    """
    rng = np.random.default_rng(index)
    first_frame = 100 * index if first_frame is None else first_frame
    order = [number ^ 1 if reorder and (number ^ 1) < len(sizes) else number for number in range(len(sizes))]
    units = tuple(
        AccessUnit(
            frame=first_frame + order[number],
            time_s=start_s + order[number] / fps,
            nals=tuple(HEADERS[payload] + rng.bytes(size) for size in picture),
            key=number == 0,
            reference=True,
        )
        for number, picture in enumerate(sizes)
    )
    return CodedSegment(
        index=index,
        rung=Rung(scale=1, quality=30),
        payload=payload,
        width=16,
        height=16,
        parameter_sets=SETS[payload],
        side_data=side_data,
        units=units,
        start_s=start_s,
        duration_s=len(sizes) / fps,
    )
