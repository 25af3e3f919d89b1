"""The graph of a Keras model as sections of a cfg."""

import re
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from yolov2_tf.darknet.cfg import Section
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import ClassificationHead, DetectionHead
from yolov2_tf.models.layers import DarknetMaxPool, DarknetReorg, Passthrough

_HINT = "export the network itself, without decoding and suppression"


class Block(NamedTuple):
    """What one `[convolutional]` section stands for.

    Attributes:
        convolution: `keras.layers.Conv2D`.
        norm: The `BatchNormalization` after it, or None.
        activation: Darknet's name.
        padding: Zeros on each side of the input.
        input: The Keras tensor that it reads.
        output: The Keras tensor that it gives.
    """

    convolution: layers.Conv2D
    norm: layers.BatchNormalization | None
    activation: str
    padding: int
    input: keras.KerasTensor
    output: keras.KerasTensor


def describe(model):
    """The layers of a model as sections, convolutions in the order of their numbers.

    Args:
        model: Functional model made of the building blocks of `yolov2_tf.models`.

    Returns:
        `(sections, blocks)`: the `Section`s without `[net]`, and a `Block` for each
        `[convolutional]`.

    Raises:
        InputError: If a layer has no form in Darknet.
    """
    graph = _Graph(model)
    sections = _Sections(graph)
    for block in sorted(graph.blocks.values(), key=_number):
        sections.number(block.output)
    sections.add_last(_output(model))
    return sections.sections, sections.blocks


def _number(block):
    """The number in `conv12`; the head, and layers named otherwise, come after all these."""
    match = re.fullmatch(r"conv(\d+)", block.convolution.name)
    return int(match[1]) if match else float("inf")


class _Graph:
    """Who makes and who reads each Keras tensor.

    Attributes:
        image: The tensor that the first section reads.
        blocks: `Block` by the id of its output.
    """

    def __init__(self, model):
        self._makers, self._readers = {}, {}
        for layer in model.layers:
            self._makers[id(_output(layer))] = layer
            for tensor in _inputs(layer):
                self._readers.setdefault(id(tensor), []).append(layer)
        self.image = self._find_image(model)
        convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
        self.blocks = {id(block.output): block for block in map(self._block, convolutions)}

    def maker(self, tensor):
        """The layer whose output the tensor is; a layer has one, that of its first use."""
        if id(tensor) not in self._makers:
            raise InputError("a layer is used more than once", expected="one use, as in Darknet")
        return self._makers[id(tensor)]

    def _only_reader(self, tensor):
        readers = self._readers.get(id(tensor), [])
        return readers[0] if len(readers) == 1 else None

    def _find_image(self, model):
        rescaling = self._only_reader(model.input)
        if not isinstance(rescaling, layers.Rescaling) or not (
            np.allclose(rescaling.scale, 1 / 255) and not np.any(rescaling.offset)
        ):
            raise InputError(
                f"model {model.name!r} does not rescale its image",
                expected="Rescaling(1/255) as first layer, as Darknet feeds 0..1",
            )
        return rescaling.output

    def _block(self, convolution):
        _check_convolution(convolution)
        padding = convolution.kernel_size[0] // 2 if convolution.padding == "same" else 0
        source, output = convolution.input, convolution.output
        before = self.maker(source)
        if isinstance(before, layers.ZeroPadding2D):
            padding += _even_padding(before)
            source = before.input

        norm, activation = None, "linear"
        after = self._only_reader(output)
        if isinstance(after, layers.BatchNormalization):
            _check_norm(after, convolution)
            norm, output = after, after.output
            after = self._only_reader(output)
        if isinstance(after, layers.LeakyReLU | layers.ReLU | layers.Activation):
            activation, output = _activation(after), after.output
        return Block(convolution, norm, activation, padding, source, output)


