"""Small made road scenes and class folders for tests, in the layouts of the data sets."""

import json

import cv2
import numpy as np

SKY, ROAD, CAR, PEDESTRIAN = 0, 3, 8, 9


def scene(seed, size=(48, 32)):
    """A picture in red, green and blue, and its label map: sky above road, a car and a pedestrian."""
    rng = np.random.default_rng(seed)
    wide, high = size
    labels = np.full((high, wide), ROAD, np.uint8)
    labels[: high // 3] = SKY
    left = int(rng.integers(2, wide // 2 - 14))
    labels[high // 2 : high // 2 + 8, left : left + 12] = CAR
    labels[high // 2 - 2 : high // 2 + 10, wide - 10 : wide - 3] = PEDESTRIAN
    labels[-1, -1] = 11
    colours = {SKY: (110, 160, 240), ROAD: (90, 90, 90), CAR: (200, 30, 30), PEDESTRIAN: (40, 180, 60), 11: (0, 0, 0)}
    picture = np.zeros((high, wide, 3), np.uint8)
    for value, colour in colours.items():
        picture[labels == value] = colour
    noise = rng.integers(-6, 7, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), labels


def write_camvid(place, count=6, first=0, recording="0001"):
    """``images/`` and ``labels/`` below ``place``."""
    for name in ("images", "labels"):
        (place / name).mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        picture, labels = scene(index)
        cv2.imwrite(str(place / "images" / f"{recording}_{index:03}.png"), picture[..., ::-1])
        cv2.imwrite(str(place / "labels" / f"{recording}_{index:03}.png"), labels)
    return place


def write_classes(place, classes=("blue", "red"), count=8, side=16):
    """``CLASS/N.png`` below ``place``, told apart by their colour."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (place / name).mkdir(parents=True)
        for index in range(count):
            picture = rng.integers(0, 90, (side, side, 3)).astype(np.uint8)
            picture[..., 2 * number % 3] += 150
            cv2.imwrite(str(place / name / f"{index}.png"), picture)
    return place


def write_coco(file, count=4):
    """A COCO file with its pictures beside it; returns what is in it."""
    said = {"images": [], "annotations": [], "categories": [{"id": 7, "name": "pedestrian"}, {"id": 3, "name": "car"}]}
    for index in range(count):
        picture, _ = scene(index)
        name = f"{index}.png"
        cv2.imwrite(str(file.parent / name), picture[..., ::-1])
        said["images"].append({"id": index, "file_name": name, "width": 48, "height": 32})
        box = {"id": index, "image_id": index, "category_id": 7, "bbox": [38, 14, 7, 12]}
        said["annotations"].append(box)
    file.write_text(json.dumps(said))
    return said
