"""The loss against a slow version: loops over images, truths and predictions, in float64."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.layers import decode_boxes, split_head
from yolov2_tf.loss import YOLOv2Loss
from yolov2_tf.matching import match
from yolov2_tf.wordtree import WordTree

ANCHORS = [(0.6, 0.8), (1.5, 1.0), (2.0, 2.5)]
CLASSES = 4
DEPTH = 5 + CLASSES
TERMS = ("box", "objectness", "no_objectness", "class", "prior")
DEFAULTS = {
    "coord_scale": 1.0,
    "object_scale": 5.0,
    "noobject_scale": 1.0,
    "class_scale": 1.0,
    "ignore_iou": 0.6,
    "rescore": True,
    "warmup_images": 12_800,
    "class_weights": None,
}


# === The slow version, of one image ===


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    return height * width / (area(a) + area(b) - height * width)


def usable(boxes, labels):
    """Indices of the truths that are neither padding nor degenerate."""
    return [
        t
        for t, (y_min, x_min, y_max, x_max) in enumerate(boxes)
        if labels[t] >= 0 and all(map(math.isfinite, boxes[t])) and y_max > y_min and x_max > x_min
    ]


def slots(boxes, labels, rows, columns):
    """`{(row, column, anchor): truth}`: a later truth takes the slot of an earlier one."""
    taken = {}
    for t in usable(boxes, labels):
        y_min, x_min, y_max, x_max = boxes[t]
        i = min(max(math.floor((y_min + y_max) / 2 * rows), 0), rows - 1)
        j = min(max(math.floor((x_min + x_max) / 2 * columns), 0), columns - 1)
        w, h = (x_max - x_min) * columns, (y_max - y_min) * rows
        fits = [
            overlap([-h / 2, -w / 2, h / 2, w / 2], [-p_h / 2, -p_w / 2, p_h / 2, p_w / 2])
            for p_w, p_h in ANCHORS
        ]
        taken[i, j, fits.index(max(fits))] = t
    return taken


def decoded(head, i, j, a):
    """The box that the prediction of a slot stands for."""
    rows, columns = head.shape[:2]
    t_x, t_y, t_w, t_h = head[i, j, a * DEPTH : a * DEPTH + 4]
    x, y = (j + sigmoid(t_x)) / columns, (i + sigmoid(t_y)) / rows
    w = ANCHORS[a][0] * math.exp(t_w) / columns
    h = ANCHORS[a][1] * math.exp(t_h) / rows
    return [y - h / 2, x - w / 2, y + h / 2, x + w / 2]


def overlaps(head, boxes, labels):
    """`{slot: {truth: IoU}}`: what the loss takes as constants."""
    rows, columns = head.shape[:2]
    return {
        (i, j, a): {t: overlap(decoded(head, i, j, a), boxes[t]) for t in usable(boxes, labels)}
        for i in range(rows)
        for j in range(columns)
        for a in range(len(ANCHORS))
    }


def slow_terms(head, boxes, labels, seen=None, ious=None, **options):
    """The terms of the loss of one image, by the formulas; `ious` freezes the constants."""
    options = {**DEFAULTS, **options}
    rows, columns = head.shape[:2]
    ious = overlaps(head, boxes, labels) if ious is None else ious
    taken = slots(boxes, labels, rows, columns)
    terms = dict.fromkeys(TERMS, 0.0)
    for slot in ious:
        i, j, a = slot
        t_x, t_y, t_w, t_h, t_o, *logits = head[i, j, a * DEPTH : (a + 1) * DEPTH]
        if slot not in taken:
            if max(ious[slot].values(), default=0.0) <= options["ignore_iou"]:
                terms["no_objectness"] += 0.5 * options["noobject_scale"] * sigmoid(t_o) ** 2
            if seen is not None and seen < options["warmup_images"]:
                pull = (sigmoid(t_x) - 0.5) ** 2 + (sigmoid(t_y) - 0.5) ** 2 + t_w**2 + t_h**2
                terms["prior"] += 0.5 * 0.01 * pull
            continue
        truth = taken[slot]
        y_min, x_min, y_max, x_max = boxes[truth]
        w, h = x_max - x_min, y_max - y_min
        error = (
            (sigmoid(t_x) - ((x_min + x_max) / 2 * columns - j)) ** 2
            + (sigmoid(t_y) - ((y_min + y_max) / 2 * rows - i)) ** 2
            + (t_w - math.log(w * columns / ANCHORS[a][0])) ** 2
            + (t_h - math.log(h * rows / ANCHORS[a][1])) ** 2
        )
        terms["box"] += 0.5 * options["coord_scale"] * (2 - w * h) * error
        target = ious[slot][truth] if options["rescore"] else 1.0
        terms["objectness"] += 0.5 * options["object_scale"] * (sigmoid(t_o) - target) ** 2
        entropy = math.log(sum(math.exp(z - max(logits)) for z in logits)) + max(logits)
        entropy -= logits[labels[truth]]
        weights = options["class_weights"] or [1.0] * CLASSES
        terms["class"] += options["class_scale"] * weights[labels[truth]] * entropy
    return terms


# === Heads and truths ===


def random_truths(rng, count):
    sizes = rng.uniform(0.1, 0.8, (count, 2))
    corners = rng.uniform(0, 1, (count, 2)) * (1 - sizes)
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    return boxes, rng.integers(0, CLASSES, count).astype(np.int32)


def random_head(rng, boxes, labels, rows, columns):
    """Random, but all anchors of a truth's cell nearly fit it: so some are to be ignored."""
    head = rng.normal(0, 1.5, (rows, columns, len(ANCHORS) * DEPTH))
    for (i, j, _), t in slots(boxes.tolist(), labels.tolist(), rows, columns).items():
        y_min, x_min, y_max, x_max = boxes[t].astype(float)
        x, y = (x_min + x_max) / 2 * columns - j, (y_min + y_max) / 2 * rows - i
        x, y = min(max(x, 0.02), 0.98), min(max(y, 0.02), 0.98)
        for a, (p_w, p_h) in enumerate(ANCHORS):
            fit = [
                math.log(x / (1 - x)),
                math.log(y / (1 - y)),
                math.log((x_max - x_min) * columns / p_w),
                math.log((y_max - y_min) * rows / p_h),
            ]
            head[i, j, a * DEPTH : a * DEPTH + 4] = fit + rng.normal(0, 0.1, 4)
    return head.astype(np.float32)


