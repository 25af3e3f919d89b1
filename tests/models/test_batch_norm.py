"""The fused layer computes what Keras' own does: values, gradients, averages, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.models.batch_norm import FusedBatchNormalization
from yolov2_tf.models.blocks import ACTIVATIONS, convolution

TOLERANCE = {"float32": 1e-4, "mixed_bfloat16": 2e-2}


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("channels", [8, 16, 24])
def test_trains_as_keras(policy, channels):
    rng = np.random.default_rng(channels)
    images = tf.constant(rng.normal(1, 3, (4, 6, 5, channels)), tf.float32)
    weights = tf.constant(rng.normal(size=images.shape), tf.float32)
    results = []
    for kind in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-5, dtype=policy)
        layer.build(images.shape)
        layer.gamma.assign(np.linspace(0.5, 2, channels))
        layer.beta.assign(np.linspace(-1, 1, channels))
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = layer(images, training=True)
            total = tf.reduce_sum(tf.cast(output, tf.float32) * weights)
        gradients = tape.gradient(total, [images, layer.gamma.value, layer.beta.value])
        values = [output, *gradients, layer.moving_mean.value, layer.moving_variance.value]
        results.append([tf.cast(value, tf.float32).numpy() for value in values])
        assert output.dtype == layer.compute_dtype
    for own, fused in zip(*results, strict=True):
        np.testing.assert_allclose(fused, own, atol=TOLERANCE[policy] * np.abs(own).max())


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("channels", [8, 16, 24])
@pytest.mark.parametrize("synchronized", [False, True])
def test_predicts_as_keras(policy, channels, synchronized):
    images = np.random.default_rng(0).normal(size=(2, 4, 4, channels)).astype("float32")
    fused = FusedBatchNormalization(dtype=policy, synchronized=synchronized)
    own = keras.layers.BatchNormalization(dtype=policy)
    for layer in (fused, own):
        layer.build(images.shape)
    own.gamma.assign(np.linspace(0.5, 2, channels))
    own.beta.assign(np.linspace(-1, 1, channels))
    own.moving_mean.assign(np.linspace(-2, 2, channels))
    own.moving_variance.assign(np.linspace(0.1, 3, channels))
    fused.set_weights(own.get_weights())
    expected, output = own(images), fused(images)
    assert output.dtype == expected.dtype
    expected, output = (tf.cast(value, tf.float32).numpy() for value in (expected, output))
    tolerance = {"float32": 1e-6, "mixed_bfloat16": 2e-2}[policy] * np.abs(expected).max()
    np.testing.assert_allclose(output, expected, atol=tolerance)


def test_a_frozen_layer_keeps_its_averages():
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 8)).astype("float32")
    layer = FusedBatchNormalization()
    layer.build(images.shape)
    layer.trainable = False
    before = layer.get_weights()
    output = layer(images, training=True)
    np.testing.assert_allclose(output, images / np.sqrt(1 + layer.epsilon), rtol=1e-6)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("activation", ["leaky", "linear", "relu", *ACTIVATIONS])
def test_every_activation_may_follow(activation, policy, tmp_path):
    """TensorFlow joins convolution, kernel and activation, for which it may have no kernel."""
    keras.config.set_dtype_policy(policy)
    try:
        image = keras.Input((8, 8, 3))
        output = convolution(image, 16, 3, activation=activation, name="conv1")
        model = keras.Model(image, convolution(output, 8, 1, activation=activation, name="conv2"))
    finally:
        keras.config.set_dtype_policy("float32")
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    eager = np.asarray(model(images, training=False), np.float32)
    for network in (model, again):
        joined = np.asarray(network.predict_on_batch(images), np.float32)
        np.testing.assert_allclose(joined, eager, atol=TOLERANCE[policy] * np.abs(eager).max())


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("training", [True, False])
def test_weights_that_are_not_float32_are_keras_own(policy, training):
    images = np.random.default_rng(0).normal(1, 3, (4, 6, 5, 16))
    own, fused = (
        (layer(images, training=training), layer.moving_mean.value, layer.moving_variance.value)
        for layer in (
            keras.layers.BatchNormalization(dtype=policy),
            FusedBatchNormalization(dtype=policy),
        )
    )
    for expected, value in zip(own, fused, strict=True):
        assert value.dtype == expected.dtype == policy
        np.testing.assert_array_equal(tf.cast(value, tf.float64), tf.cast(expected, tf.float64))
