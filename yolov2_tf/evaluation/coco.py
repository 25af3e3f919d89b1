"""Average precision as COCO defines it, by faster-coco-eval.

Source: `pycocotools/cocoeval.py`, whose figures faster-coco-eval gives in less time.
"""

import math

import numpy as np

AREAS = ("small", "medium", "large")
LIMITS = (1, 10, 100)  # detections of one class in one image that count


def coco_precision(sizes, classes, found, truths):
    """Precision and recall at ten IoUs, 101 recall levels, four ranges of area.

    Args:
        sizes: `(images, 2)` `[height, width]` in pixels.
        classes: Labels to measure, rising; rows of other classes are left out.
        found: `(image, boxes, labels, scores)` of all detections, boxes `(n, 4)` as fractions.
        truths: `(image, boxes, labels, ignore)` of all truths; `ignore` becomes `iscrowd`.

    Returns:
        `(precision, recall, scores)`, -1 where there is nothing to find: `(10, 101, classes,
        areas, limits)`, `(10, classes, areas, limits)` and, like precision, the score thresholds.
    """
    from faster_coco_eval import COCOeval_faster

    evaluation = COCOeval_faster(
        _index(sizes, classes, *truths[:3], iscrowd=truths[3].astype(int)),
        _index(sizes, classes, *found[:3], score=found[3]),
        iouType="bbox",
    )
    evaluation.evaluate()
    evaluation.accumulate()
    return tuple(evaluation.eval[key] for key in ("precision", "recall", "scores"))


def coco_figures(precision, recall):
    """COCO's figures besides AP@[.5:.95], as fractions: `AP50`, `AP_small`, ..., `AR_100`."""
    figures = {"AP50": mean(precision[0, :, :, 0, -1]), "AP75": mean(precision[5, :, :, 0, -1])}
    for area, name in enumerate(AREAS, 1):
        figures[f"AP_{name}"] = mean(precision[:, :, :, area, -1])
    for limit, most in enumerate(LIMITS):
        figures[f"AR_{most}"] = mean(recall[:, :, 0, limit])
    for area, name in enumerate(AREAS, 1):
        figures[f"AR_{name}"] = mean(recall[:, :, area, -1])
    return figures


def mean(values):
    """Mean of what was measured (not -1); NaN if nothing was."""
    values = values[values > -1]
    return float(values.mean()) if values.size else math.nan


def _index(sizes, classes, image, boxes, labels, **fields):
    """The rows of the given classes as a COCO data set, boxes in pixels."""
    from faster_coco_eval import COCO

    rows = np.flatnonzero(np.isin(labels, classes))
    image, labels = image[rows], labels[rows]
    y_min, x_min, y_max, x_max = (boxes[rows] * np.tile(sizes, 2)[image]).T
    width, height = x_max - x_min, y_max - y_min
    columns = {
        "id": np.arange(1, len(rows) + 1),  # COCO takes 0 for "no match"
        "image_id": image,
        "category_id": labels,
        "bbox": np.stack([x_min, y_min, width, height], axis=1),
        "area": width * height,
        **{name: column[rows] for name, column in fields.items()},
    }
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(len(sizes))],
        "categories": [{"id": label} for label in classes],
        "annotations": [dict(zip(columns, row, strict=True)) for row in values],
    }
    coco.createIndex()
    return coco
