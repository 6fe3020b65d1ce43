"""Several receivers that look at the same pictures, as one recognizer; and planning by one of them alone.

A run codes, sends and receives once; each network of the panel gives its own valence and arousal, as the dimensions
``NAME.valence`` and ``NAME.arousal``. So what differs between them is the network and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT
from vidlink.recognizers.affect import Affect
from vidlink.recognizers.content import digest_file
from vidlink.scores.objective import TaskObjective

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context
    from vidlink.types import Clip


def dimension(receiver: str, name: str) -> str:
    """What a panel calls a dimension of one of its receivers."""
    return f"{receiver}.{name}"


def arguments(receivers: Mapping[str, Path], names: Iterable[str], planner: str = "") -> list[str]:
    """``--recognizer-arg`` of the panel of these names: files, and digests that tell changed weights apart.

    Raises
    ------
    UserError
        There is no such receiver.
    """
    members = []
    for name in names:
        if name not in receivers:
            raise UserError(f"no receiver {name!r}; there are {', '.join(receivers)}")
        members.append(f"{name}={receivers[name].absolute()}={digest_file(receivers[name])[:12]}")
    return [f"members={'|'.join(members)}", *([f"planner={planner}"] if planner else [])]


class Panel:
    """Valence and arousal by several networks.

    Parameters
    ----------
    device
        Where to compute.
    members
        ``NAME=FILE=DIGEST|...`` as :func:`arguments` makes it.
    planner
        Name of the one that :class:`ByPlanner` plans by; the first one where it is empty.
    """

    name, task = "panel", "affect"
    wants = Affect.wants

    def __init__(self, *, members: str, planner: str = "", device: torch.device | str = "cpu") -> None:
        from pathlib import Path

        self.device = torch.device(device)
        self.members = {}
        for member in members.split("|"):
            name, path, _ = member.split("=")
            self.members[name] = Affect(device=self.device, weights=Path(path))
        self.planner = self.members[planner or next(iter(self.members))]
        self.gives = tuple(dimension(member, name) for member in self.members for name in AFFECT)

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Shape (n, 2 x members)."""
        return torch.cat([member(pictures, context) for member in self.members.values()], dim=1)


class RestoredPanel(Panel):
    """The same on faces that ``--restorer`` brought to full size: pixels are restored first."""

    restored = True


class ByPlanner(TaskObjective):
    """How little the output of the panel's planner moves; the others only judge."""

    def __init__(self, clip: Clip, recognizer: Panel) -> None:
        super().__init__(recognizer.planner, clip)
