"""Passthrough and head against loops written from their definitions."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.decoding import split_head
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.layers import DarknetReorg, Passthrough

ANCHORS = np.array([(1.0, 2.0), (3.5, 1.5), (6.0, 7.0)], np.float32)


def features(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def darknet_reorg(x, block):
    """What Darknet's `reorg_cpu` does to a flat NCHW buffer, element by element."""
    batch, height, width, channels = x.shape
    source = x.transpose(0, 3, 1, 2).ravel()
    target = np.empty_like(source)
    coarse = channels // block**2
    for b in range(batch):
        for k in range(channels):
            for j in range(height):
                for i in range(width):
                    here = i + width * (j + height * (k + channels * b))
                    part, channel = divmod(k, coarse)
                    x2, y2 = i * block + part % block, j * block + part // block
                    there = x2 + width * block * (y2 + height * block * (channel + coarse * b))
                    target[here] = source[there]
    shape = (batch, channels * block**2, height // block, width // block)
    return target.reshape(shape).transpose(0, 2, 3, 1)


@pytest.mark.parametrize("shape", [(1, 4, 4, 3), (2, 6, 8, 5)])
def test_passthrough_is_space_to_depth(shape):
    x = features(*shape)
    stacked = Passthrough()(x).numpy()
    assert np.array_equal(stacked, tf.nn.space_to_depth(x, 2))
    # By its meaning: the four neighbours side by side, row by row.
    neighbours = [x[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    assert np.array_equal(stacked, np.concatenate(neighbours, axis=-1))


@pytest.mark.parametrize(
    ("shape", "block"),
    [((1, 4, 4, 4), 2), ((3, 4, 6, 8), 2), ((2, 6, 4, 64), 2), ((2, 6, 9, 9), 3)],
)
def test_darknet_reorg_is_darknets_loop(shape, block):
    x = features(*shape)
    assert np.array_equal(DarknetReorg(block)(x), darknet_reorg(x, block))


def test_darknet_reorg_is_no_permutation_of_space_to_depth():
    x = features(1, 4, 4, 8)
    ours = DarknetReorg()(x).numpy()
    channels = {tuple(channel) for channel in Passthrough()(x).numpy().reshape(-1, 32).T}
    found = [tuple(channel) in channels for channel in ours.reshape(-1, 32).T]
    assert not all(found)


@pytest.mark.parametrize("layer", [Passthrough(), DarknetReorg()])
def test_reorganising_keeps_values_and_tells_its_shape(layer):
    x = features(2, 8, 6, 4)
    y = layer(x).numpy()
    assert y.shape == layer.compute_output_shape(x.shape) == (2, 4, 3, 16)
    for before, after in zip(x, y, strict=True):  # pictures of a batch do not mix
        assert np.array_equal(np.sort(before, axis=None), np.sort(after, axis=None))
    assert layer.compute_output_shape((None, None, None, 4)) == (None, None, None, 16)
    copy = type(layer).from_config(layer.get_config())
    assert np.array_equal(copy(x), y)


@pytest.mark.parametrize("layer", [Passthrough, DarknetReorg])
def test_reorganising_takes_any_size_in_one_graph(layer):
    run = tf.function(layer(), input_signature=[tf.TensorSpec([None, None, None, 4])])
    for shape in [(1, 4, 4, 4), (3, 8, 6, 4)]:
        x = features(*shape)
        assert np.array_equal(run(x), layer()(x))


def test_head_carries_all_that_explains_its_channels():
    head = DetectionHead(ANCHORS, ["cat", "dog"], input_size=320, resize="letterbox", name="head")
    assert head(features(1, 2, 2, 8)).shape == (1, 2, 2, 3 * (5 + 2))
    copy = DetectionHead.from_config(head.get_config())
    assert copy.class_names == ("cat", "dog")
    assert copy.num_classes == 2
    assert np.array_equal(copy.anchors, ANCHORS)
    assert (copy.input_size, copy.resize, copy.tree) == (320, "letterbox", None)
    assert (copy.filters, copy.kernel_size) == (21, (1, 1))


def test_head_computes_in_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        head = DetectionHead(ANCHORS, ["cat"])
    finally:
        keras.config.set_dtype_policy("float32")
    assert head(tf.cast(features(1, 2, 2, 8), tf.bfloat16)).dtype == tf.float32


def test_head_starts_from_the_priors_and_a_low_objectness():
    head = DetectionHead(ANCHORS, ["cat", "dog"])
    predictions = split_head(head(features(1, 4, 4, 32)), 3).numpy()
    np.testing.assert_allclose(predictions[..., 4], math.log(0.05 / 0.95), atol=0.3)
    np.testing.assert_allclose(np.delete(predictions, 4, axis=-1), 0, atol=0.3)


def test_head_refuses_an_unknown_resize_mode():
    with pytest.raises(ValueError, match=r"'crop'.*stretch"):
        DetectionHead(ANCHORS, ["cat"], resize="crop")
