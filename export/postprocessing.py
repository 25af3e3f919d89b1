"""From what an exported network gives to the detections in a picture, in NumPy.

`android_demo` and `web_demo` do the same in Java and JavaScript; `tests/golden` holds all three to
the same cases.
"""

import numpy as np

from yolov2_tf.boxes import clip, iou
from yolov2_tf.detection.thresholds import (
    CANDIDATES_PER_DETECTION,
    DEFAULT,
    LEAST_SIDE,
    Thresholds,
)
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import HEAD_OUTPUTS
from yolov2_tf.export.numpy_decoding import decode
from yolov2_tf.export.numpy_resize import box_transform

_OWN = Thresholds()


def detections_of(layout, outputs, shape, thresholds=_OWN):
    """The detections of one picture.

    Args:
        layout: `Layout` of the file.
        outputs: Dict of its outputs by name, see `Layout.outputs`, each with a batch dimension
            of 1.
        shape: `(height, width)` of the picture in pixels.
        thresholds: `Thresholds`, see `Layout.limits`. `score` and `detections` hold for every file.
            `iou` is used only where the suppression is done here, `tree` never: the labels are
            those of the file.

    Returns:
        Dict of `boxes` `(n, 4)` float32 `[y_min, x_min, y_max, x_max]` as fractions of the
        picture, `labels` `(n,)` int32 and `scores` `(n,)` float32, sorted by score.

    Raises:
        InputError: If a label is out of range, which only a damaged file gives.
    """
    thresholds = layout.limits(thresholds)
    if layout.outputs == HEAD_OUTPUTS:
        outputs = decode(layout, outputs["head"])
    if layout.nms:
        found = _used(outputs)
    else:
        found = non_max_suppression(
            outputs["boxes"][0],
            outputs["scores"][0],
            outputs["labels"][0] if layout.labelled else None,
            thresholds=thresholds,
            per_class=layout.per_class,
        )
    scale, offset = box_transform(shape, layout.input_size, layout.resize)
    found["boxes"] = clip((found["boxes"] - offset) / scale)
    found = above(found, thresholds)
    classes = len(layout.class_names)
    if unknown := [int(label) for label in found["labels"] if not 0 <= label < classes]:
        raise InputError(
            f"the network found an object of class {unknown[0]}",
            expected=f"0 to {classes - 1}, for {classes} class_names",
            hint="export it again: the file is damaged",
        )
    return found


def above(found, thresholds):
    """The detections whose scores are above the threshold, and no more than are wanted."""
    keep = np.flatnonzero(found["scores"] > thresholds.score)[: thresholds.detections]
    return {name: values[keep] for name, values in found.items()}


def non_max_suppression(boxes, scores, labels=None, *, thresholds=DEFAULT, per_class=True):
    """Boxes and scores to detections, as `yolov2_tf.detection.non_max_suppression` does.

    Args:
        boxes: `(M, 4)` float32, as fractions of the input.
        scores: `(M, C)` float32 in 0..1, or `(M,)` with `labels`.
        labels: `(M,)`, where each box has one class already, else None.
        thresholds: `Thresholds` of score, overlap and number.
        per_class: Whether boxes of different classes leave one another alone.

    Returns:
        Dict of `boxes` `(n, 4)`, `labels` `(n,)` int32 and `scores` `(n,)`, sorted by score.
    """
    if labels is None:
        index, labels = np.nonzero(scores > thresholds.score)
        found = scores[index, labels]
    else:
        (index,) = np.nonzero(scores > thresholds.score)
        labels, found = labels[index], scores[index]
    candidates = CANDIDATES_PER_DETECTION * thresholds.detections
    best = np.argsort(-found, kind="stable")[:candidates]
    boxes, labels, found = clip(boxes[index[best]]), labels[best].astype(np.int32), found[best]
    wide = np.concatenate([boxes[:, :2], np.maximum(boxes[:, 2:], boxes[:, :2] + LEAST_SIDE)], 1)
    rivals = iou(wide[:, None], wide[None]) > thresholds.iou
    if per_class:
        rivals &= labels[:, None] == labels[None]
    alive = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if alive[i]:
            alive[i + 1 :] &= ~rivals[i, i + 1 :]
    kept = np.flatnonzero(alive)[: thresholds.detections]
    return {"boxes": boxes[kept], "labels": labels[kept], "scores": found[kept]}


def _used(outputs):
    """The detections of a file with suppression, without the unused places."""
    count = int(outputs["number of detections"][0])
    return {
        "boxes": outputs["location"][0, :count],
        "labels": outputs["category"][0, :count].astype(np.int32),
        "scores": outputs["score"][0, :count],
    }
