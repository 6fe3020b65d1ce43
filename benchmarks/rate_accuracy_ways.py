"""The receivers and ways of sending of ``benchmarks/rate_accuracy.py``, and how much of them is run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel import arguments

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RECEIVERS = Path(__file__).with_name("receivers")
"""The weights of the receivers that were trained alike."""
VERYSLOW = """\
description = "H.264 by x264, veryslow"
encoder = "libx264"
decoder = "h264"
payload = "h264"

[options]
preset = "veryslow"
{options}
[quality]
option = "crf"
best = 10
worst = 51
step = 0.1
grid = [24, 30, 36, 42, 48]
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is run."""

    clips: int
    seconds: float
    rates: tuple[str, ...]
    factors: tuple[float, ...]
    """Fixed factors."""
    loss_rate: str
    """Budget at which loss is measured."""
    draws: int = 5
    """Draws of what is lost, a clip and loss rate: some fifty packets a clip say little once."""
    every: int = 10
    """The receiver looks at every n-th frame: a face is on show for a second or more, and looks cost most."""
    rivals: bool = True
    """Whether other encoders are run."""
    by_task: tuple[int, tuple[str, ...]] = (6, ("8k", "12k", "18k", "26k", "48k"))
    """Clips and budgets for plans by the receiver's output, which cost some twenty times as much as those by PSNR."""


FULL = Plan(
    clips=20,
    seconds=6,
    rates=("6k", "8k", "12k", "18k", "26k", "48k", "128k"),
    factors=(1, 1.5, 2, 3, 4),
    loss_rate="26k",
)
QUICK = Plan(
    clips=2,
    seconds=3,
    rates=("12k", "26k", "48k"),
    factors=(1, 2),
    loss_rate="",
    rivals=False,
    by_task=(1, ("12k", "26k", "48k")),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of sending, and the receivers that look at what it brings."""

    name: str
    receivers: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    planner: str = ""
    """The receiver by whose output is planned; empty: by PSNR."""
    panel: str = "panel:Panel"
    """The class of ``benchmarks/panel.py`` that looks."""

    def as_method(self, files: Mapping[str, Path]) -> dict[str, Any]:
        """The table of a sweep's axis."""
        members = [member for name in self.receivers for member in members_of(files, name)]
        own = {"recognizer": self.panel, "recognizer-arg": arguments(files, members, self.planner)}
        plans = {"objective": "panel:ByPlanner"} if self.planner else {}
        return {"name": self.name, **own, **plans, **self.settings}


def factor_of(receiver: str) -> float | None:
    """The factor a receiver is meant for; None for one for all.

    Examples
    --------
    >>> factor_of("hr"), factor_of("lr-1.5"), factor_of("joint-4"), factor_of("mix")
    (1.0, 1.5, 4.0, None)
    """
    found = re.fullmatch(r"hr|.+?-(?P<factor>\d+(?:\.\d+)?)(?:-from-[\d.]+)?", receiver)
    return None if found is None else float(found["factor"] or 1)


def find_receivers(folder: Path, seeds: Sequence[int]) -> dict[str, Path]:
    """The receivers of some training seeds: ``NAME-SEED.safetensors``.

    Returns
    -------
    dict of str to Path
        Those of the first seed by name, those of the others by ``NAME.seedSEED``.

    Raises
    ------
    UserError
        A seed has none, or not the same ones as the first.
    """
    found: dict[str, Path] = {}
    names: list[str] = []
    for index, seed in enumerate(seeds):
        own = {path.stem.removesuffix(f"-{seed}"): path for path in sorted(folder.glob(f"*-{seed}.safetensors"))}
        own.pop("start", None)
        names = names or list(own)
        missing = [name for name in names if name not in own] or ([] if own else ["NAME"])
        if missing:
            raise UserError(
                f"--receivers {folder}: holds no {missing[0]}-{seed}.safetensors; benchmarks/receivers.py trains them"
            )
        found |= {name if not index else f"{name}.seed{seed}": own[name] for name in names}
    return found


def members_of(files: Mapping[str, Path], receiver: str) -> list[str]:
    """A receiver of the first training seed, and the same of the others.

    Examples
    --------
    >>> members_of({"hr": Path(), "mix": Path(), "hr.seed1": Path()}, "hr")
    ['hr', 'hr.seed1']
    """
    return [receiver, *(name for name in files if name.startswith(f"{receiver}.seed"))]


def make_ways(files: Mapping[str, Path], plan: Plan, main: str, judge: str | None) -> list[Way]:
    """The ways of sending: each factor by itself and the adaptive sender, with and without each freedom.

    Parameters
    ----------
    files
        The receivers.
    plan
        Says which factors, and whether there are other encoders.
    main
        The receiver that is one for all.
    judge
        Another such receiver, which sees what was planned by the main one; None for none.
    """
    ways = []
    for factor in plan.factors:
        own = [name for name in files if factor_of(name) == factor and ".seed" not in name]
        both = (*own, main)
        ways.append(Way(name=f"s = {factor:g}", receivers=both, settings={"scale": factor}))
        ways.append(Way(name=f"s = {factor:g}, every frame", receivers=both, settings=_fixed(factor)))
    hr = [name for name in files if name == "hr"]
    judges = [judge] if judge else []
    uncoded = [name for name in files if name == f"{main}-uncoded"]
    ways += [
        Way(name="s = 1, every frame, key frame a second", receivers=(*hr, main), settings=_fixed(1) | {"gop": "1"}),
        Way(name="adaptive", receivers=(*hr, *uncoded, main, *judges)),
        Way(name="adaptive, by task", receivers=(main, *hr, *judges), planner=main),
        Way(name="adaptive, every frame", receivers=(main,), settings={"divisors": "1"}),
        Way(name="adaptive, key frame a second", receivers=(main,), settings={"gop": "1"}),
    ]
    if hr:
        restored: dict[str, Any] = {"receivers": ("hr",), "panel": "panel:RestoredPanel"}
        ways += [
            Way(name=f"s = {factor:g}, pixels restored", settings={"scale": factor, "restorer": "temporal"}, **restored)
            for factor in plan.factors
            if factor >= 2
        ]
        ways.append(Way(name="adaptive, pixels restored", settings={"restorer": "temporal"}, **restored))
    return ways


def make_rivals(files: Mapping[str, Path], main: str, folder: Path) -> list[Way]:
    """Full size by other encoders, with any frame rate."""
    from vidlink.codec.shelf import load_codec

    options = load_codec("x264").options
    kept = "".join(f'{name} = "{value}"\n' for name, value in options.items() if name != "preset")
    folder.mkdir(parents=True, exist_ok=True)
    slow = folder / "x264-veryslow.toml"
    slow.write_text(VERYSLOW.format(options=kept), encoding="utf-8")
    hr = [name for name in files if name == "hr"]
    both = (*hr, main)
    return [
        Way(name="s = 1, x264 veryslow", receivers=both, settings={"scale": 1, "codec": str(slow), "gop": "4"}),
        Way(name="s = 1, x265", receivers=both, settings={"scale": 1, "codec": "x265"}),
        Way(name="s = 1, SVT-AV1", receivers=both, settings={"scale": 1, "codec": "av1"}),
    ]


def _fixed(factor: float) -> dict[str, Any]:
    return {"scale": factor, "divisors": "1"}
