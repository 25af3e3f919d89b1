"""Operations as in the paper, weights as Keras counts them, receptive fields as gradients find."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from yolov2_tf.data.readers.voc_xml import CLASS_NAMES
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.description import describe_layers
from yolov2_tf.models.layers import DarknetMaxPool, Passthrough
from yolov2_tf.models.yolov2 import YOLOv2


def billions(rows):
    return sum(row.operations for row in rows) / 1e9


def test_darknet19_has_the_papers_operations():
    model = Darknet19([str(i) for i in range(1000)])
    rows = describe_layers(model, 224)
    assert billions(rows) == pytest.approx(5.58, abs=0.03)
    assert sum(row.weights for row in rows) == model.count_params()
    assert rows[-1].field == 224  # the average is over the whole picture


@pytest.mark.parametrize(("squeeze", "expected"), [(64, 29.36), (0, 28.52)])
def test_yolov2_has_the_papers_operations(squeeze, expected):
    model = YOLOv2(CLASS_NAMES, squeeze=squeeze)
    rows = describe_layers(model, 416)
    assert billions(rows) == pytest.approx(expected, abs=0.1)
    assert sum(row.weights for row in rows) == model.count_params()
    assert rows[-1].shape == (13, 13, 125)
    assert rows[-1].stride == 32
    twice = describe_layers(model, 832)
    assert billions(twice) == pytest.approx(4 * billions(rows))


def test_receptive_fields_are_where_gradients_come_from():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", name="first")(image)
    x = layers.MaxPooling2D(2, name="pool")(x)
    fine = layers.Conv2D(4, 5, padding="same", activation="relu", name="fine")(x)
    x = layers.AveragePooling2D(2)(fine)
    x = layers.Conv2D(4, 3, padding="same", dilation_rate=2, name="dilated")(x)
    x = layers.Concatenate(name="both")([Passthrough(name="passthrough")(fine), x])
    x = DarknetMaxPool(3, 1, 2, name="last")(x)
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same", name="transposed")(x)
    x = layers.SeparableConv2D(4, 3, padding="same", name="separable")(x)
    model = keras.Model(image, x)
    rows = {row.name: row for row in describe_layers(model, 64)}
    for name, row in rows.items():
        part = keras.Model(image, model.get_layer(name).output)
        assert row.field == _seen(part), name


def test_operations_of_layers_of_several_kernels_and_of_transposed_ones():
    image = keras.Input((None, None, 3))
    x = layers.SeparableConv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="valid", use_bias=False)(x)
    model = keras.Model(image, x)
    separable, transposed = describe_layers(model, 64)
    assert separable.operations == 2 * (9 * 3 + 3 * 8) * 32 * 32
    assert transposed.operations == 2 * (9 * 8 * 4) * 32 * 32
    assert transposed.shape == (65, 65, 4)
    assert (separable.stride, transposed.stride) == (2, 1)
    assert separable.weights + transposed.weights == model.count_params()


@pytest.mark.parametrize("keep", [True, False])
def test_a_branch_over_the_whole_picture_leaves_the_stride(keep):
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, strides=4, padding="same")(image)
    gate = layers.GlobalAveragePooling2D(keepdims=keep, name="whole")(x)
    gate = gate if keep else layers.Reshape((1, 1, 8))(gate)
    x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid", name="gate")(gate)])
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="behind")(x)
    rows = {row.name: row for row in describe_layers(keras.Model(image, x), 64)}
    assert (rows["whole"].stride, rows["gate"].stride, rows["behind"].stride) == (64, 64, 8)
    assert rows["behind"].field == 64


def _seen(model, size=64):
    """Side of the part of the picture that the gradient of the middle place reaches."""
    picture = tf.Variable(np.random.default_rng(0).uniform(0, 1, (8, size, size, 3)).astype("f4"))
    with tf.GradientTape() as tape:
        output = model(picture)
        middle = output[:, output.shape[1] // 2, output.shape[2] // 2]
    gradient = tf.reduce_sum(tf.abs(tape.gradient(middle, picture)), axis=[0, 3]).numpy()
    # Pools pick one of their places: over eight pictures and all channels each is picked.
    rows = np.flatnonzero(gradient.sum(axis=1))
    return rows[-1] - rows[0] + 1


def test_a_network_within_a_network_is_refused():
    inner = keras.Sequential([layers.Input((None, None, 3)), layers.Conv2D(4, 3)], name="trunk")
    image = layers.Input((None, None, 3))
    with pytest.raises(InputError, match="layer 'trunk' is a network of its own"):
        describe_layers(keras.Model(image, layers.Conv2D(2, 1)(inner(image))), 64)
