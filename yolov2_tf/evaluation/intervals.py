"""How sure a mean average precision is: bootstrap over pictures.

The pictures of a test set are a sample. Drawn again, as many with replacement, they give other
figures; the middle 95 % of those are the interval (Efron and Tibshirani, "An introduction to the
bootstrap", 1993, percentile intervals). A picture drawn twice counts as two pictures. For two
models the same pictures are drawn, so that the interval of the difference is that of pairs.
"""

import math
from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou, share_within
from yolov2_tf.evaluation.box_tables import found_table, truth_table
from yolov2_tf.evaluation.voc import NEUTRAL, TRUE_POSITIVE, envelope, match

DRAWS = 500
COCO_IOUS = np.linspace(0.5, 0.95, 10)


class Interval(NamedTuple):
    """The middle 95 % of what other samples of pictures give, as fractions.

    Attributes:
        low: Lower end.
        high: Upper end.
    """

    low: float
    high: float


class Resampling:
    """The hits of a detector, ready to be weighed by picture.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`.
        metric: One of its metrics.
        iou: Least IoU of a hit for the VOC metrics.
    """

    def __init__(self, dataset, detections, metric="voc07", iou=0.5):
        truths, found = truth_table(dataset), found_table(dataset, detections)
        order = np.argsort(-found.scores, kind="stable")
        found = type(found)(*(column[order] for column in found))
        self.images = len(dataset)
        self._metric = metric
        classes = len(dataset.class_names)
        counting = ~truths.ignore
        self._truths = np.zeros((classes, self.images))
        np.add.at(self._truths, (truths.labels[counting], truths.image[counting]), 1)
        self.labels = np.flatnonzero(self._truths.sum(axis=1)).tolist()
        judge = _coco_verdicts if metric == "coco" else _voc_verdicts
        self._hits = {label: [] for label in self.labels}
        for verdict in judge(found, truths, classes, iou):
            for label in self.labels:
                rows = (found.labels == label) & (verdict != NEUTRAL)
                self._hits[label].append((found.image[rows], verdict[rows] == TRUE_POSITIVE))

    def ap(self, weights):
        """AP of each class with truths; NaN where the pictures drawn hold none.

        Args:
            weights: `(images,)` how often each picture counts.

        Returns:
            `(len(labels),)` float64.
        """
        return np.array([self._class_ap(label, weights) for label in self.labels])

    def _class_ap(self, label, weights):
        positives = float(self._truths[label] @ weights)
        if not positives:
            return math.nan
        return float(np.mean([
            _area(self._metric, weights[image], hits, positives)
            for image, hits in self._hits[label]
        ]))  # fmt: skip


def intervals(resampling, other=None, draws=DRAWS, seed=0):
    """Intervals of the mean AP and of each class's AP, or of their differences.

    Args:
        resampling: `Resampling` of a detector.
        other: `Resampling` of another one on the same pictures: then the intervals are those of
            `resampling` minus `other`.
        draws: How often to draw.
        seed: Of the drawing.

    Returns:
        `(of the mean, {label: of the class})`, `Interval`s; None where nothing can be said.
    """
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        drawn = random.integers(0, resampling.images, resampling.images)
        weights = np.bincount(drawn, minlength=resampling.images).astype(float)
        ap = resampling.ap(weights)
        if other is not None:
            ap = ap - other.ap(weights)
        known = ap[np.isfinite(ap)]
        rows.append([known.mean() if len(known) else math.nan, *ap])
    columns = np.array(rows).reshape(len(rows), -1).T
    mean, *by_class = [_middle(column) for column in columns]
    return mean, dict(zip(resampling.labels, by_class, strict=True))


def _middle(values):
    values = values[np.isfinite(values)]
    return Interval(*map(float, np.percentile(values, (2.5, 97.5)))) if len(values) else None


def _area(metric, weights, hits, positives):
    """AP where each detection counts as often as its picture was drawn."""
    right = np.cumsum(weights * hits)
    kept = np.cumsum(weights)
    precision = envelope(right / np.maximum(kept, 1e-9)) if len(hits) else np.zeros(0)
    recall = right / positives
    if metric == "voc10":
        return np.sum(precision * np.diff(recall, prepend=0.0))
    levels = np.arange(11) / 10 if metric == "voc07" else np.linspace(0, 1, 101)
    return np.append(precision, 0.0)[np.searchsorted(recall, levels)].mean()


def _voc_verdicts(found, truths, classes, least):
    keys, truth_keys = found.image * classes + found.labels, truths.image * classes + truths.labels
    yield match(keys, found.boxes, truth_keys, truths.boxes, truths.ignore, least)


def _coco_verdicts(found, truths, classes, _):
    """COCO's rule at its ten IoUs: the best truth that is still free (`pycocotools/cocoeval.py`).

    Of an image and class 100 detections count. Boxes to be ignored are crowds: what lies in one by
    its own area is neutral.
    """
    keys, truth_keys = found.image * classes + found.labels, truths.image * classes + truths.labels
    verdicts = np.zeros((len(COCO_IOUS), len(keys)), np.int8)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(keys[order]) > 0)) if len(order) else []
    by_truth = np.argsort(truth_keys, kind="stable")
    for start, end in zip(starts, [*starts, len(order)][1:], strict=True):
        rows = order[start:end]
        verdicts[:, rows[100:]] = NEUTRAL
        rows = rows[:100]
        low, high = np.searchsorted(truth_keys[by_truth], keys[rows[0]] + np.array([0, 1]))
        of_key = by_truth[low:high]
        ignore = truths.ignore[of_key]
        boxes = found.boxes[rows]
        overlaps = iou(boxes[:, None], truths.boxes[of_key[~ignore]][None])
        regions = truths.boxes[of_key[ignore]]
        inside = share_within(boxes[:, None], regions[None]).max(axis=1, initial=0)
        for k, least in enumerate(COCO_IOUS):
            verdicts[k, rows] = _match_free(overlaps, inside, least)
    yield from verdicts


def _match_free(overlaps, inside, least):
    verdict = np.zeros(len(overlaps), np.int8)
    free = np.ones(overlaps.shape[1], bool)
    least = min(least, 1 - 1e-10)
    for i, row in enumerate(overlaps):
        best = -1
        if free.any():
            best = int(np.where(free, row, -1).argmax())
        if best >= 0 and row[best] >= least:
            free[best] = False
            verdict[i] = TRUE_POSITIVE
        elif inside[i] >= least:
            verdict[i] = NEUTRAL
    return verdict
