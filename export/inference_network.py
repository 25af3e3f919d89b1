"""The network as the exporters need it."""

import math

import keras
import numpy as np

from yolov2_tf.detection.decoding import decoder
from yolov2_tf.detection.thresholds import TREE
from yolov2_tf.errors import InputError
from yolov2_tf.models.copying import all_layers, reconfigured
from yolov2_tf.models.description import describe_layers
from yolov2_tf.models.heads import Head, find_head
from yolov2_tf.models.input_sides import check_side

TIMES = 12
"""An export's memory over that of the largest map: of `starter` from 512 to 2,048 px, SavedModel.

ONNX takes 16 and TFLite 23 times as much.
"""


def in_float32(model):
    """The model itself, or its copy that computes in float32 if it trained in mixed precision.

    bfloat16 speeds up training; phones and servers' CPUs have no use for it.
    """
    if all(layer.compute_dtype == "float32" for layer in all_layers(model)):
        return model
    return reconfigured(model, lambda _, config: {**config, "dtype": "float32"})


def at_size(model, size):
    """The model for inputs of another size; the weights are the same.

    Args:
        model: `DetectionModel`.
        size: Side of the input in pixels, a multiple of 32; None for the model's own.

    Returns:
        The model itself, or a copy.

    Raises:
        InputError: If the size cannot be had.
    """
    head = find_head(model)
    if size in (None, head.input_size):
        return model
    check_side(size)
    if any(side not in (None, size) for side in model.input_shape[1:3]):
        raise InputError(
            f"input size {size}", expected=f"{model.input_shape[1]}, which is fixed in the network"
        )

    def sized(layer, config):
        return {**config, "input_size": size} if isinstance(layer, Head) else config

    return reconfigured(model, sized)


def least_memory(model):
    """Bytes that an export takes at least: it runs the network on pictures, and so does the file.

    Args:
        model: `DetectionModel`.

    Returns:
        That, or 0 where the network holds others, whose layers are not looked into.
    """
    try:
        rows = describe_layers(model, find_head(model).input_size)
    except InputError:
        return 0
    return TIMES * max(4 * math.prod(row.shape) for row in rows)


def with_plain_numbers(model):
    """The model itself, or its copy whose `Normalization` layers hold NumPy arrays.

    Tensors that are no variables are taken for more inputs by the converter to ONNX.
    """
    if not any(isinstance(layer, keras.layers.Normalization) for layer in all_layers(model)):
        return model
    copy = reconfigured(model, lambda _, config: config)
    for layer in all_layers(copy):
        if isinstance(layer, keras.layers.Normalization):
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    return copy


def with_decoding(model, *, batch=1, tree_threshold=TREE):
    """The network with decoding appended, suppression left to the caller.

    Args:
        model: `DetectionModel`.
        batch: How many pictures it takes at once; None for any number.
        tree_threshold: Of label trees, see `yolov2_tf.detection.decoding.DecodeTree`.

    Returns:
        Functional `keras.Model`: `image` `(batch, S, S, 3)` 0..255 to `boxes` `(batch, M, 4)` and
        `scores` `(batch, M, C)`; with a tree to `boxes`, `scores` `(batch, M)` and `labels`.
    """
    head = find_head(model)
    size = head.input_size
    image = keras.Input(batch_shape=(batch, size, size, 3), name="image")
    return keras.Model(image, decoder(head, tree_threshold)(model(image)))
