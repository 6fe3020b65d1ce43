"""Everything a run measures, frame by frame and packet by packet, and what it comes down to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes
from vidlink.labels.classes import ClassLabels
from vidlink.recognizers.recognize import load_recognizer, names_classes
from vidlink.scores.classes import ClassScores
from vidlink.scores.delivery import delivery, packet_columns, payload_bits
from vidlink.scores.dimensions import DimensionScores, no_predictions
from vidlink.scores.quality import Ssim, psnr_db
from vidlink.scores.receptions import Receptions, late_packets
from vidlink.types import Fate, Status
from vidlink.video.pictures import Upsampler, as_array, luma
from vidlink.video.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    import pandas as pd

    from vidlink.receiver.receive import Arrival
    from vidlink.recognizers.recognize import Recognizer
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings
    from vidlink.types import Clip, Ledger, Reception, Segment, Shown


def load_judge(
    settings: Settings, own: pd.DataFrame | None
) -> tuple[Recognizer | None, pd.DataFrame | ClassLabels | None]:
    """The recognizer of a run and the labels it is held against.

    Parameters
    ----------
    settings
        Of the run.
    own
        Labels that came with the clip; used where they have all that the recognizer gives and no file is named.

    Raises
    ------
    UserError
        There is no such recognizer, it cannot be loaded, or the labels file is wrong.
    """
    if settings.recognizer == "none":
        for option, value in (("labels", settings.labels), ("label", settings.label)):
            if value is not None:
                raise UserError(f"--{option} {value}: --recognizer none gives nothing to hold against labels")
        return None, None
    recognizer = load_recognizer(
        settings.recognizer, device=settings.device, weights=settings.weights, arguments=settings.recognizer_args
    )
    if names_classes(recognizer):
        from vidlink.labels.classes import find_class_labels

        return recognizer, find_class_labels(settings, names_classes(recognizer))
    if settings.label is not None:
        raise UserError(
            f"--label {settings.label}: recognizer {recognizer.name!r} names no classes, it gives "
            f"{', '.join(recognizer.gives)}; --labels takes a table of them"
        )
    if settings.labels:
        from vidlink.labels.dimensions import load_labels

        return recognizer, load_labels(settings.labels, recognizer.gives)
    if own is not None and set(recognizer.gives) <= set(own.columns):
        return recognizer, own.assign(face=0)
    return recognizer, None


class Scores:
    """Collects the tables of a run, segment by segment; only rows of numbers are kept.

    Parameters
    ----------
    clip
        The source.
    recognizer
        Who looks at the received pictures, or None.
    labels
        As :func:`~vidlink.labels.dimensions.load_labels` gives them, or None: then the recognizer is held against
        itself.
    score_pictures
        Whether to measure PSNR and SSIM.
    every
        The recognizer looks at every n-th frame.
    memory
        What runs share.
    """

    def __init__(
        self,
        clip: Clip,
        *,
        recognizer: Recognizer | None,
        labels: pd.DataFrame | ClassLabels | None,
        score_pictures: bool,
        every: int = 1,
        memory: Memory | None = None,
    ) -> None:
        self._clip, self._recognizer, self._labels = clip, recognizer, labels
        self._every = every
        self._upsample = Upsampler(clip.width, clip.height)
        self._ssim = Ssim(clip.width, clip.height) if score_pictures else None
        self._packets: list[dict[str, Any]] = []
        self._segments: list[dict[str, Any]] = []
        self._frames: list[dict[str, Any]] = []
        self._seconds = 0.0
        self._receptions = Receptions()
        self._named: ClassScores | None = None
        self._dimensions: DimensionScores | None = None
        if recognizer and names_classes(recognizer):
            self._named = ClassScores(recognizer, float(clip.frame_rate) / every)
        elif recognizer:
            self._dimensions = DimensionScores(recognizer, memory)
        self.failure: str | None = None
        """Why there is no recognition, where the recognizer failed; all else is kept."""

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
        screen = Screen(receptions, self._upsample)
        segment, coded, packets = ledger.segment, ledger.coded, ledger.packets
        self._seconds = segment.end_s
        unit_bits = payload_bits(ledger)
        for slot, reception in enumerate(receptions):
            row = {
                "frame": reception.frame,
                "segment": segment.index,
                "time_s": round(reception.time_s, 6),
                "scale": reception.scale,
                "quality": reception.quality,
                "payload_bits": unit_bits.get(reception.frame, 0),
                "status": str(reception.status),
                "late_s": round(reception.late_s, 6),
            }
            if self._ssim:
                source = segment.frames[slot]
                row["psnr_db"] = round(psnr_db(luma(screen[slot]), luma(source)), 4)
                row["ssim"] = round(self._ssim(screen[slot], source), 6)
            self._frames.append(row)
        self._packets.append(packet_columns(ledger))
        rows = self._frames[-len(receptions) :]
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
                **{str(status): sum(row["status"] == status for row in rows) for status in Status},
                "psnr_db": round(float(np.mean([row["psnr_db"] for row in rows])), 4) if self._ssim else None,
                "ssim": round(float(np.mean([row["ssim"] for row in rows])), 6) if self._ssim else None,
            }
        )
        if self._recognizer and self.failure is None:
            try:
                self._recognize(self._recognizer, segment, arrival.side_data, receptions, screen)
            except UserError as error:
                self.failure = str(error)
        return screen

    def _recognize(
        self,
        recognizer: Recognizer,
        segment: Segment,
        side_data: bytes,
        receptions: Sequence[Reception],
        screen: Sequence[av.VideoFrame],
    ) -> None:
        """Ask the recognizer about the received and the pristine pictures, in the boxes that were received."""
        slots = [slot for slot, reception in enumerate(receptions) if reception.frame % self._every == 0]
        if not slots:
            return
        receptions = [receptions[slot] for slot in slots]
        offsets = (segment.times_s - segment.start_s)[slots]
        if recognizer.wants.region == "face":
            boxes = face_boxes(side_data, offsets, segment.duration_s, self._clip)
        else:
            whole = np.array([0.0, 0.0, self._clip.width, self._clip.height])
            boxes = {0: (np.tile(whole, (len(offsets), 1)),) * 2}
        colour = recognizer.wants.colour
        received, pristine = ([as_array(side[slot], colour) for slot in slots] for side in (screen, segment.frames))
        crops_of = {
            face: [tuple(box) for box in shown.tolist()] if recognizer.wants.region == "face" else None
            for face, (_, shown) in boxes.items()
        }
        if self._named:
            for face, crops in crops_of.items():
                self._named.add(face, receptions, received, pristine, crops)
        elif self._dimensions:
            places = {face: np.column_stack([slots, path]) for face, (path, _) in boxes.items()}
            self._dimensions.add(segment, receptions, received, pristine, places, crops_of)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the run: ``segments``, ``frames``, ``packets``, ``predictions``.

        Labels become columns ``*_label`` of the predictions.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        tables = {
            "segments": pd.DataFrame(self._segments),
            "frames": pd.DataFrame(self._frames),
            "packets": pd.concat(map(pd.DataFrame, self._packets), ignore_index=True),
        }
        if self._named:
            tables["predictions"] = self._windows(self._named)
        elif self._dimensions:
            labels = self._labels if isinstance(self._labels, pd.DataFrame) else None
            tables["predictions"] = self._dimensions.table(labels, self._seconds)
        else:
            tables["predictions"] = no_predictions()
        return tables

    def _windows(self, named: ClassScores) -> pd.DataFrame:
        """A row a window."""
        if self.failure is None:
            try:
                named.finish()
            except UserError as error:
                self.failure = str(error)
        return named.table(self._labels if isinstance(self._labels, ClassLabels) else None)

    def summary(self, tables: dict[str, pd.DataFrame], *, target_bps: float | None) -> dict[str, Any]:
        """What the tables come down to: ``rate``, ``plan``, ``delivery``, ``frames``, ``quality``, ``recognition``."""
        segments, frames = tables["segments"], tables["frames"]
        payload, wire = int(segments["payload_bits"].sum()), int(segments["wire_bits"].sum())
        samples = self._clip.width * self._clip.height * len(frames)
        plan = ["segment", "start_s", "scale", "frame_divisor", "quality", "payload_bits", "wire_bits"]
        return {
            "seconds": self._seconds,
            "rate": {
                "target_bps": target_bps,
                "wire_bps": round(wire / self._seconds, 3),
                "payload_bps": round(payload / self._seconds, 3),
                "bpp": round(payload / samples, 8),
                "wire_bpp": round(wire / samples, 8),
                "utilisation": round(wire / self._seconds / target_bps, 6) if target_bps else None,
            },
            "plan": segments[plan].to_dict("records"),
            "delivery": delivery(tables["packets"], int(segments["late"].sum())),
            "frames": {str(status): int((frames["status"] == status).sum()) for status in Status},
            "quality": {
                "psnr_db": round(float(frames["psnr_db"].mean()), 4) if self._ssim else None,
                "ssim": round(float(frames["ssim"].mean()), 6) if self._ssim else None,
            },
            "recognition": self._recognition(tables["predictions"]),
            **({"recognition_error": self.failure} if self.failure else {}),
        }

    def _recognition(self, predictions: pd.DataFrame) -> dict[str, Any] | None:
        if self.failure:
            return None
        scores = self._named or self._dimensions
        return scores.summary(predictions) if scores else None
