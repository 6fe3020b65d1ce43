"""All receivers of ``benchmarks/receiver_time.py`` as one recognizer: each picture is seen once, then all answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from vidlink.labels.affect import AFFECT
from vidlink.nets.temporal import TemporalNet, known_of
from vidlink.recognizers.affect import AffectOverTime

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

RECEIVERS = {
    "single": "single pictures",
    "mean3": "single pictures, mean of three looks",
    "mean5": "single pictures, mean of five looks",
    "mean3live": "single pictures, mean of this look and the two before, live",
    "time": "over time",
    "live": "over time, live",
    "noqp": "over time, QP not said",
    "noage": "over time, age not said",
    "noscale": "over time, scale not said to what follows time",
    "noattention": "over time, own look alone in place of the weighted mean",
    "nocorrection": "over time, weighted mean alone",
}
"""By the end of their columns."""


class Levers(AffectOverTime):
    """Valence and arousal by every receiver, from one look at each picture (for a benchmark)."""

    name = "levers"
    gives = tuple(f"{name}_{receiver}" for receiver in RECEIVERS for name in AFFECT)

    def __init__(
        self, *, device: torch.device | str = "cpu", weights: Path | None = None, mirror: bool = False
    ) -> None:
        super().__init__(device=device, weights=weights, mirror=mirror)
        if not isinstance(self.network, TemporalNet):
            raise TypeError(
                f"weights {weights}: of a network that follows time, as vidlink.train --task temporal makes"
            )
        self.frames = self.wants.frames
        # Wide enough for a window that ends with the picture that is asked about.
        self.wants = replace(self.wants, frames=2 * self.frames - 1)

    def __call__(self, looks: Tensor, context: Context) -> Tensor:
        """All answers, shape (n, 2 * receivers), about windows of features."""
        middle = context.asked
        centred = slice(middle - self.frames // 2, middle - self.frames // 2 + self.frames)
        past = slice(middle - self.frames + 1, middle + 1)
        known = [torch.from_numpy(each).to(looks) for each in _told(context)]
        network: Any = self.network
        alone = network.base.head(looks)
        blank = {"qp": (1, torch.nan), "age": (2, 0.0), "scale": (0, 1.0)}

        def over_time(where: slice, asked: int, without: str = "") -> Tensor:
            told = [each[:, where] for each in known]
            if without:
                column, value = blank[without]
                told[column] = torch.full_like(told[column], value)
            return network(looks[:, where], known_of(*told), asked)

        own, middle_of = alone[:, middle], self.frames // 2
        answers = {
            "single": own,
            "mean3": alone[:, middle - 1 : middle + 2].mean(dim=1),
            "mean5": alone[:, middle - 2 : middle + 3].mean(dim=1),
            "mean3live": alone[:, middle - 2 : middle + 1].mean(dim=1),
            "time": over_time(centred, middle_of),
            "live": over_time(past, self.frames - 1),
            **{f"no{name}": over_time(centred, middle_of, name) for name in blank},
        }
        mean, correction = network.parts(looks[:, centred], known_of(*(each[:, centred] for each in known)), middle_of)
        answers |= {"noattention": own + correction, "nocorrection": mean}
        return torch.cat([answers[receiver][:, : len(AFFECT)] for receiver in RECEIVERS], dim=1)


def _told(context: Context) -> tuple[Any, ...]:
    return context.seen_scale, context.qp, context.age_s, context.offset_s
