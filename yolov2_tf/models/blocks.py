"""Darknet's building blocks as Keras layers, named in Darknet's order.

Convolutions are named `conv1`, `conv2`, … so that weights move by name between a classifier, a
detector and an imported network.
"""

import math
import numbers

import keras
from keras import layers

from yolov2_tf.errors import InputError
from yolov2_tf.models.backend import check_backend
from yolov2_tf.models.batch_norm import FusedBatchNormalization
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.layers import DarknetMaxPool, Grayscale
from yolov2_tf.models.weight_decay import WeightDecay

BATCH_NORM_MOMENTUM = 0.99

BATCH_NORM_EPSILON = 1e-5  # Keras' default of 1e-3 changes what imported weights compute


# Keras' names of Darknet's activations that are no layers of their own (Darknet's activations.h).
ACTIVATIONS = {
    "logistic": "sigmoid",
    "swish": "silu",
    "mish": "mish",
    "relu6": "relu6",
    "elu": "elu",
    "tanh": "tanh",
}


class Blocks:
    """Makes Darknet's building blocks and numbers their convolutions.

    Args:
        width: Multiplies the number of filters; results are rounded to multiples of 8.
        weight_decay: Darknet's `decay`: its half times the squared kernel is added to the loss.

    Raises:
        InputError: If the width is no finite number above 0.
    """

    def __init__(self, width=1.0, weight_decay=5e-4):
        if not (isinstance(width, numbers.Real) and 0 < width < math.inf):
            raise InputError(f"width is {width!r}", expected="a number above 0, such as 0.25")
        self.width = width
        self.count = 0
        self._regularizer = decay_regularizer(weight_decay)

    def filters(self, filters):
        """Filters of a block after the width multiplier."""
        return max(8, round(filters * self.width / 8) * 8)

    def next_name(self):
        """Names the next convolution in Darknet's order: `conv1`, `conv2`, …."""
        self.count += 1
        return f"conv{self.count}"

    def convolution(self, x, filters, size):
        """Convolution, batch normalisation, leaky ReLU (slope 0.1)."""
        return convolution(
            x, self.filters(filters), size, name=self.next_name(), regularizer=self._regularizer
        )

    def head(self, x, **config):
        """The detector's linear 1×1 convolution, see `yolov2_tf.models.heads.DetectionHead`."""
        self.count += 1
        return DetectionHead(kernel_regularizer=self._regularizer, name="head", **config)(x)


def decay_regularizer(decay):
    """Darknet's weight `decay` as Keras regulariser of a kernel; None for 0."""
    return WeightDecay(decay) if decay else None


def convolution(
    x,
    filters,
    size,
    *,
    stride=1,
    padding=None,
    batch_norm=True,
    epsilon=BATCH_NORM_EPSILON,
    activation="leaky",
    name,
    regularizer=None,
):
    """One Darknet `[convolutional]` block: convolution, batch normalisation, activation.

    Args:
        x: `(B, H, W, C)` Keras tensor.
        filters: Number of output channels.
        size: Kernel size.
        stride: Stride of the convolution.
        padding: Zeros on each side; default: half the kernel size.
        batch_norm: Whether batch normalisation takes the place of the bias.
        epsilon: What batch normalisation adds to the variance.
        activation: See `activate`.
        name: Name of the convolution; the layers around it add `_pad`, `_bn` and `_<activation>`.
        regularizer: Keras regulariser of the kernel.
    """
    padding = size // 2 if padding is None else padding
    # With a stride, Keras' `same` pads by the input's size, and less on the left.
    same = stride == 1 and 2 * padding == size - 1
    if padding and not same:
        x = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same" if same else "valid",
        use_bias=not batch_norm,
        kernel_initializer="he_normal",
        kernel_regularizer=regularizer,
        name=name,
    )(x)
    if batch_norm:
        x = FusedBatchNormalization(
            momentum=BATCH_NORM_MOMENTUM, epsilon=epsilon, name=f"{name}_bn"
        )(x)
    return activate(x, activation, name)


def activate(x, activation, name):
    """One of Darknet's activations.

    Args:
        x: Keras tensor.
        activation: Darknet's `leaky`, `linear` (nothing), `relu`, or one of `ACTIVATIONS`.
        name: The layer is called `<name>_<activation>`.
    """
    if activation == "linear":
        return x
    name = f"{name}_{activation}"
    if activation == "leaky":
        return layers.LeakyReLU(negative_slope=0.1, name=name)(x)
    if activation == "relu":
        return layers.ReLU(name=name)(x)
    if activation in ACTIVATIONS:
        return layers.Activation(ACTIVATIONS[activation], name=name)(x)
    expected = ", ".join(("leaky", "linear", "relu", *ACTIVATIONS))
    raise ValueError(f"activation is {activation!r}, expected one of {expected}")


def max_pool(x, size, stride, *, padding=None, name):
    """One Darknet `[maxpool]`.

    Args:
        x: `(B, H, W, C)` Keras tensor.
        size: Side of the window.
        stride: Stride of the window.
        padding: Rows and columns of −∞ in all, half of them (rounded down) above and left;
            default: `size − 1`, so that only the stride changes the size of the map.
        name: Name of the layer.
    """
    padding = size - 1 if padding is None else padding
    if padding == 0:
        return layers.MaxPool2D(size, stride, padding="valid", name=name)(x)
    if padding == size - 1 and (stride == 1 or (stride == 2 and size % 2 == 0)):
        return layers.MaxPool2D(size, stride, padding="same", name=name)(x)
    return DarknetMaxPool(size, stride, padding, name=name)(x)


def image_input(rescale=None, channels=3):
    """Input `(B, H, W, 3)` 0..255 and its rescaling to 0..1 by the layer `rescale`.

    Networks of one channel get the same images: they turn them grey themselves.

    Raises:
        InputError: If Keras is set to put channels first, which these layers would not follow, or
            runs on another backend.
    """
    check_backend()
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            "Keras' image_data_format is channels_first",
            expected="channels_last",
            hint='keras.config.set_image_data_format("channels_last")',
        )
    image = keras.Input((None, None, 3), name="image")
    rescale = layers.Rescaling(1 / 255, name="rescale") if rescale is None else rescale
    x = rescale(image)
    return image, Grayscale(name="grayscale")(x) if channels == 1 else x
