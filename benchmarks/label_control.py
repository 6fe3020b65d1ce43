"""Are valence and arousal of FER+ eight classes in disguise? What answers without any grading reach, and the most.

A face's labels are the mean of what the votes of about ten people stand for. A recognizer that only knew which emotion
most people named, and answered with what that stands for, would reach the first row. Another ten people, drawn from
the same votes, would reach the second: no recognizer that is as good as people can be told from a better one there.

Figures
-------
plurality_valence, plurality_arousal
    CCC of the most named emotion's valence and arousal with the labels.
people_valence, people_arousal
    CCC of the labels by ten votes drawn anew from each face's own, the mean over the draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import numpy as np

from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.data.ferplus import CIRCUMPLEX, expected_affect
from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT, EMOTIONS
from vidlink.scores.metrics import score

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOTES, DRAWS = 10, 20
"""Votes of a face, and how often they are drawn anew."""


def ccc(answers: NDArray, labels: NDArray) -> list[float]:
    """CCC of valence and of arousal."""
    return [score(answers[:, column], labels[:, column])["ccc"] for column in range(len(AFFECT))]


def main() -> None:
    """Print the table and write the JSON."""
    parser = bench.flags(__doc__, quick="one draw")
    parser.add_argument("--data", metavar="KIND:PATH", help="faces with votes (default: ferplus.zip in VIDLINK_DATA)")
    parser.add_argument("--split", default="valid", help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the votes (%(default)s)")
    arguments = parser.parse_args()
    place = arguments.data or f"ferplus:{bench.data('ferplus.zip') or 'ferplus.zip'}"
    faces = load_faces(place, arguments.split)
    if not np.isfinite(faces.distribution).all():
        raise UserError(f"--data {place}: holds faces without votes")
    generator = np.random.default_rng(arguments.seed)
    stands_for = np.array([CIRCUMPLEX[emotion] for emotion in EMOTIONS])
    shares = faces.distribution.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    draws = [
        ccc(expected_affect(generator.multinomial(VOTES, shares)), faces.affect)
        for _ in range(1 if arguments.quick else DRAWS)
    ]
    rows: dict[str, Any] = {
        "plurality": ccc(stands_for[faces.plurality], faces.affect),
        "people": list(np.mean(draws, axis=0)),
    }
    cells = [[name, *(f"{value:.3f}" for value in found)] for name, found in rows.items()]
    print(bench.markdown([f"CCC, {len(faces)} faces", *AFFECT], cells))
    figures = {
        f"{row}_{name}": float(value) for row, found in rows.items() for name, value in zip(AFFECT, found, strict=True)
    }
    bench.write_json(arguments.json, figures)


if __name__ == "__main__":
    run_command(main)
