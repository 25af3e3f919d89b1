"""What counts as a detection: the one place that states the thresholds."""

import dataclasses
import numbers

from yolov2_tf.errors import InputError

SCORE = 0.25
"""Detections of apps score above this."""

EVERY_SCORE = 0.005
"""Detections of evaluations and of exported files score above this: who uses them may ask for
more, and average precision needs the whole curve."""

IOU = 0.45
"""Boxes of one class that overlap more than this become one (Darknet's `nms`)."""

TREE = 0.5
"""Pr(node | object) of a detection's label is above this (Darknet's `-hier`)."""

MAX_DETECTIONS = 100
"""The most detections of one image."""

CANDIDATES_PER_DETECTION = 4
"""How many of the best (box, class) pairs enter the suppression for each detection wanted."""

LEAST_SIDE = 1e-4
"""Least height and width of a box while overlaps are computed, as a fraction of the image."""


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """What counts as a detection. What is None is left to the detector.

    Attributes:
        score: Detections score above this, 0..1.
        iou: Boxes of one class overlapping more than this become one, 0..1.
        detections: The most detections of one image, at least 1.
        tree: For networks with a label tree: Pr(node | object) of a label is above this, 0..1.

    Raises:
        InputError: If a value is out of its range.
    """

    score: float | None = None
    iou: float | None = None
    detections: int | None = None
    tree: float | None = None

    def __post_init__(self):
        for name in ("score", "iou", "tree"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, numbers.Real) and 0 <= value <= 1):
                raise InputError(f"{_NAMES[name]} {value}", expected="0 to 1")
        count = self.detections
        if count is not None and not (isinstance(count, numbers.Integral) and count >= 1):
            raise InputError(f"{_NAMES['detections']} {count}", expected="1 or more")

    def over(self, others):
        """These thresholds, and those of `others` for what is None."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return dataclasses.replace(others, **given)


def either(score, thresholds):
    """What a detector is given: a score alone, or thresholds.

    Args:
        score: Least score, or None.
        thresholds: `Thresholds`, or None.

    Returns:
        `Thresholds`.

    Raises:
        InputError: If both are given, the score is out of its range, or thresholds are none.
    """
    if not isinstance(thresholds, Thresholds | None):
        raise InputError(f"thresholds are {thresholds!r}", expected="Thresholds(score=0.3, …)")
    if score is not None and thresholds is not None:
        raise InputError(
            "score_threshold beside thresholds", expected="one of them", hint="Thresholds(score=…)"
        )
    return thresholds or Thresholds(score)


_NAMES = {
    "score": "score threshold",
    "iou": "overlap threshold",
    "detections": "number of detections",
    "tree": "tree threshold",
}

DEFAULT = Thresholds(SCORE, IOU, MAX_DETECTIONS, TREE)
"""Thresholds of `predict` and of apps."""

EVALUATION = Thresholds(EVERY_SCORE, IOU, 300, TREE)
"""Thresholds of evaluations, as behind the paper's figures."""

EXPORT = Thresholds(EVERY_SCORE, IOU, MAX_DETECTIONS, TREE)
"""What exported files keep: a low score, since suppression drops the others for good."""