def scene(name, seed=0, batch=2):
    """Head `(B, rows, columns, k · (5 + C))`, boxes `(B, M, 4)` and labels `(B, M)`."""
    rng = np.random.default_rng(seed)
    rows, columns = {"wide": (2, 5), "tall": (4, 3)}.get(name, (3, 3))
    heads, all_boxes, all_labels = [], [], []
    for _ in range(batch):
        boxes, labels = random_truths(rng, 0 if name == "none" else 6)
        if name == "one slot":
            boxes[3:] = boxes[:3] + np.float32(0.002)
        elif name == "last cell":
            boxes[0] = [0.8, 0.9, 1.2, 1.1]  # centre on (1, 1)
            boxes[1] = [0.9, -0.1, 1.1, 0.1]  # on (1, 0)
        elif name == "padded":
            labels[[1, 4, 5]] = -1
            boxes[4:] = [[1e30, -1e30, np.nan, np.inf], [0, 0, 0, 0]]
        elif name == "all padding":
            labels[:] = -1
        elif name == "degenerate":
            boxes[0] = [0.3, 0.3, 0.3, 0.3]  # a point
            boxes[1] = [0.2, 0.6, 0.7, 0.6]  # a line
            boxes[2] = [0.9, 0.9, 0.1, 0.1]  # swapped
            boxes[3] = [0.1, np.nan, 0.5, 0.5]
            boxes[4] = [0.1, 0.1, np.inf, 0.5]
        heads.append(random_head(rng, boxes, labels, rows, columns))
        all_boxes.append(boxes)
        all_labels.append(labels)
    return np.stack(heads), np.stack(all_boxes), np.stack(all_labels)


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


def slow_batch(head, boxes, labels, **options):
    images = [
        slow_terms(h, b, c, **options)
        for h, b, c in zip(
            head.astype(float), boxes.astype(float).tolist(), labels.tolist(), strict=True
        )
    ]
    return {name: np.array([image[name] for image in images]) for name in TERMS}


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


# === Images with a label and no boxes ===

TREE = WordTree(["thing", "beast", "cat", "dog"], [-1, -1, 1, 1])  # CLASSES nodes


def slow_probability(logits, label, tree):
    """Pr(label | object)."""
    if tree is None:
        scaled = np.exp(logits - logits.max())
        return scaled[label] / scaled.sum()
    product = 1.0
    while label >= 0:
        siblings = logits[tree.parent == tree.parent[label]]
        product *= math.exp(logits[label]) / np.exp(siblings).sum()
        label = tree.parent[label]
    return product


def slow_image_terms(head, label, tree, options, chosen=None):
    """`(terms, slot)` of one image with a label; `chosen` freezes the slot that answers."""
    options = {**DEFAULTS, "image_rule": "paper", **options}
    rows, columns = head.shape[:2]
    values = {
        (i, j, a): head[i, j, a * DEPTH : (a + 1) * DEPTH]
        for i in range(rows)
        for j in range(columns)
        for a in range(len(ANCHORS))
    }
    by_label = options["image_rule"] != "object"
    probability = {
        slot: sigmoid(v[4]) * (slow_probability(v[5:], label, tree) if by_label else 1)
        for slot, v in values.items()
    }
    chosen = max(probability, key=probability.get) if chosen is None else chosen
    terms = dict.fromkeys(TERMS, 0.0)
    weight = (options["class_weights"] or [1.0] * CLASSES)[label] * options["class_scale"]
    terms["class"] = -weight * math.log(slow_probability(values[chosen][5:], label, tree))
    if options["image_rule"] != "darknet":
        lack = max(0.3 - sigmoid(values[chosen][4]), 0)
        terms["objectness"] = 0.5 * options["object_scale"] * lack**2
    else:
        terms["no_objectness"] = sum(
            0.5 * options["noobject_scale"] * sigmoid(v[4]) ** 2
            for slot, v in values.items()
            if slot != chosen
        )
    return terms, chosen


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
