"""What need not be computed twice: coded segments, the worth of trials, detected faces, what pristine faces say.

Everything is looked up by content: a coded segment by its pictures, its rung and the codec's recipe; what a trial is
worth by that and the objective; detections by the picture; what a recognizer says of pristine pictures by these, the
boxes and the recognizer. So all runs that share a :class:`~vidlink.files.cache.Cache` share these, whatever else
differs between them.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
import time
import weakref
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from vidlink import __version__
from vidlink.plugins import source_digest
from vidlink.sender.downsample import Downsampler
from vidlink.sender.encode import encode
from vidlink.sender.moments import runs_of
from vidlink.sender.regions import STRENGTH
from vidlink.types import NOT_STATED, AccessUnit, CodedSegment, Colour

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vidlink.codec.recipe import Codec
    from vidlink.files.cache import Cache
    from vidlink.types import Clip, Rung, Segment

    Detector = Callable[[NDArray[np.uint8]], list[NDArray[np.float64]]]

_KNOWN = 32
"""Digests of so many segments are remembered: trials on the same pictures follow each other."""
_MADE_BY = (__version__, av.__version__)


class Memory:
    """Remembers in a cache, or (without one) computes every time.

    Parameters
    ----------
    cache
        Where to remember.
    objective
        What the worth of a trial depends on beside pictures and side data: the objective's name, and a digest of the
        recognizer where the objective asks it.
    judge
        A digest of the recognizer.
    """

    def __init__(self, cache: Cache | None = None, *, objective: str = "", judge: str = "") -> None:
        self._cache, self._objective, self._judge = cache, objective, judge
        self._recent: list[tuple[weakref.ref[Segment], str]] = []
        self._lock = threading.Lock()
        self._downsample = Downsampler()

    def encode(self, segment: Segment, rung: Rung, *, clip: Clip, codec: Codec, side_data: bytes = b"") -> CodedSegment:
        """As :func:`~vidlink.sender.encode.encode`, but for what nobody coded before. May run in any thread."""
        return self.encode_timed(segment, rung, clip=clip, codec=codec, side_data=side_data)[0]

    def encode_timed(
        self, segment: Segment, rung: Rung, *, clip: Clip, codec: Codec, side_data: bytes = b""
    ) -> tuple[CodedSegment, float]:
        """As :meth:`encode`, with the processor seconds that coding took, whoever did it."""

        def code() -> tuple[CodedSegment, float]:
            start = time.thread_time()
            coded = encode(segment, rung, clip=clip, codec=codec, side_data=side_data, downsample=self._downsample)
            return coded, time.thread_time() - start

        if self._cache is None:
            return code()

        def packed() -> bytes:
            coded, cpu_s = code()
            return struct.pack("<d", cpu_s) + pack(coded, first_frame=segment.first_frame)

        data = self._cache.remember(self._key(segment, rung, clip, codec), packed)
        coded = unpack(data[8:], segment=segment, rung=rung, codec=codec, side_data=side_data, colour=clip.colour)
        return coded, struct.unpack_from("<d", data)[0]

    def worth(
        self,
        segment: Segment,
        rung: Rung,
        *,
        clip: Clip,
        codec: Codec,
        side_data: bytes,
        measure: Callable[[], list[float]],
        by: str = "",
    ) -> list[float]:
        """What the segment coded at a rung is worth, part by part, ``by`` another objective if one is named.

        ``measure`` finds out where nobody did.
        """
        if self._cache is None:
            return measure()
        key = _digest(self._key(segment, rung, clip, codec), self._objective, side_data.hex(), *([by] if by else []))
        found = self._cache.remember(key, lambda: np.array(measure(), "<f8").tobytes())
        return np.frombuffer(found, "<f8").tolist()

    def boxes(self, picture: NDArray[np.uint8], detect: Detector, asked: str) -> list[NDArray[np.float64]]:
        """Faces that ``detect`` finds in a luma picture, shape (height, width): boxes of shape (4,) each.

        ``asked`` says which detector is asked what.
        """
        if self._cache is None:
            return detect(picture)
        key = _digest("boxes", asked, picture.shape, hashlib.sha256(picture.tobytes()).hexdigest())
        found = self._cache.remember(key, lambda: np.array(detect(picture), "<f8").reshape(-1, 4).tobytes())
        return list(np.frombuffer(found, "<f8").reshape(-1, 4).copy())

    def answers(
        self, segment: Segment, boxes: NDArray[np.float64], look: Callable[[], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """What the recognizer says of pristine pictures of a segment; ``look`` asks it where nobody did before.

        Parameters
        ----------
        segment
            The source.
        boxes
            Where it looks: slot of the frame and box, shape (n, 5).
        look
            Gives the answers, shape (n, dimensions).
        """
        if self._cache is None:
            return look()
        key = _digest("answers", self._fingerprint(segment), self._judge, boxes.tolist())
        found = np.frombuffer(self._cache.remember(key, lambda: look().astype("<f4").tobytes()), "<f4")
        return found.reshape(len(boxes), -1).copy()

    def looked(self, segment: Segment, places: NDArray[np.float64], look: Callable[[], bytes]) -> bytes:
        """What the recognizer says of pristine pictures of a segment, as bytes of any kind; see :meth:`answers`."""
        if self._cache is None:
            return look()
        return self._cache.remember(_digest("looked", self._fingerprint(segment), self._judge, places.tolist()), look)

    def _key(self, segment: Segment, rung: Rung, clip: Clip, codec: Codec) -> str:
        recipe = codec.model_dump(mode="json", exclude={"name", "description"})
        if codec.implementation:
            recipe["source"] = source_digest(codec.implementation, what=f"codec {codec.implementation}")
        size: tuple[Any, ...] = (clip.width, clip.height, str(clip.frame_rate))
        if clip.colour != Colour():
            size += astuple(clip.colour)
        how: tuple[Any, ...] = (rung.scale, rung.frame_divisor, rung.quality)
        if segment.each[0].features is not None and rung.frame_divisor > 1:
            how += (runs_of(segment, rung.frame_divisor),)
        return _digest("coded, timed", self._fingerprint(segment), size, how, recipe)

    def _fingerprint(self, segment: Segment) -> str:
        """Digest of a segment's pictures and times; those made lately are remembered."""
        if len(segment.parts) > 1:
            return _digest("joined", *map(self._fingerprint, segment.parts))
        segment = segment.each[0]
        with self._lock:
            for known, fingerprint in self._recent:
                if known() is segment:
                    return fingerprint
            content = hashlib.sha256(segment.times_s.tobytes())
            if segment.interest is not None:
                content.update(f"interest {segment.interest.shape} {STRENGTH}".encode() + segment.interest.tobytes())
            for picture in segment.frames:
                content.update(str(picture.pts).encode())
                if picture.colorspace != NOT_STATED:
                    content.update(f" matrix {picture.colorspace}".encode())
                for plane in picture.planes:
                    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
                    content.update(rows[:, : plane.width].tobytes())
            self._recent = [*self._recent[-_KNOWN:], (weakref.ref(segment), content.hexdigest())]
            return content.hexdigest()


