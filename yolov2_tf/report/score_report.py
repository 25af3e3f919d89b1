"""What a detector does on a data set: figures for programs, and the page of `evaluate --report`."""

import dataclasses
import math

import numpy as np

from yolov2_tf.evaluation.conditions import (
    Calibration,
    Found,
    calibration,
    confusion,
    recall_by_condition,
)
from yolov2_tf.evaluation.detections import Evaluation
from yolov2_tf.evaluation.doubts import Doubt, Picture, doubts, worst_pictures
from yolov2_tf.evaluation.error_kinds import ErrorKinds, error_kinds
from yolov2_tf.evaluation.intervals import Interval, Resampling, intervals
from yolov2_tf.evaluation.operating_points import (
    OperatingCurve,
    above,
    best_thresholds,
    operating_curves,
)

DOUBTS = 50
"""Doubtful labels of each kind that the figures list."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """A detector minus another one on the same pictures.

    Attributes:
        name: What the other one is called.
        evaluation: `Evaluation` of the other.
        map: Difference of the mean AP.
        interval: Its `Interval`, None where nothing can be said.
        classes: Dict from a class to `(difference of its AP, its Interval or None)`.
    """

    name: str
    evaluation: Evaluation
    map: float
    interval: Interval | None
    classes: dict[str, tuple[float, Interval | None]]

    def as_json(self):
        """The figures as a value for `json.dumps`."""
        return {
            "against": self.name,
            "map": self.evaluation.to_json()["map"],
            "difference": _number(self.map),
            "interval": _ends(self.interval),
            "classes": {
                name: {"difference": _number(value), "interval": _ends(ends)}
                for name, (value, ends) in self.classes.items()
            },
        }


@dataclasses.dataclass(frozen=True)
class ScoreReport:
    """What a detector does on a data set. Fractions are in 0..1.

    Attributes:
        evaluation: `Evaluation`, as `yolov2 evaluate` prints it.
        interval: Of the mean AP, None where nothing can be said.
        intervals: Dict from a class to that of its AP.
        overall: `OperatingCurve` of all classes together.
        curves: Dict of them by class.
        thresholds: See `best_thresholds`.
        kinds: `ErrorKinds`.
        confusion: See `yolov2_tf.evaluation.conditions.confusion`, at the best thresholds.
        by_size: Recall by size at the best thresholds, dict of `Found`.
        by_crowding: Recall by how many other truths each touches.
        calibration: `Calibration`.
        worst: List of `Picture`, at the best thresholds.
        missing: List of `Doubt`: sure detections where nothing is annotated.
        other_class: List of `Doubt`: sure detections of another class than the truth.
        lost: List of `Doubt`: truths that nothing found.
        seconds: For all pictures, from file to boxes.
        difference: `Difference` to another detector, or None.
    """

    evaluation: Evaluation
    interval: Interval | None
    intervals: dict[str, Interval | None]
    overall: OperatingCurve
    curves: dict[str, OperatingCurve]
    thresholds: dict
    kinds: ErrorKinds
    confusion: np.ndarray
    by_size: dict[str, Found]
    by_crowding: dict[str, Found]
    calibration: Calibration
    worst: list[Picture]
    missing: list[Doubt]
    other_class: list[Doubt]
    lost: list[Doubt]
    seconds: float
    difference: Difference | None = None

    def kept(self, detections, class_names):
        """The detections above the best threshold of their class."""
        limits = class_limits(self.thresholds, class_names)
        return [above(found, limits) for found in detections]

    def as_json(self, dataset):
        """The figures as a value for `json.dumps`; those of `Evaluation.to_json` are part of it."""
        names = [*dataset.class_names, "background"]
        return {
            **self.evaluation.to_json(),
            "seconds": round(self.seconds, 2),
            "interval": _ends(self.interval),
            "intervals": {name: _ends(ends) for name, ends in self.intervals.items()},
            "thresholds": self.thresholds,
            "at_best_threshold": {
                "all": _point(self.overall, self.thresholds["all"]),
                "classes": {
                    name: _point(curve, self.thresholds["classes"][name])
                    for name, curve in self.curves.items()
                },
            },
            "error_kinds": {
                "map": self.kinds.map,
                "costs": self.kinds.costs,
                "counts": self.kinds.counts,
                "false_positives": self.kinds.false_positives,
                "false_negatives": self.kinds.false_negatives,
            },
            "confusion": {"classes": names, "matrix": self.confusion.tolist()},
            "recall_by_size": {name: _found(part) for name, part in self.by_size.items()},
            "recall_by_crowding": {name: _found(part) for name, part in self.by_crowding.items()},
            "calibration": {
                "error": self.calibration.error,
                "score": [_number(value) for value in self.calibration.score.tolist()],
                "precision": [_number(value) for value in self.calibration.precision.tolist()],
                "number": self.calibration.number.tolist(),
            },
            "doubtful_labels": {
                "missing": _doubts(self.missing, dataset),
                "other_class": _doubts(self.other_class, dataset),
                "not_found": _doubts(self.lost, dataset),
            },
            "difference": self.difference and self.difference.as_json(),
        }


def class_limits(thresholds, class_names):
    """`(classes,)` thresholds of `best_thresholds`; 1, which nothing is above, without any."""
    overall = thresholds["all"]
    values = [thresholds["classes"].get(name, overall) for name in class_names]
    return np.array([1.0 if value is None else value for value in values])


def measure(dataset, detections, evaluation, seconds, against=None):
    """Measures everything that the report tells.

    Args:
        dataset: `Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`, down to low scores.
        evaluation: The `Evaluation` of these.
        seconds: What detecting took.
        against: `(name, detections, evaluation)` of another detector on the same data, or None.

    Returns:
        `ScoreReport`.
    """
    names = dataset.class_names
    resampling = Resampling(dataset, detections, evaluation.metric)
    interval, by_label = intervals(resampling)
    overall, curves = operating_curves(dataset, detections)
    thresholds = best_thresholds(overall, curves)
    limits = class_limits(thresholds, names)
    kept = [above(found, limits) for found in detections]
    by_size, by_crowding = recall_by_condition(dataset, kept)
    missing, other_class, lost = doubts(dataset, detections)
    sure = overall.best() or 1.0
    return ScoreReport(
        evaluation=evaluation,
        interval=interval,
        intervals={names[label]: ends for label, ends in by_label.items()},
        overall=overall,
        curves=curves,
        thresholds=thresholds,
        kinds=error_kinds(dataset, detections),
        confusion=confusion(dataset, kept),
        by_size=by_size,
        by_crowding=by_crowding,
        calibration=calibration(dataset, detections),
        worst=worst_pictures(dataset, kept),
        missing=[doubt for doubt in missing[:DOUBTS] if doubt.score > sure],
        other_class=[doubt for doubt in other_class[:DOUBTS] if doubt.score > sure],
        lost=lost[:DOUBTS],
        seconds=seconds,
        difference=against and _difference(dataset, evaluation, resampling, against),
    )


def _difference(dataset, evaluation, resampling, against):
    name, detections, other = against
    mean, by_label = intervals(resampling, Resampling(dataset, detections, evaluation.metric))
    classes = {
        dataset.class_names[label]: (
            list(evaluation.ap.values())[label] - list(other.ap.values())[label],
            ends,
        )
        for label, ends in by_label.items()
    }
    return Difference(name, other, evaluation.map - other.map, mean, classes)


# === As JSON ===


def _number(value):
    return float(value) if math.isfinite(value) else None


def _ends(interval):
    return interval and [interval.low, interval.high]


def _point(curve, threshold):
    if threshold is None:
        return None
    keys = ("precision", "recall", "f1")
    return dict(zip(keys, map(_number, curve.at(threshold)), strict=True))


def _found(part):
    return {"truths": part.truths, "recall": _number(part.recall)}


def _doubts(found, dataset):
    return [
        {
            "image": dataset.records[doubt.image].image_id,
            "box": [round(float(side), 5) for side in doubt.box],
            "class": dataset.class_names[doubt.label],
            "score": round(doubt.score, 5),
            "truth": None if doubt.truth < 0 else dataset.class_names[doubt.truth],
        }
        for doubt in found
    ]
