import cv2
import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.nets.espcn import ESPCN
from vidlink.nets.residual import ResidualRestorer
from vidlink.nets.srcnn import SRCNN
from vidlink.nets.twin import TwinNet
from vidlink.training.loop import Training
from vidlink.training.restore import mean_psnr_db, score_restorer
from vidlink.training.superresolution import RestorerLearner, SRSettings, pretrain


def stripes(seed, size=(60, 66)):
    """Black and white areas with straight borders, on which interpolation is easily beaten."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    white = np.zeros(size, bool)
    for _ in range(6):
        angle, offset = random.uniform(0, np.pi), random.uniform(-30, 90)
        white ^= x * np.cos(angle) + y * np.sin(angle) > offset
    return cv2.GaussianBlur(np.where(white, 225, 30).astype(np.uint8), None, 0.6)


@pytest.fixture(scope="module")
def images():
    return [stripes(seed) for seed in range(8)]


@pytest.fixture(scope="module")
def unseen():
    return {f"{seed}": stripes(seed) for seed in (20, 21, 22)}


def seeded(make, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


@pytest.mark.parametrize(
    ("make", "resampling", "side"),
    [
        (lambda: SRCNN((16, 8), (5, 3, 3)), "literature", 24),
        (lambda: ESPCN(3, (16, 8)), "literature", 24),
        (lambda: TwinNet((8, 8, 8)), "literature", 32),
    ],
)
def test_a_trained_restorer_beats_interpolation_on_images_it_has_not_seen(images, unseen, make, resampling, side):
    restorer = seeded(make)
    before = score_restorer(restorer, unseen, 3)
    pretrain(restorer, images, 3.0, steps=80, batch=8, side=side, learning_rate=5e-3, resampling=resampling)
    after = score_restorer(restorer, unseen, 3)
    assert [row["bicubic_db"] for row in after] == [row["bicubic_db"] for row in before]
    assert all(row["psnr_db"] > row["bicubic_db"] + 0.3 for row in after)


def test_untrained_restorers_are_interpolation(unseen):
    for restorer in (SRCNN(), TwinNet((4, 4, 4))):
        for row in score_restorer(restorer, unseen, 3):
            assert row["psnr_db"] == pytest.approx(row["bicubic_db"], abs=0.02)


def test_a_restorer_that_knows_the_factor_learns_a_range_of_them(images):
    restorer = seeded(lambda: ResidualRestorer(width=8, blocks=1))
    steered = [tensor.clone() for name, tensor in restorer.named_parameters() if "steer" in name]
    settings = {"steps": 60, "batch": 16, "side": 32}
    interpolated = pretrain(restorer, images, (1.0, 4.0), learning_rate=1e-12, **settings)
    learnt = pretrain(restorer, images, (1.0, 4.0), learning_rate=1e-2, **settings)
    assert learnt < 0.9 * interpolated
    after = [tensor for name, tensor in restorer.named_parameters() if "steer" in name]
    assert not any(torch.equal(a, b) for a, b in zip(steered, after, strict=True))


def settings_of(**changed):
    given = {"network": "srcnn", "data": "x", "scales": (2.0, 2.0), "steps": 6, "batch": 4, "side": 24, "each": 2}
    return SRSettings(**(given | changed))


def learner_of(images, valid=None, **changed):
    restorer = seeded(lambda: SRCNN((4, 4), (3, 3, 3)))
    return RestorerLearner(restorer, images, settings_of(**changed), valid=valid, device=torch.device("cpu"))


class Killed(Exception):
    pass


def killed_after(learner, epochs):
    """The learner, which dies when so many epochs are done."""
    original = learner.begin

    def begin():
        nonlocal epochs
        if not epochs:
            raise Killed
        epochs -= 1
        original()

    learner.begin = begin
    return learner


def test_a_killed_run_resumes_to_the_same_result(images, unseen, tmp_path):
    whole, learner = Training({}, quiet=True), learner_of(images, unseen)
    whole.fit(learner)
    assert [row["step"] for row in whole.log] == [2, 4, 6]
    assert whole.log[-1]["psnr_db"] == round(mean_psnr_db(score_restorer(learner.network, unseen, 2.0)), 3)
    with pytest.raises(Killed):
        Training({}, checkpoint=tmp_path / "c", quiet=True).fit(killed_after(learner_of(images, unseen), 1))
    again, taken_up = Training({}, checkpoint=tmp_path / "c", quiet=True), learner_of(images, unseen)
    assert len(again.log) == 1
    again.fit(killed_after(taken_up, 2))
    assert again.log == whole.log
    expected, found = learner.network.state_dict(), taken_up.network.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def losses_of(learner):
    run = Training({}, quiet=True)
    run.fit(learner)
    return [row["loss"] for row in run.log]


def test_seeds_decide(images):
    first, again, other = (losses_of(learner_of(images, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_loss_that_is_not_finite_stops_with_its_step_and_the_last_checkpoint(images, tmp_path):
    learner, kept = learner_of(images, each=1), []
    original = learner.begin

    def begin():
        if (tmp_path / "c").exists():
            kept.append((tmp_path / "c").read_bytes())
            with torch.no_grad():
                learner.network.last.weight[0, 0, 0, 0] = float("nan")
        original()

    learner.begin = begin
    run = Training({}, checkpoint=tmp_path / "c", quiet=True)
    with pytest.raises(UserError, match=rf"the loss is nan at step 2; last good checkpoint: {tmp_path / 'c'}"):
        run.fit(learner)
    assert (tmp_path / "c").read_bytes() == kept[0]


def test_a_subpixel_network_learns_its_own_factor_only(images):
    with pytest.raises(UserError, match="ESPCN for scale 2: cannot learn"):
        pretrain(ESPCN(2), images, 3.0, steps=1)


def test_bicubic_on_set5_is_the_literature_s(data):
    from vidlink.data.images import load_images

    images = load_images(f"images:{data / 'sr' / 'Set5'}")
    for scale, expected in ((2, 33.66), (3, 30.39), (4, 28.42)):
        assert mean_psnr_db(score_restorer(SRCNN((1, 1), (1, 1, 1)), images, scale), "bicubic_db") == pytest.approx(
            expected, abs=0.01
        )
