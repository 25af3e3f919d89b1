"""Head, loss, accuracy, ranking and evaluation of classifiers, against slow references."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.classification.accuracy import evaluate_classifier
from yolov2_tf.classification.classifier import classifier, classify, load_classifier
from yolov2_tf.classification.objectives import PathCrossEntropy, TopAccuracy
from yolov2_tf.classification.ranking import most_probable, right_leaves
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.heads import ClassificationHead, find_classification_head
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

#        0       1      2      3      4       5       6       7
NAMES = ["even", "odd", "two", "four", "one", "three", "long", "short"]
TREE = WordTree(NAMES, [-1, -1, 0, 0, 1, 1, 3, 3])  # a node under `four`: leaves at two depths


@pytest.fixture(scope="module")
def logits():
    return np.random.default_rng(0).normal(0, 2, (50, 8)).astype(np.float32)


def slow_probabilities(row):
    """By the definition: a softmax in each group, multiplied along the path."""
    conditional = np.zeros(8)
    for up in {-1, 0, 1, 3}:
        group = np.flatnonzero(TREE.parent == up)
        conditional[group] = np.exp(row[group]) / np.exp(row[group]).sum()
    absolute = conditional.copy()
    for node in range(8):
        if TREE.parent[node] >= 0:
            absolute[node] *= absolute[TREE.parent[node]]
    return absolute


# === Head ===


def test_without_a_tree_probabilities_are_a_softmax(logits):
    head = ClassificationHead([f"class {i}" for i in range(8)])
    np.testing.assert_allclose(head.probabilities(logits), tf.nn.softmax(logits), atol=1e-6)


def test_with_a_tree_probabilities_are_products_along_the_path(logits):
    head = ClassificationHead(NAMES, tree=TREE)
    expected = [slow_probabilities(row) for row in logits]
    np.testing.assert_allclose(head.probabilities(logits), expected, atol=1e-6)


def test_a_head_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="expected one of"):
        ClassificationHead(["a"], resize="crop")
    with pytest.raises(ValueError, match="the tree has 8 nodes, the names are 1"):
        ClassificationHead(["a"], tree=TREE)


def test_a_file_says_all_by_itself(tmp_path):
    names = tuple(f"the {name}" for name in NAMES)
    model = Darknet19(names, width=1 / 16, input_size=96, resize="letterbox", tree=TREE)
    hierarchy = find_classification_head(model).hierarchy
    model.compile("sgd", PathCrossEntropy(hierarchy), metrics=[TopAccuracy(hierarchy, 3)])
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.uint8)
    model.train_on_batch(images, np.array([2, 7]))
    model.save(tmp_path / "a.keras")
    again = load_classifier(tmp_path / "a.keras")
    head = find_classification_head(again)
    assert head.class_names == names
    assert (head.input_size, head.resize, head.tree) == (96, "letterbox", TREE)
    assert again.loss.tree == TREE
    np.testing.assert_array_equal(again(images), model(images))


def test_a_detector_is_no_classifier(tmp_path):
    TinyYOLOv2(["a"], width=1 / 16, input_size=32).save(tmp_path / "a.keras")
    assert load_model(tmp_path / "a.keras")
    with pytest.raises(InputError, match="no ClassificationHead: it is not a classifier"):
        load_classifier(tmp_path / "a.keras")


# === Loss and accuracy ===


def test_without_a_tree_the_loss_is_cross_entropy(logits):
    flat = ClassificationHead([str(i) for i in range(8)]).hierarchy
    labels = np.arange(50) % 8
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert float(PathCrossEntropy(flat)(labels, logits)) == pytest.approx(float(expected), 1e-5)
    accuracy = TopAccuracy(flat)
    accuracy.update_state(labels[:, None], logits)  # Keras hands labels over as a column
    assert float(accuracy.result()) == pytest.approx((logits.argmax(1) == labels).mean())


def test_with_a_tree_the_loss_is_the_surprise_at_the_label(logits):
    labels = np.arange(50) % 8
    surprise = [
        -np.log(slow_probabilities(row)[label]) for row, label in zip(logits, labels, strict=True)
    ]
    assert float(PathCrossEntropy(TREE)(labels, logits)) == pytest.approx(np.mean(surprise), 1e-5)


def test_leaves_compete_with_leaves(logits):
    leaves, probabilities = (part.numpy() for part in most_probable(logits, TREE, 3))
    expected = np.array([slow_probabilities(row) for row in logits])
    expected[:, [0, 1, 3]] = -1  # inner nodes
    np.testing.assert_array_equal(leaves, np.argsort(-expected, axis=1)[:, :3])
    np.testing.assert_allclose(probabilities, -np.sort(-expected, axis=1)[:, :3], atol=1e-6)
    assert most_probable(logits, TREE, 100)[0].shape == (50, 5)


def test_a_leaf_below_the_label_is_right():
    leaves = np.array([[6, 2, 4]] * 5)
    right = right_leaves(leaves, np.array([6, 3, 0, 1, 5]), TREE)
    np.testing.assert_array_equal(
        right,
        [[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]],
    )


# === Prediction and evaluation ===


class Fixed(keras.layers.Layer):
    """Says the logits that stand in the first row of the picture."""

    def call(self, images):
        return 10 * images[:, :1, :8, 0:1] / 255

    def compute_output_shape(self, input_shape):
        return input_shape[0], 1, 8, 1


def fixed(tree, names=None):
    image = keras.Input((None, None, 3))
    x = keras.layers.Reshape((1, 1, 8))(Fixed()(image))
    names = names or [f"the {name}" for name in NAMES]
    return keras.Model(image, ClassificationHead(names, 32, tree=tree, name="head")(x))


def picture(*nodes, strength=255):
    """A picture that `Fixed` takes for these nodes."""
    image = np.zeros((32, 32, 3), np.uint8)
    image[0, list(nodes)] = strength
    return image


def encoded(image):
    return tf.io.encode_png(image).numpy()


def test_the_descent_goes_as_deep_as_it_is_sure():
    sure, unsure, clueless = classify(
        classifier(fixed(TREE), top=2), [picture(0, 3, 6), picture(0, 2, 3), picture()]
    )
    assert (sure["node"], unsure["node"], clueless["node"]) == (6, 0, -1)
    assert sure["labels"][0] == 6
    assert sure["probability"] == pytest.approx(sure["scores"][0])
    assert unsure["probability"] > 0.99
    assert unsure["scores"][0] < 0.51


def test_any_picture_goes_in():
    ranking = classifier(fixed(None), top=1)
    large = np.repeat(np.repeat(picture(5), 3, axis=0), 3, axis=1)
    found = classify(ranking, [large, picture(2)])
    assert [row["labels"].tolist() for row in found] == [[5], [2]]


def test_scores_are_counted_as_defined():
    labels_and_pictures = [
        (6, picture(0, 3, 6)),  # right
        (7, picture(0, 3, 6)),  # two of three levels right, and second best
        (3, picture(0, 3, 6)),  # a leaf below the label is right
        (2, picture(0, 3, 6)),  # one of two levels right, third best
        (4, picture(0, 3, 6)),  # nothing right
    ]
    records = [LabelledImage(encoded(image), label) for label, image in labels_and_pictures]
    dataset = ClassificationDataset("some", tuple(f"the {name}" for name in NAMES), records)
    scores = evaluate_classifier(classifier(fixed(TREE)), dataset, batch_size=2)
    assert scores.images == 5
    assert scores.top1 == pytest.approx(2 / 5)
    assert scores.top5 == 1  # there are only five leaves
    assert scores.hierarchical == pytest.approx((1 + 2 / 3 + 1 + 1 / 2 + 0) / 5)
    assert scores.accuracy == {
        **{"the long": 1, "the four": 1},
        **{"the short": 0, "the two": 0, "the one": 0},
    }
    assert set(scores.to_json()) == {
        *("top1", "top5", "hierarchical", "accuracy", "images", "seconds")
    }
    flat = evaluate_classifier(classifier(fixed(None)), dataset)
    assert flat.hierarchical == flat.top1
    assert "hierarchical" not in flat.to_json()


def test_classes_that_share_a_name_have_a_score_each():
    names = [*(f"the {name}" for name in NAMES[:6]), "crane", "crane"]
    records = [LabelledImage(encoded(picture(0, 3, 6)), label) for label in (6, 7)]
    dataset = ClassificationDataset("some", tuple(names), records)
    scores = evaluate_classifier(classifier(fixed(TREE, names)), dataset)
    assert scores.accuracy == {"crane (6)": 1, "crane (7)": 0}


def test_keras_never_compiles_a_classifier_by_xla_as_it_does_on_a_gpu_by_itself():
    ranking = classifier(Darknet19(["cat", "dog"], input_size=32, width=1 / 16))
    with pytest.warns(match="support `jit_compile"):
        ranking.jit_compile = True
    assert ranking.jit_compile is False
