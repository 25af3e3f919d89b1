"""Table 1 of the paper: each way of finding anchors by its definition."""

import numpy as np
import pytest

from yolov2_tf.models.anchor_comparison import (
    HAND_PICKED,
    cluster_sse,
    compare,
    hand_picked_iou,
)
from yolov2_tf.models.anchors import average_iou, cluster


@pytest.fixture
def shapes():
    """Three clouds of shapes, of sides 0.05 to 0.9."""
    rng = np.random.default_rng(0)
    centers = np.array([(0.1, 0.1), (0.2, 0.6), (0.7, 0.5)])
    return (centers[rng.integers(3, size=300)] * rng.uniform(0.7, 1.3, (300, 2))).clip(0.01, 1)


def test_squared_errors_find_the_clouds_and_are_least(shapes):
    centers, score = cluster_sse(shapes, 3)
    np.testing.assert_allclose(centers, [(0.1, 0.1), (0.2, 0.6), (0.7, 0.5)], rtol=0.15)
    assert score == pytest.approx(average_iou(shapes, centers))

    def error(some):
        return ((shapes[:, None] - some) ** 2).sum(axis=2).min(axis=1).sum()

    by_iou, best = cluster(shapes, 3)
    assert error(centers) <= error(by_iou)
    assert best >= score - 1e-3


def test_hand_picked_anchors_fit_the_boxes_that_they_are():
    """In a picture of 600 × 800 each anchor covers itself, at any scale of the picture."""
    sizes = np.tile([800.0, 600.0], (len(HAND_PICKED), 1))
    shapes = HAND_PICKED / sizes
    assert hand_picked_iou(shapes, sizes) == pytest.approx(1)
    assert hand_picked_iou(shapes, sizes / 4) == pytest.approx(1)
    long = np.tile([2000.0, 600.0], (len(HAND_PICKED), 1))  # scaled down to 1,000 × 300
    assert hand_picked_iou(HAND_PICKED * 2 / long, long) == pytest.approx(1)


def test_what_cannot_be_known_is_none(shapes):
    found = compare(shapes, np.zeros_like(shapes))
    assert found["hand-picked 9"] is None
    assert found["IoU 9"] > found["IoU 5"] > 0.5
    few = compare(shapes[:6], np.full((6, 2), 500.0))
    assert few["IoU 9"] is None
    assert few["SSE 5"] > 0.8
