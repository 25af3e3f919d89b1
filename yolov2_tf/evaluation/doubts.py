"""Labels that a detector contradicts, and the pictures it does worst on."""

from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou
from yolov2_tf.evaluation.box_tables import found_table, truth_table
from yolov2_tf.evaluation.conditions import found_truths, right_detections

FREE = 0.3
"""A detection that overlaps every truth by less than this has none."""

SURE_PLACE = 0.7
"""A detection of another class that overlaps a truth by this much contradicts its class."""


class Doubt(NamedTuple):
    """A label that is probably wrong.

    Attributes:
        image: Index of the record.
        box: `(4,)` where, as fractions.
        label: Class that the detector says; of a truth that was not found, the truth's.
        score: Of the detection; of a truth that was not found, of the best detection of any class
            that overlaps it by half or more.
        truth: Class of the truth there, -1 where there is none.
    """

    image: int
    box: np.ndarray
    label: int
    score: float
    truth: int = -1


def doubts(dataset, detections):
    """The most likely errors of the labels, the likeliest first.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`, also those of low scores.

    Returns:
        `(missing, other_class, not_found)`, lists of `Doubt`: sure detections where nothing is
        annotated, sure detections of another class than the truth on the same place, and truths
        on which no detection of any class lies.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    missing, other, lost = [], [], []
    first = np.searchsorted(found.image, np.arange(len(dataset) + 1))
    first_truth = np.searchsorted(truths.image, np.arange(len(dataset) + 1))
    for image in range(len(dataset)):
        rows = np.arange(first[image], first[image + 1])
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        of_image = np.arange(first_truth[image], first_truth[image + 1])
        overlaps = iou(found.boxes[rows][:, None], truths.boxes[of_image][None])
        missing += _unannotated(image, found, rows, overlaps)
        other += _other_class(image, found, rows, truths, of_image, overlaps)
        best = (found.scores[rows][:, None] * (overlaps >= 0.5)).max(axis=0, initial=0)
        lost += [
            Doubt(
                image, truths.boxes[t], int(truths.labels[t]), float(score), int(truths.labels[t])
            )
            for t, score in zip(of_image, best, strict=True)
            if not truths.ignore[t]
        ]
    for found_doubts in (missing, other):
        found_doubts.sort(key=lambda doubt: -doubt.score)
    lost = sorted((d for d in lost if d.score < 0.05), key=lambda doubt: doubt.score)
    return missing, other, lost


def _unannotated(image, found, rows, overlaps):
    """Detections without a truth, each place once."""
    taken = np.zeros((0, 4))
    for i, row in enumerate(rows):
        if overlaps[i].max(initial=0) < FREE:
            box = found.boxes[row]
            if iou(box[None], taken).max(initial=0) < 0.5:
                taken = np.concatenate([taken, box[None]])
                yield Doubt(image, box, int(found.labels[row]), float(found.scores[row]))


def _other_class(image, found, rows, truths, of_image, overlaps):
    """Truths on which the surest detection is of another class."""
    for k, truth in enumerate(of_image):
        there = np.flatnonzero(overlaps[:, k] >= SURE_PLACE)
        if truths.ignore[truth] or not len(there):
            continue
        row = rows[there[0]]
        label, own = int(found.labels[row]), int(truths.labels[truth])
        # Where several truths lie on one place, it may be right for another one of them.
        others = of_image[overlaps[there[0]] >= SURE_PLACE]
        if label not in truths.labels[others]:
            yield Doubt(image, truths.boxes[truth], label, float(found.scores[row]), own)


class Picture(NamedTuple):
    """How a detector does on one picture.

    Attributes:
        image: Index of the record.
        wrong: Detections that are not right.
        lost: Truths that are not found.
    """

    image: int
    wrong: int
    lost: int


def worst_pictures(dataset, detections, overlap=0.5):
    """The pictures with errors, those with the most first.

    Args:
        dataset: `Dataset`.
        detections: Those that count, above the threshold in use.
        overlap: Least IoU of a hit.

    Returns:
        A list of `Picture`.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    hit = found_truths(dataset, truths, found, overlap)
    lost = np.bincount(truths.image[~hit & ~truths.ignore], minlength=len(dataset))
    wrong = np.bincount(
        found.image[~right_detections(dataset, truths, found, overlap)], minlength=len(dataset)
    )
    order = np.argsort(-(wrong + lost), kind="stable")
    return [Picture(int(i), int(wrong[i]), int(lost[i])) for i in order if wrong[i] + lost[i]]
