"""VMAF of the received pictures, by the machine's own ffmpeg (PyAV's wheel has no libvmaf).

Source and received pictures go in pairs through two pipes as raw video, so frame n is compared with frame n whatever
the timestamps are. VMAF as Netflix's libvmaf computes it with its default model; FFmpeg's filter ``libvmaf``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

from vidlink.errors import UserError
from vidlink.scores.measure import RunMeasure

if TYPE_CHECKING:
    from types import TracebackType

    from vidlink.types import Clip

_IN_FLIGHT = 50
"""Pictures that may wait for ffmpeg in each pipe."""


class Vmaf:
    """Compares pictures as they come.

    Parameters
    ----------
    clip
        Gives the HR size.

    Raises
    ------
    UserError
        There is no ffmpeg on this machine, or it was built without libvmaf.
    """

    def __init__(self, clip: Clip) -> None:
        if not available():
            raise UserError("--vmaf needs an ffmpeg with libvmaf on this machine; `ffmpeg -filters` here lists none")
        self._size = clip.width, clip.height
        self.score: float | None = None
        """Mean over all frames; there once the block has ended."""

    def __enter__(self) -> Self:
        import ffmpeg

        self._folder = tempfile.TemporaryDirectory(prefix="vidlink-")
        self._log = Path(self._folder.name) / "vmaf.json"
        ends = [os.pipe() for _ in range(2)]
        raw: dict[str, Any] = {
            "format": "rawvideo",
            "pix_fmt": "yuv420p",
            "video_size": self._size,
            "framerate": 25,
        }
        received, source = (ffmpeg.input(f"pipe:{read}", **raw) for read, _ in ends)
        compared = ffmpeg.filter([received, source], "libvmaf", log_path=str(self._log), log_fmt="json")
        command = compared.output("pipe:", format="null").global_args("-v", "error").compile()
        self._program = subprocess.Popen(command, pass_fds=[read for read, _ in ends], stderr=subprocess.PIPE)
        for read, _ in ends:
            os.close(read)
        # ffmpeg reads the two pipes as it likes, so each is filled by a thread of its own.
        self._queues: list[Queue[av.VideoFrame | None]] = [Queue(maxsize=_IN_FLIGHT) for _ in ends]
        self._writers = [
            Thread(target=_write, args=(queue, write), daemon=True)
            for queue, (_, write) in zip(self._queues, ends, strict=True)
        ]
        for writer in self._writers:
            writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for queue in self._queues:
            queue.put(None)
        message = self._program.communicate()[1].decode(errors="replace").strip()
        if error is None and self._program.returncode == 0:
            self.score = float(json.loads(self._log.read_text())["pooled_metrics"]["vmaf"]["mean"])
        self._folder.cleanup()
        if error is None and self.score is None:
            raise UserError(
                f"--vmaf: ffmpeg's libvmaf failed: {message.splitlines()[0] if message else 'no reason given'}"
            )

    def __call__(self, picture: av.VideoFrame, reference: av.VideoFrame) -> None:
        """Compare a pair of HR pictures, both ``yuv420p``."""
        for queue, each in zip(self._queues, (picture, reference), strict=True):
            queue.put(each)


def _write(queue: Queue[av.VideoFrame | None], pipe: int) -> None:
    """Write pictures as raw video until there are no more. A pipe that ffmpeg closed early swallows the rest."""
    open_ = True
    with os.fdopen(pipe, "wb") as file:
        while (picture := queue.get()) is not None:
            for plane in picture.planes if open_ else ():
                pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
                try:
                    file.write(pixels[:, : plane.width].tobytes())
                except BrokenPipeError:
                    open_ = False
                    break
        with suppress(BrokenPipeError):
            file.flush()


@cache
def available() -> bool:
    """Whether this machine has an ffmpeg with libvmaf."""
    if shutil.which("ffmpeg") is None:
        return False
    listing = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True, check=False)
    return any(line.split()[1:2] == ["libvmaf"] for line in listing.stdout.splitlines())


VMAF = RunMeasure(column="vmaf", name="VMAF", digits=6, decimals=1, headline=False, make=Vmaf, option="vmaf")
