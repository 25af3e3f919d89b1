"""Detections and ground truth to average precision: VOC2007, VOC2010 and COCO, from one input.

Needs neither TensorFlow nor the model: a `.keras`, a `.tflite` and a server are scored alike.
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.box_tables import Found, found_table, truth_table
from yolov2_tf.evaluation.coco import AREAS, coco_figures, coco_precision, mean
from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.evaluation.hierarchy import with_ancestors
from yolov2_tf.evaluation.voc import (
    NEUTRAL,
    TRUE_POSITIVE,
    match,
    precision_recall,
    voc07_ap,
    voc10_ap,
)
from yolov2_tf.html_table import html_table

METRICS = ("voc07", "voc10", "coco")

HEADS = ("Class", "AP %", "Truths", "Detections")
"""Columns of an evaluation's table."""


class Curve(NamedTuple):
    """Precision over recall of one class, as the score threshold falls.

    For `coco` it is the interpolated curve at IoU .5 and 101 recall levels.

    Attributes:
        recall: `(n,)` in 0..1, rising.
        precision: `(n,)` in 0..1.
        scores: `(n,)`, the score threshold of each point.
    """

    recall: np.ndarray
    precision: np.ndarray
    scores: np.ndarray


class Counts(NamedTuple):
    """How many boxes the AP of one class is measured on.

    Attributes:
        truths: True boxes that count.
        ignored: True boxes that are ignored (VOC's `difficult`, COCO's `iscrowd`).
        detections: Detected boxes.
    """

    truths: int
    ignored: int
    detections: int


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found. AP is a fraction; a class without ground truth has NaN.

    Attributes:
        metric: One of `METRICS`.
        map: Mean of the AP of the classes that have truths.
        ap: AP of each class, in the order of `class_names`.
        images: Number of images.
        curves: `Curve` of each class that has truths.
        counts: `Counts` of each class.
        extra: COCO's other figures: `AP50`, `AP75`, `AP_small`, ..., `AR_100`; empty for VOC.
    """

    metric: str
    map: float
    ap: dict[str, float]
    images: int
    curves: dict[str, Curve]
    counts: dict[str, Counts]
    extra: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def without_truths(self):
        """The classes that have no ground truth and are left out of the mean."""
        return [name for name, counts in self.counts.items() if counts.truths == 0]

    def to_json(self):
        """`{"metric", "map", "ap", "images"}` with null where there is nothing to measure."""
        return {
            "metric": self.metric,
            "map": null_if_nan(self.map),
            "ap": {name: null_if_nan(ap) for name, ap in self.ap.items()},
            "images": self.images,
        }

    def table(self):
        """A `rich.table.Table` of the classes that have ground truth, with the mean below."""
        from rich.table import Table
        from rich.text import Text

        title, rows, totals = self._cells()
        table = Table(
            title=title, caption=self._left_out() and Text(self._left_out()), show_footer=True
        )
        styles = ({}, {"style": "bold"}, {}, {})
        for head, total, style in zip(HEADS, totals, styles, strict=True):
            justify = "left" if head == HEADS[0] else "right"
            table.add_column(head, total, justify=justify, **style)
        for name, *row in rows:
            table.add_row(Text(name), *row)
        table.add_section()
        for name, figure in self.extra.items():
            table.add_row(Text(name, style="italic"), percent(figure))
        return table

    def _repr_html_(self):
        """The same table for notebooks."""
        title, rows, totals = self._cells()
        rows += [[name, percent(figure), "", ""] for name, figure in self.extra.items()]
        return html_table(title, HEADS, rows, totals, self._left_out() or "")

    def _cells(self):
        """Title, rows of the classes that have ground truth, and totals, as texts under `HEADS`."""
        measured = {name: c for name, c in self.counts.items() if c.truths}
        rows = [
            [name, percent(self.ap[name]), f"{c.truths:,}", f"{c.detections:,}"]
            for name, c in measured.items()
        ]
        sums = (
            f"{sum(getattr(c, field) for c in measured.values()):,}"
            for field in ("truths", "detections")
        )
        title = f"Average precision ({self.metric}), {self.images:,} images"
        return title, rows, [f"mean of {len(measured)}", percent(self.map), *sums]

    def _left_out(self):
        missing = self.without_truths
        if not missing:
            return None
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        classes = "class without truths is" if len(missing) == 1 else "classes without truths are"
        return f"{len(missing):,} {classes} left out of the mean: {shown}"


def evaluate(
    dataset, detections, metric="voc07", iou=0.5, tree=None, every_node=False
) -> Evaluation:
    """Scores detections against the ground truth of a data set.

    The VOC metrics use the IoU of the boxes as they are; scaling by width and height changes no
    IoU. VOC's devkit measures an extent as `x_max - x_min + 1` pixels: for its exact figures both
    ground truth and detections must be `(x_min - 1)/w..x_max/w`. The VOC reader of this package
    follows Darknet instead, whose boxes are a pixel smaller (see docs/decisions.md).

    For `coco`, areas are those of the boxes in pixels (COCO's own tables use the area of the
    outline, so small, medium and large can differ a little from those); they are NaN if an
    image's size is unknown. Boxes to be ignored are treated as `iscrowd`.

    Args:
        dataset: A `yolov2_tf.data.dataset.Dataset`.
        detections: One entry for each record, in the same order: a dict of `boxes` `(n, 4)`
            `[y_min, x_min, y_max, x_max]` as fractions, `labels` `(n,)` and `scores` `(n,)`,
            without padding, in any order.
        metric: `"voc07"` (11 points), `"voc10"` (area) or `"coco"` (AP@[.5:.95], 101 points).
        iou: Least IoU of a hit for the VOC metrics; COCO's ten are fixed.
        tree: `WordTree` whose nodes are the classes, or None. A node then stands for all below it,
            see `yolov2_tf.evaluation.hierarchy.with_ancestors`.
        every_node: See there.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: If the metric is unknown, the IoU none, or the detections or the tree do not fit
            the data set.
    """
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}", expected=", ".join(METRICS))
    if not (isinstance(iou, int | float | np.floating) and 0 <= iou <= 1):
        raise InputError(f"iou is {iou!r}", expected="a fraction, 0 to 1")
    if not hasattr(dataset, "records"):
        raise InputError(
            f"a {type(dataset).__name__} is no data set",
            expected="a Dataset, then the detections of its pictures",
            hint="yolov2_tf.open_dataset",
        )
    if tree is not None:
        if len(tree) != len(dataset.class_names):
            raise InputError(
                f"a tree of {len(tree):,} nodes",
                where=dataset.name,
                expected=f"its {len(dataset.class_names):,} classes",
            )
        detections = list(detections)
        found_table(dataset, detections)  # before labels are looked up in the tree
        dataset, detections = with_ancestors(dataset, detections, tree, every_node=every_node)
    truths, found = truth_table(dataset), found_table(dataset, detections)
    classes = len(dataset.class_names)
    positives = np.bincount(truths.labels[~truths.ignore], minlength=classes)
    ignored = np.bincount(truths.labels[truths.ignore], minlength=classes)
    detected = np.bincount(found.labels, minlength=classes)

    extra = {}
    if metric == "coco":
        ap, curves, extra = _coco(dataset, found, truths, positives)
    else:
        ap, curves = _voc(
            found, truths, positives, iou, voc07_ap if metric == "voc07" else voc10_ap
        )

    names = distinct_names(dataset.class_names)
    return Evaluation(
        metric=metric,
        map=float(ap[positives > 0].mean()) if positives.any() else math.nan,
        ap=dict(zip(names, ap.tolist(), strict=True)),
        images=len(dataset.records),
        curves={names[label]: curve for label, curve in curves.items()},
        counts={
            name: Counts(*map(int, row))
            for name, *row in zip(names, positives, ignored, detected, strict=True)
        },
        extra=extra,
    )


# === Metrics: AP `(classes,)`, and the curves by label ===


def _voc(found, truths, positives, threshold, area):
    found = Found(*(column[np.argsort(-found.scores, kind="stable")] for column in found))
    verdict = match(
        found.image * len(positives) + found.labels,
        found.boxes,
        truths.image * len(positives) + truths.labels,
        truths.boxes,
        truths.ignore,
        threshold,
    )
    by_class = np.argsort(found.labels, kind="stable")  # keeps the scores falling in a class
    by_class = by_class[verdict[by_class] != NEUTRAL]
    ends = np.searchsorted(found.labels[by_class], np.arange(len(positives)), "right")
    ap, curves = np.full(len(positives), math.nan), {}
    for label in np.flatnonzero(positives):
        rows = by_class[ends[label - 1] if label else 0 : ends[label]]
        precision, recall = precision_recall(verdict[rows] == TRUE_POSITIVE, positives[label])
        ap[label] = area(precision, recall)
        curves[label] = Curve(recall, precision, found.scores[rows])
    return ap, curves


def _coco(dataset, found, truths, positives):
    ap, curves = np.full(len(positives), math.nan), {}
    classes = np.flatnonzero(positives).tolist()
    sizes = np.array([(record.height, record.width) for record in dataset.records])
    sized = bool(sizes.all())
    if not classes:
        return ap, curves, {}
    precision, recall, scores = coco_precision(
        sizes if sized else np.ones_like(sizes), classes, found, truths
    )
    for k, label in enumerate(classes):
        ap[label] = mean(precision[:, :, k, 0, -1])
        curves[label] = Curve(
            np.linspace(0, 1, 101), precision[0, :, k, 0, -1], scores[0, :, k, 0, -1]
        )
    figures = coco_figures(precision, recall)
    if not sized:
        figures |= {key: math.nan for key in figures if key.endswith(AREAS)}
    return ap, curves, figures


# === Small things ===


def percent(fraction):
    """A fraction as text in a table; a dash where there was nothing to measure."""
    return "–" if math.isnan(fraction) else f"{100 * fraction:.1f}"


def null_if_nan(number):
    """A number as JSON has it; null where there was nothing to measure."""
    return None if math.isnan(number) else number
