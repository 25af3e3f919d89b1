"""The loss of joint training against a slow version: images that have a label and no boxes."""

import numpy as np
import pytest
import tensorflow as tf

from slow_loss import ANCHORS, DEPTH, TERMS, random_truths, slow_image_terms
from yolov2_tf.detection.decoding import decode_boxes, split_head
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["thing", "beast", "cat", "dog"], [-1, -1, 1, 1])  # CLASSES nodes


def labelled_batch(seed=0, objectness=0.0):
    """Head, and truths of four images: with boxes, labelled, with boxes, labelled."""
    rng = np.random.default_rng(seed)
    head = rng.normal(0, 1.5, (4, 3, 3, len(ANCHORS) * DEPTH)).astype(np.float32)
    head[..., 4::DEPTH] += objectness
    truths = [random_truths(rng, 3) for _ in range(4)]
    boxes, labels = (np.stack(x) for x in zip(*truths, strict=True))
    labels[1::2] = -1
    image_labels = np.array([-1, 2, -1, 0], np.int32)
    return head, {"boxes": boxes, "labels": labels, "image_labels": image_labels}


IMAGE_OPTIONS = {
    "paper": {},
    "darknet": {"image_rule": "darknet"},
    "object": {"image_rule": "object"},
    "weights": {"class_weights": [0.5, 2.0, 3.0, 7.0], "class_scale": 2.0, "object_scale": 0.5},
    "darknet, scales": {"image_rule": "darknet", "noobject_scale": 3.0},
}


