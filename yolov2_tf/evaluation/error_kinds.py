"""What kinds of errors a detector makes, and how much average precision each costs.

Source: Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", 2020. The
figures are those of its program (`tidecv`), whose average precision has 101 recall levels at one
IoU. A kind costs what the mean AP would gain if only that kind were mended.
"""

from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou, share_within
from yolov2_tf.evaluation.box_tables import found_table, truth_table

KINDS = {
    "class": "right place, wrong class",
    "place": "right class, box too far off",
    "both": "wrong class and box off",
    "duplicate": "a second box on one object",
    "background": "nothing is there",
    "missed": "no box at all",
}
"""Kinds of errors; a truth is `missed` if no mended class or place would find it."""


class ErrorKinds(NamedTuple):
    """What the kinds of errors cost.

    Attributes:
        map: Mean average precision as TIDE takes it, a fraction.
        costs: Dict from each of `KINDS` to the mean AP that mending it would gain.
        counts: Dict from each of `KINDS` to the number of errors.
        false_positives: What all wrong detections cost together.
        false_negatives: What all truths that were not found cost together.
    """

    map: float
    costs: dict[str, float]
    counts: dict[str, int]
    false_positives: float
    false_negatives: float


class _Error(NamedTuple):
    kind: str
    detection: int  # -1: none, a truth was missed
    mended: int  # label that the detection would be right with, or that of the truth; -1: none


def error_kinds(dataset, detections, overlap=0.5, background=0.1, most=100):
    """Finds the kind of every error and what each kind costs.

    Args:
        dataset: `Dataset`. Boxes to be ignored are TIDE's ignore regions.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`.
        overlap: Least IoU of a hit.
        background: Detections that overlap every truth by no more than this are `background`.
        most: How many detections of an image count, those with the best scores.

    Returns:
        `ErrorKinds`.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    limits = overlap, background
    errors, correct, ignored, unfound = [], [], [], []
    first = np.searchsorted(found.image, np.arange(len(dataset) + 1))
    first_truth = np.searchsorted(truths.image, np.arange(len(dataset) + 1))
    for image in range(len(dataset)):
        rows = np.arange(first[image], first[image + 1])
        rows = rows[np.argsort(-found.scores[rows], kind="stable")][:most]
        truth_rows = np.arange(first_truth[image], first_truth[image + 1])
        judged = _judge(found, rows, truths, truth_rows, limits)
        for collected, more in zip((errors, correct, ignored, unfound), judged, strict=True):
            collected += more
    positives = np.bincount(truths.labels[~truths.ignore], minlength=len(dataset.class_names))
    run = _Run(found, errors, correct, set(ignored), positives)
    base = run.mean_ap(())
    costs = {kind: max(run.mean_ap((kind,)) - base, 0.0) for kind in KINDS}
    lost = np.bincount(truths.labels[np.array(unfound, int)], minlength=len(positives))
    return ErrorKinds(
        base,
        costs,
        {kind: sum(error.kind == kind for error in errors) for kind in KINDS},
        run.mean_ap((), sorted_out=True) - base,
        run.mean_ap((), positives=positives - lost) - base,
    )


def _judge(found, rows, truths, truth_rows, limits):
    """The errors of one image, and its detections that are right and that are ignored."""
    ignore = truths.ignore[truth_rows]
    regions, truth_rows = truth_rows[ignore], truth_rows[~ignore]
    boxes, labels = found.boxes[rows], found.labels[rows]
    truth_boxes, truth_labels = truths.boxes[truth_rows], truths.labels[truth_rows]
    overlaps = iou(boxes[:, None], truth_boxes[None])
    same = labels[:, None] == truth_labels[None]
    owner = _greedy(overlaps * same, limits[0])
    right = np.isin(np.arange(len(rows)), owner[owner >= 0])
    ignored = _in_regions(boxes, labels, truths, regions, limits[0]) & ~right

    errors, mended = [], set()
    for i in np.flatnonzero(~right):
        kind, truth = _kind(overlaps[i], same[i], owner >= 0, limits)
        label = -1
        if truth is not None and owner[truth] < 0 and truth not in mended:
            mended.add(truth)  # the best of those that may be mended; the others are dropped
            label = int(truth_labels[truth])
        errors.append(_Error(kind, int(rows[i]), label))
    unfound = np.flatnonzero(owner < 0)
    errors += [_Error("missed", -1, int(truth_labels[t])) for t in unfound if t not in mended]
    return errors, rows[right].tolist(), rows[ignored].tolist(), truth_rows[unfound].tolist()


def _greedy(overlaps, least):
    """For each truth the detection that finds it, -1 for none: the best score chooses first."""
    free = overlaps.copy()
    owner = np.full(overlaps.shape[1], -1)
    if overlaps.shape[1]:
        for i in range(len(free)):
            truth = int(free[i].argmax())
            if free[i, truth] >= least:
                owner[truth] = i
                free[:, truth] = 0
    return owner


def _kind(overlaps, same, used, limits):
    """The kind of a wrong detection, and the truth that it should have found, if any."""
    overlap, background = limits
    if not len(overlaps):
        return "background", None
    of_class, of_others, of_used = overlaps * same, overlaps * ~same, overlaps * same * used
    if background <= of_class.max() <= overlap:
        return "place", int(of_class.argmax())
    if of_others.max() >= overlap:
        return "class", int(of_others.argmax())
    if of_used.max() >= overlap:
        return "duplicate", None
    return ("background" if overlaps.max() <= background else "both"), None


def _in_regions(boxes, labels, truths, regions, least):
    """Which detections lie in a region of their class that is to be ignored, by their own area."""
    within = share_within(boxes[:, None], truths.boxes[regions][None]) > least
    return (within & (labels[:, None] == truths.labels[regions][None])).any(axis=1)


class _Run(NamedTuple):
    """All images, judged."""

    found: NamedTuple
    errors: list
    correct: list
    ignored: set
    positives: np.ndarray

    def mean_ap(self, kinds, *, positives=None, sorted_out=False):
        """Mean AP with the errors of these kinds mended."""
        positives = (self.positives if positives is None else positives).copy()
        rows, labels, hits = [], [], []
        for kind, row, mended in self.errors:
            if kind in kinds:
                if row < 0:
                    positives[mended] -= 1
                elif mended >= 0:
                    rows.append(row), labels.append(mended), hits.append(True)
            elif row >= 0 and row not in self.ignored:
                rows.append(row), labels.append(self.found.labels[row]), hits.append(False)
        rows += self.correct
        labels = np.array([*labels, *self.found.labels[self.correct]], int)
        hits = np.array([*hits, *[True] * len(self.correct)], bool)
        scores = hits.astype(float) if sorted_out else self.found.scores[np.array(rows, int)]
        return _mean_ap(labels, scores, hits, positives)


def _mean_ap(labels, scores, hits, positives):
    """Mean over the classes that have a truth or a detection; without truths the AP is 0."""
    order = np.argsort(-scores, kind="stable")
    labels, hits = labels[order], hits[order]
    classes = np.flatnonzero((positives > 0) | (np.bincount(labels, minlength=len(positives)) > 0))
    if not len(classes):
        return 0.0
    return float(np.mean([_ap(hits[labels == c], positives[c]) for c in classes]))


def _ap(hits, positives):
    if positives <= 0 or not len(hits):
        return 0.0
    found = np.cumsum(hits)
    precision = np.maximum.accumulate((found / np.arange(1, len(hits) + 1))[::-1])[::-1]
    levels = np.searchsorted(found / positives, np.arange(101) / 100)
    return float(np.append(precision, 0.0)[levels].mean())
