"""Heads whose network gives logits of a tree's leaves alone."""

import keras
import numpy as np
import pytest

from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.heads import ClassificationHead, DetectionHead
from yolov2_tf.models.loading import load_model, read_head
from yolov2_tf.models.narrowing import narrowed
from yolov2_tf.models.transfer import transfer_weights, with_new_head
from yolov2_tf.models.yolov2 import YOLO9000, TinyYOLOv2, YOLOv2
from yolov2_tf.trees.leaf_logits import node_logits
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["animal", "thing", "dog", "cat", "hound"], [-1, -1, 0, 0, 2])
LEAVES = {"tree": TREE, "tree_logits": "leaves"}


def lively(model):
    """The model with weights under which pictures differ."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.1, 1, w.shape) for w in layer.get_weights()])
    return model


def answers(model, side=64):
    images = np.random.default_rng(1).uniform(0, 255, (2, side, side, 3)).astype("float32")
    return np.asarray(model(images))


@pytest.mark.parametrize("builder", [YOLOv2, TinyYOLOv2, YOLO9000])
def test_every_detector_has_such_a_head(builder):
    model = builder(TREE.names, anchors=[(1, 1), (2, 3)], width=1 / 16, input_size=64, **LEAVES)
    assert model.output_shape[-1] == 2 * (5 + len(TREE))
    assert model.head.filters == 2 * (5 + 3)
    with_nodes = builder(TREE.names, anchors=[(1, 1), (2, 3)], width=1 / 16, tree=TREE)
    assert with_nodes.head.filters == 2 * (5 + len(TREE))


def test_a_detection_head_makes_the_other_logits_of_those_of_the_leaves():
    features = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")
    head = DetectionHead([(1, 1), (2, 3)], TREE.names, 64, **LEAVES)
    found = np.asarray(head(features)).reshape(2, 3, 4, 2, 5 + len(TREE))
    kernel, bias = head.get_weights()
    raw = (features @ kernel[0, 0] + bias).reshape(2, 3, 4, 2, 8)
    np.testing.assert_allclose(found[..., :5], raw[..., :5], atol=1e-5)
    expected = node_logits(raw[..., 5:].astype("float32"), TREE)
    np.testing.assert_allclose(found[..., 5:], expected, atol=1e-4)


def test_a_classification_head_does_so_with_the_means_over_the_picture():
    averages = np.random.default_rng(0).normal(size=(2, 1, 1, 3)).astype("float32")
    head = ClassificationHead(TREE.names, 64, **LEAVES)
    found = head(averages)
    np.testing.assert_array_equal(found, node_logits(averages[:, 0, 0], TREE))
    probabilities = np.asarray(head.probabilities(found))
    softmax = np.exp(averages[:, 0, 0]) / np.exp(averages[:, 0, 0]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities[:, TREE.leaves], softmax, rtol=1e-5)
    assert Darknet19(TREE.names, width=1 / 16, **LEAVES).output_shape == (None, len(TREE))


def test_a_file_keeps_it(tmp_path):
    model = lively(TinyYOLOv2(TREE.names, width=1 / 16, input_size=64, **LEAVES))
    model.save(tmp_path / "leaves.keras")
    np.testing.assert_array_equal(answers(load_model(tmp_path / "leaves.keras")), answers(model))
    assert read_head(tmp_path / "leaves.keras").tree_logits == "leaves"


def test_a_classifier_gives_a_detector_the_logits_of_its_leaves():
    classifier = lively(Darknet19(TREE.names, width=1 / 16, **LEAVES))
    model = YOLO9000(TREE.names, width=1 / 16, input_size=64, **LEAVES)
    assert transfer_weights(model, classifier).missing == {}
    raw = keras.Model(classifier.input, classifier.get_layer("average_pool").output)
    features = keras.Model(model.input, model.head.input)
    kernel, bias = (w.reshape(*w.shape[:-1], 3, 8)[..., 5:] for w in model.head.get_weights())
    images = np.random.default_rng(1).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    mean = np.asarray(features(images)).mean(axis=(1, 2))
    for anchor in range(3):
        found = mean @ kernel[0, 0, :, anchor] + bias[anchor]
        np.testing.assert_allclose(found, np.asarray(raw(images))[:, 0, 0], rtol=1e-3)


def test_a_classifier_of_all_nodes_gives_it_features_alone():
    model = YOLO9000(TREE.names, width=1 / 16, input_size=64, **LEAVES)
    report = transfer_weights(model, Darknet19(TREE.names, width=1 / 16, tree=TREE))
    assert "head" in report.missing


def test_a_new_head_stays_one_as_long_as_there_is_a_tree():
    model = TinyYOLOv2(TREE.names, width=1 / 16, input_size=64, **LEAVES)
    other = WordTree(["a", "b", "c"], [-1, 0, 0])
    changed = with_new_head(model, class_names=other.names, tree=other)
    assert changed.head.tree_logits == "leaves"
    assert with_new_head(model, class_names=["a"], tree=None).head.tree_logits == "nodes"


def test_it_can_be_narrowed():
    model = lively(TinyYOLOv2(TREE.names, width=1 / 4, input_size=64, **LEAVES))
    np.testing.assert_array_equal(answers(narrowed(model, 1)), answers(model))
    assert narrowed(model, 0.5).head.filters == model.head.filters


def test_darknet_has_no_such_head(tmp_path):
    model = TinyYOLOv2(TREE.names, width=1 / 16, input_size=64, **LEAVES)
    with pytest.raises(InputError, match="logit for each node, as in Darknet"):
        export_darknet(model, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tree": TREE, "tree_logits": "twigs"}, "'twigs'.*nodes or leaves"),
        ({"tree_logits": "leaves"}, "expected a tree"),
    ],
)
def test_ways_that_are_none_and_leaves_of_no_tree_are_refused(options, message):
    for build in (TinyYOLOv2, Darknet19):
        with pytest.raises(InputError, match=message):
            build(TREE.names, **options)
