"""Recall by condition, confusion, calibration; doubtful labels and worst pictures."""

import numpy as np
import pytest
from random_scenes import scenes

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.evaluation.conditions import calibration, confusion, recall_by_condition
from yolov2_tf.evaluation.doubts import doubts, worst_pictures
from yolov2_tf.evaluation.operating_points import above, operating_curves

CORNER, MIDDLE = [0, 0, 0.2, 0.2], [0.4, 0.4, 0.9, 0.9]


def data(boxes, labels, *, ignore=None, size=(100, 100)):
    ignore = np.zeros(len(boxes), bool) if ignore is None else np.array(ignore)
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    record = Record(None, "x", boxes, np.array(labels, np.int32), ignore, *size[::-1])
    return Dataset("one", ("a", "b"), [record])


def answer(*rows):
    boxes, labels, scores = zip(*rows, strict=True) if rows else ([], [], [])
    found = {"boxes": np.reshape(boxes, (-1, 4)), "labels": np.array(labels, int)}
    return [{**found, "scores": np.array(scores, float)}]


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_are_those_of_the_curves(seed):
    dataset, detections = scenes(seed)
    kept = [above(found, 0.4) for found in detections]
    overall, by_class = operating_curves(dataset, kept)
    for parts in recall_by_condition(dataset, kept):
        assert sum(part.truths for part in parts.values()) == overall.truths
        assert sum(part.found for part in parts.values()) == overall.found[-1]
    matrix = confusion(dataset, kept)
    for label, name in enumerate(dataset.class_names):
        assert matrix[label].sum() == by_class[name].truths
    honest = calibration(dataset, kept)
    assert honest.number.sum() == len(overall.scores)
    right = np.nansum(honest.precision * honest.number)
    assert right == pytest.approx(overall.found[-1])
    pictures = worst_pictures(dataset, kept)
    assert sum(picture.lost for picture in pictures) == overall.truths - overall.found[-1]
    assert sum(picture.wrong for picture in pictures) == len(overall.scores) - overall.found[-1]
    errors = [picture.wrong + picture.lost for picture in pictures]
    assert errors == sorted(errors, reverse=True)


def test_sizes_and_crowds():
    dataset = data([CORNER, [0.1, 0.1, 0.3, 0.3], MIDDLE], [0, 0, 1])
    by_size, by_crowding = recall_by_condition(dataset, answer((MIDDLE, 1, 0.9)))
    assert by_size == {"small": (2, 0), "medium": (1, 1), "large": (0, 0)}
    assert by_crowding == {"0": (1, 1), "1": (2, 0), "2": (0, 0), "3 or more": (0, 0)}
    unknown = data([CORNER, MIDDLE], [0, 1], size=(0, 0))
    by_size, _ = recall_by_condition(unknown, answer())
    assert [part.truths for part in by_size.values()] == [0, 1, 1]


def test_confusion_by_hand():
    dataset = data([CORNER, MIDDLE, [0.6, 0, 0.8, 0.2]], [0, 1, 0], ignore=[False, False, True])
    found = answer(
        (CORNER, 1, 0.9),  # a is taken for b
        (MIDDLE, 1, 0.8),
        (MIDDLE, 0, 0.7),  # nothing is left there
        ([0.6, 0, 0.8, 0.2], 0, 0.6),  # to be ignored
    )
    np.testing.assert_array_equal(confusion(dataset, found), [[0, 1, 0], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(confusion(dataset, answer()), [[0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_two_truths_on_one_place_are_told_apart_by_class():
    dataset = data([MIDDLE, MIDDLE], [0, 1])
    matrix = confusion(dataset, answer((MIDDLE, 1, 0.9), (MIDDLE, 0, 0.8)))
    np.testing.assert_array_equal(matrix, np.diag([1, 1, 0]))


def test_honest_scores_have_no_error():
    dataset = data([MIDDLE], [0])
    assert calibration(dataset, answer((MIDDLE, 0, 1.0), (CORNER, 0, 0.0))).error == 0
    assert calibration(dataset, answer((MIDDLE, 0, 0.25))).error == pytest.approx(0.75)


def test_doubts_by_hand():
    dataset = data([MIDDLE, [0.6, 0, 0.8, 0.2]], [1, 0], ignore=[False, True])
    found = answer(
        (CORNER, 0, 0.9),  # nothing is annotated there
        (CORNER, 1, 0.8),  # the same place again
        (MIDDLE, 0, 0.7),  # b is annotated there
        (MIDDLE, 1, 0.6),
        ([0.6, 0, 0.8, 0.2], 0, 0.99),  # on what is to be ignored
    )
    missing, other, lost = doubts(dataset, found)
    assert [(doubt.label, doubt.score, doubt.truth) for doubt in missing] == [(0, 0.9, -1)]
    assert [(doubt.label, doubt.score, doubt.truth) for doubt in other] == [(0, 0.7, 1)]
    assert lost == []
    missing, other, lost = doubts(dataset, answer((CORNER, 0, 0.9)))
    assert [(doubt.label, doubt.score) for doubt in lost] == [(1, 0)]
    np.testing.assert_allclose(lost[0].box, MIDDLE, atol=1e-6)