@pytest.mark.parametrize("options", IMAGE_OPTIONS.values(), ids=IMAGE_OPTIONS)
@pytest.mark.parametrize("tree", [None, TREE], ids=["flat", "tree"])
@pytest.mark.parametrize("objectness", [-4.0, 0.0, 4.0])
def test_a_label_without_boxes_trains_the_box_most_probable_of_it(tree, options, objectness):
    head, truths = labelled_batch(objectness=objectness)
    seen = tf.constant(0)  # the pull to the priors is not for these images
    losses, statistics = YOLOv2Loss(ANCHORS, tree=tree, **options).terms(truths, head, seen)
    for image, label in enumerate(truths["image_labels"]):
        if label >= 0:
            expected, _ = slow_image_terms(head[image].astype(float), label, tree, options)
            for term in TERMS:
                assert float(losses[term][image]) == pytest.approx(
                    expected[term], rel=1e-5, abs=1e-7
                ), term
    # Images with boxes train as if the others were not there.
    alone = {key: truths[key][::2] for key in ("boxes", "labels")}
    options = {key: value for key, value in options.items() if key != "image_rule"}
    expected, figures = YOLOv2Loss(ANCHORS, tree=tree, **options).terms(alone, head[::2], seen)
    for term in TERMS:
        np.testing.assert_allclose(losses[term][::2], expected[term], rtol=1e-6, err_msg=term)
    for name, pair in figures.items():
        np.testing.assert_allclose(statistics[name], pair, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("rule", ["paper", "darknet", "object"])
def test_the_gradient_of_a_label_without_boxes_equals_finite_differences(rule):
    head, truths = labelled_batch(seed=3, objectness=-2.0)
    variable = tf.Variable(head)
    with tf.GradientTape() as tape:
        losses, _ = YOLOv2Loss(ANCHORS, tree=TREE, image_rule=rule).terms(truths, variable)
        total = tf.reduce_sum(tf.add_n(list(losses.values()))[1::2])
    gradient = tape.gradient(total, variable).numpy()
    assert not gradient[::2].any()
    options = {"image_rule": rule}
    for image, label in ((1, 2), (3, 0)):
        point = head[image].astype(float)
        _, chosen = slow_image_terms(point, label, TREE, options)
        for index in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[index] = 1e-5
            high, low = (
                sum(slow_image_terms(there, label, TREE, options, chosen)[0].values())
                for there in (point + step, point - step)
            )
            expected = (high - low) / 2e-5
            assert gradient[image][index] == pytest.approx(expected, rel=1e-4, abs=2e-6), index


def test_a_batch_may_hold_labelled_images_alone_or_none():
    head, truths = labelled_batch()
    loss = YOLOv2Loss(ANCHORS, tree=TREE)
    for rows in (slice(0, 4, 2), slice(1, 4, 2)):
        part = {key: value[rows] for key, value in truths.items()}
        assert np.isfinite(float(loss(part, head[rows])))
    alone = {key: truths[key][::2] for key in ("boxes", "labels")}
    none = {key: value[::2] for key, value in truths.items()}
    assert float(loss(none, head[::2])) == pytest.approx(float(loss(alone, head[::2])), rel=1e-6)


def test_one_graph_serves_all_sizes_of_joint_batches():
    loss = YOLOv2Loss(ANCHORS, tree=TREE)
    spec = {
        "boxes": tf.TensorSpec([None, None, 4]),
        "labels": tf.TensorSpec([None, None], tf.int32),
        "image_labels": tf.TensorSpec([None], tf.int32),
    }
    depth = len(ANCHORS) * DEPTH

    @tf.function(input_signature=[spec, tf.TensorSpec([None, None, None, depth])])
    def graph(truths, head):
        return loss(truths, head)

    head, truths = labelled_batch()
    for side in (3, 2, 5):
        resized = tf.image.resize(head, [side, side])
        assert float(graph(truths, resized)) == pytest.approx(
            float(loss(truths, resized)), rel=1e-5
        )


@pytest.mark.parametrize("rule", ["paper", "darknet", "object"])
def test_labels_with_regions_train_the_best_box_in_each(rule):
    head, truths = labelled_batch(seed=5)
    halves = np.float32([[0, 0, 1, 0.5], [0, 0.5, 1, 1]])
    labels = np.int32([[-1, -1], [2, 3], [-1, -1], [-1, 0]])
    regions = np.where(labels[..., None] >= 0, halves, 0)
    truths |= {"image_labels": labels, "image_regions": regions}
    options = {"image_rule": rule}
    losses, _ = YOLOv2Loss(ANCHORS, tree=TREE, **options).terms(truths, head)
    offsets = split_head(head, len(ANCHORS))[..., :4]
    boxes = decode_boxes(offsets, np.float32(ANCHORS), (3, 3)).numpy()
    for image in (1, 3):
        expected = dict.fromkeys(TERMS, 0.0)
        chosen = []
        for label, region in zip(labels[image], regions[image], strict=True):
            if label < 0:
                continue
            x_centers = boxes[image][:, 1::2].mean(axis=1)
            outside = (x_centers < region[1]) | (x_centers > region[3])
            point = head[image].astype(float).reshape(-1, DEPTH)
            visible = point.copy()
            visible[outside, 4] = -30  # improbable, so that the slow loss does not choose it
            terms, slot = slow_image_terms(visible.reshape(head[image].shape), label, TREE, options)
            expected = {name: expected[name] + terms.get(name, 0.0) for name in TERMS}
            chosen.append(slot)
        if rule == "darknet":  # all that answer for no label
            silent = 1 / (1 + np.exp(-np.delete(point[:, 4], [flat(slot) for slot in chosen])))
            expected["no_objectness"] = 0.5 * (silent**2).sum()
        for term in TERMS:
            assert float(losses[term][image]) == pytest.approx(expected[term], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("tree", [None, TREE], ids=["flat", "tree"])
def test_boxes_say_nothing_against_classes_that_have_none(tree):
    rng = np.random.default_rng(7)
    head = rng.normal(0, 1.5, (2, 3, 3, len(ANCHORS) * DEPTH)).astype(np.float32)
    boxes = np.tile(np.float32([[[0.1, 0.1, 0.4, 0.5]]]), (2, 1, 1))
    labels = np.int32([[3], [0]])
    truths = {"boxes": boxes, "labels": labels}
    loss = YOLOv2Loss(ANCHORS, tree=tree, box_classes=[0, 1, 3])  # and no cat
    variable = tf.Variable(head)
    with tf.GradientTape() as tape:
        losses, _ = loss.terms(truths, variable)
        total = tf.reduce_sum(losses["class"])
    gradient = tape.gradient(total, variable).numpy().reshape(-1, DEPTH)[:, 5:]
    assert not gradient[:, 2].any()
    assert np.abs(gradient[:, :2]).max() > 0.01
    # As if they were improbable; what they are does not matter.
    without = head.copy().reshape(-1, DEPTH)
    without[:, 5 + 2] = -1e3
    expected, _ = YOLOv2Loss(ANCHORS, tree=tree).terms(truths, without.reshape(head.shape))
    np.testing.assert_allclose(losses["class"], expected["class"], rtol=1e-5)
    assert YOLOv2Loss.from_config(loss.get_config()).box_classes == [0, 1, 3]


def flat(slot):
    """Number of a slot `(row, column, anchor)` among all of a 3 × 3 grid."""
    row, column, anchor = slot
    return (row * 3 + column) * len(ANCHORS) + anchor


def test_an_unknown_image_rule_is_refused():
    with pytest.raises(ValueError, match="image_rule"):
        YOLOv2Loss(ANCHORS, image_rule="imagenet")


def test_class_accuracy_with_a_tree_is_of_the_whole_path():
    head = np.zeros((1, 1, 1, len(ANCHORS) * DEPTH), np.float32)
    logits = head[0, 0, 0].reshape(len(ANCHORS), DEPTH)[:, 5:]
    boxes = np.array([[[0.2, 0.2, 0.8, 0.8]]], np.float32)
    logits[:] = [1, 2, 0, 5]  # beast, dog
    for label, right in ((0, 0.0), (1, 1.0), (2, 0.0), (3, 1.0)):
        truths = {"boxes": boxes, "labels": np.array([[label]], np.int32)}
        _, statistics = YOLOv2Loss(ANCHORS, tree=TREE).terms(truths, head)
        assert float(statistics["class_accuracy"][0]) == right
