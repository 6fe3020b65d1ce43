"""What the literature claims of joining restoration and recognition, tried at a size that two cores can train.

For each claim (``--claims``, all by default) the networks are trained on the same pictures with the same number of
steps, once for each seed, and a table says how good each is; ``benchmarks/tasks_claims.py`` has them as data. A part of
CIFAR-10 stands in for ImageNet, CamVid at 160x120 or 240x180 for larger road scenes, and the networks are small.
Trainings stay in ``--work`` and are found again, and one that was killed goes on.

Figures, in percentage points unless their name says dB; the mean over the seeds
--------------------------------------------------------------------------------
joint_gain_s2, joint_gain_s4, joint_gain_s8
    Accuracy of SRCNN and VGG tuned jointly less that of VGG retrained.
denoise_miou_gain, denoise_psnr_db, denoise_psnr_gain_db
    mIoU by the hybrid loss less that of a separate denoiser; PSNR by the hybrid loss, and what it has over separate.
dfd_gain_16, dfd_gain_8
    Accuracy with feature distillation less that without.
dehaze_map_gain, low_light_map_gain
    mAP50 of the joint network less that of the retrained detector.
boost_miou_gain, boost_psnr_gain_db
    Three blocks less one.
aeris_map_gain
    mAP50 with two decoders less that with one, mean over the factors 1 to 4.
dsrl_miou_gain
    mIoU with super-resolution and affinity less that without.

``--figure`` draws the surface of recognition, distortion and perception.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from matplotlib.figure import Figure as Drawing
from tasks_claims import CLAIMS
from tasks_data import prepare
from trainings import train_once

from vidlink import evaluate
from vidlink.command import run_command
from vidlink.errors import UserError, unknown
from vidlink.report.style import BLUE, FAINT_GREY
from vidlink.sweeping.intervals import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks_claims import Claim, Row, Trained

    Scores = dict[str, list[dict[str, float]]]
    """For each row, by title, the scores of each seed."""

WRITTEN = {
    "accuracy": "accuracy",
    "miou": "mIoU",
    "map50": "mAP50",
    "map": "mAP",
    "psnr": "PSNR (dB)",
    "perception": "distance of patches",
}
"""How scores are written; ``perception`` is a distance between distributions of patches, per 255."""
SHARES = ("accuracy", "miou", "map50", "map")
"""Scores that are shares: in tables and figures they are percentages."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="drawn pictures, tiny networks, an epoch: shows that all runs", figure=True)
    add = parser.add_argument
    add("--claims", default=",".join(CLAIMS), metavar="NAME,...", help="which (%(default)s)")
    add("--seeds", default="0,1", help="(%(default)s)")
    add("--effort", type=float, default=1.0, metavar="X", help="so many times the epochs of every training (1)")
    add("--pictures", type=int, default=5000, metavar="N", help="of CIFAR-10 to learn from (%(default)s)")
    add("--tested", type=int, default=5000, metavar="N", help="of CIFAR-10 to test on (%(default)s)")
    add("--work", type=Path, default=Path("results/tasks"), metavar="FOLDER", help="trainings (%(default)s)")
    add("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(arguments)
    for name in options.claims.split(","):
        if name not in CLAIMS:
            raise unknown("claim", name, CLAIMS)
    if not 0 < options.effort < 1000:
        raise UserError(f"--effort {options.effort:g}: a number above 0")
    bench.read_seeds("--seeds", options.seeds)
    for name in ("pictures", "tested"):
        if getattr(options, name) < 10:
            raise UserError(f"--{name} {getattr(options, name)}: at least 10, one a class")
    if options.quick:
        options.seeds, options.effort, options.work = "0", 1e-6, options.work / "quick"
    return options


class Shelf:
    """Trainings of one claim and one seed: each is done once, and scored.

    Parameters
    ----------
    options
        The command line.
    claim
        The claim.
    seed
        Of its trainings.
    """

    def __init__(self, options: argparse.Namespace, claim: Claim, seed: int) -> None:
        self.claim, self.seed, self.quick = claim, seed, options.quick
        self.effort = options.effort
        spec = prepare(
            claim.data, options.work / "data", pictures=options.pictures, tested=options.tested, quick=options.quick
        )
        about = f"{Path(spec.partition(':')[2]).stem}-x{options.effort:g}"
        self.asked = argparse.Namespace(
            data=spec,
            width=4 if options.quick else claim.width,
            batch=claim.batch,
            threads=options.threads,
            work=options.work / about,
        )

    def epochs(self, each: Trained) -> int:
        """Passes of a training."""
        return max(1, round(self.effort * self.claim.epochs[each.stage]))

    def words(self, each: Trained) -> list[str]:
        """What ``vidlink train`` is told, but for data, width, batch and seed."""
        size = "32x32" if self.claim.data == "cifar" else self.claim.data.partition("-")[2]
        words = ["--task", self.claim.task, "--size", size, "--epochs", str(self.epochs(each)), "--quiet"]
        words += [*self.claim.common.split(), *each.words.split()]
        for option, name in (("--start", each.start), ("--teacher", each.teacher)):
            words += [option, str(self.path(name))] if name else []
        return words

    def path(self, name: str) -> Path:
        """The weights of a training."""
        return self.asked.work / f"{name}-{self.seed}.safetensors"  # type: ignore[no-any-return]

    def train(self) -> float:
        """Do all trainings that are not done yet; core-minutes that all take at an effort of 1, as far as is known."""
        total = 0.0
        for each in self.claim.trainings:
            cost = self.path(each.name).with_suffix(".cost")
            new = not self.path(each.name).with_suffix(".checkpoint").exists()
            begun = time.process_time()
            done = self.path(each.name).with_suffix(".json").exists()
            train_once(self.asked, each.name, self.seed, self.words(each))
            if new and not done:
                spent = {"cpu_s": time.process_time() - begun, "epochs": self.epochs(each)}
                cost.write_text(json.dumps(spent), encoding="utf-8")
            if cost.exists():
                spent = json.loads(cost.read_text(encoding="utf-8"))
                total += spent["cpu_s"] / spent["epochs"] * self.claim.epochs[each.stage] / 60
        return total

    def score(self, row: Row) -> dict[str, float]:
        """Scores of a row, the mean over its scale factors."""
        file = self.path(row.trained).with_suffix(".json")
        if row.under:
            scored = file.with_name(f"{file.stem}-{row.under.partition(':')[0]}.scores")
            if not scored.exists():
                words = ["--task", self.claim.task, "--data", self.asked.data, "--weights", str(self.path(row.trained))]
                words += ["--scales", "1", "--disturb", row.under, "--quiet", "--json", str(scored)]
                with redirect_stdout(sys.stderr):
                    evaluate.main(words)
            found = json.loads(scored.read_text(encoding="utf-8"))["scores"]
        else:
            found = json.loads(file.read_text(encoding="utf-8"))["valid_scores"]
        names = (self.claim.score, *self.claim.shown)
        parts = [found[f"{scale:g}"] for scale in row.scales]
        return {name: float(np.mean([part[name] for part in parts])) for name in names if name in parts[0]}


def try_claim(options: argparse.Namespace, claim: Claim) -> Scores:
    """Train what is missing, score each row, print the table."""
    seeds = bench.read_seeds("--seeds", options.seeds)
    scores: Scores = {row.title: [] for row in claim.rows}
    minutes = 0.0
    for seed in seeds:
        shelf = Shelf(options, claim, seed)
        minutes += shelf.train()
        for row in claim.rows:
            scores[row.title].append(shelf.score(row))
    names = [name for name in (claim.score, *claim.shown) if any(name in found[0] for found in scores.values())]
    lines = [
        [title, *(cell([part.get(name) for part in found], name) for name in names)] for title, found in scores.items()
    ]
    print(f"\n{claim.name}: {claim.about}. {len(seeds)} seed(s).\n")
    print(bench.markdown([f"`{claim.name}`", *(WRITTEN.get(name, name) for name in names)], lines))
    full = "" if options.effort == 1 else f"; at --effort 1 {minutes:.0f}"
    now = sum(_spent(options, claim, seed) for seed in seeds)
    print(f"\n{now:.1f} core-minutes for these trainings{full}")
    return scores


def _spent(options: argparse.Namespace, claim: Claim, seed: int) -> float:
    shelf = Shelf(options, claim, seed)
    costs = (shelf.path(each.name).with_suffix(".cost") for each in claim.trainings)
    return sum(json.loads(cost.read_text(encoding="utf-8"))["cpu_s"] / 60 for cost in costs if cost.exists())


def cell(values: Sequence[float | None], name: str) -> str:
    """Mean over the seeds, and half of what lies between the largest and the smallest."""
    known = [value * (100 if name in SHARES else 1) for value in values if value is not None]
    if not known:
        return "-"
    spread = f" ± {(max(known) - min(known)) / 2:.1f}" if len(known) > 1 else ""
    return f"{np.mean(known):.{1 if name in SHARES else 2}f}{spread}"


def figures_of(claim: Claim, scores: Scores) -> dict[str, dict[str, Any]]:
    """Each figure with its interval over the seeds and what is published."""
    found = {}
    for figure in claim.figures:
        name = figure.score or claim.score
        ours = np.array([part[name] for part in scores[figure.ours]])
        theirs = np.array([part[name] for part in scores[figure.theirs]]) if figure.theirs else 0.0
        middle, low, high = interval((ours - theirs) * (100 if name in SHARES else 1))
        found[figure.name] = {"value": middle, "low": low, "high": high, "published": figure.published}
    return found


def draw(path: Path, scores: Scores) -> None:
    """Draw the surface: PSNR against the distance of distributions, the area of each point how much is recognized."""
    drawing = Drawing(figsize=(9.5, 3.6), layout="constrained", dpi=110)
    axes = drawing.subplots(1, 3)
    means = {
        title: {name: float(np.mean([part[name] for part in found])) for name in found[0]}
        for title, found in scores.items()
    }
    pairs = (("psnr", "accuracy"), ("perception", "accuracy"), ("psnr", "perception"))
    for axis, (across, up) in zip(axes, pairs, strict=True):
        places = {
            title: [found[name] * (100 if name in SHARES else 1) for name in (across, up)]
            for title, found in means.items()
        }
        spread = np.ptp(list(places.values()), axis=0)
        taken: list[Any] = []
        for title, place in sorted(places.items(), key=lambda each: each[1]):
            axis.plot(*place, "o", color=BLUE, markersize=5)
            # A name that would lie on that of a neighbour on the left goes below its point.
            crowded = any(np.all(np.abs(np.subtract(place, other)) < spread * [0.2, 0.05]) for other in taken)
            axis.annotate(title, place, xytext=(4, -11 if crowded else 4), textcoords="offset points", fontsize=7)
            taken.append(place)
        words = {"accuracy": "accuracy (%)", "psnr": "PSNR (dB)", "perception": "distance of patches (of 255)"}
        axis.set(xlabel=words[across], ylabel=words[up])
        axis.margins(0.15)
        axis.grid(color=FAINT_GREY)
        axis.spines[["top", "right"]].set_visible(False)
    drawing.suptitle("weights of recognition/restoration/perception", fontsize=10)
    bench.save(drawing, path)


def main() -> None:
    """Try the claims, print tables and figures, draw the surface, write the JSON."""
    options = parse()
    figures: dict[str, dict[str, Any]] = {}
    rows = []
    for name in dict.fromkeys(options.claims.split(",")):
        claim = CLAIMS[name]
        scores = try_claim(options, claim)
        figures |= figures_of(claim, scores)
        rows += [{"claim": name, "row": title, "seeds": found} for title, found in scores.items()]
        if name == "surface" and options.figure:
            draw(options.figure, scores)
        sys.stdout.flush()
    values = {name: found["value"] for name, found in figures.items()}
    targets = {name: f"published: {found['published']}" for name, found in figures.items()}
    about = {"seeds": options.seeds, "effort": options.effort, "pictures": options.pictures, "tested": options.tested}
    print()
    bench.report(values, options.json, targets, settings=about, intervals=figures, rows=rows)


if __name__ == "__main__":
    run_command(main)
