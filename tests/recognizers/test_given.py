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


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda pictures, gain=2.0: gain * pictures.mean(dim=(1, 2, 3)), 2.0),
        (lambda pictures, negative=False: (-1 if negative else 1) * pictures.mean(dim=(1, 2, 3)), 1.0),
        (lambda *anything: anything[0].mean(dim=(1, 2, 3)) * len(anything), 1.0),
        (lambda pictures, context=None: pictures.mean(dim=(1, 2, 3)) * float(context.scale[0]), 1.0),
        (lambda pictures, about: pictures.mean(dim=(1, 2, 3)) * float(about.scale[0]), 1.0),
    ],
)
def test_a_setting_of_a_functions_own_is_not_given_the_context(function, expected):
    assert ask(name_of(function), torch.ones(2, 3, 224, 224)).tolist() == [[expected]] * 2


def test_a_network_of_pytorch_is_a_function_of_pictures():
    mean = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 1, bias=False))
    torch.nn.init.ones_(mean[2].weight)
    with torch.no_grad():
        assert ask(name_of(mean), torch.ones(2, 3, 224, 224)).tolist() == [[3.0], [3.0]]


def test_one_name_may_be_given_as_text():
    def level(pictures):
        return pictures.mean(dim=(1, 2, 3))

    level.gives = "brightness"
    assert load_recognizer(name_of(level)).gives == ("brightness",)


def test_what_a_function_closes_over_makes_it_another():
    def times(factor, default=1):
        def level(pictures, power=default):
            return factor * pictures.mean(dim=(1, 2, 3)) ** power

        return level

    contents = [content_of(name_of(each))[1] for each in (times(1.0), times(2.0), times(1.0, 2), times(1.0))]
    assert contents[0] == contents[3]
    assert len(set(contents)) == 3
