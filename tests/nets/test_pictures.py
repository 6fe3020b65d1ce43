"""Any restorer stands before any network for pictures, whole or without its last layer."""

import pytest
import torch

from vidlink.nets.pictures import NETWORKS, PictureNetwork, build_for_pictures, describe_pictures, load_for_pictures
from vidlink.training.checkpoint import save_results

RESTORERS = ("srcnn", "srcnn-915", "residual", "denoiser", "aodnet", "tone", "boost")
BEHIND = [(task, name) for task, table in NETWORKS.items() for name in table.known() if name[:5] != "boost"]


@pytest.mark.parametrize(("task", "behind"), BEHIND)
@pytest.mark.parametrize("sign", "/+")
def test_any_restorer_stands_before_any_recognizer(task, behind, sign):
    pictures = torch.rand(2, 3, 32, 48)
    for restorer in RESTORERS:
        name = f"{restorer}{sign}{behind}"
        made = build_for_pictures(
            PictureNetwork(task=task, name=name, classes=("a", "b"), size=(48, 32), width=4, restorer_width=8)
        )
        outputs = made.eval()(pictures, torch.ones(2))
        shape = {"classification": (2,), "segmentation": (2, 16, 24), "detection": (6, 8, 12)}[task]
        assert outputs.shape == (2, *shape)
        assert sum(each.numel() for each in made.encoder.parameters()) > 0


def test_the_width_of_a_restorer_is_in_the_header(tmp_path):
    network = PictureNetwork(
        task="segmentation", name="denoiser/unet", classes=("a", "b"), size=(48, 32), width=4, restorer_width=6
    )
    made = build_for_pictures(network)
    save_results(tmp_path / "a.safetensors", made.state_dict(), describe_pictures(network).to_metadata(), {})
    found, again = load_for_pictures(tmp_path / "a.safetensors", "segmentation")
    assert found == network
    assert again.restorer.channels == 6
