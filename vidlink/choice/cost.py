"""What coding costs the camera: processor seconds of one encode for a second of video, without trials."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_input
from vidlink.faces.follow import cut_out
from vidlink.faces.roi import parse_roi
from vidlink.scores.judge import load_judge
from vidlink.sender.encode import encode
from vidlink.sender.groups import join
from vidlink.types import Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vidlink.settings import Settings
    from vidlink.types import Segment
    from vidlink.video.source import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What encoding took."""

    cpu_s: float
    """Processor seconds, of all threads and programs."""
    video_s: float
    """Seconds of video that were coded."""

    @property
    def per_second(self) -> float:
        """Processor seconds for a second of video."""
        return self.cpu_s / self.video_s

    @property
    def cameras(self) -> float:
        """Cameras that one core codes as fast as they give pictures."""
        return self.video_s / self.cpu_s if self.cpu_s > 0 else float("inf")


def encode_cost(settings: Settings, plan: Sequence[Mapping[str, Any]]) -> Cost:
    """Code a clip once, downsampling included, and see what processor time it takes.

    Parameters
    ----------
    settings
        Of the run.
    plan
        The rung of each group of segments that is coded as one, as ``plan`` in its summary has them.
    """
    codec, source = load_codec(settings.codec), open_input(settings)
    if parse_roi(settings.roi).cut:
        source = cut_out(source, settings, load_judge(settings, source.labels).boxes)
    cpu_s = video_s = 0.0
    for number, (part, segment) in enumerate(zip(plan, _groups(source, settings, plan), strict=True)):
        rung = Rung(scale=part["scale"], frame_divisor=part["frame_divisor"], quality=part["quality"])
        group, _ = join([(each, each.side_data) for each in segment], number)
        start = _cpu_s()
        encode(group, rung, clip=source.clip, codec=codec)
        cpu_s += _cpu_s() - start
        video_s += group.duration_s
    return Cost(cpu_s=cpu_s, video_s=video_s)


def _groups(source: Source, settings: Settings, plan: Sequence[Mapping[str, Any]]) -> Iterator[list[Segment]]:
    """The segments of each entry of a plan: those from its start to the start of the next."""
    ends_s = [part["start_s"] for part in plan[1:]] + [float("inf")]
    group: list[Segment] = []
    for segment in source.segments(settings.part_s):
        if group and segment.start_s > ends_s[0] - 1e-4:
            yield group
            group, ends_s = [], ends_s[1:]
        group.append(segment)
    yield group


def _cpu_s() -> float:
    """Processor seconds of this process so far, and of the programs that it ran."""
    programs = os.times()
    return time.process_time() + programs.children_user + programs.children_system
