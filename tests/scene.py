"""A bright square that moves over noise, with its labels: what recognizers of maps and of boxes are tried on."""

import numpy as np
import pandas as pd
from PIL import Image

FRAMES, RATE, WIDTH, HEIGHT, SIDE = 24, 12, 64, 48, 16


def corner(frame):
    """Left and upper edge of the square."""
    return 2 * frame % 40, 10 + frame % 12


def write_scene(folder):
    """Write images, label maps by the same names, and a table of boxes."""
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    rng = np.random.default_rng(0)
    ground = rng.integers(10, 150, (HEIGHT, WIDTH), dtype=np.uint8)
    rows = []
    for frame in range(FRAMES):
        picture, label = ground.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
        x, y = corner(frame)
        picture[y : y + SIDE, x : x + SIDE], label[y : y + SIDE, x : x + SIDE] = 180, 1
        Image.fromarray(picture).save(folder / "images" / f"k{frame:02d}.png")
        Image.fromarray(label).save(folder / "labels" / f"k{frame:02d}.png")
        rows.append({"frame": frame, "class": "square", "x": x, "y": y, "width": SIDE, "height": SIDE})
    pd.DataFrame(rows).to_csv(folder / "boxes.csv", index=False)
    return folder
