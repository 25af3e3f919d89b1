"""The gradient of the loss is what Darknet's region layer sends back, in every mode."""

import numpy as np
import pytest
import tensorflow as tf
from region_layer import RegionLayer

from slow_loss import ANCHORS, CLASSES, DEPTH, scene
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["thing", "beast", "cat", "dog"], [-1, -1, 1, 1])
TWO_BRANCHES = WordTree(["cat", "dog", "tabby", "lion", "hound", "husky"], [-1, -1, 0, 0, 1, 1])

MODES = {
    "as released": {},
    "warm-up": {"warming": True},
    "no rescore": {"rescore": False},
    "ignores more": {"ignore_iou": 0.2},
    "scales": {"coord_scale": 2.0, "object_scale": 0.5, "noobject_scale": 3.0, "class_scale": 4.0},
    "class weights": {"class_weights": [0.5, 2.0, 0.0, 7.0]},
    "spare": {"box_classes": [0, 1, 2, 3]},
}


def ours(head, truths, anchors=ANCHORS, *, warming=False, **options):
    """Gradient of the sum of the losses of all images, `(B, S_h, S_w, k, 5 + C)`."""
    head = tf.Variable(head)
    with tf.GradientTape() as tape:
        seen = tf.constant(0 if warming else 10**6, tf.int64)
        losses, _ = YOLOv2Loss(anchors, **options).terms(truths, head, seen)
        total = tf.reduce_sum(tf.add_n(list(losses.values())))
    gradient = tape.gradient(total, head).numpy()
    return gradient.reshape(*gradient.shape[:3], len(anchors), -1)


@pytest.mark.parametrize("tree", [None, TREE], ids=["flat", "tree"])
@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
@pytest.mark.parametrize("name", ["random", "wide", "one slot", "padded", "none"])
def test_images_with_boxes(name, options, tree):
    head, boxes, labels = scene(name, seed=5)
    expected = [
        RegionLayer(ANCHORS, tree, **options).gradient(*image)
        for image in zip(head, boxes, labels, strict=True)
    ]
    found = ours(head, {"boxes": boxes, "labels": labels}, tree=tree, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("tree", [None, TREE], ids=["flat", "tree"])
@pytest.mark.parametrize("rule", ["paper", "darknet", "object"])
@pytest.mark.parametrize("objectness", [-3.0, 3.0])
def test_images_with_a_label(rule, tree, objectness):
    rng = np.random.default_rng(7)
    head = rng.normal(0, 1.5, (CLASSES, 3, 3, len(ANCHORS) * DEPTH)).astype(np.float32)
    head[..., 4::DEPTH] += objectness
    truths = {
        "boxes": np.zeros((CLASSES, 0, 4), np.float32),
        "labels": np.zeros((CLASSES, 0), np.int32),
        "image_labels": np.arange(CLASSES, dtype=np.int32),
    }
    layer = RegionLayer(ANCHORS, tree, image_rule=rule)
    expected = [layer.gradient_of_label(*image) for image in zip(head, range(CLASSES), strict=True)]
    found = ours(head, truths, tree=tree, image_rule=rule)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("labels", [(4, 2), (2, 4, 3), (5, 1), (1, 5), (0, 4, 2, 4), (3, -1, 5)])
def test_truths_of_different_branches_in_one_slot_train_both_paths(labels):
    """Darknet overwrites group by group: what is below another branch keeps its gradient."""
    rng = np.random.default_rng(1)
    head = rng.normal(0, 1, (1, 2, 2, 5 + len(TWO_BRANCHES))).astype(np.float32)
    boxes = np.float32([[[0.1, 0.1, 0.4, 0.4]] * len(labels)]) + rng.uniform(0, 0.02, (1, 1, 4))
    boxes = boxes.astype(np.float32)
    expected = RegionLayer([(0.6, 0.6)], TWO_BRANCHES).gradient(head[0], boxes[0], labels)
    truths = {"boxes": boxes, "labels": np.int32([labels])}
    found = ours(head, truths, [(0.6, 0.6)], tree=TWO_BRANCHES)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-6)
    if labels == (4, 2):
        assert np.abs(expected[0, 0, 0, 5:]).min() > 0.01  # all three groups of both paths
