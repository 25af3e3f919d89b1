"""The step of the optimizer; how several devices take it is in tests/training/test_devices.py."""

import keras
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.models import gradients


def test_several_devices_want_to_know_where_a_step_of_several_batches_is_complete():
    """Keras' `fit` does not say, and each batch would be a step."""
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=2)
    with pytest.raises(InputError, match=r"2 batches make a step, on several devices.*train"):
        gradients._apply_together(optimizer, [], [], None)
