"""Learning from labelled pictures: losses, what is frozen, moving average and validation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.nets.precision import computes_bfloat16
from vidlink.nets.seen import see
from vidlink.training.averaged import AveragedLearner
from vidlink.training.degrade import send
from vidlink.training.losses import Look, Loss, patch_distance
from vidlink.training.scene_batches import as_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor, nn

    from vidlink.data.picture_set import Held
    from vidlink.training.answers import Answers
    from vidlink.training.learner import Row
    from vidlink.training.scene_batches import PictureSettings, SceneBatch, SceneBatches

GLANCE = 600
"""So many pictures, or up to twice as many, are looked at as training goes on; the scores at the end are of all."""
LOOKS = 8
"""So many times, or up to twice as many, in a run."""
WHITENED = 2000
"""So many pictures, or up to twice as many, tell a network how to whiten."""


class PictureLearner(AveragedLearner):
    """A network that learns from pictures; an epoch is one pass over them, and the last epoch counts.

    Parameters
    ----------
    network
        Takes (n, 3, height, width) within [0, 1] and scale factors; has ``encoder``, ``features`` and ``head``. Where
        a part is frozen the other is ``recognizer``.
    answers
        What it is to answer.
    batches
        What it learns from.
    valid
        Pictures to look at after each epoch; None for none.
    settings
        What decides the result.
    loss
        What it learns from.
    teacher
        A network that sees the pristine pictures; for losses that ask for one.
    whiten
        Whether the recognizer's first layer is to be set by the pictures, where it can be.
    device
        Where to compute.
    """

    settings: PictureSettings

    def __init__(
        self,
        network: nn.Module,
        answers: Answers,
        batches: SceneBatches,
        valid: Held | None,
        settings: PictureSettings,
        *,
        loss: Loss | None = None,
        teacher: nn.Module | None = None,
        whiten: bool = True,
        device: torch.device,
    ) -> None:
        self.settings, self.answers, self.valid, self.device, self._batches = settings, answers, valid, device, batches
        self.epochs, self.learning_rate = settings.epochs, settings.learning_rate
        self.network: Any = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective = loss or Loss()
        self.teacher: Any = teacher.to(device).eval().requires_grad_(False) if teacher is not None else None
        recognizes: Any = getattr(network, "recognizer", network)
        if whiten and hasattr(recognizes, "whiten"):
            images = batches.held.images[:: max(1, len(batches.held) // WHITENED)]
            recognizes.whiten(send(as_pictures(images, device), torch.ones(len(images)), settings.size))
        self.start_average()
        self.optimizer = self._optimizer()
        self.half = computes_bfloat16(device)
        self._done = 0

    def _optimizer(self) -> torch.optim.Optimizer:
        encoder = {id(each) for each in self.network.encoder.parameters()}
        groups: list[dict[str, Any]] = []
        for early, rate in ((False, self.settings.recognizer_rate), (True, self.settings.encoder_rate)):
            part = [each for each in self.network.parameters() if (id(each) in encoder) == early]
            learned = [each for each in part if each.requires_grad]
            if rate and learned:
                groups.append({"params": learned, "share": rate})
            for each in learned:
                each.requires_grad_(bool(rate))
        if self.settings.optimizer == "sgd":
            self.clip = None
            return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, weight_decay=self.settings.weight_decay)
        return torch.optim.AdamW(groups, lr=1e-3, weight_decay=self.settings.weight_decay)

    def begin(self) -> None:
        """Get ready for an epoch; statistics of what is frozen stay as they are."""
        super().begin()
        if not self.settings.recognizer_rate:
            self.network.recognizer.eval()

    def steps(self, epoch: int) -> int:
        """As many as the pictures fill batches."""
        return self._batches.steps

    def batches(self, epoch: int, generator: Generator) -> Iterator[SceneBatch]:
        """The batches of one pass."""
        return self._batches.epoch(generator)

    def loss(self, batch: SceneBatch) -> Tensor:
        """The sum of the terms that the settings name."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            seen = see(self.network, batch.pictures, batch.scales, recognize=self.objective.recognizes)
        labels = batch.labels
        if self._batches.held.form == "boxes":
            labels = (labels, self._batches.held.images.shape[2:0:-1])
        else:
            labels = labels.to(self.device)
        return self.objective(
            Look(
                seen=seen,
                pristine=batch.pristine,
                against_labels=lambda outputs: self.answers.loss(outputs, labels),
                recognizer=getattr(self.network, "recognizer", None),
                teacher=self.teacher,
            )
        )

    def state(self) -> dict[str, Any]:
        """The averaged weights, and the epochs done."""
        return {**super().state(), "done": self._done}

    def load(self, state: dict[str, Any]) -> None:
        """Take back both."""
        super().load(state)
        self._done = state["done"]

    def validate(self) -> Row:
        """The main score on a part of the pictures to validate on, at the ends of the range that is trained."""
        self._done += 1
        every = max(1, self.epochs // LOOKS)
        if self.valid is None or (self._done % every and self._done != self.epochs):
            return {}
        step = max(1, len(self.valid) // GLANCE)
        labels = self.valid.labels[::step]
        glance = replace(self.valid, images=self.valid.images[::step], labels=labels)
        found = {}
        for scale in dict.fromkeys(self._batches.degradation.scales):
            score = self.scores(glance, scale)[self.answers.main]
            found[f"{self.answers.main}_s{scale:g}"] = round(score or 0.0, 5)
        return found

    def scores(self, held: Held, scale: float, weights: dict[str, Tensor] | None = None) -> dict[str, float | None]:
        """Scores at one scale factor, of the averaged weights by default.

        What goes wrong with pictures in training goes wrong here, too, and each time alike. Where the network restores,
        ``psnr`` is the mean over the restored pictures in dB, and ``perception`` the distance between the
        distributions of their patches and those of pristine ones, per 255.
        """
        trained = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(weights or self.average)
        self.network.eval()
        found: list[Any] = []
        psnr: list[float] = []
        apart: list[float] = []
        hr = (held.images.shape[2], held.images.shape[1])
        batch = max(1, 16 * 320 * 240 // math.prod(self.settings.size))
        disturb, chance = self._batches.disturb, torch.Generator().manual_seed(0)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for start in range(0, len(held), batch):
                pictures = as_pictures(held.images[start : start + batch], self.device)
                scales = pictures.new_full((len(pictures),), scale)
                source = disturb(pictures, chance) if disturb else pictures
                sent = send(source, scales, self.settings.size).contiguous(memory_format=torch.channels_last)
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                    seen = see(self.network, sent, scales)
                found += self.answers.decide(seen.outputs[-1], hr)
                if seen.restored:
                    restored = seen.restored[-1].float().clamp(0, 1)
                    pristine = send(pictures, torch.ones(len(pictures)), self.settings.size)
                    errors = (restored - pristine).square().mean(dim=(1, 2, 3))
                    psnr += (-10 * errors.clamp(min=1e-10).log10()).tolist()
                    apart.append(float(patch_distance(restored, pristine)) * 255)
        self.network.load_state_dict(trained)
        more = {"psnr": float(np.mean(psnr)), "perception": float(np.mean(apart))} if psnr else {}
        return {**self.answers.scores(found, held.labels), **more}
