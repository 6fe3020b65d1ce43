import numpy as np
import pytest

from vidlink.scores.detection import average_precision, overlaps

pytest.importorskip("pycocotools")


def scene(rng, frames=4, classes=3):
    """Labels, and boxes near them with scores, some of the wrong class, some of nothing."""
    labels, found = [], []
    for _ in range(frames):
        corner, size = rng.uniform(0, 80, (5, 2)), rng.uniform(5, 30, (5, 2))
        truth = np.column_stack([corner, corner + size, rng.integers(0, classes - 1, 5)])
        moved = truth[:, :4] + rng.normal(0, 2, (5, 4))
        boxes = np.column_stack([moved, rng.uniform(0, 1, 5), truth[:, 4]])
        boxes[0, 5] = classes - 1  # of a class that no label has
        labels.append(truth)
        found.append(boxes)
    return found, labels


def by_hand(found, labels, number, threshold):
    """AP of a class: greedy matches by falling score, precision made monotone, read at 101 recalls."""
    rows = [(box[4], frame, box) for frame, boxes in enumerate(found) for box in boxes if box[5] == number]
    truth = [each[each[:, 4] == number] for each in labels]
    taken, hits = [np.zeros(len(each), bool) for each in truth], []
    for _, frame, box in sorted(rows, key=lambda row: -row[0]):
        shared = overlaps(box[None], truth[frame])[0] * ~taken[frame] if len(truth[frame]) else np.zeros(0)
        hit = bool(len(shared) and shared.max() >= threshold)
        if hit:
            taken[frame][shared.argmax()] = True
        hits.append(hit)
    right = np.cumsum(hits)
    recall, precision = right / sum(map(len, truth)), right / np.arange(1, len(hits) + 1)
    return np.mean([precision[recall >= at - 1e-12].max(initial=0) for at in np.linspace(0, 1, 101)])


def test_average_precision_is_what_the_definition_gives():
    found, labels = scene(np.random.default_rng(3))
    score = average_precision(found, labels, 3)
    assert score.map50 == pytest.approx(np.mean([by_hand(found, labels, k, 0.5) for k in (0, 1)]), abs=1e-9)
    every = [by_hand(found, labels, k, t) for k in (0, 1) for t in np.arange(0.5, 1, 0.05)]
    assert score.map == pytest.approx(np.mean(every), abs=1e-9)
    assert np.isnan(score.by_class[2])
    assert 0 < score.map < score.map50 < 1


def test_no_boxes_score_nothing_and_no_labels_give_no_score():
    found, labels = scene(np.random.default_rng(3), frames=1)
    assert average_precision([found[0][:0]], labels, 3).map50 == 0
    assert average_precision(found, [labels[0][:0]], 3).map50 is None


def test_of_ten_thousand_boxes_a_hundred_count():
    label = np.array([[0.0, 0, 10, 10, 0]])
    wrong = np.tile([50.0, 50, 60, 60, 0.9, 0], (10_000, 1))
    last = np.array([[0.0, 0, 10, 10, 0.5, 0]])
    assert average_precision([np.concatenate([wrong, last])], [label], 1).map50 == 0
    assert average_precision([np.concatenate([wrong[:99], last])], [label], 1).map50 == pytest.approx(0.01)
