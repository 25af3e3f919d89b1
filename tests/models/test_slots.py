"""Slots that truths share, against the assignment of training."""

import numpy as np
import pytest

from yolov2_tf.models.slots import reachable, truth_slots


@pytest.mark.parametrize("size", [32, 320, 416])
def test_slots_are_those_of_training(size):
    from yolov2_tf.detection.assignment import match

    random = np.random.default_rng(size)
    corner = random.uniform(0, 0.9, (3, 40, 2))
    boxes = np.concatenate([corner, corner + random.uniform(0.01, 0.1, (3, 40, 2))], axis=2)
    boxes = np.minimum(boxes, 1).astype(np.float32)
    boxes[0, 0] = (0.99, 0.99, 1.01, 1.01)  # its centre lies on the border
    shapes = random.uniform(0.02, 0.1, (4, 2)).astype(np.float32)
    cells = size // 32
    matches = match(boxes, np.zeros((3, 40), np.int32), (cells, cells), shapes * cells)
    image = np.repeat(np.arange(3), 40)
    found = truth_slots(image, boxes.reshape(-1, 4), shapes, size)
    expected = image * cells * cells * 4 + matches.slot.numpy().ravel()
    np.testing.assert_array_equal(found, expected)
    share = reachable(image, boxes.reshape(-1, 4), shapes, size)
    assert share == pytest.approx(matches.kept.numpy().mean())


def test_two_objects_of_like_shape_in_one_cell_share_a_slot():
    boxes = np.array([[0.4, 0.4, 0.6, 0.6], [0.41, 0.41, 0.61, 0.61], [0.45, 0.2, 0.55, 0.8]])
    anchors = [[0.2, 0.2], [0.6, 0.1]]
    assert reachable([0, 0, 0], boxes, anchors, 96) == pytest.approx(2 / 3)
    assert reachable([0, 1, 0], boxes, anchors, 96) == 1  # other pictures
    assert reachable([0, 0, 0], boxes, anchors[:1], 96) == pytest.approx(1 / 3)
    assert reachable([], np.zeros((0, 4)), anchors, 96) == 1
