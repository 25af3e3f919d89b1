"""Anchor boxes: clustering of box shapes by IoU (paper, section 2) and the published sets.

Anchors are `(k, 2)` arrays of `[width, height]` in grid cells, 32 pixels each, at every input
size. Clustering works on shapes as fractions of the image, which the size does not change.
"""

import reprlib

import numpy as np

from yolov2_tf.boxes import shape_iou
from yolov2_tf.errors import InputError
from yolov2_tf.models.input_sides import STRIDE

PUBLISHED = {
    # yolov2-voc.cfg
    "voc": [
        (1.3221, 1.73145),
        (3.19275, 4.00944),
        (5.05587, 8.09892),
        (9.47112, 4.84053),
        (11.2364, 10.0071),
    ],
    # yolov2.cfg and yolov2-tiny.cfg
    "coco": [
        (0.57273, 0.677385),
        (1.87446, 2.06253),
        (3.33843, 5.47434),
        (7.88282, 3.52778),
        (9.77052, 9.16828),
    ],
    # yolov2-tiny-voc.cfg
    "tiny-voc": [(1.08, 1.19), (3.42, 4.41), (6.63, 11.38), (9.42, 5.11), (16.62, 10.52)],
    # yolo9000.cfg
    "yolo9000": [(0.77871, 1.14074), (3.00525, 4.31277), (9.22725, 9.61974)],
}
"""Anchors in cells that were published with Darknet's networks."""


def published(name):
    """The published anchors `name` as `(k, 2)` float32, in cells.

    Raises:
        KeyError: If there is no such set; the names are the keys of `PUBLISHED`.
    """
    return np.array(PUBLISHED[name], np.float32)


def checked_anchors(anchors):
    """Anchors as `(k, 2)` float32, in the order given.

    Raises:
        InputError: If there are none, or they are not pairs of finite numbers above 0.
    """
    try:
        checked = np.asarray(anchors, np.float32).reshape(-1, 2)
    except (TypeError, ValueError):  # texts, rows of other lengths
        checked = np.empty((0, 2))
    if not len(checked) or not np.all(np.isfinite(checked) & (checked > 0)):
        raise InputError(
            f"anchors are {reprlib.repr(anchors)}",
            expected="(k, 2) [width, height] in cells, finite and above 0",
        )
    return checked


def to_cells(shapes, size):
    """Shapes `(..., 2)` as fractions of the image to cells of an input of `size` pixels."""
    return np.asarray(shapes, np.float32) * (size / STRIDE)


def average_iou(shapes, anchors):
    """Mean over `shapes` `(n, 2)` of the IoU with the closest of `anchors` `(k, 2)`."""
    shapes, anchors = np.asarray(shapes, float), np.asarray(anchors, float)
    best = np.zeros(len(shapes))
    for anchor in anchors:  # k passes over n values beat one (n, k) table, which leaves the cache
        np.maximum(best, shape_iou(shapes, anchor), out=best)
    return float(best.mean())


def cluster(shapes, k, *, restarts=5, iterations=1000, seed=0):
    """Clusters box shapes with k-means under the distance 1 - IoU.

    Starts by k-means++ and keeps the best of several restarts. A cluster's centre is the mean
    shape of its members, as in the paper.

    Args:
        shapes: `(n, 2)` `[width, height]`, positive, as fractions of the image.
        k: Number of clusters, 1 to the number of distinct shapes.
        restarts: How many starts to try.
        iterations: Limit of refinements in one start; it stops earlier when nothing moves.
        seed: Makes the result reproducible.

    Returns:
        `(centers, average_iou)`: `(k, 2)` float32 sorted by area, and the mean IoU of the shapes
        with their closest centre.

    Raises:
        ValueError: If a shape is not positive and finite, or k does not fit.
    """
    shapes = np.asarray(shapes, np.float32)
    if shapes.ndim != 2 or shapes.shape[1] != 2 or not np.all(np.isfinite(shapes) & (shapes > 0)):
        raise ValueError("shapes must be (n, 2), finite and positive")
    # Annotations in pixels repeat shapes: clustering the distinct ones with their counts is
    # the same and smaller.
    shapes, counts = np.unique(shapes, axis=0, return_counts=True)
    shapes = np.asfortranarray(shapes)  # contiguous widths and heights: five times as fast
    if not 1 <= k <= len(shapes):
        raise ValueError(f"k is {k}, expected 1 to {len(shapes)}, the number of distinct shapes")
    rng = np.random.default_rng(seed)
    best_centers, best_score = None, -1.0
    for _ in range(restarts):
        centers = _refine(shapes, counts, _plus_plus(shapes, counts, k, rng), iterations)
        score = float(np.average(_ious(shapes, centers).max(axis=0), weights=counts))
        if score > best_score:
            best_centers, best_score = centers, score
    order = np.argsort(best_centers.prod(axis=1))
    return best_centers[order], best_score


def sweep(shapes, ks, *, seed=0):
    """Clusters for every k of `ks`: `{k: (centers, average_iou)}` (the paper's figure 2)."""
    return {k: cluster(shapes, k, seed=seed) for k in ks}


def _ious(shapes, centers):
    """`(k, n)` shape IoUs; clusters first, so that each row is one contiguous pass."""
    return np.stack([shape_iou(shapes, center) for center in centers])


def _plus_plus(shapes, counts, k, rng):
    """k-means++ (Arthur & Vassilvitskii, 2007): spreads the starts in proportion to distance²."""
    centers = [shapes[rng.choice(len(shapes), p=counts / counts.sum())]]
    distance = 1 - shape_iou(shapes, centers[0])
    for _ in range(k - 1):
        weight = counts * distance**2
        weight = weight / weight.sum() if weight.sum() > 0 else counts / counts.sum()
        centers.append(shapes[rng.choice(len(shapes), p=weight)])
        np.minimum(distance, 1 - shape_iou(shapes, centers[-1]), out=distance)
    return np.array(centers)


def _refine(shapes, counts, centers, iterations):
    assigned = None
    for _ in range(iterations):
        closest = _ious(shapes, centers).argmax(axis=0)
        if assigned is not None and np.array_equal(closest, assigned):
            break
        assigned = closest
        members = np.bincount(closest, weights=counts, minlength=len(centers))
        sums = np.stack(
            [np.bincount(closest, weights=counts * side, minlength=len(centers))
             for side in shapes.T],
            axis=1,
        )  # fmt: skip
        # A centre that lost all its members stays where it was.
        centers = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], centers)
        centers = centers.astype(np.float32)
    return centers
