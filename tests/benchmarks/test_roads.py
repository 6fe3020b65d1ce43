"""What ``benchmarks/roads.py`` sends and counts, without a run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import roads
from scenes import write_camvid

from vidlink.errors import UserError
from vidlink.labels.boxes import load_box_labels
from vidlink.labels.maps import load_map_labels
from vidlink.video.open import open_source


def test_film_and_labels_are_of_the_same_pictures(tmp_path):
    place = write_camvid(tmp_path / "val", 3)
    source = open_source(str(roads.write_film(place, tmp_path, None)))
    assert (source.clip.width, source.clip.height, source.clip.frame_rate) == (48, 32, 15)
    assert sum(len(segment.frames) for segment in source.segments(1.0)) == 3
    labels = roads.write_labels(place, tmp_path, None)
    maps = load_map_labels(labels["miou"], roads.camvid_maps(str(place)).classes)
    boxes = load_box_labels(labels["map50"], roads.BOXED)
    for frame in range(3):
        known = maps.at(frame, (48, 32))
        assert (known == 8).sum() == 96  # a car of 12 x 8
        found = boxes.at(frame, frame / 15, 1 / 15, (48, 32))
        assert found[:, 4].tolist() == [0, 1]
        assert (found[0, 2] - found[0, 0], found[0, 3] - found[0, 1]) == (12, 8)


def test_figures_are_means_over_what_every_method_could_code():
    rows = [
        {"looks": "road-segmentation", "channel": "perfect", "method": method, "bitrate_bps": rate, "status": status}
        | {"recognition_miou": value, "recognition_miou_ceiling": 0.6}
        for method, values in (("full", (None, 0.5)), ("s = 2", (0.3, 0.4)), ("s = 4", (0.4, 0.45)))
        for rate, value in zip((24_000, 48_000), values, strict=True)
        for status in ["refused" if value is None else "done"]
    ]
    found = roads.figures_of(roads.summarize(pd.DataFrame(rows)))
    assert found == {
        "miou_full": 0.5,
        "miou_fixed": 0.45,
        "miou_adaptive_psnr": None,
        "miou_adaptive_task": None,
        "miou_ceiling": 0.6,
    }
    assert np.isnan(roads.summarize(pd.DataFrame(rows))["value"].iloc[0])


def test_ways_that_are_none_are_refused(tmp_path):
    place = write_camvid(tmp_path / "val", 1)
    given = {"out": tmp_path / "out", "quick": False, "recognizers": "road-detection", "dedicated": []}
    with pytest.raises(UserError, match=r"'fast': expected some of full; s = 2"):
        roads.run(place, SimpleNamespace(**given, methods="fast"))
