"""Box geometry: NumPy arrays in, NumPy arrays out; tensors in, tensors out.

A box is `[y_min, x_min, y_max, x_max]`, as fractions of the image. The formulas are written once
and serve the graph (loss, decoding) as well as NumPy (clustering, evaluation, tests): both
libraries call the few functions needed here by the same names.
"""

import numpy as np


def _namespace(array):
    if isinstance(array, np.ndarray):
        return np
    import tensorflow as tf

    return tf


def _share(part, whole):
    """`part / whole`, and 0 where there is no whole, as of two empty boxes."""
    if isinstance(whole, np.ndarray | np.generic):
        part, whole = np.broadcast_arrays(part, whole)
        nothing = np.zeros(whole.shape, np.result_type(whole, np.float32))
        return np.divide(part, whole, out=nothing, where=whole > 0)
    import tensorflow as tf

    return tf.math.divide_no_nan(part, whole)


def area(boxes):
    """Areas `(...)` of boxes `(..., 4)`; 0 for boxes whose corners are swapped."""
    xp = _namespace(boxes)
    height = xp.maximum(boxes[..., 2] - boxes[..., 0], 0.0)
    width = xp.maximum(boxes[..., 3] - boxes[..., 1], 0.0)
    return height * width


def iou(a, b):
    """Intersection over union of boxes `a` and `b`, broadcast against each other.

    Args:
        a: `(..., 4)` boxes.
        b: `(..., 4)` boxes. `iou(a[:, None], b[None])` gives all pairs.

    Returns:
        `(...)` values in 0..1; 0 where both boxes are empty.
    """
    shared = _intersection(a, b)
    return _share(shared, area(a) + area(b) - shared)


def share_within(a, b):
    """How much of the boxes `a` lies in the boxes `b`, broadcast: `(...)` in 0..1."""
    return _share(_intersection(a, b), area(a))


def _intersection(a, b):
    xp = _namespace(a)
    top = xp.maximum(a[..., 0], b[..., 0])
    left = xp.maximum(a[..., 1], b[..., 1])
    bottom = xp.minimum(a[..., 2], b[..., 2])
    right = xp.minimum(a[..., 3], b[..., 3])
    return xp.maximum(bottom - top, 0.0) * xp.maximum(right - left, 0.0)


def shape_iou(a, b):
    """IoU of shapes laid over one another with a common centre, broadcast.

    This is the measure of YOLOv2's dimension clusters (paper, section 2) and of the assignment
    of ground truth to anchors.

    Args:
        a: `(..., 2)` `[width, height]`, in any unit.
        b: `(..., 2)` `[width, height]`, in the same unit.

    Returns:
        `(...)` values in 0..1.
    """
    xp = _namespace(a)
    intersection = xp.minimum(a[..., 0], b[..., 0]) * xp.minimum(a[..., 1], b[..., 1])
    union = a[..., 0] * a[..., 1] + b[..., 0] * b[..., 1] - intersection
    return _share(intersection, union)


def corners_to_centers(boxes):
    """`[y_min, x_min, y_max, x_max]` to `[x_center, y_center, width, height]`, `(..., 4)`."""
    xp = _namespace(boxes)
    y_min, x_min, y_max, x_max = (boxes[..., i] for i in range(4))
    return xp.stack(
        [(x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min], axis=-1
    )


def centers_to_corners(boxes):
    """`[x_center, y_center, width, height]` to `[y_min, x_min, y_max, x_max]`, `(..., 4)`."""
    xp = _namespace(boxes)
    x, y, width, height = (boxes[..., i] for i in range(4))
    return xp.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], axis=-1)


def can_be_fractions(boxes):
    """Whether boxes `(..., 4)` of NumPy are finite, and no pixels: `(...)` bool.

    A box may stick out of its picture by much; its centre is not further out than a side of it.
    """
    away = np.abs((boxes[..., :2] + boxes[..., 2:]) / 2 - 0.5)
    return np.isfinite(boxes).all(axis=-1) & (away < 1.5).all(axis=-1)


def clip(boxes):
    """Boxes `(..., 4)` cut off at the borders of the image (0 and 1)."""
    xp = _namespace(boxes)
    return xp.minimum(xp.maximum(boxes, 0.0), 1.0)
