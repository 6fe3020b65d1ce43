"""Trainings that benchmarks compare differ in what is compared alone."""

import degradations
import max_mix
import numpy as np
import paper_figure
import pytest
import trainings

from vidlink.data.faces import load_faces


def differing(ours, theirs):
    return {word for word in ours if word not in theirs}


def test_what_max_mix_compares_differs_in_one_thing():
    options = max_mix.parse([])
    plain = max_mix.words_of(options, "random", "none", "1", 0)
    assert differing(max_mix.words_of(options, "random", "none", "0.1", 0), plain) == {"0.1"}
    first = max_mix.words_of(options, "random", "1-6", "1", 0)
    assert differing(first, plain) == {"--pretrain", "1-6", "--sr-steps", "600"}
    assert "--start" in max_mix.words_of(options, "hr", "none", "1", 0)


def test_each_way_meets_what_goes_wrong_and_only_one_restores_worse():
    options, what = degradations.parse([]), degradations.DEGRADATIONS[1]
    words = {way: degradations.words_of(options, what, way) for way in degradations.WAYS}
    assert all("noise:0.1" in each for each in words.values())
    assert "--pretrain" not in words["LQ-a"]
    assert differing(words["LQ-a-non-joint"], words["LQ-a-joint"]) == {"0"}
    assert differing(words["LQ-a-b-joint"], words["LQ-a-joint"]) == {"noise:0.2"}
    faces = load_faces("generated:12", "valid")
    seen = degradations.degraded(faces, "noise:0.1").images
    assert np.array_equal(seen, degradations.degraded(faces, "noise:0.1").images)
    assert not np.array_equal(seen, faces.images)


def test_differences_are_taken_seed_by_seed():
    ours, theirs = [(0.5, 0.7), (0.3, 0.5)], [(0.4, 0.6), (0.2, 0.4)]
    found = trainings.paired(ours, theirs)
    assert (found["difference"], found["low"], found["high"]) == pytest.approx((0.1, 0.1, 0.1))
    assert trainings.difference_cell(found) == "+0.100 [+0.100, +0.100]"
    assert trainings.difference_cell(trainings.paired(ours[:1], theirs[:1])) == "+0.100"


def test_networks_of_the_figure_of_the_paper_differ_in_their_regime_alone():
    options = paper_figure.parse([])
    words = {regime: paper_figure.words_of(options, "residual", regime) for regime in paper_figure.REGIMES}
    for regime in paper_figure.REGIMES[1:]:
        assert differing(words[regime], words["lr-4"]) == {regime}
