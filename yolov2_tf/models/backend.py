"""The backend of Keras that these networks run on."""

import keras

from yolov2_tf.errors import InputError


def check_backend():
    """Refuses other backends than TensorFlow, whose operations heads, loss and decoding are.

    Raises:
        InputError: If Keras runs on another one.
    """
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise InputError(
            f"Keras runs on {backend}",
            expected="tensorflow",
            hint="KERAS_BACKEND=tensorflow in the environment before Python starts",
        )
