"""Kinds of errors, against TIDE's own program on the same detections."""

import numpy as np
import pytest
from random_scenes import scenes
from tide import detections_of, disagreements

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.evaluation.error_kinds import error_kinds

SETTINGS = [(0.5, 100, 0), (0.5, 4, 0.2), (0.75, 100, 0.1)]  # overlap, most, share ignored


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("overlap", "most", "ignore"), SETTINGS)
def test_the_figures_are_tides(seed, overlap, most, ignore):
    dataset, detections = scenes(seed, ignore=ignore)
    assert disagreements(dataset, detections, overlap, most) == []


def test_a_figure_that_is_another_is_told(monkeypatch):
    dataset, detections = scenes(0)
    right = error_kinds(dataset, detections)
    wrong = right._replace(costs={**right.costs, "place": right.costs["place"] + 1e-6})
    monkeypatch.setattr("tide.error_kinds", lambda *arguments, **options: wrong)
    [said] = disagreements(dataset, detections)
    assert said.startswith("cost of place")


@pytest.mark.slow
def test_the_figures_are_tides_on_photos(shared_data):
    """Here truths are ignored (`difficult`), and a network errs in its own ways."""
    dataset, detections = detections_of("starter", shared_data / "voc2007_sample", None)
    assert dataset.records.ignore.any()
    assert disagreements(dataset, detections) == []


BOX = np.array([0.2, 0.2, 0.6, 0.6], np.float32)
RIGHT = BOX + np.array([0, 0.2, 0, 0.2], np.float32)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ([(BOX, 1, 0.9)], "class"),
        ([(RIGHT, 0, 0.9)], "place"),
        ([(RIGHT, 1, 0.9)], "both"),
        ([(BOX, 0, 0.9), (BOX, 0, 0.8)], "duplicate"),
        ([(BOX, 0, 0.9), (BOX + 0.4, 0, 0.8)], "background"),
        ([], "missed"),
    ],
)
def test_each_kind_by_hand(found, kind):
    labels = np.zeros(1, np.int32)
    record = Record(None, "x", BOX[None], labels, np.zeros(1, bool), 100, 100)
    boxes, labels, scores = zip(*found, strict=True) if found else ([], [], [])
    answer = {"boxes": np.reshape(boxes, (-1, 4)), "labels": np.array(labels, int)}
    answer["scores"] = np.array(scores, float)
    kinds = error_kinds(Dataset("one", ("a", "b"), [record]), [answer])
    assert kinds.counts[kind] == 1
    # A box that is off by class and place leaves its truth missed.
    assert sum(kinds.counts.values()) == (2 if kind == "both" else 1)


def test_nothing_at_all():
    nothing = Record(None, "x", np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool))
    answer = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    kinds = error_kinds(Dataset("none", ("a",), [nothing]), [answer])
    assert set(kinds.counts.values()) == {0}
