"""What a network is made of: operations, weights and receptive field of each layer."""

import dataclasses

import keras
import numpy as np
from keras import layers

from yolov2_tf.errors import InputError
from yolov2_tf.models.layers import DarknetMaxPool, DarknetReorg, Passthrough


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """One layer that computes, moves or joins something.

    Attributes:
        name: Of the layer.
        kind: Of its class.
        shape: `(height, width, channels)` of its output at the given input size.
        weights: Numbers that it holds, those of the batch normalisation after it included.
        operations: Multiplications and additions of its kernels, 2 for each weight and place, as
            Darknet counts (`BFLOPs` of src/convolutional_layer.c).
        field: Side in pixels of the part of the picture that one place of its output depends on;
            the input's where a layer looks at all of it.
        stride: Pixels of the picture between neighbouring places of its output.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    weights: int
    operations: int
    field: int
    stride: int


SHOWN = (
    *(layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose),
    *(layers.Dense, layers.MaxPooling2D, layers.AveragePooling2D),
    *(layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D),
    *(layers.UpSampling2D, layers.Concatenate, layers.Add),
    *(DarknetMaxPool, DarknetReorg, Passthrough),
)
"""Layers that have a row. Activations and the like belong to the one before."""


KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
"""Attributes of layers that hold their kernels."""


def describe_layers(model, size):
    """The layers of a network at an input size.

    The receptive field is that of the geometry: what could be seen through every kernel and pool.
    Through Darknet's `[reorg]`, which mixes up places, it is as if it were the plain one.

    Args:
        model: Functional model of one input `(B, H, W, 3)`.
        size: Side of the input in pixels.

    Returns:
        List of `LayerRow` in the order of the layers.

    Raises:
        InputError: If a layer is a network itself, whose layers would be hidden.
    """
    if inner := next((layer for layer in model.layers if isinstance(layer, keras.Model)), None):
        raise InputError(
            f"layer {inner.name!r} is a network of its own",
            expected="layers that are none",
            hint="model.summary(expand_nested=True) in Python",
        )
    shapes = _shapes(model, size)
    seen, rows, owner = {}, [], {}
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        sources = [id(tensor) for tensor in _tensors(layer.input)]
        before = [seen.get(source, (1, 1)) for source in sources]
        # What was made of the whole picture is spread over all places where it is joined.
        field, stride = max(field for field, _ in before), min(step for _, step in before)
        field, stride = _through(layer, field, stride, size)
        row = next((owner[source] for source in sources if source in owner), None)
        if isinstance(layer, SHOWN):
            row = len(rows)
            rows.append(_row(layer, shapes, min(field, size), stride))
        elif layer.count_params() and row is not None:  # batch normalisation, bias
            more = rows[row].weights + layer.count_params()
            rows[row] = dataclasses.replace(rows[row], weights=more)
        for tensor in _tensors(layer.output):
            seen[id(tensor)] = field, stride
            if row is not None:
                owner[id(tensor)] = row
    return rows


def _row(layer, shapes, field, stride):
    shape = shapes[id(_tensors(layer.output)[0])]
    # A transposed convolution multiplies each place of its input.
    transposed = isinstance(layer, layers.Conv2DTranspose)
    height, width, _ = shapes[id(layer.input)] if transposed else shape
    kernels = (getattr(layer, name, None) for name in KERNELS)
    weights = sum(int(np.prod(kernel.shape)) for kernel in kernels if kernel is not None)
    operations, kind = 2 * weights * height * width, type(layer).__name__
    return LayerRow(layer.name, kind, shape, layer.count_params(), operations, field, stride)


def _through(layer, field, stride, size):
    """Receptive field and stride after a layer."""
    if isinstance(layer, (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)):
        return size, size
    if isinstance(layer, (Passthrough, DarknetReorg)):
        return field + (layer.block - 1) * stride, stride * layer.block
    if isinstance(layer, layers.UpSampling2D):
        return field, stride // layer.size[0]
    if isinstance(layer, DarknetMaxPool):
        return field + (layer.size - 1) * stride, stride * layer.stride
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if kernel is None:
        return field, stride
    reach = (kernel[0] - 1) * getattr(layer, "dilation_rate", (1, 1))[0]
    if isinstance(layer, layers.Conv2DTranspose):
        return field + reach // layer.strides[0] * stride, stride // layer.strides[0]
    return field + reach * stride, stride * layer.strides[0]


def _shapes(model, size):
    """`(height, width, channels)` of each layer's output, by its `id`, for a picture's size."""
    outputs = [_tensors(layer.output)[0] for layer in model.layers]
    whole = keras.Model(model.input, outputs)
    found = whole.compute_output_spec(keras.KerasTensor((1, size, size, 3), "float32"))
    shapes = [spec.shape for spec in found]
    shapes = [tuple(s[1:]) if len(s) == 4 else (1, 1, s[-1]) for s in shapes]
    return {id(tensor): shape for tensor, shape in zip(outputs, shapes, strict=True)}


def _tensors(value):
    return value if isinstance(value, list | tuple) else [value]
