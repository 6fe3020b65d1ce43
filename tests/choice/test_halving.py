"""Successive halving on scores that are known."""

import numpy as np
import pandas as pd
import pytest

from vidlink.choice.halving import KEEP, halve, rank
from vidlink.errors import BudgetError, UserError


class Known:
    """Runs whose scores are worth plus noise of the clip; counts the pairs that were asked for."""

    def __init__(self, worth, *, noise=0.0, missing=(), errors=None):
        self.worth, self.noise, self.missing, self.errors = worth, noise, set(missing), errors or {}
        self.made = set()

    def __call__(self, settings, clips):
        rows = []
        for setting in settings:
            for clip in clips:
                self.made.add((setting, clip))
                chance = np.random.default_rng([int(setting[1:]), int(clip[1:])]).normal() * self.noise
                error = self.errors.get((setting, clip), self.errors.get(setting, self.errors.get(clip)))
                none = error is not None or clip in self.missing
                score = np.nan if none else self.worth[setting] + chance
                rows.append({"setting": setting, "clip": clip, "score": score, "also": 0.0, "error": error})
        return pd.DataFrame(rows)


def many(count):
    return {f"s{k}": k / count for k in range(count)}


CLIPS = [f"c{k}" for k in range(40)]


def test_the_best_is_found_with_few_runs():
    run = Known(many(84))
    found = halve(list(run.worth), CLIPS, run, runs=240)
    assert found.standing[0] == "s83"
    assert len(found.standing) == KEEP
    assert len(run.made) <= 244
    settings, clips = zip(*found.rounds, strict=True)
    assert settings == (84, 28, 10, 4, 3)
    assert list(clips) == sorted(clips)
    assert clips[0] == 2


def test_noise_is_averaged_over_clips():
    wins = [
        halve([f"s{k + 100 * seed}" for k in range(9)], CLIPS,
              Known({f"s{k + 100 * seed}": k / 9 for k in range(9)}, noise=0.1), runs=120).standing[0]
        for seed in range(20)
    ]  # fmt: skip
    assert np.mean([int(name[1:]) % 100 for name in wins]) > 7.3


def test_where_all_clips_were_used_nothing_more_is_left_behind():
    run = Known(many(20))
    found = halve(list(run.worth), CLIPS[:2], run, runs=1000)
    assert found.rounds == [(20, 2)]
    assert found.standing == [f"s{k}" for k in reversed(range(20))]
    assert len(found.table) == 40


def test_ties_go_by_the_second_score_and_then_to_the_first_named():
    table = pd.DataFrame({"setting": ["a", "b", "c"], "score": [1.0, 1, 1], "also": [30.0, 31, 30]})
    assert rank(table) == ["b", "a", "c"]


def test_clips_in_which_nothing_is_found_are_left_out():
    run = Known(many(5), missing=["c0", "c3"])
    found = halve(list(run.worth), CLIPS[:6], run, runs=100)
    assert found.skipped == dict.fromkeys(["c0", "c3"], "the recognizer found nothing in it")
    assert found.clips == ["c1", "c2", "c4", "c5"]
    assert set(found.table["clip"]) == set(found.clips)


def test_where_nothing_is_found_in_any_clip_it_says_so():
    with pytest.raises(UserError, match=r"c0: the recognizer found nothing in it, and the 2 others .* --recognizer"):
        halve(["s1"], CLIPS[:3], Known({"s1": 1}, missing=CLIPS), runs=10)


def test_an_unreadable_clip_is_left_out_with_its_reason():
    run = Known(many(2), errors={"c1": "c1: not a video"})
    assert halve(list(run.worth), CLIPS[:3], run, runs=10).skipped == {"c1": "c1: not a video"}


def test_a_setting_that_fails_on_a_clip_is_out():
    run = Known(many(4), errors={("s3", "c1"): "codec 'av1': too small", "s2": str(BudgetError(8000, 9000))})
    found = halve(list(run.worth), CLIPS[:3], run, runs=10)
    assert found.standing == ["s1", "s0"]
    assert set(found.refused) == {"s2", "s3"}
    assert set(found.table["setting"]) == {"s0", "s1"}


def test_a_budget_that_nothing_fits():
    errors = {("s0", "c0"): 9000, ("s0", "c1"): 12000, ("s1", "c0"): 10000, ("s1", "c1"): 10500}
    run = Known(many(2), errors={pair: str(BudgetError(8000, lowest)) for pair, lowest in errors.items()})
    with pytest.raises(UserError, match=r"lowest rate that would is 10.5k, with s1 \(on 2 clips\)"):
        halve(["s0", "s1"], CLIPS[:2], run, runs=10)


def test_one_clip_is_enough_to_choose():
    found = halve(["s0", "s1"], ["c0"], Known(many(2)), runs=10)
    assert (found.standing, found.rounds) == (["s1", "s0"], [(2, 1)])
