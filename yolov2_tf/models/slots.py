"""Which truths share a slot: an anchor of a grid cell, which finds one object and no more.

YOLOv2 matches a truth to the cell of its centre and the anchor of the best shape IoU
(`yolov2_tf.detection.assignment`). Of two truths in one slot only one is ever trained, so the
share of truths that have a slot of their own bounds what a network of this size can learn.
"""

import numpy as np

from yolov2_tf.boxes import corners_to_centers, shape_iou
from yolov2_tf.models.input_sides import STRIDE


def truth_slots(image, boxes, shapes, size):
    """A number for the slot of each truth, the same for truths that share one.

    Args:
        image: `(n,)` int, the picture of each truth.
        boxes: `(n, 4)` truths as fractions.
        shapes: `(k, 2)` anchors `[width, height]` as fractions of the image.
        size: Side of the input in pixels, a multiple of 32.

    Returns:
        `(n,)` int64.
    """
    cells = size // STRIDE
    centers = corners_to_centers(np.asarray(boxes, np.float64).reshape(-1, 4))
    column, row = np.clip((centers[:, :2] * cells).astype(int), 0, cells - 1).T
    overlap = np.stack([shape_iou(centers[:, 2:], anchor) for anchor in np.asarray(shapes, float)])
    anchor = overlap.argmax(axis=0)
    return ((np.asarray(image) * cells + row) * cells + column) * len(shapes) + anchor


def reachable(image, boxes, shapes, size):
    """Share of the truths that have a slot, where those that share one count once.

    Args:
        image: As for `truth_slots`.
        boxes: As for `truth_slots`.
        shapes: As for `truth_slots`: anchors as fractions of the image, or in cells of `size`
            times 32 / `size`.
        size: As for `truth_slots`.

    Returns:
        Fraction in 0..1, the most recall that training can reach; 1.0 without truths.
    """
    if not len(boxes):
        return 1.0
    return len(np.unique(truth_slots(image, boxes, shapes, size))) / len(boxes)
