"""Thresholds refuse what cannot be, and fill one another up."""

import pytest

from yolov2_tf.detection.thresholds import DEFAULT, EVALUATION, EXPORT, Thresholds, either
from yolov2_tf.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"score": 1.5}, r"score threshold 1\.5 \(expected 0 to 1\)"),
        ({"score": float("nan")}, "score threshold nan"),
        ({"iou": -0.1}, r"overlap threshold -0\.1"),
        ({"tree": 2}, "tree threshold 2"),
        ({"score": "high"}, "score threshold high"),
        ({"score": Thresholds(0.3)}, "score threshold Thresholds"),
        ({"detections": 2.5}, r"number of detections 2\.5"),
        ({"detections": 0}, r"number of detections 0 \(expected 1 or more\)"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Thresholds(**values)


def test_what_is_not_said_comes_from_others():
    mine = Thresholds(score=0.0, detections=7)
    assert mine.over(DEFAULT) == Thresholds(0.0, 0.45, 7, 0.5)
    assert Thresholds().over(EVALUATION) == EVALUATION
    assert DEFAULT.over(EVALUATION) == DEFAULT


def test_a_score_alone_or_thresholds():
    assert either(0.3, None) == Thresholds(score=0.3)
    assert either(None, Thresholds(iou=0.6)) == Thresholds(iou=0.6)
    assert either(None, None) == Thresholds()
    for wrong in (0.3, {"score": 0.3}):
        with pytest.raises(InputError, match=r"thresholds are .*Thresholds\(score=0.3, …\)"):
            either(None, wrong)
    with pytest.raises(InputError, match="score_threshold beside thresholds"):
        either(0.0, Thresholds(iou=0.6))


def test_the_numbers_are_those_of_the_paper_and_of_darknet():
    assert Thresholds(0.25, 0.45, 100, 0.5) == DEFAULT
    assert Thresholds(0.005, 0.45, 300, 0.5) == EVALUATION
    assert Thresholds(0.005, 0.45, 100, 0.5) == EXPORT
