"""Everything a run measures, frame by frame and packet by packet, and what it comes down to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vidlink.restorers.restoration import Restoration
from vidlink.scores.causes import causes_of
from vidlink.scores.delivery import delivery, packet_columns, payload_bits
from vidlink.scores.pictures import PictureScores
from vidlink.scores.rate import Totals, rate_section
from vidlink.scores.receptions import Receptions, late_packets
from vidlink.scores.recognition import Recognition
from vidlink.types import Fate, Status
from vidlink.video.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import av
    import pandas as pd

    from vidlink.receiver.receive import Arrival
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.judge import Judge
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings
    from vidlink.types import Clip, Ledger, Segment, SegmentIndex, Shown

_PLAN = ["segment", "start_s", "scale", "frame_divisor", "quality", "payload_bits", "wire_bits"]
"""Columns of ``segments`` that say how each was coded."""


def sees_restored(recognizer: Recognizer | None) -> bool:
    """Whether a recognizer sees pictures as the restorer gives them: of whole frames, or one that says so."""
    return recognizer is None or recognizer.wants.region == "frame" or bool(getattr(recognizer, "restored", False))


class Scores:
    """Collects the tables of a run, segment by segment; only rows of numbers are kept.

    A context manager: all segments are added within its block, tables and summary are asked for after it.

    Parameters
    ----------
    clip
        The source.
    settings
        Of the run: what is measured, and at which frames the recognizer looks.
    judge
        Who looks at the received pictures, and what that is held against.
    restoration
        Brings them to full size.
    memory
        What runs share.

    Raises
    ------
    UserError
        A measure cannot be taken on this machine.
    """

    def __init__(
        self,
        clip: Clip,
        settings: Settings,
        *,
        judge: Judge,
        restoration: Restoration | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._clip = clip
        self._restoration = restoration or Restoration(clip)
        same = self._restoration.interpolates or sees_restored(judge.recognizer)
        self._interpolation = None if same else Restoration(clip)
        self._pictures = PictureScores(clip, settings)
        self._recognition = Recognition(
            clip,
            recognizer=judge.recognizer,
            labels=judge.labels,
            every=settings.recognize_every,
            memory=memory,
            later=not settings.live,
        )
        self._receptions = Receptions()
        self._packets: list[dict[str, Any]] = []
        self._segments: list[dict[str, Any]] = []
        self._frames: list[dict[str, Any]] = []
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._pictures.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pictures.__exit__(kind, error, trace)

    def add(self, ledger: Ledger, arrival: Arrival, shown: Sequence[Shown]) -> Screen:
        """Take in one segment.

        Parameters
        ----------
        ledger
            What was sent, and what became of it.
        arrival
            What the receiver had of it in time.
        shown
            What it showed, one for each source frame.

        Returns
        -------
        Screen
            What was on show, one HR picture (``yuv420p``) for each source frame.
        """
        receptions = self._receptions.add(ledger, arrival, shown)
        self._restoration.signal(arrival.weights, sent_bits=ledger.coded.weights_bits)
        self._restoration.add(receptions)
        screen = Screen(receptions, self._restoration)
        segment, coded, packets = ledger.segment, ledger.coded, ledger.packets
        self._seconds = segment.end_s
        unit_bits = payload_bits(ledger)
        causes = causes_of(ledger, arrival.due_s, receptions)
        rows = [
            {
                "frame": reception.frame,
                "segment": segment.index,
                "time_s": round(reception.time_s, 6),
                "scale": reception.scale,
                "quality": reception.quality,
                "payload_bits": unit_bits.get(reception.frame, 0),
                "status": str(reception.status),
                "late_s": round(reception.late_s, 6),
                "cause": np.nan if cause is None else cause,
                **quality,
            }
            for reception, cause, quality in zip(
                receptions, causes, self._pictures.look(screen, segment.frames), strict=True
            )
        ]
        self._frames += rows
        self._packets.append(packet_columns(ledger))
        sent = ~ledger.doubled & (packets.fate != Fate.DISCARDED)
        self._segments.append(
            {
                "segment": segment.index,
                "start_s": round(segment.start_s, 6),
                "duration_s": round(segment.duration_s, 6),
                "scale": coded.rung.scale,
                "frame_divisor": coded.rung.frame_divisor,
                "quality": coded.rung.quality,
                "width": coded.width,
                "height": coded.height,
                "payload_bits": sum(unit_bits.values()) + coded.signalled_bits,
                "wire_bits": 8 * int(packets.bytes[sent].sum()),
                "packets": int(sent.sum()),
                "lost": int(np.isin(packets.fate, (Fate.LOST, Fate.DROPPED)).sum() + ledger.recovered.sum()),
                "recovered": int(ledger.recovered.sum()),
                "late": late_packets(ledger, arrival.due_s),
                "latency_s": _latency_s(arrival.index),
                **self._restoration.of_segment(),
                **{str(status): sum(row["status"] == status for row in rows) for status in Status},
                **self._pictures.of_segment(rows),
            }
        )
        seen = screen if self._interpolation is None else Screen(receptions, self._interpolation)
        self._recognition.add(segment, arrival.side_data, receptions, seen)
        return screen

    def drawn(self, segment: Segment, screen: Sequence[av.VideoFrame]) -> tuple[Segment, Sequence[av.VideoFrame]]:
        """A segment and what was on show, with what was recognized drawn into their pictures."""
        return self._recognition.drawn(segment, screen)

    def notes(self) -> list[str]:
        """What else is to be said of the run, a sentence each."""
        return [*self._restoration.notes(), *self._recognition.notes()]

    def files(self) -> dict[str, bytes]:
        """Further files of the run folder by path, such as maps of classes."""
        return self._recognition.files()

    def tables(self, *, complete: bool = True) -> dict[str, pd.DataFrame]:
        """The tables of the run: ``segments``, ``frames``, ``packets``, ``predictions``, of boxes also ``boxes``.

        Labels become columns ``*_label`` of the predictions. They are those of the clip, ``complete`` or not.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        return {
            "segments": pd.DataFrame(self._segments),
            "frames": pd.DataFrame(self._frames),
            "packets": pd.concat(map(pd.DataFrame, self._packets), ignore_index=True),
            "predictions": self._recognition.table(self._seconds if complete else self._clip.seconds or self._seconds),
            **self._recognition.more_tables(),
        }

    def summary(self, tables: dict[str, pd.DataFrame], *, target_bps: float | None) -> dict[str, Any]:
        """What the tables come down to: the sections of ``summary.json`` from ``rate`` to ``recognition``."""
        segments, frames = tables["segments"], tables["frames"]
        totals = Totals(
            payload_bits=int(segments["payload_bits"].sum()),
            wire_bits=int(segments["wire_bits"].sum()),
            samples=self._clip.width * self._clip.height * len(frames),
            seconds=self._seconds,
            target_bps=target_bps,
        )
        return {
            "seconds": self._seconds,
            "rate": rate_section(totals),
            "plan": segments[_PLAN].to_dict("records"),
            "sender": {
                "groups": len(segments),
                "longest_group_s": float(segments["duration_s"].max()),
                "latency_s": float(segments["latency_s"].max()),
            },
            "delivery": delivery(tables["packets"], int(segments["late"].sum())),
            "frames": {str(status): int((frames["status"] == status).sum()) for status in Status},
            "restoration": self._restoration.summary(),
            "quality": self._pictures.summary(frames),
            **self._recognition.summary(tables["predictions"]),
        }


def _latency_s(index: SegmentIndex) -> float:
    """Longest time from the capture of a picture to when its last packet had left, in seconds; NaN where none left."""
    waited = [sample.sent_s - sample.time_s for sample in index.samples if math.isfinite(sample.sent_s)]
    return round(max(waited), 6) if waited else math.nan
