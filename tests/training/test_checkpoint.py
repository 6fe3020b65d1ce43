import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from vidlink.errors import UserError
from vidlink.nets.srcnn import SRCNN
from vidlink.training.checkpoint import load_checkpoint, save_card, save_checkpoint, save_weights
from vidlink.training.loop import Training
from vidlink.training.superresolution import RestorerLearner, SRSettings


@contextmanager
def no_space_beyond(count):
    """Files can have so many bytes: writing more fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


LARGE = torch.zeros(100_000)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("c.checkpoint", lambda path: save_checkpoint(path, {"settings": {}, "weights": LARGE})),
        ("w.safetensors", lambda path: save_weights(path, {"a": LARGE}, {})),
        ("w.json", lambda path: save_card(path, {"a": LARGE.tolist()})),
    ],
)
def test_what_was_saved_before_survives_a_full_disk(tmp_path, name, save):
    path = tmp_path / name
    save(path)
    before = path.read_bytes()
    with no_space_beyond(4096), pytest.raises(UserError, match=f"{name}: cannot be written"):
        save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_goes_on_from_the_checkpoint_that_a_full_disk_left(tmp_path):
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (40, 40), np.uint8)]
    settings = SRSettings(network="srcnn", data="x", scales=(2.0, 2.0), steps=3, batch=2, side=24, each=1)
    checkpoint = tmp_path / "c"

    def learner():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return RestorerLearner(SRCNN((4, 4), (3, 3, 3)), images, settings, device=torch.device("cpu"))

    class Full(RestorerLearner):
        """The disk is full from its second epoch on."""

        def state(self):
            if checkpoint.exists():
                resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            return super().state()

    whole, cut = Training({}, quiet=True), learner()
    whole.fit(learner())
    cut.__class__ = Full
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(UserError, match="cannot be written"):
            Training({}, checkpoint=checkpoint, quiet=True).fit(cut)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    again = Training({}, checkpoint=checkpoint, quiet=True)
    assert len(again.log) == 1
    again.fit(learner())
    assert again.log == whole.log


def test_a_checkpoint_of_another_run_or_version_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c", {"settings": {"batch": 4}, "done": {}})
    with pytest.raises(UserError, match=r"belongs to a run with batch = 4, not 5"):
        Training({"batch": 5}, checkpoint=tmp_path / "c")
    with pytest.raises(UserError, match=r"of another version of vidlink; remove it"):
        Training({"batch": 4, "steps": 5}, checkpoint=tmp_path / "c")
    save_checkpoint(tmp_path / "c", {"settings": {"batch": 4}, "epoch": 3, "network": {}})
    with pytest.raises(UserError, match=r"of another version of vidlink; remove it"):
        Training({"batch": 4}, checkpoint=tmp_path / "c")


@pytest.mark.parametrize("how", ["empty", "truncated", "garbage", "weights", "list"])
def test_damaged_checkpoints_are_refused(tmp_path, how):
    path = tmp_path / "c"
    save_checkpoint(path, {"settings": {"seed": 1}, "weights": LARGE})
    data = path.read_bytes()
    if how == "weights":
        save_weights(path, {"a": LARGE}, {})
    elif how == "list":
        save_checkpoint(path, [1, 2])
    else:
        path.write_bytes({"empty": b"", "truncated": data[: len(data) // 2], "garbage": b"\x00" * 500}[how])
    with pytest.raises(UserError, match="not a checkpoint, or damaged; remove it"):
        load_checkpoint(path, {"seed": 1})


def test_a_checkpoint_never_runs_code(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"settings": Bomb()}, tmp_path / "c")
    with pytest.raises(UserError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "c", {})
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"w\.safetensors: cannot be written"):
        save_weights(tmp_path / "file" / "w.safetensors", {"a": LARGE}, {})


def test_weights_come_back_as_they_were(tmp_path):
    weights = {"a": torch.rand(3, 4).T, "b": torch.arange(3)}
    save_weights(tmp_path / "deep" / "w.safetensors", weights, {"x": "y"})
    found = load_file(tmp_path / "deep" / "w.safetensors")
    assert all(torch.equal(weights[name], found[name]) for name in weights)


def test_equal_weights_make_equal_files_in_any_process(tmp_path):
    code = (
        "import sys, torch; from pathlib import Path; from vidlink.training.checkpoint import save_weights; "
        "about = {name: name * 2 for name in ('regime', 'data', 'seed', 'network', 'width')} | {'who': 'Zoë'}; "
        "save_weights(Path(sys.argv[1]), {'b': torch.arange(3.0), 'a': torch.ones(2, 2)}, about)"
    )
    files = [tmp_path / f"{number}.safetensors" for number in range(2)]
    for seed, file in enumerate(files):
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", code, str(file)], check=True, env=environment)
    assert len({file.read_bytes() for file in files}) == 1
    assert load_file(files[0])["b"].tolist() == [0, 1, 2]
    with safe_open(files[0], "pt") as file:
        assert file.metadata()["who"] == "Zoë"
        assert file.metadata()["data"] == "datadata"
