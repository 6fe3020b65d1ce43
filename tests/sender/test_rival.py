"""The plan by PSNR is among the candidates of ``--objective task``, and a look at every frame says which is sent."""

import numpy as np

from vidlink.scores.objective import TaskObjective
from vidlink.scores.psnr import luma_psnr_db
from vidlink.video.park import fetched
from vidlink.video.pictures import Upsampler

FAST = ("--bitrate", "24k", "--scales", "1,2,4", "--divisors", "1,2", "--no-video", "--recognize-every", "25")


def test_a_plan_that_few_looks_mislead_gives_way_to_that_by_psnr(simulated, face_clip, coarse, tmp_path, monkeypatch):
    def misled(self, segment, pictures, side_data):
        upsample = Upsampler(self._clip.width, self._clip.height)
        shown = [upsample(fetched(picture)) for picture in pictures]
        worth = float(np.mean([luma_psnr_db(p, frame) for p, frame in zip(shown, segment.frames, strict=True)]))
        return worth if self._looks > 100 else -worth

    how = (face_clip / "face.mp4", *FAST, "--codec", coarse, "--gop", "2")
    by_psnr = simulated(tmp_path / "psnr", *how, "--objective", "psnr").summary
    monkeypatch.setattr(TaskObjective, "__call__", misled)
    by_task = simulated(tmp_path / "task", *how, "--objective", "task").summary
    assert by_task["quality"]["psnr_db"] >= by_psnr["quality"]["psnr_db"] - 0.01
    assert by_task["rate"]["utilisation"] >= by_psnr["rate"]["utilisation"] - 0.02


def test_each_segment_is_worth_no_less_than_by_psnr(simulated, face_clip, coarse, tmp_path, monkeypatch):
    looked = {}
    whole = TaskObjective.__call__

    def listening(self, segment, pictures, side_data):
        worth = whole(self, segment, pictures, side_data)
        if self._looks > 100:
            looked.setdefault(segment.index, []).append(worth)
        return worth

    monkeypatch.setattr(TaskObjective, "__call__", listening)
    run = simulated(
        tmp_path / "task",
        face_clip / "face.mp4",
        *FAST,
        "--codec",
        coarse,
        "--gop",
        "1",
        "--objective",
        "task",
        "--no-scores",
    ).summary
    assert looked  # some plans differ, and were compared on every frame
    assert all(len(pair) == 2 for pair in looked.values())
    assert run["rate"]["utilisation"] <= 1
