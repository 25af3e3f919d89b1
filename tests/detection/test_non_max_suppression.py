"""Non-maximum suppression against a loop over boxes and classes."""

import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.decoding import DecodeBoxes
from yolov2_tf.detection.non_max_suppression import CANDIDATES_PER_DETECTION, NonMaxSuppression
from yolov2_tf.models.anchors import published


def overlap(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    shared = height * width
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return shared / (areas - shared)


def slow_nms(boxes, scores, score_threshold, iou_threshold, max_detections, per_class=True):
    """Of one image: `[(score, label, box)]`, the best first."""
    pairs = sorted(
        ((score, label, i) for i, row in enumerate(scores) for label, score in enumerate(row)),
        reverse=True,
    )
    boxes = np.clip(boxes, 0, 1).astype(float)
    kept = []
    for score, label, i in pairs[: CANDIDATES_PER_DETECTION * max_detections]:
        if score <= score_threshold or len(kept) == max_detections:
            break
        rivals = [box for _, other, box in kept if other == label or not per_class]
        if all(overlap(boxes[i], rival) <= iou_threshold for rival in rivals):
            kept.append((score, label, boxes[i]))
    return kept


def random_scene(batch=2, count=60, classes=4, seed=0):
    """Boxes in heaps, so that they overlap, some beyond the border; skewed scores."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(0, 1, (batch, 8, 2))[:, rng.integers(8, size=count)]
    centers = centers + rng.normal(0, 0.03, (batch, count, 2))
    half = rng.uniform(0.05, 0.2, (batch, count, 2))
    boxes = np.concatenate([centers - half, centers + half], axis=-1)
    scores = rng.uniform(0, 1, (batch, count, classes)) ** 3
    return boxes.astype(np.float32), scores.astype(np.float32)


def run(layer, boxes, scores):
    return {name: value.numpy() for name, value in layer(boxes, scores).items()}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("per_class", [True, False])
@pytest.mark.parametrize(
    ("score_threshold", "iou_threshold", "max_detections"),
    [(0.25, 0.45, 100), (0.005, 0.45, 20), (0.1, 0.7, 5), (0.0, 0.0, 50)],
)
def test_equals_the_loop(seed, per_class, score_threshold, iou_threshold, max_detections):
    boxes, scores = random_scene(seed=seed)
    options = (score_threshold, iou_threshold, max_detections, per_class)
    outputs = run(NonMaxSuppression(*options), boxes, scores)
    for image in range(len(boxes)):
        expected = slow_nms(boxes[image], scores[image], *options)
        count = outputs["num_detections"][image]
        assert count == len(expected)
        np.testing.assert_allclose(
            outputs["scores"][image, :count], [score for score, _, _ in expected], rtol=1e-6
        )
        assert outputs["labels"][image, :count].tolist() == [label for _, label, _ in expected]
        np.testing.assert_allclose(
            outputs["boxes"][image, :count], [box for _, _, box in expected], atol=1e-6
        )


def test_unused_places_are_empty():
    boxes, scores = random_scene()
    outputs = run(NonMaxSuppression(max_detections=200), boxes, scores)
    assert outputs["boxes"].shape == (2, 200, 4)
    for image, count in enumerate(outputs["num_detections"]):
        assert 0 < count < 200
        assert np.all(outputs["boxes"][image, count:] == 0)
        assert np.all(outputs["labels"][image, count:] == -1)
        assert np.all(outputs["scores"][image, count:] == 0)


def test_nothing_above_the_threshold_is_no_detection():
    boxes, scores = random_scene()
    outputs = run(NonMaxSuppression(score_threshold=1.0), boxes, scores)
    assert outputs["num_detections"].tolist() == [0, 0]
    assert np.all(outputs["labels"] == -1)


def test_a_score_must_be_above_the_threshold():
    boxes = np.array([[[0, 0, 0.2, 0.2], [0.5, 0.5, 0.9, 0.9]]], np.float32)
    scores = np.array([[[0.5], [0.75]]], np.float32)
    assert run(NonMaxSuppression(0.5), boxes, scores)["num_detections"].tolist() == [1]


def test_detections_are_sorted_and_inside_the_image():
    outputs = run(NonMaxSuppression(0.01), *random_scene())
    assert np.all(np.diff(outputs["scores"], axis=1) <= 0)
    assert np.all((outputs["boxes"] >= 0) & (outputs["boxes"] <= 1))


def test_one_box_may_be_of_several_classes():
    boxes = np.array([[[0.1, 0.1, 0.5, 0.5]]], np.float32)
    scores = np.array([[[0.8, 0.0, 0.6]]], np.float32)
    outputs = run(NonMaxSuppression(0.25), boxes, scores)
    assert outputs["labels"][0, :2].tolist() == [0, 2]
    assert outputs["num_detections"].tolist() == [2]
    assert run(NonMaxSuppression(per_class=False), boxes, scores)["num_detections"].tolist() == [1]


def test_a_batch_gives_what_its_images_give():
    boxes, scores = random_scene(batch=3)
    layer = NonMaxSuppression(0.1)
    together = run(layer, boxes, scores)
    for image in range(3):
        alone = run(layer, boxes[image : image + 1], scores[image : image + 1])
        for name, value in together.items():
            assert np.array_equal(alone[name][0], value[image]), name


def test_any_number_of_boxes_in_one_graph():
    layer = NonMaxSuppression(0.1)
    traced = tf.function(
        layer, input_signature=[tf.TensorSpec([None, None, 4]), tf.TensorSpec([None, None, 4])]
    )
    for batch, count in [(1, 1), (2, 60), (3, 7)]:
        boxes, scores = random_scene(batch, count)
        for name, value in run(layer, boxes, scores).items():
            assert np.array_equal(traced(boxes, scores)[name], value), name


def test_the_config_keeps_every_option():
    layer = NonMaxSuppression(0.3, 0.6, 7, per_class=False)
    copy = NonMaxSuppression.from_config(layer.get_config())
    boxes, scores = random_scene()
    for name, value in run(layer, boxes, scores).items():
        assert np.array_equal(run(copy, boxes, scores)[name], value), name


def test_a_real_street_photo_keeps_its_cars(shared_data):
    raw = np.load(shared_data / "activations" / "tiny_yolo_voc_output_13x13x125.npy")
    names = (shared_data / "darknet" / "voc.names").read_text().split()
    decoded = [x.numpy() for x in DecodeBoxes(published("tiny-voc"))(raw)]
    outputs = run(NonMaxSuppression(), *decoded)
    count = outputs["num_detections"][0]
    assert {names[label] for label in outputs["labels"][0, :count]} == {"car"}
    assert outputs["scores"][0, 0] == pytest.approx(0.84, abs=0.01)
    expected = slow_nms(decoded[0][0], decoded[1][0], 0.25, 0.45, 100)
    np.testing.assert_allclose(outputs["boxes"][0, :count], [b for _, _, b in expected], atol=1e-6)


def test_a_box_without_height_is_found_once_in_tflite():
    """TFLite's kernel once selected such a box again and again instead of what came after."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    boxes = np.float32([[[0.3, 0.1, 0.3, 0.6], [0.5, 0.5, 0.9, 0.9], [0.1, 0.1, 0.2, 0.3]]])
    scores = np.zeros((1, 3, 20), np.float32)
    scores[0, :, 19] = 0.8, 0.9, 0.7
    inputs = [tf.keras.Input(shape[1:], batch_size=1) for shape in (boxes.shape, scores.shape)]
    model = tf.keras.Model(inputs, NonMaxSuppression(0.1, 0.5, 10)(*inputs))
    runner = interpreter.Interpreter(
        model_content=tf.lite.TFLiteConverter.from_keras_model(model).convert()
    ).get_signature_runner()
    given = {
        name: next(x for x in (boxes, scores) if x.shape == tuple(detail["shape"]))
        for name, detail in runner.get_input_details().items()
    }
    for found in (runner(**given), model((boxes, scores))):
        (best,) = [
            x for x in map(np.asarray, found.values()) if x.shape == (1, 10) and x.dtype == "f"
        ]
        np.testing.assert_allclose(best[0, :4], [0.9, 0.8, 0.7, 0], rtol=1e-6)
