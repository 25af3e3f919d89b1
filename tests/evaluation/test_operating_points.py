"""Precision, recall and F1 over the threshold, and the best one."""

import json
import math

import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.operating_points import (
    OperatingCurve,
    above,
    best_thresholds,
    operating_curves,
    read_thresholds,
    thresholds_beside,
)


def test_the_best_threshold_is_that_of_trying_all():
    random = np.random.default_rng(0)
    for _ in range(20):
        scores = np.sort(random.choice(np.linspace(0.1, 0.9, 9), 30))[::-1]  # with ties
        hits = random.random(30) < scores
        curve = OperatingCurve(scores, np.cumsum(hits), 20)
        tried = [curve.at(t)[2] for t in np.linspace(0, 1, 2001)]
        assert curve.at(curve.best())[2] == pytest.approx(max(tried))


def test_at_counts_what_scores_above():
    curve = OperatingCurve(np.array([0.9, 0.8, 0.8, 0.3]), np.array([1, 1, 2, 3]), 4)
    assert curve.at(0.8) == pytest.approx((1, 1 / 4, 2 / 5))  # above 0.8, not from it on
    assert curve.at(0.79) == pytest.approx((2 / 3, 2 / 4, 4 / 7))
    assert math.isnan(curve.at(0.9)[0])
    assert curve.at(0.9)[1:] == (0, 0)


def test_nothing_found_has_no_best():
    assert OperatingCurve(np.zeros(0), np.zeros(0, int), 3).best() is None
    assert OperatingCurve(np.array([0.5]), np.array([0]), 3).best() is None


def test_curves_count_hits_and_ignore_what_is_ignored():
    boxes = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], np.float32)
    record = Record(None, "x", boxes, np.array([0, 1], np.int32), np.array([False, True]))
    found = {"boxes": np.concatenate([boxes, boxes[:1]]), "labels": np.array([0, 1, 1])}
    found["scores"] = np.array([0.4, 0.9, 0.8])
    overall, by_class = operating_curves(Dataset("set", ("a", "b"), [record]), [found])
    assert list(by_class) == ["a"]
    np.testing.assert_array_equal(overall.scores, [0.8, 0.4])
    np.testing.assert_array_equal(overall.found, [0, 1])
    assert overall.truths == 1
    thresholds = best_thresholds(overall, by_class)
    assert thresholds["classes"]["a"] == pytest.approx(0.2)


def test_files_are_read_and_faults_named(tmp_path):
    path = tmp_path / "thresholds.json"
    path.write_text(json.dumps({"all": 0.5, "classes": {"b": 0.25}}))
    np.testing.assert_array_equal(read_thresholds(path, ("a", "b")), [0.5, 0.25])
    for text, message in (
        ("no", "is not JSON"),
        ("[1]", "holds no thresholds"),
        ('{"all": 0.5, "classes": {"c": 0.5}}', "'c', which this model does not know"),
        ('{"all": null, "classes": {}}', "the evaluation found nothing"),
        ('{"all": 1.5, "classes": {}}', "a threshold of 1.5"),
        ('{"all": true, "classes": {}}', "a threshold of True"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_thresholds(path, ("a", "b"))
    with pytest.raises(InputError, match="No such file"):
        read_thresholds(tmp_path / "none.json", ("a",))


def test_thresholds_lie_beside_the_model_whatever_it_is_called(tmp_path, monkeypatch):
    (tmp_path / "model" / "1").mkdir(parents=True)
    beside = tmp_path / "model.thresholds.json"
    monkeypatch.chdir(tmp_path / "model")
    assert thresholds_beside(".") == thresholds_beside(tmp_path / "model") == beside
    monkeypatch.chdir("1")
    assert thresholds_beside("..") == beside


def test_above_takes_each_class_by_its_own():
    found = {"boxes": np.zeros((3, 4)), "labels": np.array([0, 1, 1])}
    found["scores"] = np.array([0.4, 0.4, 0.3])
    assert above(found, [0.5, 0.3])["scores"].tolist() == [0.4]
    assert above(found, 0.3)["scores"].tolist() == [0.4, 0.4]
    nothing = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    assert len(above(nothing, [0.5, 0.3])["labels"]) == 0
