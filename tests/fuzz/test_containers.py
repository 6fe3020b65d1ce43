"""Damaged videos of every usual container are read as far as they go, or refused in one line."""

import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd import damaged, share

LONGEST_S = 60
KINDS = {
    "mp4": ("libx264", {"preset": "veryfast", "bf": "2"}),
    "mkv": ("libx264", {"preset": "veryfast"}),
    "webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "200k"}),
    "avi": ("mpeg4", {}),
    "ts": ("mpeg2video", {}),
    "mov": ("mjpeg", {}),
    "gif": ("gif", {}),
}
FORMATS = {"mjpeg": "yuvj420p", "gif": "rgb8"}


class Reader:
    """The process that reads; a new one where the last one died."""

    def __init__(self):
        self.process = None

    def ask(self, path):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("reader.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], LONGEST_S)[0]:
            self.process.kill()
            self.process.wait()
            return f"hangs: not done after {LONGEST_S} s"
        answer = self.process.stdout.readline().strip()
        return answer or f"crashes: exit status {self.process.wait()}"

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()


@pytest.fixture(scope="module")
def reader():
    made = Reader()
    yield made
    made.close()


@pytest.fixture(scope="module", params=sorted(KINDS))
def video(request, tmp_path_factory, make_clip):
    codec, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("videos") / f"clip.{request.param}"
    pixel_format = FORMATS.get(codec, "yuv420p")
    return make_clip(path, count=8, size=(64, 48), codec=codec, options=options, pixel_format=pixel_format)


def test_what_is_whole_is_read(reader, video):
    assert reader.ask(video) == "read 8"


@share(0.15)
@given(st.data())
def test_what_is_damaged_is_read_or_refused(reader, video, data):
    path = video.with_stem("damaged")
    path.write_bytes(data.draw(damaged(video.read_bytes())))
    assert reader.ask(path).split()[0] in ("read", "refused")


@share(0.1)
@given(st.integers(0, 10**6))
def test_what_is_cut_is_read_or_refused(reader, video, size):
    whole = video.read_bytes()
    path = video.with_stem("cut")
    path.write_bytes(whole[: size % len(whole)])
    assert reader.ask(path).split()[0] in ("read", "refused")
