"""The sender as a whole: choose rungs, code, put into packets, protect."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from vidlink.errors import BudgetError, UserError
from vidlink.faces.find import face_finder
from vidlink.faces.roi import check_box, parse_roi
from vidlink.faces.tracks import pack_tracks
from vidlink.pipeline import in_order
from vidlink.rtp.retransmission import OVERHEAD_BYTES
from vidlink.sender.aggregate import aggregation_s
from vidlink.sender.fec import parse_fec, residual_loss
from vidlink.sender.groups import join, windows
from vidlink.sender.ladder import fit, reach, usable_scales
from vidlink.sender.memory import Memory
from vidlink.sender.overfit import Overfit
from vidlink.sender.packetize import Packetizer, packet_sizes
from vidlink.sender.plan import guided, guided_with_loans
from vidlink.sender.promise import keep_promise
from vidlink.sender.protect import Protector, protected_wire_bits
from vidlink.sender.regions import checked
from vidlink.sender.risk import Risk
from vidlink.sender.strategies import best_fixed_scale, exhaustive, floor_bps, ladder_floor_bps, ladder_scale
from vidlink.sender.task import BudgetTooLowError, Task
from vidlink.sender.trial import Named, Trials
from vidlink.settings import DEFAULT_SCALES, SMALLEST_MTU
from vidlink.types import IPV4_UDP_RTP_BYTES, Rung
from vidlink.units import LEAST_SHARE
from vidlink.video.scenes import Scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

    import pandas as pd

    from vidlink.codec.recipe import Codec
    from vidlink.faces.follow import Tracker
    from vidlink.sender.moments import Features
    from vidlink.sender.regions import Interest
    from vidlink.sender.trial import Objective
    from vidlink.settings import Settings
    from vidlink.types import Clip, CodedSegment, Packets, Picture, Segment
    from vidlink.video.source import Cut

_DEEPER = 1.05
"""A bucket this many times as deep as a segment lets segments borrow from each other."""


class Sender:
    """Plans, codes and sends one clip.

    Parameters
    ----------
    settings
        Of the run.
    clip, codec
        What is coded, and how.
    faces
        Whether the far end wants to know where faces are.
    expected_loss
        Share of packets that the channel is known to lose; sets the strength of ``--fec auto`` and what is kept free
        for retransmissions.
    header_bytes
        IPv4, UDP and RTP header bytes of a packet on the channel.
    memory
        What need not be computed twice.
    labels
        Of the clip. Where they have boxes and the settings name none, the faces are there, and nothing is searched.

    Raises
    ------
    UserError
        No rung of the ladder fits the clip, a setting is out of the codec's range, or the face detector cannot be had.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clip: Clip,
        codec: Codec,
        faces: bool,
        expected_loss: float = 0.0,
        header_bytes: int = IPV4_UDP_RTP_BYTES,
        memory: Memory | None = None,
        labels: pd.DataFrame | None = None,
    ) -> None:
        settings = fit(settings, clip)[0]
        self._settings, self._clip, self._codec = settings, clip, codec
        self._memory = memory or Memory()
        scales = settings.scales if settings.scale is None else (settings.scale,)
        if settings.max_size and settings.scale is None and settings.scales == DEFAULT_SCALES:
            scales = reach(scales, clip.width, clip.height, settings.max_size)
        self._scales = usable_scales(
            scales,
            clip.width,
            clip.height,
            min_side=codec.min_side,
            max_size=settings.max_size,
            chosen=settings.scales != DEFAULT_SCALES,
        )
        if settings.part_s * clip.frame_rate < 2 - 1e-6:
            option, length_s = ("--segment", settings.segment_s)
            if settings.part_s < settings.segment_s:
                option, length_s = "--gop", settings.part_s
            raise UserError(
                f"{option} {length_s:g}: shorter than two frames of this clip, "
                f"{float(clip.frame_rate):.4g} a second; at least {math.ceil(2000 / clip.frame_rate) / 1000:g}"
            )
        knob, quality = codec.quality, settings.quality
        if quality is not None and not knob.best <= quality <= knob.worst:
            raise UserError(
                f"--quality {quality:g}: {codec.name}'s {knob.option} is from {knob.best:g} to {knob.worst:g}"
            )
        if quality is not None and abs(knob.rounded(quality) - quality) > 1e-6:
            raise UserError(
                f"--quality {quality:g}: {codec.name}'s {knob.option} goes in steps of {knob.step:g}; the nearest is "
                f"{knob.rounded(quality):g}"
            )
        self._expected_loss = expected_loss
        self._features: Features | None = None
        self._interest: Interest | None = None
        self._find_faces: Callable[[], Tracker] | None = None
        if faces and not clip.cut_from:
            box = parse_roi(settings.roi).box
            if box:
                check_box(box, width=clip.width, height=clip.height)
            self._find_faces = face_finder(box, labels, settings.face_detector, self._memory.boxes)
        self._fec = parse_fec(settings.fec).at(expected_loss)
        self._header_bytes = header_bytes
        # Parity packets and copies are a little longer than what they repair, and must fit too.
        copy_bytes = OVERHEAD_BYTES if settings.nack else 0
        self._reserved_bytes = max(self._fec.overhead_bytes, copy_bytes)
        if settings.mtu - self._reserved_bytes < SMALLEST_MTU:
            least = SMALLEST_MTU + self._reserved_bytes
            raise UserError(f"--mtu {settings.mtu}: the MTU must be at least {least} bytes, of which headers take 40")
        # What retransmissions will take is kept free.
        self._rate_bps = settings.bitrate_bps
        if settings.nack and self._rate_bps is not None:
            self._rate_bps *= max(LEAST_SHARE, 1 - expected_loss)
        self._packetizer = Packetizer(
            mtu=settings.mtu - self._reserved_bytes,
            aggregate_s=self._aggregate_s(self._rate_bps),
            header_bytes=header_bytes,
        )
        self._protector = Protector(self._fec, header_bytes=header_bytes)
        self.trials: Trials | None = None
        """Trial encodes of the plan, where there is one."""
        self.overfit: Overfit | None = None
        """What sends restorers along, where it is asked to."""

    @property
    def cut(self) -> float | Cut | Scenes:
        """Where segments end: their length in seconds, for the clip or for each of its scenes, or what says so."""
        part_s = self._settings.part_s
        return Scenes(seconds=part_s) if self._settings.most_parts > 1 else part_s

    @property
    def latency_s(self) -> float:
        """Seconds that the sender takes by design: a segment is captured whole, then paced out through the bucket."""
        return self._settings.latency_s

    def coded(
        self,
        read: Callable[[str], Iterable[Segment]],
        *,
        objective: Objective,
        decode: Callable[[CodedSegment], dict[int, Picture]],
        pool: Executor,
        features: Features | None = None,
        interest: Interest | None = None,
    ) -> Iterator[tuple[Segment, CodedSegment]]:
        """Choose a rung for each segment and code it.

        Parameters
        ----------
        read
            Reads the clip from its start, for the stage of that name; some ways to choose read it more than once.
        objective, decode
            What makes one trial better than another, and how its pictures are had.
        pool
            Runs encodes.
        features
            What tells the frames of a segment apart, for rungs that leave some out; None for every n-th frame.
        interest
            Gives how much each part of a segment's pictures matters; None for all alike.

        Raises
        ------
        BudgetError
            The budget is below what the cheapest rungs need; it names the lowest that works.
        """
        settings, self._features, self._interest = self._settings, features, interest
        if settings.scale is not None and settings.quality is not None:
            rung = Rung(scale=settings.scale, frame_divisor=settings.divisors[0], quality=settings.quality)
            groups = self._sided(read("send"))
            if settings.most_parts > 1:
                joined = windows(groups, settings.most_parts, self._clip)
                groups = (join(window, index) for index, window in enumerate(joined))
            yield from self._code(((segment, side, rung) for segment, side in groups), pool)
            return
        if self._rate_bps is None:
            raise ValueError("a plan needs a budget")
        task = self._task(self._rate_bps, objective, decode, pool)
        search = settings.search if settings.quality is None else "exhaustive"
        try:
            if search == "exhaustive":
                chosen = exhaustive(self._sided(read("plan")), task)
                groups = task.joined(self._sided(read("send")), [count for count, _ in chosen])
                planned = ((*group, rung) for group, (_, rung) in zip(groups, chosen, strict=True))
                yield from self._code(planned, pool)
                return
            scales = task.scales
            if search == "ladder":
                scales = (ladder_scale(task),)
            elif search == "best-fixed":
                scales = (best_fixed_scale(lambda: self._sided(read("plan")), task),)
            task_within = replace(task, scales=scales)
            if task.loans:
                found_all = guided_with_loans(lambda stage: self._sided(read(stage)), task_within)
            else:
                found_all = guided(self._sided(read("send")), task_within)
            for segment, found in found_all:
                yield segment, found.coded
        except BudgetTooLowError:
            lowest_bps = self._floor_bps(lambda: read("floor"), task, search)
            asked_bps = settings.bitrate_bps or self._rate_bps
            lowest_bps = math.ceil(lowest_bps * asked_bps / self._rate_bps)
            raise BudgetError(asked_bps, lowest_bps) from None

    def send(self, coded: CodedSegment) -> Packets:
        """The packets of a segment, parity among them. Call once for each segment, in order."""
        if self._settings.max_size:
            keep_promise(coded, self._settings.max_size)
        return self._protector.protect(self._packetizer.packetize(coded))

    def _task(
        self,
        rate_bps: float,
        objective: Objective,
        decode: Callable[[CodedSegment], dict[int, Picture]],
        pool: Executor,
    ) -> Task:
        settings, codec = self._settings, self._codec
        depth_s, loans = settings.buffer_s, settings.buffer_s > _DEEPER * settings.part_s
        if settings.most_parts > 1:
            # What borrows must not hold up the longest group, whose tail may be half a segment longer.
            depth_s = max(depth_s, (settings.most_parts + 0.5) * settings.part_s) if loans else 0.0
        self.trials = Trials(
            clip=self._clip,
            codec=codec,
            objective=objective,
            decode=decode,
            wire_bits=lambda coded: self._wire_bits(coded, rate_bps),
            memory=self._memory,
        )
        task = Task(
            clip=self._clip,
            trials=self.trials,
            scales=self._scales,
            divisors=settings.divisors,
            qualities=codec.quality.grid if settings.quality is None else (settings.quality,),
            knob=codec.quality,
            knob_worth=objective.knob_worth,
            rate_bps=rate_bps,
            depth_s=depth_s,
            loans=loans,
            pool=pool,
            most_parts=settings.most_parts,
            risk=self._risk(objective, rate_bps),
        )
        if settings.overfit == "auto":
            # Where loss is foreseen, each message goes out twice.
            lost = self._lost_for_good()
            self.overfit = Overfit(self._clip, decode, copies=2 if lost else 1, lost=lost)
            return replace(task, overfit=self.overfit)
        safe, closely = getattr(objective, "safe", None), getattr(objective, "closely", None)
        if safe is None or closely is None:
            return task
        rival = replace(task, by=Named("safe", safe), knob_worth=safe.knob_worth, risk=None)
        return replace(task, rival=rival, closely=Named("closely", closely))

    def _risk(self, objective: Objective, rate_bps: float) -> Risk | None:
        """What loss makes of groups of several segments."""
        if self._settings.most_parts == 1 or self._settings.gop != "auto" or not self._expected_loss:
            return None

        def packets(coded: CodedSegment) -> int:
            room = self._settings.mtu - self._reserved_bytes
            sizes, _ = packet_sizes(coded, mtu=room, aggregate_s=self._aggregate_s(rate_bps))
            return len(sizes)

        return Risk(loss=self._lost_for_good(), packets=packets, objective=objective)

    def _lost_for_good(self) -> float:
        """Share of packets that neither parity nor a copy brings back, about."""
        lost = self._expected_loss
        if self._fec.code != "none":
            lost = residual_loss(self._fec.k, self._fec.parity(self._fec.k, key=False), lost)
        # A copy may be lost as well, or come too late.
        return 2 * lost**2 if self._settings.nack else lost

    def _floor_bps(self, read: Callable[[], Iterable[Segment]], task: Task, search: str) -> float:
        """The lowest budget at which a way to choose works, in bits per second."""
        grid = search == "exhaustive"

        def floor(task: Task) -> float:
            return floor_bps(
                self._sided(read()),
                task,
                self._wire_bits,
                quality=max(task.qualities) if grid else task.knob.worst,
                depth_s=task.depth_s if grid else 0.0,
            )

        return ladder_floor_bps(floor, task) if search == "ladder" else floor(task)

    def _code(
        self, planned: Iterable[tuple[Segment, bytes, Rung]], pool: Executor
    ) -> Iterator[tuple[Segment, CodedSegment]]:
        def code(job: tuple[Segment, bytes, Rung]) -> CodedSegment:
            segment, side_data, rung = job
            return self._memory.encode(segment, rung, clip=self._clip, codec=self._codec, side_data=side_data)

        for (segment, _, _), coded in in_order(pool, code, planned, ahead=2):
            yield segment, coded

    def _aggregate_s(self, rate_bps: float | None) -> float:
        if self._settings.aggregate_s is not None:
            return self._settings.aggregate_s
        return aggregation_s(rate_bps, float(self._clip.frame_rate), self._header_bytes)

    def _wire_bits(self, coded: CodedSegment, rate_bps: float) -> int:
        return protected_wire_bits(
            coded,
            fec=self._fec,
            mtu=self._settings.mtu - self._reserved_bytes + self._fec.overhead_bytes,
            aggregate_s=self._aggregate_s(rate_bps),
            header_bytes=self._header_bytes,
        )

    def _sided(self, segments: Iterable[Segment]) -> Iterator[tuple[Segment, bytes]]:
        """Each segment with what tells its frames apart, and with its side data: where its faces are."""
        for segment, side_data in self._tracked(segments):
            if self._features is not None and max(self._settings.divisors) > 1:
                segment = replace(segment, features=self._features(segment, side_data))
            if self._interest is not None:
                segment = replace(segment, interest=checked(self._interest(segment, side_data)))
            yield segment, side_data

    def _tracked(self, segments: Iterable[Segment]) -> Iterator[tuple[Segment, bytes]]:
        """Each segment with its side data."""
        if self._find_faces is None:
            yield from ((segment, segment.side_data) for segment in segments)
            return
        tracker = self._find_faces()
        for segment in segments:
            yield segment, pack_tracks(tracker.track(segment))
