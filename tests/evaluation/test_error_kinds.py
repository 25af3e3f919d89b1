"""Kinds of errors, against TIDE's own program on the same detections."""

import numpy as np
import pytest
from random_scenes import scenes

from yolov2_tf.data.records import Dataset, Record
from yolov2_tf.evaluation.error_kinds import KINDS, error_kinds

SETTINGS = [(0.5, 100, 0), (0.5, 4, 0.2), (0.75, 100, 0.1)]  # overlap, most, share ignored
SHORT = {
    "class": "Cls",
    "place": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}


def tide(dataset, detections, overlap, most):
    """What `tidecv` says: `(AP, costs, counts, special)`."""
    tidecv = pytest.importorskip("tidecv", reason="needs tidecv, see the Makefile's setup")
    truths, found = tidecv.Data("truths", max_dets=most), tidecv.Data("found", max_dets=most)

    def xywh(box):
        y_min, x_min, y_max, x_max = np.asarray(box, float) * 1000
        return [x_min, y_min, x_max - x_min, y_max - y_min]

    for image, (record, answer) in enumerate(zip(dataset.records, detections, strict=True)):
        truths.add_image(image, str(image))
        found.add_image(image, str(image))
        for box, label, ignore in zip(record.boxes, record.labels, record.ignore, strict=True):
            add = truths.add_ignore_region if ignore else truths.add_ground_truth
            add(image, int(label), xywh(box))
        columns = (answer[key] for key in ("boxes", "labels", "scores"))
        for box, label, score in zip(*columns, strict=True):
            found.add_detection(image, int(label), float(score), xywh(box))
    run = tidecv.TIDE().evaluate(truths, found, pos_threshold=overlap, mode=tidecv.TIDE.BOX)
    costs = {kind.short_name: value / 100 for kind, value in run.fix_main_errors().items()}
    counts = {kind.short_name: value for kind, value in run.count_errors().items()}
    special = {kind.short_name: value / 100 for kind, value in run.fix_special_errors().items()}
    return run.ap / 100, costs, counts, special


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("overlap", "most", "ignore"), SETTINGS)
def test_the_figures_are_tides(seed, overlap, most, ignore):
    dataset, detections = scenes(seed, ignore=ignore)
    ap, costs, counts, special = tide(dataset, detections, overlap, most)
    kinds = error_kinds(dataset, detections, overlap, most=most)
    assert kinds.map == pytest.approx(ap, abs=1e-9)
    assert {SHORT[kind]: n for kind, n in kinds.counts.items()} == counts
    for kind in KINDS:
        assert kinds.costs[kind] == pytest.approx(costs[SHORT[kind]], abs=1e-9), kind
    assert kinds.false_positives == pytest.approx(special["FalsePos"], abs=1e-9)
    assert kinds.false_negatives == pytest.approx(special["FalseNeg"], abs=1e-9)


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
