"""A copy of a network in another precision."""

import keras
import numpy as np
import pytest

from yolov2_tf.export.inference_network import at_size, in_float32
from yolov2_tf.models.copying import under_global_policy
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.transfer import transfer_weights
from yolov2_tf.models.yolov2 import TinyYOLOv2


def normalizing(pictures, nested=False, dtype="float32"):
    """A detector whose first layer has adapted to pictures, perhaps in a network within it."""
    norm = keras.layers.Normalization(name="norm")
    norm.adapt(pictures)
    image = keras.Input((None, None, 3))
    x = keras.Model(image, norm(image), name="trunk")(image) if nested else norm(image)
    x = keras.layers.Conv2D(8, 3, strides=32, padding="same", dtype=dtype, name="conv")(x)
    head = DetectionHead([(1, 1)], ["a"], input_size=64, name="head")
    return DetectionModel(image, head(x))


def test_a_network_takes_on_the_precision_of_a_training():
    model = TinyYOLOv2(("ant", "bee"), width=1 / 64, input_size=64)
    pictures = np.random.default_rng(3).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    assert model.get_layer("conv1").compute_dtype == "float32"
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        copy = under_global_policy(model)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert copy.get_layer("conv1").compute_dtype == "bfloat16"
    assert copy.head.compute_dtype == "float32"
    again = under_global_policy(copy)
    np.testing.assert_array_equal(again(pictures), model(pictures))


def test_layers_inside_a_trunk_of_ones_own_are_changed_too():
    inner = keras.Input((None, None, 3))
    y = keras.layers.Conv2D(8, 3, strides=32, padding="same", dtype="mixed_bfloat16")(inner)
    image = keras.Input((None, None, 3))
    x = keras.Model(inner, y, name="trunk")(image)
    model = DetectionModel(image, DetectionHead([(1, 1)], ["a"], input_size=64)(x))
    copy = in_float32(model)
    assert copy.get_layer("trunk").layers[-1].compute_dtype == "float32"
    for new, old in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("nested", [False, True])
def test_a_normalization_that_adapted_stays_so_in_copies(nested):
    pictures = np.random.default_rng(3).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    model = normalizing(pictures, nested)
    for copy in (under_global_policy(model), at_size(model, 96)):
        np.testing.assert_array_equal(copy(pictures), model(pictures))
    in_half = normalizing(pictures, nested, dtype="mixed_bfloat16")
    np.testing.assert_allclose(in_float32(in_half)(pictures), in_half(pictures), atol=0.05)


def test_a_normalization_that_adapted_is_passed_on():
    pictures = np.random.default_rng(3).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    model, other = (normalizing(pictures * scale) for scale in (1, 0.5))
    transfer_weights(other, model)
    np.testing.assert_array_equal(other(pictures), model(pictures))