class _Sections:
    """Collects sections; each is numbered from 0 as Darknet counts its layers."""

    def __init__(self, graph):
        self._graph = graph
        self._numbers = {id(graph.image): -1}  # of the section that makes a tensor, by its id
        self.sections, self.blocks = [], []

    def number(self, tensor):
        """The number of the section that makes `tensor`; adds what is missing to make it."""
        key = id(tensor)
        if key not in self._numbers:
            block = self._graph.blocks.get(key)
            if block is not None:
                self._add_block(block)
            else:
                self._add_layer(self._graph.maker(tensor))
            self._numbers[key] = len(self.sections) - 1
        return self._numbers[key]

    def add_last(self, output):
        """Adds what makes the model's output, and `[region]` after a head."""
        self._read(output)
        heads = [block for block in self.blocks if isinstance(block.convolution, DetectionHead)]
        if heads:
            (block,) = heads
            if block.output is not output:
                raise _refusal(block.convolution, "is not the model's output")
            self._add("region", **_region_options(block.convolution))

    def _add(self, type, **options):
        self.sections.append(Section(type, {key: str(value) for key, value in options.items()}))

    def _read(self, tensor):
        """Makes `tensor` the output of the last section, which is what the next section reads."""
        number = self.number(tensor)
        if number != len(self.sections) - 1:
            self._add_route([number])

    def _add_route(self, numbers):
        if -1 in numbers:
            raise InputError("more than one layer reads the image", expected="one, as in Darknet")
        here = len(self.sections)
        self._add("route", layers=",".join(str(number - here) for number in numbers))

    def _add_block(self, block):
        self._read(block.input)
        convolution = block.convolution
        (size, _), (stride, _) = convolution.kernel_size, convolution.strides
        padded = {"pad": 1} if block.padding == size // 2 else {"padding": block.padding}
        self._add(
            "convolutional",
            **({"batch_normalize": 1} if block.norm else {}),
            filters=convolution.filters,
            size=size,
            stride=stride,
            **padded,
            activation=block.activation,
        )
        self.blocks.append(block)

    def _add_layer(self, layer):
        if isinstance(layer, layers.Concatenate):
            if layer.axis not in (-1, 3):
                raise _refusal(layer, f"joins along axis {layer.axis}", "the channels, -1")
            self._add_route([self.number(tensor) for tensor in _inputs(layer)])
            return
        if isinstance(layer, layers.InputLayer | layers.Rescaling) or len(_inputs(layer)) != 1:
            raise _refusal(layer, "has no form in Darknet at this place")
        self._read(layer.input)
        match layer:
            case layers.MaxPool2D() | DarknetMaxPool():
                self._add("maxpool", **_pool_options(layer))
            case Passthrough():
                self._add("reorg3d", stride=layer.block)
            case DarknetReorg():
                self._add("reorg", stride=layer.block)
            case layers.Dropout():
                self._add("dropout", probability=layer.rate)
            case layers.GlobalAveragePooling2D():
                self._add("avgpool")
                if not layer.keepdims:
                    self._add("softmax")
            case ClassificationHead():
                self._add("softmax")
            case layers.Reshape() if len(layer.target_shape) == 1:
                self._add("softmax")
            case _:
                raise _refusal(layer, "has no form in Darknet", hint=_HINT)


# === Options ===


def _region_options(head):
    return {
        "anchors": ", ".join(f"{width!s},{height!s}" for width, height in head.anchors),
        "classes": head.num_classes,
        "coords": 4,
        "num": len(head.anchors),
        "softmax": 1,
    }


def _pool_options(layer):
    if isinstance(layer, DarknetMaxPool):
        size, stride, padding = layer.size, layer.stride, layer.padding
    else:
        (size, width), (stride, across) = layer.pool_size, layer.strides
        padding = size - 1 if layer.padding == "same" else 0
        # Elsewhere Keras' `same` puts less above and left than Darknet.
        as_in_darknet = padding == 0 or stride == 1 or (stride == 2 and size % 2 == 0)
        if size != width or stride != across or not as_in_darknet:
            raise _refusal(layer, "pools otherwise than Darknet", "models.blocks.max_pool")
    written = {} if padding == size - 1 else {"padding": padding}
    return {"size": size, "stride": stride, **written}


def _activation(layer):
    match layer:
        case layers.LeakyReLU() if np.isclose(layer.negative_slope, 0.1):
            return "leaky"
        case layers.ReLU() if layer.max_value is None and not layer.negative_slope:
            return "relu"
        case layers.Activation() if layer.activation is keras.activations.sigmoid:
            return "logistic"
    expected = "LeakyReLU of slope 0.1, ReLU, or a sigmoid"
    raise _refusal(layer, "is no activation of Darknet's", expected)


def _even_padding(layer):
    (padding, *others) = {side for sides in layer.padding for side in sides}
    if others:
        raise _refusal(layer, f"pads by {layer.padding}", "the same on all sides")
    return padding


# === Checks ===


def _check_convolution(layer):
    size, width = layer.kernel_size
    stride, across = layer.strides
    same_as_darknet = layer.padding == "valid" or (stride == 1 and size % 2 == 1)
    if (
        size != width
        or stride != across
        or not same_as_darknet
        or layer.groups != 1
        or tuple(layer.dilation_rate) != (1, 1)
        or layer.activation is not keras.activations.linear
    ):
        raise _refusal(layer, "convolves otherwise than Darknet", "models.blocks.convolution")


def _check_norm(layer, convolution):
    if convolution.use_bias or not (layer.center and layer.scale):
        expected = "scale and offset, and no bias in the convolution"
        raise _refusal(layer, "normalises otherwise than Darknet", expected)


def _output(layer):
    if not isinstance(layer.output, keras.KerasTensor):
        raise _refusal(layer, "has several outputs", "one", _HINT)
    return layer.output


def _inputs(layer):
    if isinstance(layer, layers.InputLayer):
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _refusal(layer, what, expected=None, hint=None):
    name = f"layer {layer.name!r} ({type(layer).__name__})"
    return InputError(f"{name} {what}", expected=expected, hint=hint)
