"""Precision, recall and F1 over the score threshold, and the threshold that is best."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.box_tables import found_table, truth_table
from yolov2_tf.evaluation.voc import NEUTRAL, TRUE_POSITIVE, match


@dataclasses.dataclass(frozen=True)
class OperatingCurve:
    """How precision and recall follow the score threshold.

    Attributes:
        scores: `(n,)` scores of the detections, falling; the first `i + 1` are kept at a threshold
            just below `scores[i]`.
        found: `(n,)` true positives among the kept.
        truths: Number of truths.
    """

    scores: np.ndarray
    found: np.ndarray
    truths: int

    @property
    def precision(self):
        """`(n,)` in 0..1."""
        return self.found / np.arange(1, len(self.scores) + 1)

    @property
    def recall(self):
        """`(n,)` in 0..1."""
        return self.found / max(self.truths, 1)

    @property
    def f1(self):
        """`(n,)` in 0..1, the harmonic mean of precision and recall."""
        return 2 * self.found / (np.arange(1, len(self.scores) + 1) + self.truths)

    def at(self, threshold):
        """`(precision, recall, f1)` of the detections that score above `threshold`.

        Where none does, the precision is NaN.
        """
        kept = int((self.scores > threshold).sum())
        if not kept:
            return float("nan"), 0.0, 0.0
        return tuple(float(a[kept - 1]) for a in (self.precision, self.recall, self.f1))

    def best(self):
        """The threshold of the best F1, halfway between two scores; None if nothing is found."""
        if not len(self.scores) or not self.found[-1]:
            return None
        # Only the last of equal scores can be had.
        last = np.append(self.scores[1:] < self.scores[:-1], True)
        i = int(np.flatnonzero(last)[self.f1[last].argmax()])
        below = self.scores[i + 1] if i + 1 < len(self.scores) else 0.0
        return float((self.scores[i] + below) / 2)


def operating_curves(dataset, detections, iou=0.5):
    """The curve of each class, and that of all together.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`.
        iou: Least IoU of a hit.

    Returns:
        `(overall, by_class)`: `OperatingCurve`, and a dict of them by class, of classes with
        truths.
    """
    truths, found = truth_table(dataset), found_table(dataset, detections)
    order = np.argsort(-found.scores, kind="stable")
    image, boxes, labels, scores = (column[order] for column in found)
    classes = len(dataset.class_names)
    keys, truth_keys = image * classes + labels, truths.image * classes + truths.labels
    verdict = match(keys, boxes, truth_keys, truths.boxes, truths.ignore, iou)
    counts = verdict != NEUTRAL
    positives = np.bincount(truths.labels[~truths.ignore], minlength=classes)

    def curve(rows, number):
        return OperatingCurve(scores[rows], np.cumsum(verdict[rows] == TRUE_POSITIVE), int(number))

    by_class = {
        dataset.class_names[label]: curve(counts & (labels == label), positives[label])
        for label in np.flatnonzero(positives)
    }
    return curve(counts, positives.sum()), by_class


# === The thresholds as a file ===


def best_thresholds(overall, by_class):
    """The best thresholds as a value for `json.dumps`.

    Args:
        overall: `OperatingCurve`.
        by_class: Dict of them by class.

    Returns:
        `{"all": threshold, "classes": {name: threshold}}`; a class in which nothing was found gets
        the overall one. Null where nothing was found at all.
    """
    best = overall.best()
    classes = {name: curve.best() for name, curve in by_class.items()}
    return {
        "all": best,
        "classes": {name: best if value is None else value for name, value in classes.items()},
    }


def read_thresholds(path, class_names):
    """Reads a file of thresholds as `yolov2 evaluate --report` writes it.

    Args:
        path: The file.
        class_names: Classes of the detector; or a server's dict of names by label, which may still
            grow, so that any class may have a threshold.

    Returns:
        What `above` takes, `(classes,)` float64 where the classes are known: the threshold of each
        class; that of all for classes without one.

    Raises:
        InputError: If it is not such a file, or names other classes.
    """
    overall, classes = _read(path)
    if isinstance(class_names, Mapping):
        return _ByName(overall, classes, class_names)
    unknown = [name for name in classes if name not in class_names]
    if unknown:
        raise InputError(
            f"a threshold for {unknown[0]!r}, which this model does not know",
            where=path,
            expected="the thresholds of this model",
            hint="yolov2 evaluate MODEL DATA --report FOLDER",
        )
    return np.array([classes.get(name, overall) for name in class_names], float)


class _ByName(NamedTuple):
    """Thresholds of classes whose names are known once a picture has them."""

    overall: float
    classes: dict
    names: Mapping

    def of(self, labels):
        named = [self.names[label] for label in labels.tolist()]
        return np.array([self.classes.get(name, self.overall) for name in named], float)


def least_threshold(path):
    """The least of the thresholds in a file: what a detector must be opened with.

    Raises:
        InputError: As `read_thresholds`.
    """
    overall, classes = _read(path)
    return float(min(overall, *classes.values(), 1.0))


def _read(path):
    """`(threshold of all, {class: threshold})` of a file, checked."""
    expected = "a number from 0 to 1, best, or a thresholds.json of `yolov2 evaluate --report`"
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"cannot be opened: {error.strerror}", where=path, expected=expected
        ) from None
    except ValueError:
        raise InputError("is not JSON", where=path, expected=expected) from None
    classes = value.get("classes") if isinstance(value, dict) else None
    if not isinstance(classes, dict) or "all" not in value:
        raise InputError("holds no thresholds", where=path, expected=expected)
    if value["all"] is None:
        raise InputError(
            "holds no best thresholds: the evaluation found nothing",
            where=path,
            expected="a report on pictures in which the model finds something",
        )
    for number in (value["all"], *classes.values()):
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
            raise InputError(f"a threshold of {number}", where=path, expected="numbers in 0 to 1")
    return value["all"], classes


def thresholds_beside(model):
    """Where the thresholds of a model lie: beside it, named after it."""
    model = Path(os.path.abspath(model)) if Path(model).name in ("", "..") else Path(model)
    return model.with_name(f"{model.name}.thresholds.json")


def above(found, thresholds):
    """Detections that score above the thresholds of their classes.

    Args:
        found: Dict of `boxes`, `labels` and `scores`.
        thresholds: `(classes,)`, one number for all, or what `read_thresholds` gives.

    Returns:
        The same without the others.
    """
    labels = np.asarray(found["labels"], int)
    if isinstance(thresholds, _ByName):
        limits = thresholds.of(labels)
    else:
        limits = thresholds if np.ndim(thresholds) == 0 else np.asarray(thresholds)[labels]
    keep = np.asarray(found["scores"]) > limits
    return {key: np.asarray(value)[keep] for key, value in found.items()}
