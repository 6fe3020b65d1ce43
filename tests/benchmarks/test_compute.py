"""What the benchmark of spared arithmetic makes of its measurements."""

import compute
import numpy as np
import pytest
import torch

from vidlink.nets.classsr import ClassSR
from vidlink.restorers.count import MultiplyAdds


def test_a_picture_is_measured_by_each_way_and_summed_up():
    torch.manual_seed(0)
    network = ClassSR().eval()
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 255, (64, 128), dtype=np.uint8)
    sample = compute.Sample(name="a", wanted=wanted, given=wanted, scale=3.0, qp=0.0)
    count = MultiplyAdds(network)
    with torch.inference_mode():
        rows = compute.measure(network, count, sample, 1)
    for share in (0.45, 0.5, 0.6, 0.8):
        assert rows[f"{share:g}"]["multiply_adds"] <= share * rows["longest"]["multiply_adds"]
    table = compute.summarize([rows, rows])
    assert table["longest"]["flops_share"] == pytest.approx(1)
    figures = compute.figures_of({"one": table, "two": table})
    assert 0.3 < figures["flops_share"] <= compute.WORKING
    assert figures["time_share"] > 0
    assert figures["psnr_loss_db"] == figures["gain_db"] == 0, "untrained, nothing is changed"
