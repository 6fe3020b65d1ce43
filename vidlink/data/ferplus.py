"""FER+: faces with the votes of about ten people each, as valence and arousal.

FER+ (Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution",
ICMI 2016, arXiv 1608.01041) labels the 48x48 grey faces of FER2013. Its script writes one folder a split with PNG
files and a ``label.csv`` whose columns are: file name, box, then the votes for neutral, happiness, surprise, sadness,
anger, disgust, fear, contempt, unknown and not-a-face.

A face's target is the expectation of :data:`CIRCUMPLEX` under its votes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vidlink.data.face_set import FaceSet
from vidlink.errors import UserError, unknown
from vidlink.labels.affect import EMOTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLITS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
"""Folder of each split, as FER+'s own script names it."""

SIZE = 48
"""Side of an image in pixels."""

COLUMNS = len(EMOTIONS) + 2
"""Columns of votes: the emotions, unknown, not a face."""

CIRCUMPLEX = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "surprise": (0.40, 0.67),
    "sadness": (-0.63, -0.27),
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "contempt": (-0.55, 0.16),
}
"""Valence and arousal of each emotion, on [-1, 1].

Mean pleasure and arousal of the terms happy (31), surprised (52), sad (151), angry (82), disgusted (75) and fearful
(101) in the table of J. A. Russell and A. Mehrabian, "Evidence for a three-factor theory of emotions", Journal of
Research in Personality 11 (1977), 273-294; the numbers in brackets are the table's. Neutral is the origin. The table
has no "contemptuous": displeased (109) stands in for it; it has less than two votes in a hundred.
"""


def expected_affect(votes: NDArray) -> NDArray[np.float32]:
    """Valence and arousal that a set of votes expects.

    ``sum_e votes_e * CIRCUMPLEX_e / sum_e votes_e``

    Parameters
    ----------
    votes
        Votes for each of :data:`~vidlink.labels.affect.EMOTIONS`, shape (n, 8), with at least one vote a row.

    Returns
    -------
    NDArray
        Valence and arousal, shape (n, 2).
    """
    table = np.array([CIRCUMPLEX[emotion] for emotion in EMOTIONS])
    return (votes @ table / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def majority_of(votes: NDArray) -> NDArray[np.int64]:
    """The emotion that most people agree on, as the reader that FER+'s authors published counts it.

    Single votes are set aside; then an emotion needs more than half of what is left, "unknown" and "not a face" among
    it. Accuracies published for FER+ are over the faces that have one: 25,045 for training, 3,191 for validation.

    Parameters
    ----------
    votes
        Shape (n, 10): :data:`~vidlink.labels.affect.EMOTIONS`, unknown, not a face.

    Returns
    -------
    NDArray
        Indices into :data:`~vidlink.labels.affect.EMOTIONS`, shape (n,); -1 where no emotion has a majority.
    """
    kept = np.where(votes > 1, votes, 0)
    most = kept.argmax(axis=1)
    agreed = (kept.max(axis=1) > kept.sum(axis=1) / 2) & (most < len(EMOTIONS))
    return np.where(agreed, most, -1)


def load_ferplus(path: Path | str, split: str = "train") -> FaceSet:
    """Load one split of FER+.

    Votes for "unknown" and "not a face" do not count for affect and distribution. A face without any other vote is
    skipped and counted.

    Parameters
    ----------
    path
        A folder or a zip file that holds FER2013Train, FER2013Valid or FER2013Test, at any depth.
    split
        ``train``, ``valid`` or ``test``.

    Raises
    ------
    UserError
        Where path, split or an image is missing, or the labels are not those of FER+. It names the file and the row.
    """
    if split not in SPLITS:
        raise unknown("split of FER+", split, SPLITS)
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(f"FER+ {path}: no such file or folder")
    shelf = _open(path, SPLITS[split])
    names, votes = _read_labels(shelf)
    usable = votes[:, : len(EMOTIONS)].sum(axis=1) > 0
    names = [name for name, keep in zip(names, usable, strict=True) if keep]
    majority = majority_of(votes[usable])
    votes = votes[usable, : len(EMOTIONS)]
    if not names:
        raise UserError(f"{shelf.label}: no face has a usable vote")
    images = np.empty((len(names), SIZE, SIZE), np.uint8)
    for row, name in enumerate(names):
        images[row] = _read_image(shelf, name)
    return FaceSet(
        name="ferplus",
        split=split,
        images=images,
        affect=expected_affect(votes),
        distribution=(votes / votes.sum(axis=1, keepdims=True)).astype(np.float32),
        majority=majority,
        skipped=int((~usable).sum()),
    )


class _Shelf(Protocol):
    """One split, in a folder or in a zip file."""

    label: str
    """What to call its label file in messages."""

    def read(self, name: str) -> bytes | None:
        """Read the file ``name`` in the split's folder; None where it is not there."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.label = str(folder / "label.csv")

    def read(self, name: str) -> bytes | None:
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None


class _Zip:
    def __init__(self, path: Path, archive: zipfile.ZipFile, prefix: str) -> None:
        self.archive, self.prefix = archive, prefix
        self.label = f"{path}/{prefix}label.csv"

    def read(self, name: str) -> bytes | None:
        try:
            return self.archive.read(self.prefix + name)
        except KeyError:
            return None
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"{self.archive.filename}: {self.prefix}{name} is damaged ({error})") from error


def _open(path: Path, folder: str) -> _Shelf:
    if path.is_dir():
        found = sorted(path.glob(f"**/{folder}/label.csv"))
        if path.name == folder and (path / "label.csv").is_file():
            found = [path / "label.csv"]
        if found:
            return _Folder(found[0].parent)
    else:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"FER+ {path}: neither a folder nor a zip file ({error})") from error
        found_in_zip = sorted(n for n in archive.namelist() if f"/{n}".endswith(f"/{folder}/label.csv"))
        if found_in_zip:
            return _Zip(path, archive, found_in_zip[0].removesuffix("label.csv"))
    raise UserError(f"FER+ {path}: holds no {folder}/label.csv")


def _read_labels(shelf: _Shelf) -> tuple[list[str], NDArray[np.float64]]:
    text = shelf.read("label.csv")
    if text is None:
        raise UserError(f"{shelf.label}: no such file")
    names, votes = [], []
    for number, row in enumerate(csv.reader(io.StringIO(text.decode("utf-8", "replace"))), start=1):
        if not row:
            continue
        try:
            counts = [float(cell) for cell in row[2 : 2 + COLUMNS]]
        except ValueError:
            counts = []
        if len(counts) < COLUMNS or not all(0 <= count < np.inf for count in counts):
            raise UserError(f"{shelf.label}, line {number}: expected file, box and ten vote counts, found {row!r}")
        names.append(row[0])
        votes.append(counts)
    return names, np.array(votes, np.float64).reshape(-1, COLUMNS)


def _read_image(shelf: _Shelf, name: str) -> NDArray[np.uint8]:
    import cv2

    data = shelf.read(name)
    where = Path(shelf.label).parent / name
    if data is None:
        raise UserError(f"{where}: no such image, though label.csv lists it")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        raise UserError(f"{where}: not an image")
    if image.shape != (SIZE, SIZE):
        interpolation = cv2.INTER_AREA if min(image.shape) > SIZE else cv2.INTER_CUBIC
        image = cv2.resize(image, (SIZE, SIZE), interpolation=interpolation)
    return image.astype(np.uint8, copy=False)
