"""Box decoding against loops written from its definition."""

import math

import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.decoding import MAX_LOG_SCALE, DecodeBoxes, decode_boxes, split_head
from yolov2_tf.models.anchors import published

ANCHORS = np.array([(1.0, 2.0), (3.5, 1.5), (6.0, 7.0)], np.float32)


def features(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def slow_decode(raw, anchors):
    """Boxes and scores by the formulas of the paper, one prediction after the other."""
    batch, rows, columns, channels = raw.shape
    depth = channels // len(anchors)
    boxes, scores = [], []
    for b in range(batch):
        for i in range(rows):
            for j in range(columns):
                for a, (prior_w, prior_h) in enumerate(anchors):
                    tx, ty, tw, th, to, *logits = map(
                        float, raw[b, i, j, a * depth : (a + 1) * depth]
                    )
                    x, y = (j + sigmoid(tx)) / columns, (i + sigmoid(ty)) / rows
                    w, h = prior_w * math.exp(tw) / columns, prior_h * math.exp(th) / rows
                    boxes.append([y - h / 2, x - w / 2, y + h / 2, x + w / 2])
                    total = sum(math.exp(logit) for logit in logits)
                    scores.append([sigmoid(to) * math.exp(logit) / total for logit in logits])
    return (
        np.array(boxes).reshape(batch, -1, 4),
        np.array(scores).reshape(batch, -1, depth - 5),
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 3), (2, 4, 3)])
def test_decoding_follows_the_paper(shape):
    raw = features(*shape, 3 * (5 + 4))
    boxes, scores = DecodeBoxes(ANCHORS)(raw)
    expected_boxes, expected_scores = slow_decode(raw, ANCHORS)
    np.testing.assert_allclose(boxes, expected_boxes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-5)


def test_decoding_takes_any_grid_in_one_graph():
    layer = DecodeBoxes(ANCHORS)
    run = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 27])])
    for shape in [(1, 2, 3, 27), (2, 4, 4, 27)]:
        raw = features(*shape)
        for dynamic, static in zip(run(raw), layer(raw), strict=True):
            np.testing.assert_allclose(dynamic, static, rtol=1e-6, atol=1e-7)


def test_decoding_tells_its_shapes():
    layer = DecodeBoxes(ANCHORS)
    assert layer.compute_output_shape((2, 4, 3, 27)) == ((2, 36, 4), (2, 36, 4))
    assert layer.compute_output_shape((None, None, None, 27)) == ((None, None, 4), (None, None, 4))


def test_decoding_survives_its_config():
    raw = features(1, 2, 2, 27)
    layer = DecodeBoxes(ANCHORS)
    copy = DecodeBoxes.from_config(layer.get_config())
    for ours, theirs in zip(layer(raw), copy(raw), strict=True):
        assert np.array_equal(ours, theirs)


def test_sizes_never_overflow():
    coordinates = np.full((1, 1, 4), 1e6, np.float32)
    boxes = decode_boxes(coordinates, ANCHORS[:1], (1, 1)).numpy()
    assert np.all(np.isfinite(boxes))
    width = boxes[0, 0, 3] - boxes[0, 0, 1]
    assert width == pytest.approx(ANCHORS[0, 0] * math.exp(MAX_LOG_SCALE), rel=1e-5)


def test_decoding_stays_at_four_dimensions():
    """Phones' GPU delegates take no tensor of more than four."""
    run = tf.function(DecodeBoxes(ANCHORS), input_signature=[tf.TensorSpec([1, 4, 4, 27])])
    graph = run.get_concrete_function().graph
    ranks = [tensor.shape.rank for operation in graph.get_operations()
             for tensor in operation.outputs]  # fmt: skip
    assert max(rank for rank in ranks if rank is not None) <= 4


def test_predictions_are_row_major_with_the_anchor_fastest():
    raw = np.zeros((1, 2, 3, 2 * 6), np.float32)
    raw[0, 1, 2, 6:] = 7  # second row, third column, second anchor
    predictions = split_head(tf.constant(raw), 2).numpy()
    assert predictions.shape == (1, 12, 6)
    assert np.array_equal(np.nonzero(predictions[0].any(axis=1))[0], [(1 * 3 + 2) * 2 + 1])


def test_a_real_street_photo_has_cars(shared_data):
    raw = np.load(shared_data / "activations" / "tiny_yolo_voc_output_13x13x125.npy")
    names = (shared_data / "darknet" / "voc.names").read_text().split()
    boxes, scores = (x.numpy()[0] for x in DecodeBoxes(published("tiny-voc"))(raw))
    best, label = np.unravel_index(scores.argmax(), scores.shape)
    assert names[label] == "car"
    assert scores.max() == pytest.approx(0.84, abs=0.01)
    assert np.all((boxes[best] > -0.02) & (boxes[best] < 1.02))  # boxes are not clipped yet
    assert np.all(boxes[best, 2:] - boxes[best, :2] > 0.1)
