from dataclasses import replace

import numpy as np
import pytest

from vidlink.data.apart import set_apart
from vidlink.data.faces import load_faces
from vidlink.data.twins import twins_of
from vidlink.errors import UserError


def test_nothing_is_learned_from_a_face_that_is_chosen_by_or_scored():
    faces, scored = load_faces("generated:60", "train"), load_faces("generated:20", "valid")
    both = replace(faces.take(np.r_[0:60, 0:30]), images=np.concatenate([faces.images, faces.images[:30, :, ::-1]]))
    both.images[5] = scored.images[3]
    apart = set_apart(both, scored, 20, seed=0)
    assert apart.twins >= 1
    assert apart.near >= 1
    assert not twins_of(apart.learned, scored).any()
    assert not twins_of(apart.learned, apart.chosen).any()
    assert sum(apart.counts(scored).values()) == 90 + len(scored)


def test_the_frames_of_a_video_are_all_alike_and_stay():
    faces, scored = load_faces("generated:1", "train").take(np.zeros(40, int)), load_faces("generated:12", "valid")
    apart = set_apart(faces, scored, None, seed=0)
    assert (len(apart.learned), len(apart.chosen), apart.near) == (28, 12, 0)


@pytest.mark.parametrize("count", [3, 50])
def test_too_few_faces_are_named(count):
    faces = load_faces("generated:40", "train")
    with pytest.raises(UserError, match=f"--choose {count}: 40 faces are there; leave at least 12"):
        set_apart(faces, load_faces("generated:12", "valid"), count, seed=0)
