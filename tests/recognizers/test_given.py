"""Recognizers that Python hands over: classes, objects, functions."""

import pytest
import torch

from vidlink import UserError, Wants
from vidlink.recognizers.given import PREFIX, content_of, name_of
from vidlink.recognizers.recognizer import Context
from vidlink.recognizers.registry import load_recognizer

WANTS = Wants(region="frame", height=8, width=8, colour="luma")


class Level:
    """Brightness times a factor."""

    name, task, wants, gives = "level", "exposure", WANTS, ("level",)

    def __init__(self, factor: float = 1.0):
        self.factor = factor

    def __call__(self, pictures, context):
        return self.factor * pictures.mean(dim=(1, 2, 3))[:, None]


def ask(name, pictures, **how):
    return load_recognizer(name, **how)(pictures, Context.pristine(len(pictures)))


def test_a_name_stays_and_an_importable_class_has_one():
    assert name_of("affect") == "affect"
    assert name_of(Context) == "vidlink.recognizers.recognizer:Context"


def test_an_object_is_asked_as_it_is():
    name = name_of(Level(2.0))
    assert name.startswith(PREFIX)
    assert ask(name, torch.full((3, 1, 8, 8), 0.25)).tolist() == [[0.5]] * 3
    with pytest.raises(UserError, match="factor"):
        load_recognizer(name, arguments=("factor=3",))


def test_a_class_that_no_process_can_import_is_made_with_its_arguments():
    local = type("Local", (Level,), {"__module__": "__main__"})
    assert ask(name_of(local), torch.ones(1, 1, 8, 8), arguments=("factor=3",)).tolist() == [[3.0]]


def test_a_function_gives_a_number_or_several_for_each_picture():
    def mean(pictures):
        return pictures.mean(dim=(1, 2, 3)).tolist()

    def both(pictures, context):
        return torch.stack([pictures.amin((1, 2, 3)), torch.as_tensor(context.scale, dtype=torch.float32)], dim=1)

    both.wants, both.gives = WANTS, ("least", "scale")
    assert load_recognizer(name_of(mean)).wants.shape == (3, 224, 224)
    assert ask(name_of(mean), torch.ones(2, 3, 224, 224)).tolist() == [[1.0], [1.0]]
    assert ask(name_of(both), torch.ones(2, 1, 8, 8)).tolist() == [[1.0, 1.0]] * 2


def test_different_ones_have_different_names_and_contents():
    first, second = (lambda p: p.mean(dim=(1, 2, 3))), (lambda p: p.amax(dim=(1, 2, 3)))
    names = [name_of(first), name_of(second), name_of(first)]
    assert names[0] == names[2] != names[1]
    assert content_of(names[0])[1:] == content_of(names[2])[1:]
    assert content_of(name_of(Level(1.0)))[1:] != content_of(name_of(Level(2.0)))[1:]


def test_a_function_that_is_defined_anew_takes_the_place_of_the_old():
    made = []
    for body in ("return pictures.mean(dim=(1, 2, 3))", "return 0 * pictures.mean(dim=(1, 2, 3))"):
        space = {"__name__": "__main__"}
        exec(f"def cell(pictures):\n    {body}", space)
        made.append(name_of(space["cell"]))
    assert made[0] == made[1]
    assert ask(made[0], torch.ones(1, 3, 224, 224)).tolist() == [[0.0]]


def test_what_is_no_recognizer():
    with pytest.raises(UserError, match="recognizer = int: expected a name, a class"):
        name_of(3)
    with pytest.raises(UserError, match="another program"):
        load_recognizer("given:nowhere")
