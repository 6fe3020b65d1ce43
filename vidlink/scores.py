"""Everything a run measures, frame by frame and packet by packet, and what it comes down to."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.class_labels import ClassLabels
from vidlink.class_scores import ClassScores
from vidlink.errors import UserError
from vidlink.metrics import score_table
from vidlink.quality import Ssim, Upsampler, as_array, luma, psnr_db
from vidlink.receiver.recognize import Context, load_recognizer, names_classes, recognize
from vidlink.roi import face_boxes
from vidlink.screen import Screen
from vidlink.types import Fate, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.receiver.receive import Arrival
    from vidlink.receiver.recognize import Recognizer
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings
    from vidlink.types import Carried, Clip, Reception, Segment


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
        from vidlink.class_labels import find_class_labels

        return recognizer, find_class_labels(settings, names_classes(recognizer))
    if settings.label is not None:
        raise UserError(
            f"--label {settings.label}: recognizer {recognizer.name!r} names no classes, it gives "
            f"{', '.join(recognizer.gives)}; --labels takes a table of them"
        )
    if settings.labels:
        from vidlink.labels import load_labels

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
        As :func:`~vidlink.labels.load_labels` gives them, or None: then the recognizer is held against itself.
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
        self._every, self._memory = every, memory
        self._upsample = Upsampler(clip.width, clip.height)
        self._ssim = Ssim(clip.width, clip.height) if score_pictures else None
        self._boxes: dict[int, NDArray[np.float64]] = {}
        self._packets: list[dict[str, Any]] = []
        self._segments: list[dict[str, Any]] = []
        self._frames: list[dict[str, Any]] = []
        self._predictions: list[dict[str, Any]] = []
        self._seconds = 0.0
        self._named = None
        if recognizer and names_classes(recognizer):
            self._named = ClassScores(recognizer, float(clip.frame_rate) / every)
        self.failure: str | None = None
        """Why there is no recognition, where the recognizer failed; all else is kept."""

    def add(self, arrival: Arrival, receptions: Sequence[Reception]) -> Screen:
        """Take in one segment.

        Parameters
        ----------
        arrival
            What arrived of it.
        receptions
            One for each source frame.

        Returns
        -------
        Screen
            What was on show, one HR picture (``yuv420p``) for each source frame.
        """
        screen = Screen(receptions, self._upsample)
        carried = arrival.carried
        segment, coded, packets = carried.segment, carried.coded, carried.packets
        self._seconds = segment.end_s
        unit_bits = _payload_bits(carried)
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
        self._packets.append(_packet_columns(carried))
        rows = self._frames[-len(receptions) :]
        sent = ~carried.doubled & (packets.fate != Fate.DISCARDED)
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
                "lost": int(np.isin(packets.fate, (Fate.LOST, Fate.DROPPED)).sum() + carried.recovered.sum()),
                "recovered": int(carried.recovered.sum()),
                "late": arrival.late_packets,
                **{str(status): sum(row["status"] == status for row in rows) for status in Status},
                "psnr_db": round(float(np.mean([row["psnr_db"] for row in rows])), 4) if self._ssim else None,
                "ssim": round(float(np.mean([row["ssim"] for row in rows])), 6) if self._ssim else None,
            }
        )
        if self._recognizer and self.failure is None:
            try:
                self._recognize(self._recognizer, arrival, receptions, screen)
            except UserError as error:
                self.failure = str(error)
        return screen

    def _recognize(
        self,
        recognizer: Recognizer,
        arrival: Arrival,
        receptions: Sequence[Reception],
        screen: Sequence[av.VideoFrame],
    ) -> None:
        """Ask the recognizer about the received and the pristine pictures, in the boxes that were received."""
        segment = arrival.carried.segment
        slots = [slot for slot, reception in enumerate(receptions) if reception.frame % self._every == 0]
        if not slots:
            return
        receptions = [receptions[slot] for slot in slots]
        offsets = (segment.times_s - segment.start_s)[slots]
        if recognizer.wants.region == "face":
            boxes = face_boxes(arrival.side_data, offsets, segment.duration_s, self._clip)
        else:
            whole = np.array([0.0, 0.0, self._clip.width, self._clip.height])
            boxes = {0: (np.tile(whole, (len(offsets), 1)),) * 2}
        colour = recognizer.wants.colour
        received, pristine = ([as_array(side[slot], colour) for slot in slots] for side in (screen, segment.frames))
        context = Context(
            scale=np.array([r.scale for r in receptions]),
            quality=np.array([r.quality for r in receptions]),
            status=tuple(str(r.status) for r in receptions),
        )
        crops_of = {
            face: [tuple(box) for box in shown.tolist()] if recognizer.wants.region == "face" else None
            for face, (_, shown) in boxes.items()
        }
        seen_of = {} if self._named else _look(recognizer, received, crops_of, context)
        for face, (path, _) in boxes.items():
            crops = crops_of[face]
            if self._named:
                self._named.add(face, receptions, received, pristine, crops)
                continue
            table: dict[str, Any] = {
                "frame": [r.frame for r in receptions],
                "time_s": np.round([r.time_s for r in receptions], 6),
                "face": face,
                "status": context.status,
                "scale": context.scale,
                **dict(zip(("x", "y", "width", "height"), np.round(path, 2).T, strict=True)),
            }
            before = self._pristine(recognizer, segment, np.column_stack([slots, path]), pristine, crops)
            for suffix, answers in (("", seen_of[face]), ("_pristine", before)):
                for name, column in zip(recognizer.gives, answers.T, strict=True):
                    table[name + suffix] = np.round(column.astype(float), 5)
            self._predictions.append(table)

    def _pristine(
        self,
        recognizer: Recognizer,
        segment: Segment,
        places: NDArray[np.float64],
        pictures: Sequence[NDArray[np.uint8]],
        crops: Sequence[Any] | None,
    ) -> NDArray[np.float32]:
        """What the recognizer says of the source, which is the same in every run that shares its memory."""

        def look() -> NDArray[np.float32]:
            return recognize(recognizer, pictures, crops)

        return self._memory.answers(segment, places, look) if self._memory else look()

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
        tables["predictions"] = self._named_windows(self._named) if self._named else self._dimensions()
        return tables

    def _named_windows(self, named: ClassScores) -> pd.DataFrame:
        """A row a window."""
        if self.failure is None:
            try:
                named.finish()
            except UserError as error:
                self.failure = str(error)
        return named.table(self._labels if isinstance(self._labels, ClassLabels) else None)

    def _dimensions(self) -> pd.DataFrame:
        """A row a frame and face."""
        import pandas as pd

        from vidlink.labels import check_cover, labels_at, match_faces

        gives = self._recognizer.gives if self._recognizer else ()
        columns = ["frame", "time_s", "face", "status", "scale", "x", "y", "width", "height"]
        empty = pd.DataFrame(columns=[*columns, *gives, *(f"{name}_pristine" for name in gives)])
        predictions = pd.concat(map(pd.DataFrame, self._predictions), ignore_index=True) if self._predictions else empty
        labels = self._labels
        if isinstance(labels, pd.DataFrame):
            check_cover(labels, self._seconds)
            for name in gives:
                predictions[f"{name}_label"] = np.nan
            for track, face in match_faces(labels, predictions).items():
                rows = predictions["face"] == track
                values = labels_at(labels, face, predictions.loc[rows, "time_s"].to_numpy(float), gives)
                predictions.loc[rows, [f"{name}_label" for name in gives]] = np.round(values, 5)
        return predictions.sort_values(["frame", "face"], kind="stable").reset_index(drop=True)

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
            "delivery": _delivery(tables["packets"], int(segments["late"].sum())),
            "frames": {str(status): int((frames["status"] == status).sum()) for status in Status},
            "quality": {
                "psnr_db": round(float(frames["psnr_db"].mean()), 4) if self._ssim else None,
                "ssim": round(float(frames["ssim"].mean()), 6) if self._ssim else None,
            },
            "recognition": self._recognition(tables["predictions"]),
            **({"recognition_error": self.failure} if self.failure else {}),
        }

    def _recognition(self, predictions: pd.DataFrame) -> dict[str, Any] | None:
        if not self._recognizer or self.failure:
            return None
        if self._named:
            return self._named.summary(predictions)
        gives = list(self._recognizer.gives)
        labelled = self._labels is not None
        truth = predictions[[f"{name}_{'label' if labelled else 'pristine'}" for name in gives]]
        scored = truth.notna().all(axis=1).to_numpy(bool) & predictions[gives].notna().all(axis=1).to_numpy(bool)
        result: dict[str, Any] = {
            "task": self._recognizer.task,
            "recognizer": self._recognizer.name,
            "against": "labels" if labelled else "pristine",
            "faces": int(predictions["face"].nunique()),
            "n": int(scored.sum()),
        }
        if not scored.any():
            nothing = dict.fromkeys(gives)
            return result | {"cc": nothing, "ccc": nothing, "rmse": nothing}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = score_table(gives, predictions.loc[scored, gives].to_numpy(float), truth[scored].to_numpy(float))
        return result | {
            measure: {name: value if value is None else round(value, 5) for name, value in by_name.items()}
            for measure, by_name in table.items()
        }


def _look(
    recognizer: Recognizer,
    pictures: Sequence[NDArray[np.uint8]],
    crops_of: dict[int, list[Any] | None],
    context: Context,
) -> dict[int, NDArray[np.float32]]:
    """What the recognizer says of each face in n pictures, shape (n, dimensions): all faces together fill batches."""
    rows = np.tile(np.arange(len(pictures)), len(crops_of))
    whole: list[Any] = [None] * len(pictures)
    crops = [crop for each in crops_of.values() for crop in (whole if each is None else each)]
    answers = recognize(recognizer, [pictures[row] for row in rows], crops, context.take(rows))
    return dict(zip(crops_of, np.split(answers, max(1, len(crops_of))), strict=False))


def _payload_bits(carried: Carried) -> dict[int, int]:
    """Payload bits of each coded frame, but of those all of whose packets were thrown away instead of sent."""
    packets, units = carried.packets, carried.coded.units
    bits = {unit.frame: 8 * sum(map(len, unit.nals)) for unit in units}
    if (packets.fate == Fate.DISCARDED).any():
        carries = packets.unit >= 0
        kept = carries & (packets.fate != Fate.DISCARDED)
        first = packets.unit[carries].min()
        spans = zip((packets.unit[kept] - first).tolist(), packets.unit_count[kept].tolist(), strict=True)
        sent = {number for start, count in spans for number in range(start, start + count)}
        bits = {unit.frame: bits[unit.frame] for number, unit in enumerate(units) if number in sent}
    return bits


def _packet_columns(carried: Carried) -> dict[str, Any]:
    packets = carried.packets
    fate = np.array([Fate(fate).name.lower() for fate in packets.fate], dtype=object)
    fate[carried.recovered], fate[carried.doubled] = "recovered", "doubled"
    return {
        "sequence": packets.sequence,
        "segment": packets.segment,
        "frame": packets.frame,
        "units": packets.unit_count,
        "bytes": packets.bytes,
        "kind": [Kind(kind).name.lower() for kind in packets.kind],
        "send_s": np.round(packets.send_s, 6),
        "arrival_s": np.round(packets.arrival_s, 6),
        "fate": fate,
    }


def _delivery(packets: pd.DataFrame, late: int) -> dict[str, Any]:
    # What was sent, not what the channel made of it, nor what never left the sender.
    packets = packets[~packets["fate"].isin(["doubled", "discarded"])]
    lost = packets["fate"].isin(["lost", "dropped", "recovered"]).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(np.int8), [0]))))
    bursts = edges[1::2] - edges[::2]
    delivered = packets[packets["fate"] == "delivered"]
    delay = (delivered["arrival_s"] - delivered["send_s"]).to_numpy()
    return {
        "packets": len(packets),
        "lost": int(lost.sum()),
        "late": late,
        "recovered": int((packets["fate"] == "recovered").sum()),
        "retransmitted": int((packets["kind"] == "retransmission").sum()),
        "loss_rate": round(float(lost.mean()), 6) if len(packets) else 0.0,
        "mean_burst": round(float(bursts.mean()), 4) if len(bursts) else 0.0,
        "delay_s": {
            "p50": round(float(np.percentile(delay, 50)), 6) if len(delay) else None,
            "p95": round(float(np.percentile(delay, 95)), 6) if len(delay) else None,
            "max": round(float(delay.max()), 6) if len(delay) else None,
        },
    }
