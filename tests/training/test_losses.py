"""Terms of losses: each is 0 where it should be, grows with what it is for, and is refused where nothing serves it."""

import pytest
import torch
from torch.nn import functional

from vidlink.errors import UserError
from vidlink.nets.pictures import PictureNetwork, build_for_pictures, parts_of
from vidlink.nets.seen import Seen, see
from vidlink.training.losses import TERMS, Look, affinities, parse_loss, patch_distance


def network(name, task="segmentation", width=4):
    torch.manual_seed(0)
    size = (16, 16) if task == "classification" else (48, 32)
    return build_for_pictures(
        PictureNetwork(task=task, name=name, classes=("a", "b"), size=size, width=width, restorer_width=4)
    )


def look(net, pictures, pristine, teacher=None):
    seen = see(net, pictures, torch.ones(len(pictures)))
    recognizer = getattr(net, "recognizer", None)
    return Look(
        seen=seen,
        pristine=pristine,
        against_labels=lambda outputs: outputs.square().mean(),
        recognizer=recognizer,
        teacher=teacher,
    )


def test_patches_of_other_pictures_are_apart_and_their_order_is_no_matter():
    torch.manual_seed(0)
    sharp = torch.rand(6, 3, 20, 20)
    smooth = functional.avg_pool2d(sharp, 3, 1, 1)
    torch.manual_seed(1)
    assert patch_distance(sharp, sharp[[3, 1, 0, 2, 5, 4]]) == 0
    assert patch_distance(sharp, sharp + 0.2) < 1e-6  # brightness does not count
    torch.manual_seed(1)
    near = patch_distance(sharp, 0.7 * sharp + 0.3 * smooth)
    torch.manual_seed(1)
    assert 0 < near < patch_distance(sharp, smooth)


def test_affinities_are_cosines_of_places():
    maps = torch.zeros(1, 2, 1, 3)
    maps[0, :, 0] = torch.tensor([[2.0, 0, 1], [0, 3, 1]])
    half = 0.5**0.5
    expected = torch.tensor([[[1, 0, half], [0, 1, half], [half, half, 1]]])
    assert torch.allclose(affinities(maps), expected, atol=1e-6)


def test_each_term_of_a_cascade_is_small_where_nothing_went_wrong():
    pristine = torch.rand(2, 3, 32, 48)
    noisy = (pristine + 0.3 * torch.randn_like(pristine)).clamp(0, 1)
    net = network("denoiser/unet").eval()
    right, wrong = (look(net, pictures, pristine, net.recognizer) for pictures in (pristine, noisy))
    for name in ("restoration", "features", "perception", "distil"):
        assert TERMS[name].value(right) < 1e-6 < TERMS[name].value(wrong)
    both = parse_loss("restoration:3,features")
    assert torch.isclose(both(wrong), 3 * TERMS["restoration"].value(wrong) + TERMS["features"].value(wrong))
    assert see(net, noisy, torch.ones(2), recognize=False).outputs == ()


def test_two_decoders_share_what_comes_before_them():
    net = network("unet+decoder")
    pictures = torch.rand(2, 3, 32, 48)
    found = look(net, pictures, pictures)
    assert found.seen.restored[0].shape == pictures.shape
    assert found.seen.features.shape == found.seen.beside.shape
    parse_loss("restoration,affinity")(found).backward()
    reached = {name.partition(".")[0] for name, each in net.named_parameters() if each.grad is not None}
    assert reached == {"recognizer", "decoder", "last"}
    assert net.recognizer.head[1].weight.grad is None
    net.eval()
    assert torch.equal(net(pictures), net.recognizer(pictures))
    assert torch.equal(net(pictures), see(net, pictures, torch.ones(2)).outputs[0])


def test_every_block_that_boosts_is_held_against_the_labels():
    pictures = torch.rand(2, 3, 32, 48)
    for name, blocks in (("boost", 3), ("boost-2", 2), ("boost-1", 1)):
        net = network(name).eval()
        seen = see(net, pictures, torch.ones(2))
        assert len(seen.outputs) == len(seen.restored) == blocks
        assert torch.equal(seen.outputs[-1], net(pictures))
        terms = [each.square().mean() for each in seen.outputs]
        found = TERMS["recognition"].value(look(net, pictures, pictures))
        assert torch.isclose(found, torch.stack(terms).mean())


def test_names_of_networks_are_taken_apart():
    assert parts_of("a.b:C") == ("a.b:C", "", False, False)
    assert parts_of("srcnn+vgg") == ("vgg", "srcnn", False, False)
    assert parts_of("centre+decoder") == ("centre", "", False, True)


def test_weights_as_text():
    assert str(parse_loss(" recognition:1, restoration:0.5")) == "recognition,restoration:0.5"
    assert not parse_loss("restoration,perception:2").recognizes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recogniton", "did you mean 'recognition'"),
        ("", "term of a loss"),
        ("restoration:0", "a number above 0"),
        ("restoration:nan", "a number above 0"),
        ("restoration:x", "restoration:WEIGHT"),
        ("distil,distil:2", "distil twice"),
    ],
)
def test_what_is_no_loss(text, message):
    with pytest.raises(UserError, match=message):
        parse_loss(text)


@pytest.mark.parametrize(
    ("term", "name"), [("restoration", "unet"), ("features", "unet+decoder"), ("affinity", "denoiser/unet")]
)
def test_terms_that_a_network_does_not_serve(term, name):
    with pytest.raises(UserError, match=f"--network {name.replace('+', '.')} has nothing for it; expected"):
        parse_loss(term).check(network(name), name)


def test_what_has_no_body_has_no_second_decoder():
    with pytest.raises(UserError, match="has no body"):
        network("vgg+decoder", task="classification")


def test_nothing_is_seen_of_an_empty_look():
    with pytest.raises(ValueError, match="no features"):
        TERMS["distil"].value(Look(seen=Seen(), pristine=torch.zeros(1), against_labels=torch.mean))
