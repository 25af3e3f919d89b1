"""When truths are found, what is taken for what, and whether scores are honest."""

from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou
from yolov2_tf.evaluation.box_tables import found_table, truth_table
from yolov2_tf.evaluation.voc import NEUTRAL, TRUE_POSITIVE, match_truths

AREAS = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, np.inf)}
"""COCO's ranges of area in pixels of the picture."""

SHARES = {"small": (0, 0.01), "medium": (0.01, 0.09), "large": (0.09, np.inf)}
"""The same as a share of the picture, where its size is not known."""


class Found(NamedTuple):
    """How many of some truths are found.

    Attributes:
        truths: How many there are.
        found: How many of them a detection of their class hits.
    """

    truths: int
    found: int

    @property
    def recall(self):
        """Fraction, NaN without truths."""
        return self.found / self.truths if self.truths else float("nan")


def recall_by_condition(dataset, detections, iou=0.5):
    """Recall by the size of the truths and by how crowded they stand.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`, those that count: above the
            threshold in use.
        iou: Least IoU of a hit.

    Returns:
        `(by_size, by_crowding)`: dicts of `Found`; `by_crowding` has as keys how many other
        truths of the picture a truth touches: `"0"`, `"1"`, `"2"`, `"3 or more"`.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    hit = found_truths(dataset, truths, found, iou)
    counts = ~truths.ignore
    sizes = np.array([(r.height, r.width) for r in dataset.records], float).reshape(-1, 2)
    known = bool(len(sizes)) and bool(sizes.all())
    area = np.prod(truths.boxes[:, 2:] - truths.boxes[:, :2], axis=1)
    if known:
        area = area * sizes.prod(axis=1)[truths.image]
    by_size = {
        name: _of(counts & (area >= low) & (area < high), hit)
        for name, (low, high) in (AREAS if known else SHARES).items()
    }
    touched = _touched(truths)
    by_crowding = {str(n): _of(counts & (touched == n), hit) for n in range(3)}
    by_crowding["3 or more"] = _of(counts & (touched >= 3), hit)
    return by_size, by_crowding


def found_truths(dataset, truths, found, iou=0.5):
    """`(m,)` bool: whether a detection of its class hits each truth.

    Args:
        dataset: `Dataset`.
        truths: Its `truth_table`.
        found: `found_table` of the detections.
        iou: Least IoU of a hit.
    """
    verdict, closest = judged(len(dataset.class_names), truths, found, iou)
    hit = np.zeros(len(truths.labels), bool)
    hit[closest[verdict == TRUE_POSITIVE]] = True
    return hit


def right_detections(dataset, truths, found, iou=0.5):
    """`(n,)` bool: whether each detection is right, or on a truth that is to be ignored.

    Args:
        dataset: `Dataset`.
        truths: Its `truth_table`.
        found: `found_table` of the detections.
        iou: Least IoU of a hit.
    """
    verdict, _ = judged(len(dataset.class_names), truths, found, iou)
    return (verdict == TRUE_POSITIVE) | (verdict == NEUTRAL)


def judged(classes, truths, found, iou):
    """Matches detections with truths of their class, in each picture the surest first.

    Args:
        classes: Number of classes.
        truths: `truth_table` of `m` truths.
        found: `found_table` of `n` detections.
        iou: Least IoU of a hit.

    Returns:
        `(verdict, closest)`, both `(n,)` in the order of `found`, see
        `yolov2_tf.evaluation.voc.match_truths`.
    """
    order = np.argsort(-found.scores, kind="stable")
    in_order = match_truths(
        found.image[order] * classes + found.labels[order],
        found.boxes[order],
        truths.image * classes + truths.labels,
        truths.boxes,
        truths.ignore,
        iou,
    )
    back = np.argsort(order)
    return tuple(np.asarray(column)[back] for column in in_order)


def _of(rows, hit):
    return Found(int(rows.sum()), int((rows & hit).sum()))


def _touched(truths):
    """`(m,)` number of other truths of the same picture that each overlaps."""
    touched = np.zeros(len(truths.labels), int)
    starts = np.flatnonzero(np.diff(truths.image, prepend=-1))
    for start, end in zip(starts, [*starts, len(truths.image)][1:], strict=True):
        boxes = truths.boxes[start:end]
        touched[start:end] = (iou(boxes[:, None], boxes[None]) > 0).sum(axis=1) - 1
    return touched


def confusion(dataset, detections, iou_least=0.5):
    """What is taken for what, with the background as the last class.

    Detections choose truths of any class, the best score first: the free one that they overlap
    most. One of its own class goes before others that it overlaps as well as to be a hit.

    Args:
        dataset: `Dataset`.
        detections: Those that count, see `recall_by_condition`.
        iou_least: Least IoU of a hit.

    Returns:
        `(C + 1, C + 1)` int: rows are truths, columns detections; the last row are detections
        where nothing is, the last column truths without a detection. What falls on truths to be
        ignored is not counted.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    classes = len(dataset.class_names)
    matrix = np.zeros((classes + 1, classes + 1), int)
    for image in range(len(dataset)):
        rows = np.flatnonzero(found.image == image)
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        of_image = np.flatnonzero(truths.image == image)
        overlaps = iou(found.boxes[rows][:, None], truths.boxes[of_image][None])
        labels, ignore = truths.labels[of_image], truths.ignore[of_image]
        free = ~ignore
        for i, row in enumerate(rows):
            hits = overlaps[i] * (overlaps[i] >= iou_least)
            wanted = hits * free
            own = wanted * (labels == found.labels[row])
            wanted = own if own.any() else wanted
            if wanted.any():
                truth = int(wanted.argmax())
                free[truth] = False
                matrix[labels[truth], found.labels[row]] += 1
            elif not (hits * ignore).any():
                matrix[classes, found.labels[row]] += 1
        np.add.at(matrix, (labels[free], np.full(free.sum(), classes)), 1)
    return matrix


class Calibration(NamedTuple):
    """Whether a score says how often a detection is right.

    Attributes:
        score: `(n,)` mean score of the detections in each of ten bins, NaN where there is none.
        precision: `(n,)` share of them that are right.
        number: `(n,)` how many there are.
        error: Mean distance of the two, weighed by number (expected calibration error).
    """

    score: np.ndarray
    precision: np.ndarray
    number: np.ndarray
    error: float


def calibration(dataset, detections, iou=0.5, bins=10):
    """Compares scores with the share of detections that are right.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`.
        iou: Least IoU of a hit.
        bins: Number of equal ranges of the score.

    Returns:
        `Calibration`.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    verdict, _ = judged(len(dataset.class_names), truths, found, iou)
    rows, scores = verdict != NEUTRAL, found.scores
    where = np.minimum((scores[rows] * bins).astype(int), bins - 1)
    number = np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        score = np.bincount(where, scores[rows], bins) / number
        right = np.bincount(where, verdict[rows] == TRUE_POSITIVE, bins) / number
    weights = number / max(number.sum(), 1)
    return Calibration(score, right, number, float(np.nansum(weights * np.abs(score - right))))
