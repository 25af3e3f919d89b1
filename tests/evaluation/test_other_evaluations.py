"""AP against a slow one by the devkit's formulas, and against pycocotools."""

import contextlib
import io
import math
from fractions import Fraction

import numpy as np
import pytest
from pixel_scenes import SIZE, dataset, random_scene

from yolov2_tf.data.records import Record
from yolov2_tf.evaluation.detections import evaluate


def inclusive(boxes):
    return np.asarray(boxes, np.float64) * SIZE + [1, 1, 0, 0]


def devkit(data, detections, label, threshold, area):
    """`VOCevaldet.m`, line by line, on inclusive pixels."""
    found = [
        (score, i, box)
        for i, entry in enumerate(detections)
        for box, lab, score in zip(
            inclusive(entry["boxes"]), entry["labels"], entry["scores"], strict=True
        )
        if lab == label
    ]
    found.sort(key=lambda row: -row[0])
    positives = sum(int(np.sum((r.labels == label) & ~r.ignore)) for r in data.records)
    if positives == 0:
        return math.nan
    taken, tp, fp = set(), [], []
    for _, i, box in found:
        r = data.records[i]
        best, best_iou = None, -math.inf
        for j in np.flatnonzero(r.labels == label):
            truth = inclusive(r.boxes[j])
            height = min(box[2], truth[2]) - max(box[0], truth[0]) + 1
            width = min(box[3], truth[3]) - max(box[1], truth[1]) + 1
            if height > 0 and width > 0:
                areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, truth)]
                overlap = height * width / (sum(areas) - height * width)
                if overlap > best_iou:
                    best, best_iou = j, overlap
        hit = best_iou >= threshold
        if hit and r.ignore[best]:
            tp, fp = [*tp, 0], [*fp, 0]
        elif hit and (i, best) not in taken:
            taken.add((i, best))
            tp, fp = [*tp, 1], [*fp, 0]
        else:
            tp, fp = [*tp, 0], [*fp, 1]
    points = []  # exact (recall, precision)
    for k in range(1, len(tp) + 1):
        t, f = sum(tp[:k]), sum(fp[:k])
        if t + f:
            points.append((Fraction(t, positives), Fraction(t, t + f)))
    return float(area(points))


def eleven_points(points):
    levels = [Fraction(t, 10) for t in range(11)]
    return sum(max((p for r, p in points if r >= t), default=0) for t in levels) / Fraction(11)


def envelope_area(points):
    total, before = Fraction(0), Fraction(0)
    for recall in sorted({r for r, _ in points}):
        total += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return total


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize(("metric", "area"), [("voc07", eleven_points), ("voc10", envelope_area)])
def test_voc_equals_the_devkit(metric, area, threshold):
    some_ap = 0
    for seed in range(6):
        data, detections = random_scene(seed)
        result = evaluate(data, detections, metric, iou=threshold)
        expected = [devkit(data, detections, c, threshold, area) for c in range(4)]
        np.testing.assert_allclose(list(result.ap.values()), expected, atol=1e-12)
        assert result.map == pytest.approx(np.nanmean(expected))
        some_ap += 0.05 < result.map < 0.95
    assert some_ap >= 4  # the scenes are neither trivial nor hopeless


def pycocotools_figures(data, detections):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def xywh(box):
        y_min, x_min, y_max, x_max = np.asarray(box, np.float64) * SIZE
        return [x_min, y_min, x_max - x_min, y_max - y_min]

    annotations = [
        {"image_id": i + 1, "category_id": int(label) + 1, "bbox": xywh(box),
         "area": float(np.prod(xywh(box)[2:])), "iscrowd": int(ignore)}
        for i, r in enumerate(data.records)
        for box, label, ignore in zip(r.boxes, r.labels, r.ignore, strict=True)
    ]  # fmt: skip
    results = [
        {"image_id": i + 1, "category_id": int(label) + 1, "bbox": xywh(box), "score": float(score)}
        for i, entry in enumerate(detections)
        for box, label, score in zip(
            *(entry[k] for k in ("boxes", "labels", "scores")), strict=True
        )
    ]
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i + 1, "height": 480, "width": 640} for i in range(len(data.records))],
        "categories": [{"id": c + 1} for c in range(len(data.class_names))],
        "annotations": [{"id": n, **a} for n, a in enumerate(annotations, 1)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    keys = "AP AP50 AP75 AP_small AP_medium AP_large AR_1 AR_10 AR_100 AR_small AR_medium AR_large"
    precision = judge.eval["precision"][:, :, :, 0, 2]
    return dict(zip(keys.split(), judge.stats, strict=True)), precision.mean(axis=(0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_coco_equals_pycocotools(seed):
    data, detections = random_scene(seed, images=20, classes=3, most=9)
    expected, ap = pycocotools_figures(data, detections)
    result = evaluate(data, detections, "coco")
    assert any(r.ignore.any() for r in data.records)
    assert result.map == pytest.approx(expected.pop("AP"), abs=1e-9)
    assert result.map > 0.05
    assert result.extra == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(list(result.ap.values()), ap, atol=1e-9)
    curve = result.curves["class 0"]
    assert len(curve.recall) == len(curve.precision) == len(curve.scores) == 101


def test_coco_areas_are_nan_without_picture_sizes():
    data, detections = random_scene(0)
    blind = [Record(None, r.image_id, r.boxes, r.labels, r.ignore) for r in data.records]
    sized, unsized = (evaluate(d, detections, "coco") for d in (data, dataset(blind, 4)))
    assert unsized.map == pytest.approx(sized.map, abs=1e-6)
    assert unsized.extra["AP50"] == pytest.approx(sized.extra["AP50"], abs=1e-6)
    assert math.isnan(unsized.extra["AP_small"])
    assert math.isfinite(sized.extra["AP_large"])
