"""A recognizer in ten lines: how much a picture changes within a second tells stillness from movement."""

import torch

from vidlink import Wants


class Moves:
    """Does anything move? (an example: change between frames, no training)."""

    name, task = "moves", "activity"
    wants = Wants(region="frame", height=48, width=64, colour="luma", frames=8, frame_rate=8, stride_s=0.5)
    classes = ("still", "moving")

    def __init__(self, threshold: float = 0.01):  # --recognizer-arg threshold=0.02
        self.threshold = threshold

    def __call__(self, windows, context):  # a torch tensor (n, 8, 1, 48, 64) within 0..1
        change = windows.diff(dim=1).abs().mean(dim=(1, 2, 3, 4)) / windows.mean(dim=(1, 2, 3, 4)).clamp(min=0.01)
        return torch.stack([self.threshold - change, change - self.threshold], dim=1) * 100
