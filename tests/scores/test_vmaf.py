import re
import subprocess
import tempfile

import pytest

from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.scores.vmaf import Vmaf, available

no_libvmaf = "this machine's ffmpeg has no libvmaf"


def compare(vmaf, received, source):
    for pair in zip(received, source, strict=True):
        vmaf(*pair)


@pytest.mark.skipif(available(), reason="this machine's ffmpeg has libvmaf")
def test_without_libvmaf_the_message_says_what_is_missing():
    with pytest.raises(UserError, match="--vmaf needs an ffmpeg with libvmaf"):
        Vmaf(open_builtin().clip)


@pytest.mark.skipif(not available(), reason=no_libvmaf)
def test_pairs_are_aligned_and_worse_pictures_score_lower(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = open_builtin()
    segment = next(iter(source.segments(1.0)))
    small = [frame.reformat(width=80, height=60) for frame in segment.frames]
    blurred = [frame.reformat(width=320, height=240, interpolation="BICUBIC") for frame in small]
    shifted = [segment.frames[0], *segment.frames[:-1]]
    scores = []
    for received in (segment.frames, shifted, blurred):
        with Vmaf(source.clip) as vmaf:
            compare(vmaf, received, segment.frames)
        scores.append(vmaf.score)
    assert scores[0] > 95
    assert scores[0] > scores[1] > scores[2]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not available(), reason=no_libvmaf)
def test_as_ffmpeg_scores_the_same_files(tmp_path):
    from vidlink.video.film import Film

    source = open_builtin()
    segment = next(iter(source.segments(1.0)))
    small = [frame.reformat(width=80, height=60) for frame in segment.frames]
    blurred = [frame.reformat(width=320, height=240, interpolation="BICUBIC") for frame in small]
    for name, pictures in (("sent", segment.frames), ("seen", blurred)):
        with Film(tmp_path / f"{name}.mp4", source.clip) as film:
            film.show(pictures, segment)
    command = ["ffmpeg", "-i", str(tmp_path / "seen.mp4"), "-i", str(tmp_path / "sent.mp4"), "-lavfi", "libvmaf"]
    told = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    with Vmaf(source.clip) as vmaf:
        compare(vmaf, blurred, segment.frames)
    assert vmaf.score == pytest.approx(float(re.search(r"VMAF score: ([0-9.]+)", told)[1]), abs=2)
