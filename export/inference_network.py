"""The network as the exporters need it."""

import keras

from yolov2_tf.detection.decoding import DecodeBoxes
from yolov2_tf.models.heads import find_head


def in_float32(model):
    """The model itself, or its copy that computes in float32 if it trained in mixed precision.

    bfloat16 speeds up training; phones and servers' CPUs have no use for it.
    """
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model

    def float32_layer(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=float32_layer)
    copy.set_weights(model.get_weights())
    return copy


def with_decoding(model):
    """The network for one picture, decoding appended, suppression left to the caller.

    Args:
        model: `DetectionModel` without a label tree.

    Returns:
        Functional `keras.Model`: `image` `(1, S, S, 3)` 0..255 to `boxes` `(1, M, 4)` and `scores`
        `(1, M, C)`.
    """
    head = find_head(model)
    size = head.input_size
    image = keras.Input(batch_shape=(1, size, size, 3), name="image")
    return keras.Model(image, DecodeBoxes(head.anchors, name="decode")(model(image)))
