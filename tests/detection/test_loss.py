"""The loss against the slow version of `slow_loss`."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from slow_loss import ANCHORS, DEPTH, TERMS, overlaps, scene, sigmoid, slots, slow_batch, slow_terms
from yolov2_tf.detection.assignment import match
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError

SCENES = ["random", "wide", "tall", "one slot", "last cell", "padded", "all padding", "none",
          "degenerate"]  # fmt: skip
OPTIONS = {
    "default": {},
    "warm-up begins": {"seen": 0},
    "warm-up ends": {"seen": 12_799},
    "warm-up over": {"seen": 12_800},
    "short warm-up": {"seen": 7, "warmup_images": 8},
    "no warm-up": {"seen": 0, "warmup_images": 0},
    "no rescore": {"rescore": False},
    "ignores more": {"ignore_iou": 0.2},
    "ignores nothing": {"ignore_iou": 1.0},
    "scales": {"coord_scale": 2.0, "object_scale": 0.5, "noobject_scale": 3.0, "class_scale": 4.0},
    "class weights": {"class_weights": [0.5, 2.0, 0.0, 7.0]},
}


def split(options):
    """The argument of `terms` and those of the constructor."""
    options = dict(options)
    seen = options.pop("seen", None)
    return seen, options


def run_terms(head, boxes, labels, options):
    seen, options = split(options)
    truths = {"boxes": tf.constant(boxes), "labels": tf.constant(labels)}
    seen = None if seen is None else tf.constant(seen, tf.int64)
    return YOLOv2Loss(ANCHORS, **options).terms(truths, tf.constant(head), seen)


# === The loss is what the formulas say ===


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", SCENES)
def test_every_term_equals_the_slow_version(name, options):
    head, boxes, labels = scene(name)
    losses, _ = run_terms(head, boxes, labels, options)
    expected = slow_batch(head, boxes, labels, **options)
    assert set(losses) == set(TERMS)
    for term in TERMS:
        np.testing.assert_allclose(losses[term], expected[term], rtol=1e-5, atol=1e-7, err_msg=term)


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_term_equals_the_slow_version_on_more_scenes(seed):
    head, boxes, labels = scene("random", seed, batch=4)
    losses, _ = run_terms(head, boxes, labels, {"seen": 0})
    expected = slow_batch(head, boxes, labels, seen=0)
    for term in TERMS:
        assert np.all(expected[term] > 0)
        np.testing.assert_allclose(losses[term], expected[term], rtol=1e-5, err_msg=term)


def test_the_scenes_hold_what_they_are_made_for():
    head, boxes, labels = scene("random")
    arguments = head[0].astype(float), boxes[0].tolist(), labels[0].tolist()
    taken = slots(*arguments[1:], 3, 3)
    best = {slot: max(ious.values()) for slot, ious in overlaps(*arguments).items()}
    ignored = [slot for slot in best if slot not in taken and best[slot] > 0.6]
    assert ignored
    assert len(ignored) + len(taken) < len(best)
    _, boxes, labels = scene("one slot")
    assert len(slots(boxes[0].tolist(), labels[0].tolist(), 3, 3)) <= 3


@pytest.mark.parametrize(
    "options",
    [
        {"seen": 0},
        {"seen": 0, "rescore": False, "ignore_iou": 0.3, "class_weights": [0.5, 2.0, 1.0, 3.0],
         **OPTIONS["scales"]},
    ],
    ids=["default", "all options"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["random", "one slot", "last cell", "degenerate"])
def test_the_gradient_equals_finite_differences(name, options):
    """IoU targets and the ignored predictions are constants for the gradient, as in Darknet."""
    head, boxes, labels = scene(name, seed=7, batch=1)
    truths = boxes[0].astype(float).tolist(), labels[0].tolist()
    with tf.GradientTape() as tape:
        variable = tf.Variable(head)
        seen, others = split(options)
        losses, _ = YOLOv2Loss(ANCHORS, **others).terms(
            {"boxes": boxes, "labels": labels}, variable, tf.constant(seen)
        )
        total = tf.add_n([tf.reduce_sum(loss) for loss in losses.values()])
    gradient = tape.gradient(total, variable).numpy()[0]

    point = head[0].astype(float)
    frozen = overlaps(point, *truths)

    def moved(index, step):
        there = point.copy()
        there[index] += step
        return sum(slow_terms(there, *truths, ious=frozen, **options).values())

    step = 1e-5
    rng = np.random.default_rng(0)
    entries = [tuple(rng.integers(side) for side in point.shape) for _ in range(60)]
    for i, j, a in slots(*truths, *point.shape[:2]):  # all of the slots that have a truth
        entries += [(i, j, a * DEPTH + channel) for channel in range(DEPTH)]
    for index in entries:
        expected = (moved(index, step) - moved(index, -step)) / (2 * step)
        assert gradient[index] == pytest.approx(expected, rel=1e-4, abs=2e-6), index


def test_the_statistics_are_means_over_the_batch():
    head, boxes, labels = scene("padded", batch=3)
    _, statistics = run_terms(head, boxes, labels, {})
    matched, free, ious, right = [], [], [], []
    for h, b, c in zip(
        head.astype(float), boxes.astype(float).tolist(), labels.tolist(), strict=True
    ):
        taken = slots(b, c, 3, 3)
        for slot, overlap_with in overlaps(h, b, c).items():
            i, j, a = slot
            values = h[i, j, a * DEPTH : (a + 1) * DEPTH]
            if slot in taken:
                matched.append(sigmoid(values[4]))
                ious.append(overlap_with[taken[slot]])
                right.append(np.argmax(values[5:]) == c[taken[slot]])
            else:
                free.append(sigmoid(values[4]))
    expected = {
        "average_iou": (np.mean(ious), len(ious)),
        "recall": (np.mean(np.array(ious) > 0.5), len(ious)),
        "object": (np.mean(matched), len(matched)),
        "no_object": (np.mean(free), len(free)),
        "class_accuracy": (np.mean(right), len(right)),
    }
    assert set(statistics) == set(expected)
    for name, (value, weight) in statistics.items():
        assert float(value) == pytest.approx(expected[name][0], rel=1e-5), name
        assert int(weight) == expected[name][1], name


# === Properties ===


def test_the_loss_is_the_mean_over_the_batch_of_the_sum_of_the_terms():
    head, boxes, labels = scene("random", batch=3)
    truths = {"boxes": boxes, "labels": labels}
    loss = YOLOv2Loss(ANCHORS)
    sums = sum(slow_batch(head, boxes, labels).values())
    np.testing.assert_allclose(loss.call(truths, head), sums, rtol=1e-5)
    assert float(loss(truths, head)) == pytest.approx(sums.mean(), rel=1e-5)


def test_the_later_of_two_truths_has_the_slot():
    boxes = np.array([[[0.1, 0.1, 0.4, 0.4]] * 3], np.float32)
    matches = match(tf.constant(boxes), tf.constant([[2, 1, -1]]), (3, 3), np.float32(ANCHORS))
    assert matches.kept.numpy().tolist() == [[0, 1, 0]]
    assert matches.taken.numpy().sum() == 1
    head = np.zeros((1, 3, 3, 3 * DEPTH), np.float32)
    head[..., 5 + 1 :: DEPTH] = 100  # certain of class 1
    losses, _ = run_terms(head, boxes[:, :2], np.array([[2, 1]], np.int32), {})
    assert float(losses["class"][0]) == pytest.approx(0)
    losses, _ = run_terms(head, boxes[:, :2], np.array([[1, 2]], np.int32), {})
    assert float(losses["class"][0]) == pytest.approx(100)


def test_a_box_whose_centre_is_on_the_edge_belongs_to_the_last_cell():
    boxes = tf.constant([[[0.8, 0.9, 1.2, 1.1], [0.9, -0.1, 1.1, 0.1]]])  # centres (1, 1), (1, 0)
    matches = match(boxes, tf.constant([[0, 0]]), (3, 3), np.float32(ANCHORS))
    assert (matches.slot.numpy() // len(ANCHORS)).tolist() == [[8, 6]]


def test_padding_changes_nothing():
    head, boxes, labels = scene("random")
    padded = np.pad(boxes, [(0, 0), (0, 5), (0, 0)], constant_values=0.5)
    losses, _ = run_terms(head, boxes, labels, {"seen": 0})
    again, _ = run_terms(
        head, padded, np.pad(labels, [(0, 0), (0, 5)], constant_values=-1), {"seen": 0}
    )
    for term in TERMS:
        np.testing.assert_allclose(again[term], losses[term], rtol=1e-6)


def test_a_right_prediction_costs_nothing():
    boxes = np.array([[[0.4, 0.35, 0.6, 0.75]]], np.float32)  # 1.2 × .6 cells of 3 × 3
    head = np.full((1, 3, 3, 3 * DEPTH), -40, np.float32)
    x, y = 0.55 * 3 - 1, 0.5
    slot = head[0, 1, 1, DEPTH : 2 * DEPTH]  # the second anchor fits best
    slot[:5] = [math.log(x / (1 - x)), y - 0.5, math.log(1.2 / 1.5), math.log(0.6 / 1.0), 40]
    slot[5 + 3] = 40
    losses, statistics = run_terms(head, boxes, np.array([[3]], np.int32), {})
    for term in TERMS:
        assert float(losses[term][0]) == pytest.approx(0, abs=1e-8), term
    assert float(statistics["average_iou"][0]) == pytest.approx(1, abs=1e-5)


def test_a_box_that_sticks_out_of_its_picture_is_learnt_as_its_part_within():
    outside = np.float32([[[-0.5, -0.5, 1.5, 1.5], [0.2, 0.6, 0.5, 1.4], [-0.4, 0.1, -0.1, 0.3]]])
    labels = np.int32([[1, 2, 0]])
    head, _, _ = scene("random", batch=1)
    losses, _ = run_terms(head, outside, labels, {"seen": 0})
    expected = slow_batch(head, np.clip(outside, 0, 1), labels, seen=0)
    for term in TERMS:
        np.testing.assert_allclose(losses[term], expected[term], rtol=1e-5, err_msg=term)
        assert losses[term][0] >= 0, term


@pytest.mark.parametrize("magnitude", [50.0, 1e4])
def test_extreme_heads_give_finite_losses_and_gradients(magnitude):
    head, boxes, labels = scene("degenerate")
    variable = tf.Variable(np.sign(head) * np.float32(magnitude))
    with tf.GradientTape() as tape:
        losses, _ = YOLOv2Loss(ANCHORS).terms(
            {"boxes": boxes, "labels": labels}, variable, tf.constant(0)
        )
        total = tf.add_n([tf.reduce_mean(loss) for loss in losses.values()])
    assert np.isfinite(total)
    assert np.all(np.isfinite(tape.gradient(total, variable)))


def test_one_graph_serves_all_sizes_and_paddings():
    traces = []

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 4]),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None, None, len(ANCHORS) * DEPTH]),
        ]
    )
    def terms(boxes, labels, head):
        traces.append(head.shape)
        losses, _ = YOLOv2Loss(ANCHORS).terms({"boxes": boxes, "labels": labels}, head)
        return losses

    for name, batch in [("wide", 1), ("tall", 3), ("none", 2), ("random", 2)]:
        head, boxes, labels = scene(name, batch=batch)
        expected = slow_batch(head, boxes, labels)
        for term, value in terms(boxes, labels, head).items():
            np.testing.assert_allclose(value, expected[term], rtol=1e-5, atol=1e-7)
    assert len(traces) == 1


def test_half_precision_heads_are_computed_in_float32():
    head, boxes, labels = scene("random")
    rounded = tf.cast(head, tf.bfloat16)
    losses, _ = run_terms(rounded, boxes, labels, {})
    expected = slow_batch(tf.cast(rounded, tf.float32).numpy(), boxes, labels)
    for term in TERMS:
        assert losses[term].dtype == tf.float32
        np.testing.assert_allclose(losses[term], expected[term], rtol=1e-5)


def test_the_config_keeps_every_option():
    options = {
        **OPTIONS["scales"], "ignore_iou": 0.3, "rescore": False, "warmup_images": 8,
        "class_weights": [0.5, 2.0, 1.0, 7.0],
    }  # fmt: skip
    loss = YOLOv2Loss(ANCHORS, **options)
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert isinstance(copy, YOLOv2Loss)
    assert copy.get_config() == loss.get_config()
    head, boxes, labels = scene("random")
    truths = {"boxes": boxes, "labels": labels}
    assert float(copy(truths, head)) == float(loss(truths, head))
    assert float(copy(truths, head)) != float(YOLOv2Loss(ANCHORS)(truths, head))


@pytest.mark.parametrize(
    "weights", [{0: 10.0, 1: 1.0}, [1, -1], [1, math.nan], [math.inf], 2.0, "12", ["a", "b"]]
)
def test_class_weights_that_are_no_factors_are_refused(weights):
    with pytest.raises(InputError, match=r"class_weights is .*in the order of the classes"):
        YOLOv2Loss(ANCHORS, class_weights=weights)


@pytest.mark.parametrize("classes", [2, "02", ["dog"], [0, 1.5]])
def test_box_classes_that_are_no_indices_are_refused(classes):
    with pytest.raises(InputError, match=r"box_classes is .*indices of classes"):
        YOLOv2Loss(ANCHORS, box_classes=classes)


def test_box_classes_may_come_as_numpy_has_them():
    assert YOLOv2Loss(ANCHORS, box_classes=np.array([2, 0])).box_classes == [0, 2]


@pytest.mark.parametrize("name", ["coord_scale", "object_scale", "noobject_scale", "class_scale"])
def test_scales_below_0_are_refused(name):
    with pytest.raises(ValueError, match=r"scales are .*0 or more"):
        YOLOv2Loss(ANCHORS, **{name: -1})
