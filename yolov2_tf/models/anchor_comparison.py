"""Table 1 of the paper: how well boxes are covered by anchors that were found in other ways."""

import numpy as np

from yolov2_tf.models.anchors import average_iou, cluster

SHORTER_SIDE = 600
"""To this Faster R-CNN scales the shorter side of a picture, in pixels, …"""

LONGER_SIDE = 1000
"""… unless the longer one would exceed this."""

HAND_PICKED = np.array(
    [(184, 96), (368, 192), (736, 384), (128, 128), (256, 256), (512, 512),
     (88, 176), (176, 352), (352, 704)],
    float,
)  # fmt: skip
"""Faster R-CNN's nine anchors `[width, height]` in pixels of the scaled picture: three sizes, three
aspects (`generate_anchors.py` of py-faster-rcnn, whose rounding they have)."""

PAPER = {"SSE 5": 0.587, "IoU 5": 0.610, "hand-picked 9": 0.609, "IoU 9": 0.672}
"""Average IoU of the paper's table 1, on VOC 2007."""


def compare(shapes, sizes, *, seed=0):
    """Average IoU of boxes with the closest of the anchors of the paper's table 1.

    Args:
        shapes: `(n, 2)` `[width, height]` of boxes as fractions of their pictures.
        sizes: `(n, 2)` `[width, height]` of their pictures in pixels; 0 where unknown.
        seed: Of both clusterings.

    Returns:
        Dict from the names of `PAPER` to the average IoU; None for the hand-picked ones if a size
        is not known, and for k above the number of distinct shapes.
    """
    distinct = len(np.unique(shapes, axis=0))

    def clustered(how, k):
        return how(shapes, k, seed=seed)[1] if k <= distinct else None

    return {
        "SSE 5": clustered(cluster_sse, 5),
        "IoU 5": clustered(cluster, 5),
        "hand-picked 9": hand_picked_iou(shapes, sizes),
        "IoU 9": clustered(cluster, 9),
    }


def cluster_sse(shapes, k, *, seed=0, restarts=5):
    """Clusters box shapes with plain k-means: least sum of squared errors of width and height.

    Returns:
        `(centers, average_iou)` as `yolov2_tf.models.anchors.cluster`; the best of the restarts is
        that of the least error.
    """
    from sklearn.cluster import KMeans

    found = KMeans(k, n_init=restarts, random_state=seed).fit(np.asarray(shapes, float))
    centers = found.cluster_centers_
    return centers[np.argsort(centers.prod(axis=1))], average_iou(shapes, centers)


def hand_picked_iou(shapes, sizes):
    """Average IoU with `HAND_PICKED`, each picture scaled as for Faster R-CNN; None if unknown."""
    shapes, sizes = np.asarray(shapes, float), np.asarray(sizes, float)
    if not (sizes > 0).all():
        return None
    scale = np.minimum(SHORTER_SIDE / sizes.min(axis=1), LONGER_SIDE / sizes.max(axis=1))
    return average_iou(shapes * sizes * scale[:, None], HAND_PICKED)
