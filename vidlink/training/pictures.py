"""Learning from labelled pictures: batches that a thin link has gone over, losses, moving average and validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.nets.precision import computes_bfloat16
from vidlink.nets.seen import see
from vidlink.training.averaged import AveragedLearner
from vidlink.training.degrade import Degradation, draw_scales, send
from vidlink.training.losses import Look, Loss, patch_distance
from vidlink.training.scenes import Variation, vary_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor, nn

    from vidlink.data.picture_set import Held
    from vidlink.training.answers import Answers
    from vidlink.training.coded import Coding
    from vidlink.training.disturb import Mix
    from vidlink.training.learner import Row


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    task: str
    """Name of the task."""
    regime: str
    """Name of the regime."""
    network: str
    """Name of the network."""
    width: int
    """Its width."""
    size: tuple[int, int]
    """Width and height of its pictures in pixels."""
    data: str
    """Spec of the training data, without the path."""
    valid: str
    """The same of the data to validate on, or the share that is held out."""
    epochs: int
    """Times each picture is seen."""
    batch: int
    """Pictures a step."""
    learning_rate: float
    """Peak of the one-cycle schedule."""
    optimizer: str
    """``sgd`` (momentum 0.9, Nesterov) or ``adamw``."""
    weight_decay: float
    """Of SGD added to the gradient, of AdamW decoupled."""
    average: float = 0.99
    """Decay a step of the moving average of the weights, which is what is kept."""
    encoder_rate: float = 1.0
    """Learning rate of the network's encoder as a share of that of the rest; 0 freezes it."""
    loss: str = "recognition"
    """What is learned from, as :func:`~vidlink.training.losses.parse_loss` reads it."""
    recognizer_rate: float = 1.0
    """Learning rate of what follows the encoder as a share; 0 freezes it."""
    restorer_width: int | None = None
    """Channels of the restorer's first layer; None for its default."""
    teacher: str = ""
    """Digest of the teacher's weights; empty for none."""
    pretrained: str = ""
    """What super-resolution pre-trained the encoder: factor and epochs; empty for nothing."""
    start: str = ""
    """Digests of the weights to start from; empty for random ones."""
    coded: float = 0.0
    """Share of the pictures that go through a real codec."""
    codec: str = ""
    """Name of that codec."""
    disturb: str | None = None
    """What goes wrong before the link; None for nothing."""
    seed: int = 0
    """Seed of weights, order, degradations and dropout."""


@dataclass(frozen=True, kw_only=True)
class SceneBatch:
    """What one step sees; n pictures of the network's size."""

    pristine: Tensor
    """Varied, neither disturbed nor degraded, shape (n, 3, height, width), within [0, 1]."""
    pictures: Tensor
    """The same, disturbed and degraded."""
    scales: Tensor
    """Scale factor of each, shape (n,)."""
    labels: Any
    """What is known of them: (n,), (n, h, w), or boxes with the size of the picture that they count in."""


GLANCE = 600
"""So many pictures, or up to twice as many, are looked at as training goes on; the scores at the end are of all."""
LOOKS = 8
"""So many times, or up to twice as many, in a run."""
WHITENED = 2000
"""So many pictures, or up to twice as many, tell a network how to whiten."""


class SceneBatches:
    """Draws batches of pictures.

    Parameters
    ----------
    held
        The pictures; each is seen once an epoch, but for what is left over at the end.
    settings
        Size of the network's pictures, and of a batch.
    variation, degradation
        What they go through.
    disturb
        What goes wrong with them before the link; None for nothing.
    coding
        What some go through in place of downsampling alone; None for nothing.
    device
        Where the batches go.
    """

    def __init__(
        self,
        held: Held,
        settings: PictureSettings,
        variation: Variation,
        degradation: Degradation,
        *,
        disturb: Mix | None = None,
        coding: Coding | None = None,
        device: torch.device,
    ) -> None:
        self.held, self.settings, self.variation, self.degradation = held, settings, variation, degradation
        self.disturb, self.coding, self.device = disturb, coding, device
        self.count = min(settings.batch, len(held))
        self.steps = max(1, len(held) // self.count)
        plain = degradation.scales == (1.0, 1.0) and coding is None and disturb is None
        # Where nothing happens at HR, all work is done at the network's size.
        self._varied_size = settings.size if plain else held.images.shape[2:0:-1]

    def epoch(self, generator: Generator) -> Iterator[SceneBatch]:
        """The batches of one epoch, all chance from ``generator``, which is on the CPU."""
        order = torch.randperm(len(self.held), generator=generator).numpy()
        size = self.settings.size
        for step in range(self.steps):
            rows = order[step * self.count : (step + 1) * self.count]
            images = as_pictures(self.held.images[rows], self.device)
            varied, labels = vary_scene(
                images, self._labels(rows), self.held.form, self.variation, generator, self._varied_size
            )
            source = self.disturb(varied, generator) if self.disturb else varied
            scales = draw_scales(len(rows), self.degradation, generator)
            pictures = send(source, scales, size)
            if self.coding is not None:
                self._code(source, pictures, scales, generator)
            yield SceneBatch(
                pristine=send(varied, torch.ones(len(rows)), size).contiguous(memory_format=torch.channels_last),
                pictures=pictures.contiguous(memory_format=torch.channels_last),
                scales=scales.to(self.device),
                labels=labels,
            )

    def _labels(self, rows: Any) -> Any:
        if self.held.form == "boxes":
            return [torch.from_numpy(self.held.labels[row].astype(np.float32)) for row in rows]
        return torch.from_numpy(self.held.labels[rows])

    def _code(self, source: Tensor, pictures: Tensor, scales: Tensor, generator: Generator) -> None:
        """Send groups through a real codec; a group shares a factor and a GOP."""
        from vidlink.training.coded_scenes import code_scenes

        coding: Any = self.coding
        for start in range(0, len(source), coding.group):
            if float(torch.rand((), generator=generator)) < coding.share:
                group = slice(start, start + coding.group)
                scale = float(draw_scales(1, self.degradation, generator))
                coded = code_scenes(source[group], scale, coding, generator)
                pictures[group], scales[group] = send(coded, torch.ones(len(coded)), self.settings.size), scale


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


def as_pictures(images: Any, device: torch.device) -> Tensor:
    """8-bit pictures (n, h, w, 3) as (n, 3, h, w) within [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 255
