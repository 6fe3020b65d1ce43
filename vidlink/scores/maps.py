"""What a recognizer of maps says of received and of pristine pictures, and how well that agrees."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vidlink.recognizers.recognize import Context, recognize_maps
from vidlink.scores.baselines import FEWEST, SHIFTS, shifts
from vidlink.scores.kind import Collector
from vidlink.scores.segmentation import class_iou, confusion, mean_iou, pixel_accuracy
from vidlink.video.overlay import colour_of, tint

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.labels.maps import MapLabels
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.kind import Look
    from vidlink.sender.memory import Memory
    from vidlink.types import Clip, Reception, Segment
    from vidlink.video.overlay import Overlay

    Map = NDArray[np.uint8]

COLUMNS = ("frame", "time_s", "face", "status", "scale")
"""Columns of the table that say which look a row is of; ``face`` is always 0."""
FOLDER = "maps"
"""Folder in the run folder with a PNG a frame that was looked at."""
_SAMPLES = 4096
"""Pixels of each map that constant answer and chance are found by."""
_MOST_SAMPLED = 400
"""Frames that they are found by."""


class MapScores(Collector):
    """Collects maps over segments.

    Parameters
    ----------
    recognizer
        Has ``maps``.
    clip
        The source.
    labels
        What each pixel is; None to hold it against its own maps of the pristine pictures.
    memory
        What runs share; None for nothing.
    """

    def __init__(
        self, recognizer: Recognizer, clip: Clip, labels: MapLabels | None = None, memory: Memory | None = None
    ) -> None:
        self._recognizer, self._clip, self._labels, self._memory = recognizer, clip, labels, memory
        self._names: tuple[str, ...] = recognizer.maps  # type: ignore[attr-defined]
        count = len(self._names)
        self._counts = {side: np.zeros((count, count), np.int64) for side in ("received", "pristine")}
        self._rows: list[dict[str, Any]] = []
        self._sampled: list[tuple[Map, NDArray[np.int16]]] = []
        self._scored, self._step = 0, 1
        self._frames = 0
        self._kept: dict[int, bytes] = {}
        self._shown: dict[int, tuple[bytes, bytes]] = {}

    def begin(self) -> None:
        """Forget what was to be drawn, but for the last: it holds until the next look."""
        self._shown = dict(list(self._shown.items())[-1:])

    def add(self, look: Look) -> None:
        """Take in pictures.

        Raises
        ------
        UserError
            The recognizer fails, or a label map is wrong.
        """
        self._frames = max(self._frames, look.segment.first_frame + len(look.segment.frames))
        context = Context.of(look.receptions)
        seen = recognize_maps(self._recognizer, look.received, context)
        before = self._pristine(look)
        for reception, received, pristine in zip(look.receptions, seen, before, strict=True):
            frame = reception.frame
            self._shown[frame] = zlib.compress(received.tobytes(), 1), zlib.compress(pristine.tobytes(), 1)
            self._kept[frame] = self._shown[frame][0]
            self._score(reception, received, pristine)

    def _pristine(self, look: Look) -> NDArray[np.uint8]:
        """Maps of the pristine pictures, which are the same in every run that shares its memory."""

        def maps() -> bytes:
            return zlib.compress(recognize_maps(self._recognizer, look.pristine).tobytes(), 1)

        packed = self._memory.looked(look.segment, look.places[0], maps) if self._memory else maps()
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(-1, *self._size)

    @property
    def _size(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return self._recognizer.wants.height, self._recognizer.wants.width

    def _score(self, reception: Reception, received: Map, pristine: Map) -> None:
        """Count the pixels of a frame."""
        row: dict[str, Any] = {
            "frame": reception.frame,
            "time_s": round(reception.time_s, 6),
            "face": 0,
            "status": str(reception.status),
            "scale": reception.scale,
            "miou": np.nan,
            "pixel_accuracy": np.nan,
        }
        sides = {"received": received}
        truth: NDArray[np.int16] | None = pristine.astype(np.int16)
        if self._labels is not None:
            row |= {"miou_pristine": np.nan, "pixel_accuracy_pristine": np.nan}
            truth = self._labels.at(reception.frame, (self._clip.width, self._clip.height))
            sides["pristine"] = pristine
        if truth is not None:
            size = truth.shape[1], truth.shape[0]
            sides = {
                side: np.asarray(cv2.resize(said, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
                for side, said in sides.items()
            }
            for side, said in sides.items():
                counts = confusion(said, truth, len(self._names))
                self._counts[side] += counts
                suffix = "" if side == "received" else "_pristine"
                row |= {f"miou{suffix}": _rounded(mean_iou(counts))}
                row |= {f"pixel_accuracy{suffix}": _rounded(pixel_accuracy(counts))}
            self._keep_sample(sides["received"], truth)
        self._rows.append(row)

    def _keep_sample(self, received: Map, truth: NDArray[np.int16]) -> None:
        """Keep some pixels of some frames, evenly over the clip, whatever its length."""
        if self._scored % self._step == 0:
            self._sampled.append((_sample(received), _sample(truth)))
        self._scored += 1
        if len(self._sampled) > _MOST_SAMPLED:
            self._sampled, self._step = self._sampled[::2], 2 * self._step

    def table(self, seconds: float) -> pd.DataFrame:
        """A row a frame that was looked at: mIoU and share of pixels of this frame, NaN where it has no labels.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        if self._labels is not None:
            least, self._frames = self._frames, max(self._frames, round(seconds * float(self._clip.frame_rate)))
            self._labels.check_cover(least, self._frames)
        sides = ("", "_pristine") if self._labels is not None else ("",)
        names = [f"{name}{side}" for side in sides for name in ("miou", "pixel_accuracy")]
        return pd.DataFrame(self._rows, columns=[*COLUMNS, *names]).sort_values("frame").reset_index(drop=True)

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """The mIoU of all frames together, that of each class, and what it is to be held beside.

        ``n`` frames are scored; ``unlabelled``, where it is not 0, have no labels. ``miou_ceiling`` is that of the
        pristine pictures, 1 without labels; ``miou_constant`` that of one map for all frames, which has at each pixel
        the commonest label; ``miou_chance`` what 95 of 100 shifts of the answers in time do not reach.
        """
        counts = self._counts["received"]
        iou, both = class_iou(counts), np.diag(counts)
        either = counts.sum(axis=0) + counts.sum(axis=1) - both
        count = int(table["miou"].notna().sum())
        ceiling = 1.0 if self._labels is None else mean_iou(self._counts["pristine"])
        constant, chance = self._beside()
        found: dict[str, Any] = {
            "task": self._recognizer.task,
            "recognizer": self._recognizer.name,
            "against": "pristine" if self._labels is None else "labels",
            "n": count,
            "classes": len(self._names),
            "names": list(self._names),
            **({"unlabelled": len(table) - count} if count < len(table) else {}),
            "miou": _rounded(mean_iou(counts)),
            "miou_ceiling": _rounded(ceiling) if count else None,
            "miou_constant": constant,
            "miou_chance": chance,
            "pixel_accuracy": _rounded(pixel_accuracy(counts)),
        }
        there = [number for number in range(len(self._names)) if either[number]]
        found["iou"] = {self._names[number]: _rounded(iou[number]) for number in there}
        found["pixels"] = {
            self._names[number]: {"both": int(both[number]), "either": int(either[number])} for number in there
        }
        return found

    def _beside(self) -> tuple[float | None, float | None]:
        """The mIoU of the best single map, and of the answers at wrong times, on samples of the pixels."""
        if not self._sampled:
            return None, None
        said = np.stack([each for each, _ in self._sampled])
        truth = np.stack([each for _, each in self._sampled])
        count = len(self._names)
        votes = np.stack([(truth == number).sum(axis=0) for number in range(count)])
        constant = _rounded(mean_iou(confusion(np.broadcast_to(votes.argmax(axis=0), truth.shape), truth, count)))
        if len(said) < FEWEST:
            return constant, None
        moved = [mean_iou(confusion(np.roll(said, far, axis=0), truth, count)) for far in shifts(len(said), SHIFTS)]
        return constant, _rounded(float(np.percentile([each or 0.0 for each in moved], 95)))

    def notes(self) -> list[str]:
        """Which label maps are of no frame of the clip, if any."""
        return [] if self._labels is None else self._labels.beyond(self._frames)

    def files(self) -> dict[str, bytes]:
        """A PNG with a palette for each frame, named by its number, and ``classes.csv``: they can be labels."""
        if not self._kept:
            return {}
        names = "".join(f"{number},{_cell(name)}\n" for number, name in enumerate(self._names))
        found = {f"{FOLDER}/classes.csv": f"value,class\n{names}".encode()}
        for frame, packed in sorted(self._kept.items()):
            found[f"{FOLDER}/{frame:06d}.png"] = _png(self._unpacked(packed), len(self._names))
        return found

    def _unpacked(self, packed: bytes) -> Map:
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self._size)

    def overlays(self, segment: Segment) -> Mapping[str, list[Overlay | None]]:
        """The maps of each frame; where it was not looked at, those of the last one before."""
        made: dict[int, tuple[Overlay, Overlay]] = {}
        found: dict[str, list[Overlay | None]] = {"received": [], "pristine": []}
        for frame in range(segment.first_frame, segment.first_frame + len(segment.frames)):
            last = max((each for each in self._shown if each <= frame), default=None)
            if last is not None and last not in made:
                received, pristine = map(self._unpacked, self._shown[last])
                made[last] = tint(received), tint(pristine)
            for place, side in enumerate(found.values()):
                side.append(None if last is None else made[last][place])
        return found


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    """At most so many values of a map, evenly over it."""
    step = max(1, int(np.ceil(np.sqrt(values.size / _SAMPLES))))
    return values[step // 2 :: step, step // 2 :: step].copy()


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 5)


def _png(numbers: Map, classes: int) -> bytes:
    from PIL import Image

    picture = Image.fromarray(numbers).convert("P")
    picture.putpalette([part for number in range(classes) for part in colour_of(number)])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def _cell(name: str) -> str:
    """A name as a cell of a CSV table."""
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\n') else name
