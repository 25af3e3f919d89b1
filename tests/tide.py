"""Kinds of errors as TIDE's own program finds them, and where ours finds others.

python tests/tide.py MODEL DATA [SPLIT]
"""

import sys

import numpy as np
import pytest

from yolov2_tf.evaluation.error_kinds import KINDS, error_kinds

SHORT = {
    "class": "Cls",
    "place": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}
"""TIDE's names of our kinds."""

NEAR = 1e-9
"""What costs, as fractions, may differ by."""


def tide(dataset, detections, overlap=0.5, most=100):
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


def disagreements(dataset, detections, overlap=0.5, most=100):
    """A line for each figure that is not TIDE's."""
    ap, costs, counts, special = tide(dataset, detections, overlap, most)
    kinds = error_kinds(dataset, detections, overlap, most=most)
    pairs = [
        ("AP", kinds.map, ap),
        ("cost of false positives", kinds.false_positives, special["FalsePos"]),
        ("cost of false negatives", kinds.false_negatives, special["FalseNeg"]),
    ]
    for kind in KINDS:
        pairs.append((f"number of {kind}", kinds.counts[kind], counts[SHORT[kind]]))
        pairs.append((f"cost of {kind}", kinds.costs[kind], costs[SHORT[kind]]))
    return [
        f"{name}: {ours}, TIDE {theirs}"
        for name, ours, theirs in pairs
        if not abs(ours - theirs) <= NEAR
    ]


def detections_of(model, data, split):
    """A data set and what a model finds in it, as `yolov2 evaluate` has them."""
    from yolov2_tf.data.image_check import check_images
    from yolov2_tf.data.source import open_dataset
    from yolov2_tf.detection.thresholds import EVALUATION
    from yolov2_tf.export.detectors import open_model

    dataset, _ = check_images(open_dataset(data, split=split))
    detector = open_model(model, EVALUATION)
    return dataset, list(detector.detect(record.image for record in dataset.records))


if __name__ == "__main__":
    model, data, split = [*sys.argv[1:], None][:3]
    dataset, detections = detections_of(model, data, split)
    kinds = error_kinds(dataset, detections)
    print(f"{len(dataset)} pictures, {sum(len(one['scores']) for one in detections):,} detections")
    for kind in KINDS:
        print(f"{kind}: {kinds.counts[kind]:,}, costs {kinds.costs[kind]:.2%}")
    print("\n".join(disagreements(dataset, detections)) or "all figures are TIDE's")
