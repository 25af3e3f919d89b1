"""Detection with a label tree: one label for each box, as deep as the threshold allows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.decoding import DecodeBoxes, DecodeNodes, DecodeTree
from yolov2_tf.detection.non_max_suppression import NonMaxSuppression
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["animal", "thing", "dog", "cat", "hound", "poodle"], [-1, -1, 0, 0, 2, 2])
ANCHORS = [(0.5, 0.8), (2.0, 1.0)]


def slow_label(logits, tree, threshold):
    """`(node, Pr(node | object))` by walking down; the best child of the root in any case."""
    node, probability = -1, 1.0
    while len(children := list(tree.children(node))):
        shares = np.exp(logits[children] - logits[children].max())
        shares /= shares.sum()
        best = int(np.argmax(shares))
        if node >= 0 and probability * shares[best] <= threshold:
            break
        node, probability = children[best], probability * shares[best]
    return node, probability


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9])
def test_each_box_gets_the_deepest_label_above_the_threshold(threshold):
    rng = np.random.default_rng(0)
    depth = 5 + len(TREE)
    raw = rng.normal(0, 2, (2, 3, 4, len(ANCHORS) * depth)).astype(np.float32)
    boxes, scores, labels = DecodeTree(ANCHORS, TREE, threshold)(raw)
    expected_boxes, of_all = DecodeBoxes(ANCHORS, TREE)(raw)
    np.testing.assert_array_equal(boxes, expected_boxes)
    assert scores.shape == labels.shape == (2, 24)
    values = raw.reshape(2, 24, depth).astype(float)
    for place in np.ndindex(2, 24):
        node, probability = slow_label(values[place][5:], TREE, threshold)
        objectness = 1 / (1 + np.exp(-values[place][4]))
        assert labels[place] == node
        assert float(scores[place]) == pytest.approx(objectness * probability, rel=1e-5)
        assert float(scores[place]) == pytest.approx(float(of_all[place][node]), rel=1e-5)
    found = set(labels.numpy().ravel())
    assert found <= set(TREE.leaves) if threshold == 0 else len(set(TREE.depth[list(found)])) == 3


def test_whether_there_is_an_object_does_not_change_what_it_is_called():
    raw = np.random.default_rng(1).normal(0, 2, (1, 3, 3, len(ANCHORS) * 11)).astype(np.float32)
    _, scores, labels = DecodeTree(ANCHORS, TREE)(raw)
    raw[..., 4::11] -= 5
    _, lower, same = DecodeTree(ANCHORS, TREE)(raw)
    np.testing.assert_array_equal(same, labels)
    assert (lower.numpy() < scores.numpy()).all()


@pytest.mark.parametrize("classes", [3, 9418])
def test_suppression_is_per_label_also_with_thousands(classes):
    """Two boxes in the same place with labels far apart, and one that overlaps by 46 percent."""
    rng = np.random.default_rng(2)
    boxes = np.tile(np.float32([[0.50, 0.5, 0.51, 0.51]]), [40, 1])
    boxes += rng.uniform(0, 0.006, (40, 1)).astype(np.float32)  # small boxes need exact places
    labels = rng.integers(classes - 3, classes, 40).astype(np.int32)
    scores = rng.uniform(0.3, 1, 40).astype(np.float32)
    found = NonMaxSuppression(0.25, 0.45, 50)(boxes[None], scores[None], labels[None])
    kept = []
    for i in np.argsort(-scores):
        side = 0.01 - np.abs(boxes[i, 0] - boxes[[k for k in kept if labels[k] == labels[i]], 0])
        if not (side**2 / (2e-4 - side**2) > 0.45).any():
            kept.append(i)
    count = int(found["num_detections"][0])
    np.testing.assert_array_equal(found["labels"][0, :count], labels[kept])
    np.testing.assert_allclose(found["scores"][0, :count], scores[kept])


def test_the_candidates_of_labelled_boxes_are_the_best():
    boxes = np.zeros((1, 500, 4), np.float32)
    boxes[0, :, 0] = boxes[0, :, 1] = np.arange(500) / 1000
    boxes[..., 2:] = boxes[..., :2] + np.float32(1e-4)
    scores = np.linspace(0.01, 1, 500, dtype=np.float32)[None]
    labels = np.zeros((1, 500), np.int32)
    found = NonMaxSuppression(0.005, 0.45, 10)(boxes, scores, labels)
    np.testing.assert_allclose(found["scores"][0], scores[0, ::-1][:10])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = TinyYOLOv2(TREE.names, input_size=64, width=0.125, tree=TREE)
    kernel, bias = model.head.get_weights()
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1 / kernel.shape[2] ** 0.5, kernel.shape), rng.normal(0, 2, bias.shape)
    model.head.set_weights(noise)
    return model


def test_a_detector_with_a_tree_survives_saving_and_says_one_label_a_box(model, tmp_path):
    picture = np.random.default_rng(4).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    model.save(tmp_path / "tree.keras")
    loaded = load_model(tmp_path / "tree.keras")
    assert loaded.head.tree == TREE
    (found,) = detect(detector(model, 0.05), [picture])
    (again,) = detect(detector(loaded, 0.05), [picture])
    assert len(found["labels"])
    for name in found:
        np.testing.assert_array_equal(found[name], again[name])
    assert len(np.unique(found["boxes"], axis=0)) == len(found["boxes"])
    (leaves,) = detect(detector(model, 0.0, tree_threshold=0.0), [picture])
    assert set(leaves["labels"]) <= set(TREE.leaves)
    (tops,) = detect(detector(model, 0.0, tree_threshold=1.0), [picture])
    assert set(tops["labels"]) <= {0, 1}


def test_the_decoder_in_a_functional_model_says_its_shapes(model):
    outputs = detector(model).get_layer("decode").output
    assert [tuple(x.shape) for x in outputs] == [(None, None, 4), (None, None), (None, None)]
    assert outputs[2].dtype == "int32"
    config = detector(model, tree_threshold=0.7).get_layer("decode").get_config()
    assert config["threshold"] == 0.7
    again = DecodeTree.from_config(config)
    raw = tf.zeros((1, 2, 2, len(model.head.anchors) * (5 + len(TREE))))
    assert again(raw)[2].shape == (1, 4 * len(model.head.anchors))


# === Scores of every node (Darknet with a map) ===


def test_a_box_has_the_absolute_probability_of_each_node_as_its_score():
    raw = np.random.default_rng(3).normal(0, 2, (2, 3, 4, len(ANCHORS) * 11)).astype(np.float32)
    nodes = [4, 2, 0]  # hound, dog, animal
    boxes, scores = DecodeNodes(ANCHORS, TREE, nodes)(raw)
    expected_boxes, of_all = DecodeBoxes(ANCHORS, TREE)(raw)
    np.testing.assert_array_equal(boxes, expected_boxes)
    np.testing.assert_array_equal(scores, of_all.numpy()[..., nodes])
    assert (scores.numpy()[..., 2] >= scores.numpy()[..., 1]).all()
    assert (scores.numpy()[..., 1] >= scores.numpy()[..., 0]).all()


def test_a_detector_that_scores_nodes_finds_a_box_as_each_of_them():
    keras.utils.set_random_seed(0)
    model = TinyYOLOv2(TREE.names, width=0.0625, input_size=64, tree=TREE, anchors=ANCHORS)
    model.head.bias.assign(np.tile([0, 0, 0, 0, 4, 3, 0, 3, 0, 3, 0], 2))  # mostly hounds
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    one = KerasDetector(model, Thresholds(0.05, 0.45, 50))
    every = one.scoring([0, 2, 4])
    labelled, scored = one.detect(picture), every.detect(picture)
    assert set(labelled["labels"]) == {4}
    assert set(scored["labels"]) == {0, 2, 4}
    best = [scored["scores"][scored["labels"] == node].max() for node in (0, 2, 4)]
    assert best[0] > best[1] > best[2]
    assert best[2] == pytest.approx(labelled["scores"].max(), rel=1e-5)