def pack(coded: CodedSegment, *, first_frame: int) -> bytes:
    """A coded segment as bytes: a line of JSON, then parameter sets and NAL units one after the other."""
    head = {
        "size": [coded.width, coded.height],
        "parameter_sets": [len(nal) for nal in coded.parameter_sets],
        "units": [
            [unit.frame - first_frame, unit.key, unit.reference, unit.recovery, [len(nal) for nal in unit.nals]]
            for unit in coded.units
        ],
    }
    body = b"".join([*coded.parameter_sets, *(nal for unit in coded.units for nal in unit.nals)])
    return json.dumps(head).encode() + b"\n" + body


def unpack(
    data: bytes, *, segment: Segment, rung: Rung, codec: Codec, side_data: bytes, colour: Colour | None = None
) -> CodedSegment:
    """What :func:`pack` packed."""
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    place = 0

    def take(lengths: list[int]) -> tuple[bytes, ...]:
        nonlocal place
        nals = []
        for length in lengths:
            nals.append(body[place : place + length])
            place += length
        return tuple(nals)

    parameter_sets = take(head["parameter_sets"])
    units = tuple(
        AccessUnit(
            frame=segment.first_frame + offset,
            time_s=float(segment.times_s[offset]),
            nals=take(lengths),
            key=key,
            reference=reference,
            recovery=recovery,
        )
        for offset, key, reference, recovery, lengths in head["units"]
    )
    width, height = head["size"]
    return CodedSegment(
        index=segment.index,
        rung=rung,
        payload=codec.payload,
        width=width,
        height=height,
        parameter_sets=parameter_sets,
        side_data=side_data,
        units=units,
        start_s=segment.start_s,
        duration_s=segment.duration_s,
        colour=colour or Colour(),
    )


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([_MADE_BY, *parts], sort_keys=True).encode()).hexdigest()
