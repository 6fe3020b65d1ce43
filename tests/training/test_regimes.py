import pytest

from vidlink.errors import UserError
from vidlink.training.losses import parse_loss
from vidlink.training.regimes import FROZEN, find_regime, regime_names


@pytest.mark.parametrize(
    ("name", "scales", "pretrain", "rate"),
    [
        ("hr", (1, 1), None, 1),
        ("mix-2", (1, 2), None, 1),
        ("mix", (1, 6), None, 1),
        ("joint-oa", (1, 6), 6, 0.1),
        ("lr-1.5", (1.5, 1.5), None, 1),
        ("non-joint-4", (4, 4), 4, 0),
        ("joint-3", (3, 3), 3, 0.1),
        ("joint-3-from-6", (3, 3), 6, 0.1),
    ],
)
def test_what_each_regime_is(name, scales, pretrain, rate):
    regime = find_regime(name)
    assert (regime.name, regime.scales, regime.pretrain, regime.encoder_rate) == (name, scales, pretrain, rate)
    assert regime.summary


@pytest.mark.parametrize(
    "name", ["joint", "joint-", "lr-3-from-6", "joint-17", "lr-0.5", "mix-1", "lr", "hr ", "hybrid-2-from-4"]
)
def test_what_is_none(name):
    with pytest.raises(UserError):
        find_regime(name)


def test_names_are_for_lists():
    faces = ["hr", "mix", "joint-oa", "mix-S", "lr-S", "non-joint-S", "joint-S", "joint-S-from-B"]
    assert regime_names() == faces
    assert set(regime_names(pictures=True)) - set(faces) == {f"{name}[-S]" for name in FROZEN}


@pytest.mark.parametrize("kind", FROZEN)
def test_regimes_whose_recognizer_stays_are_for_pictures(kind):
    for name, scale in ((kind, 1), (f"{kind}-2.5", 2.5)):
        regime = find_regime(name)
        assert (regime.scales, regime.encoder_rate, regime.recognizer_rate) == ((scale, scale), 1, 0)
        assert str(parse_loss(regime.loss)) == regime.loss
        assert not regime.for_faces
    assert find_regime("joint-oa").for_faces
