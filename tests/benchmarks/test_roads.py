"""What ``benchmarks/roads.py`` sends and counts, without a run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import roads
from PIL import Image
from roads_figures import draw, figures_of, tables
from roads_scores import Film, difference, of_boxes, of_maps, scored
from scenes import write_camvid

from vidlink.errors import UserError
from vidlink.labels.boxes import load_box_labels
from vidlink.labels.maps import load_map_labels
from vidlink.video.open import open_source

ASKED = {
    "quick": False,
    "recognizers": ",".join(roads.SCORES),
    "rates": "",
    "channels": "",
    "methods": "",
    "trained": None,
}


@pytest.fixture
def film(tmp_path):
    """Twenty labelled pictures."""
    labels = roads.write_labels(write_camvid(tmp_path / "val", 20), tmp_path, None)
    return Film(maps=labels["miou"], boxes=labels["map50"], size=(48, 32))


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


def test_what_is_wrong_in_one_stretch_is_not_missed_without_it(tmp_path, film):
    run = tmp_path / "run"
    (run / "maps").mkdir(parents=True)
    rows = ["frame,time_s,seen,class,score,x,y,width,height"]
    for frame in range(20):
        late = frame >= 18  # the last of ten stretches
        truth = film.map_labels.at(frame, film.size)
        said = np.where(truth < 0, 0, truth).astype(np.uint8) if not late else np.full(truth.shape, 10, np.uint8)
        Image.fromarray(said).save(run / "maps" / f"{frame:06d}.png")
        for left, upper, right, lower, number in film.box_labels.at(frame, 0, 1, film.size).tolist():
            name, shift = roads.BOXED[int(number)], 30 * late
            rows.append(f"{frame},0,received,{name},0.9,{left + shift},{upper},{right - left},{lower - upper}")
            rows.append(f"{frame},0,pristine,{name},0.9,{left},{upper},{right - left},{lower - upper}")
    (run / "boxes.csv").write_text("\n".join(rows) + "\n")
    (run / "frames.csv").write_text("frame\n" + "\n".join(map(str, range(20))) + "\n")
    for whole, *without in (of_maps(run, film), of_boxes(run, film)):
        assert len(without) == 10
        assert without[-1] == 1.0
        assert max(without[:-1]) < 1
        assert whole < 1


def test_channels_that_lose_have_seeds_and_each_run_is_there_once(tmp_path):
    place = write_camvid(tmp_path / "val", 1)
    labels = roads.write_labels(place, tmp_path, None)
    points = list(roads.make_points(roads.write_film(place, tmp_path, None), labels, SimpleNamespace(**ASKED)))
    told = [
        tuple(point.columns.get(name) for name in ("looks", "method", "bitrate_bps", "channel", "seed"))
        for point in points
    ]
    assert len(set(told)) == len(points)
    lossy = [point for point in points if point.settings.channel in roads.LOSSY]
    for rate in ("24k", "96k"):
        seeds = {point.settings.seed for point in lossy if point.settings.bitrate_bps == float(rate[:-1]) * 1000}
        assert seeds == set(range(roads.SEEDS[rate]))
    assert all(point.settings.objective == "psnr" for point in lossy)
    assert {point.columns["looks"] for point in points if point.settings.save_video} == {"miou"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"methods": "fast"}, r"way 'fast': expected some of full; s = 2"),
        ({"recognizers": "affect"}, r"recognizer 'affect': expected some of road-segmentation"),
        ({"channels": "lte"}, r"channel 'lte': expected some of perfect"),
    ],
)
def test_names_that_are_none_are_refused(tmp_path, wrong, message):
    with pytest.raises(UserError, match=message):
        list(roads.make_points(tmp_path, {"miou": tmp_path}, SimpleNamespace(**ASKED | wrong)))


def test_networks_that_are_not_there_are_refused(tmp_path):
    asked = SimpleNamespace(**ASKED | {"trained": tmp_path, "recognizers": "road-segmentation"})
    with pytest.raises(UserError, match=r"no maps-mix\.safetensors"):
        list(roads.make_points(tmp_path, {"miou": tmp_path}, asked))


def write_points(out, values):
    """A sweep's table whose scores were worked out before; by network, method, channel, rate and seed."""
    (out / "stretches").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, ((network, method, channel, rate, seed), value) in enumerate(values.items()):
        done = value is not None
        rows.append(
            {"point": str(number), "status": "done" if done else "refused", "looks": "miou", "network": network}
            | {"method": method, "channel": channel, "bitrate_bps": rate, "seed": seed}
            | {"recognition_miou_ceiling": 0.6, "rate_wire_bps": rate, "rate_bpp": rate / 1e6, "plan_mean_scale": 2.0}
        )
        if done:
            (out / "stretches" / f"{number}.json").write_text(str([value, *[value + 0.001 * i for i in range(-5, 5)]]))
    return pd.DataFrame(rows)


def test_seeds_are_one_row_and_figures_are_means_over_what_every_way_could_code(tmp_path):
    values = {
        ("shipped", "full", "perfect", 24_000, 0): None,
        ("shipped", "s = 2", "perfect", 24_000, 0): 0.3,
        ("shipped", "full", "perfect", 48_000, 0): 0.5,
        ("shipped", "s = 2", "perfect", 48_000, 0): 0.4,
        **{("shipped", "full", "bernoulli-5", 48_000, seed): 0.2 + 0.1 * seed for seed in range(3)},
        ("mix", "s = 2", "perfect", 48_000, 0): 0.45,
        ("lr-2", "s = 2", "perfect", 48_000, 0): 0.46,
    }
    rows = scored(write_points(tmp_path, values), tmp_path, Film(maps=tmp_path, boxes=tmp_path))
    assert figures_of(rows) == pytest.approx(
        {
            "miou_ceiling": 0.6,
            "miou_full": 0.5,
            "miou_s2": 0.4,
            "miou_full_lossy": 0.3,
            "miou_all_s2": 0.45,
            "miou_dedicated_s2": 0.46,
        }
    )
    lossy = rows[rows["channel"] == "bernoulli-5"].iloc[0]
    assert lossy["seeds"] == pytest.approx([0.2, 0.3, 0.4])
    assert lossy["low"] == pytest.approx(0.3 - 4.303 * 0.1 / 3**0.5, abs=1e-4)  # wider than over stretches
    one = rows[(rows["network"] == "mix")].iloc[0]
    assert 0.4 < one["low"] < 0.45 < one["high"]
    mean, low, high = difference(rows, {"network": "lr-2"}, {"network": "mix"})
    assert (mean, high - low) == pytest.approx((0.01, 0), abs=1e-9)
    assert difference(rows, {"channel": "bernoulli-5"}, {"channel": "perfect"}) is None
    printed = "\n".join(tables(rows))
    assert "| full | - | 0.500 [" in printed
    assert "lr-2 less mix at s = 2, mean over rates: +0.010" in printed
    draw(tmp_path / "roads.png", rows)
    with Image.open(tmp_path / "roads.png") as picture:
        assert picture.width > 500
