"""A copy of a network in another precision."""

import keras
import numpy as np

from yolov2_tf.models.copying import under_global_policy
from yolov2_tf.models.yolov2 import TinyYOLOv2


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
