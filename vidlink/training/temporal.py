"""Learning to follow time: windows of looks at coded tracks, and stills, in batches; loss and validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.labels.affect import AFFECT
from vidlink.nets.temporal import known_of
from vidlink.scores.metrics import score_table
from vidlink.training.learner import Learner
from vidlink.training.objective import affect_loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.nets.temporal import TemporalNet
    from vidlink.training.learner import Row

STILL = 0.15
"""Share of the windows in which one picture is held."""
UNSAID = 0.2
"""Share of the windows in which the QP is not said, as by decoders of other codecs."""


@dataclass(frozen=True, kw_only=True)
class TemporalSettings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    data: str
    """Spec of the faces."""
    split: dict[str, str]
    """Its splits, to learn from and to score on."""
    start: str
    """Digest of the weights of the network that looks at single pictures."""
    plans: str
    """Digest of the plans."""
    codec: str
    """Name of the codec that they are of."""
    reels: int
    """Reels to learn from."""
    seconds: float
    """Length of each."""
    choose: int
    """Faces by whose reels the best epoch is chosen; nothing is learned from them."""
    frames: int
    """Looks in a window."""
    hidden: int
    """Units of the recurrent layer."""
    epochs: int
    """Epochs of :attr:`steps` steps."""
    steps: int
    """Steps of an epoch."""
    batch: int
    """Windows a step."""
    learning_rate: float
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.05
    """Decoupled weight decay of AdamW."""
    seed: int = 0
    """Of reels, weights, order and dropout."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Tracks as the first network sees them: n tracks of t looks; stills are tracks of one look."""

    features: Tensor
    """Shape (n, t, features)."""
    affect: Tensor
    """Shape (n, t, 2)."""
    distribution: Tensor
    """Shape (n, t, 8)."""
    scale: Tensor
    """Shape (n, t)."""
    qp: Tensor
    """Shape (n, t)."""
    age_s: Tensor
    """Shape (n, t)."""


class TemporalLearner(Learner):
    """Learns all but the network that looks at single pictures.

    Parameters
    ----------
    network
        What learns; its ``base`` stays as it is.
    tracks, stills
        To learn from.
    chosen
        Tracks by which the best epoch is chosen.
    settings
        What decides the result.
    step_s
        Seconds between looks.
    """

    clip = 1.0

    def __init__(
        self,
        network: TemporalNet,
        tracks: Looks,
        stills: Looks,
        chosen: Looks,
        settings: TemporalSettings,
        *,
        step_s: float = 0.2,
    ) -> None:
        self.network: Any = network
        self.tracks, self.stills, self.chosen = tracks, stills, chosen
        self.settings, self.step_s = settings, step_s
        self.epochs, self.learning_rate = settings.epochs, settings.learning_rate
        network.base.requires_grad_(False)
        learning = [each for each in network.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=1e-3, weight_decay=settings.weight_decay)

    def steps(self, epoch: int) -> int:
        """Steps of an epoch."""
        return self.settings.steps

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self.settings.seed * 100_003 + epoch

    def begin(self) -> None:
        """Get ready for an epoch; the first network does not learn."""
        self.network.train()
        self.network.base.eval()

    def batches(self, epoch: int, generator: Generator) -> Iterator[dict[str, Any]]:
        """Windows with later looks and without them in turns, and stills among them."""
        stills = round(STILL * self.settings.batch)
        for step in range(self.settings.steps):
            count, looks = self.tracks.scale.shape
            tracks = torch.randint(count, (self.settings.batch - stills,), generator=generator)
            places = torch.randint(looks, tracks.shape, generator=generator)
            still = torch.randint(len(self.stills.scale), (stills,), generator=generator)
            later = step % 2 == 0
            parts = [
                self.windows(self.tracks, tracks, places, later=later),
                self.windows(self.stills, still, torch.zeros_like(still), later=later),
            ]
            batch = {
                key: torch.cat([part[key] for part in parts]) if key != "asked" else parts[0][key] for key in parts[0]
            }
            unsaid = torch.rand(len(batch["qp"]), generator=generator) < UNSAID
            batch["qp"] = torch.where(unsaid[:, None], torch.nan, batch["qp"])
            yield batch

    def windows(self, looks: Looks, tracks: Tensor, places: Tensor, *, later: bool) -> dict[str, Any]:
        """Windows about the looks at ``places`` of ``tracks``, shape (n,) each."""
        frames = self.settings.frames
        asked = frames // 2 if later else frames - 1
        rows = (places[:, None] + torch.arange(frames) - asked).clamp(0, looks.scale.shape[1] - 1)
        known = {name: getattr(looks, name)[tracks[:, None], rows] for name in ("features", "scale", "qp", "age_s")}
        about = {name: getattr(looks, name)[tracks, places] for name in ("affect", "distribution")}
        return {**known, **about, "offset_s": (rows - places[:, None]) * self.step_s, "asked": asked}

    def _answers(self, batch: dict[str, Any]) -> Tensor:
        known = known_of(*(batch[name].float() for name in ("scale", "qp", "age_s", "offset_s")))
        return self.network(batch["features"].float(), known, batch["asked"])

    def loss(self, batch: dict[str, Any]) -> Tensor:
        """:func:`~vidlink.training.objective.affect_loss`, concordance among looks that lost about as much."""
        asked = batch["asked"]
        scale, qp = batch["scale"][:, asked].float(), batch["qp"][:, asked].float()
        lost = scale * torch.exp2(((qp - 22) / 12).nan_to_num(0.0))
        return affect_loss(self._answers(batch), batch["affect"], batch["distribution"], lost)

    def validate(self) -> Row:
        """CCC over all looks at the tracks to choose by, with later looks and without them."""
        return {**self.scores(self.chosen, later=True), **self.scores(self.chosen, later=False)}

    def score(self, scores: Row) -> float:
        """Mean CCC with later looks."""
        return float(np.mean([value for name, value in scores.items() if name.endswith("_ccc")]))

    def scores(self, looks: Looks, *, later: bool) -> dict[str, float]:
        """CCC of each dimension over all looks of tracks."""
        self.network.eval()
        count, length = looks.scale.shape
        tracks = torch.arange(count).repeat_interleave(length)
        places = torch.arange(length).repeat(count)
        answers = []
        with torch.inference_mode():
            for some in torch.arange(count * length).split(2048):
                batch = self.windows(looks, tracks[some], places[some], later=later)
                answers.append(self._answers(batch)[:, : len(AFFECT)])
        table = score_table(AFFECT, torch.cat(answers).numpy(), looks.affect.reshape(-1, len(AFFECT)).numpy())
        end = "" if later else "_live"
        return {f"{name}_ccc{end}": round(table["ccc"][name] or 0.0, 5) for name in AFFECT}


def alone(network: TemporalNet, looks: Looks, around: int = 0) -> dict[str, float]:
    """CCC of the first network by itself; of a centred mean of its answers over ``around`` looks on either side."""
    with torch.inference_mode():
        answers = network.base.head(looks.features.float())[:, :, : len(AFFECT)]
    length = answers.shape[1]
    near = [answers[:, (torch.arange(length) + k).clamp(0, length - 1)] for k in range(-around, around + 1)]
    mean = torch.stack(near).mean(dim=0).reshape(-1, len(AFFECT)).numpy()
    table = score_table(AFFECT, mean, looks.affect.reshape(-1, len(AFFECT)).numpy())
    return {f"{name}_ccc": round(table["ccc"][name] or 0.0, 5) for name in AFFECT}
