"""What labelled pictures hold, and what is wrong with them: what ``vidlink check camvid:PATH`` and the like print."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.data.picture_set import Form, PictureSet, load_pictures
from vidlink.data.sets import DATA_SETS, split_spec
from vidlink.errors import UserError
from vidlink.labels.maps import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS: tuple[Form, ...] = ("labels", "maps", "boxes")
"""Forms of labels, in the order in which they are listed."""


@dataclass(kw_only=True)
class ExaminedPictures:
    """One form of label of a data set."""

    form: Form
    """Which one."""
    classes: tuple[str, ...] = ()
    """Names of the classes."""
    pictures: int = 0
    """How many could be read."""
    sizes: Counter[str] = field(default_factory=Counter)
    """How many have which size."""
    counts: Counter[int] = field(default_factory=Counter)
    """By class how many pictures, pixels or boxes there are; pixels without a label are 255."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong, a line each."""

    def lines(self) -> Iterator[str]:
        """What is there, a line each."""
        sizes = ", ".join(f"{size} ({count})" for size, count in self.sizes.most_common(3))
        more = f", {len(self.sizes) - 3} other sizes" if len(self.sizes) > 3 else ""
        yield f"{self.form}: {self.pictures} pictures, {sizes or 'of no size'}{more}"
        total = max(1, sum(self.counts.values()))
        for index, name in enumerate(self.classes):
            count = self.counts[index]
            yield f"  {name}  " + (f"{100 * count / total:.2f} %" if self.form == "maps" else str(count))
        if self.form == "maps":
            yield f"  not labelled  {100 * self.counts[UNLABELLED] / total:.2f} %"


def forms_of(spec: str) -> list[Form]:
    """Forms of labels that the data set behind a spec has; none for data that are no labelled pictures."""
    kind, _ = split_spec(spec)
    return [form for form in FORMS if kind in DATA_SETS and form in DATA_SETS[kind].reads]


def examine_pictures(spec: str, form: Form) -> ExaminedPictures:
    """Read every picture and every label; those that cannot be read say why.

    Raises
    ------
    UserError
        There is nothing to look at.
    """
    found = ExaminedPictures(form=form)
    kind, path = split_spec(spec)
    if kind == "coco":
        from vidlink.data.coco import read_coco, wrong_in

        found.wrong += wrong_in(read_coco(path))
        if found.wrong:
            return found
    pictures = load_pictures(spec, form, "all")
    found.classes = pictures.classes
    for each in pictures.pictures:
        try:
            image, label = each.read(), each.label()
        except UserError as error:
            found.wrong.append(str(error))
            continue
        found.pictures += 1
        found.sizes[f"{image.shape[1]}x{image.shape[0]}"] += 1
        _count(found, label)
    found.wrong += _empty(found, pictures)
    return found


def _count(found: ExaminedPictures, label: Any) -> None:
    values = [label] if found.form == "labels" else label[:, 4] if found.form == "boxes" else label
    numbers, counts = np.unique(np.asarray(values, np.int64), return_counts=True)
    found.counts.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))


def _empty(found: ExaminedPictures, pictures: PictureSet) -> Iterator[str]:
    for index, name in enumerate(pictures.classes):
        if not found.counts[index] and found.pictures:
            yield f"class {name}: in none of {found.pictures} pictures"
