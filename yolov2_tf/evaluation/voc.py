"""Average precision as PASCAL VOC defines it: matching, precision over recall, two areas.

Source: the VOC2007 and VOC2010 development kits, `VOCevaldet.m` and `VOCap.m`.
"""

import numpy as np

from yolov2_tf.boxes import iou

TRUE_POSITIVE, FALSE_POSITIVE, NEUTRAL = 1, 0, -1


def match(keys, boxes, truth_keys, truth_boxes, truth_ignore, threshold):
    """Judges every detection of a data set by the rule of the VOC devkit.

    A detection is compared with the ground truth box that it overlaps most, whether that one is
    matched already or not. It is a true positive if their IoU is at least `threshold` and no
    detection of a higher score matched that box; a duplicate is a false positive. A detection of
    a box that is to be ignored is neither.

    Args:
        keys: `(n,)` int, the group (image and class) of each detection; only truths of the same
            group can match. Detections are sorted by score, the highest first.
        boxes: `(n, 4)` detected boxes, as fractions of the image.
        truth_keys: `(m,)` int, the group of each truth.
        truth_boxes: `(m, 4)` true boxes, as fractions of the image.
        truth_ignore: `(m,)` bool, truths that neither count nor penalise.
        threshold: Least IoU of a hit, in 0..1.

    Returns:
        `(n,)` int8: `TRUE_POSITIVE`, `FALSE_POSITIVE` or `NEUTRAL`.
    """
    return match_truths(keys, boxes, truth_keys, truth_boxes, truth_ignore, threshold)[0]


def match_truths(keys, boxes, truth_keys, truth_boxes, truth_ignore, threshold):
    """As `match`, and which truth each detection was compared with.

    Returns:
        `(verdict, closest)`: as `match`, and `(n,)` int index of the truth that each detection
        overlaps most, -1 where it overlaps none of its group.
    """
    closest, overlap = _closest_truth(keys, boxes, truth_keys, truth_boxes)
    verdict = np.full(len(keys), FALSE_POSITIVE, np.int8)
    hits = np.flatnonzero((closest >= 0) & (overlap >= threshold))
    _, first = np.unique(closest[hits], return_index=True)
    verdict[hits[first]] = TRUE_POSITIVE
    verdict[hits[truth_ignore[closest[hits]]]] = NEUTRAL
    return verdict, closest


def _closest_truth(keys, boxes, truth_keys, truth_boxes):
    """Index (-1 for none) and IoU of the ground truth of its group that each box overlaps most."""
    boxes, truth_boxes = (np.asarray(b, np.float64) for b in (boxes, truth_boxes))
    order = np.argsort(truth_keys, kind="stable")
    start = np.searchsorted(truth_keys[order], keys, "left")
    count = np.searchsorted(truth_keys[order], keys, "right") - start
    closest, overlap = np.full(len(keys), -1), np.zeros(len(keys))
    # One pass for the first truth of every group, one for the second, ...: needs no table of pairs.
    rank, active = 0, np.flatnonzero(count)
    while len(active):
        truth = order[start[active] + rank]
        found = iou(boxes[active], truth_boxes[truth])
        better = found > overlap[active]
        closest[active[better]] = truth[better]
        overlap[active[better]] = found[better]
        rank += 1
        active = active[count[active] > rank]
    return closest, overlap


def precision_recall(hits, positives):
    """The curve that a falling score threshold draws.

    Args:
        hits: `(n,)` bool, whether each detection is a true positive, highest score first.
        positives: Number of truths that count, at least 1.

    Returns:
        `(precision, recall)`, each `(n,)` float64 in 0..1.
    """
    found = np.cumsum(hits)
    return found / np.arange(1, len(found) + 1), found / positives


def voc07_ap(precision, recall):
    """VOC2007: mean of the best precision at a recall of at least 0, 0.1, ..., 1."""
    # Tenths by division: 3/10 reaches the level 0.3, but not the 0.1 * 3 of `arange` (that
    # rounding, found in many evaluation scripts, costs 0.3 points of mAP on 413 VOC images).
    levels = np.searchsorted(recall, np.arange(11) / 10)
    return float(np.append(envelope(precision), 0.0)[levels].mean())


def voc10_ap(precision, recall):
    """VOC2010 and later: area under the precision, made monotone, over the recall."""
    return float(np.sum(envelope(precision) * np.diff(recall, prepend=0.0)))


def envelope(precision):
    """The best precision at the same or a higher recall."""
    return np.maximum.accumulate(precision[::-1])[::-1]
