"""Darknet-19, YOLOv2 and Tiny YOLOv2 as functional Keras models (paper, sections 2 and 3).

Inputs are RGB images `(B, H, W, 3)` with values 0..255, H and W multiples of 32; the first layer
rescales them. Convolutions are named `conv1`, `conv2`, … in Darknet's order, so that weights move
by name between a classifier, a detector and an imported network.
"""

import keras
from keras import layers

from yolov2_tf.anchors import STRIDE, published
from yolov2_tf.classification_model import ClassificationHead
from yolov2_tf.detection_model import DetectionModel
from yolov2_tf.layers import DarknetMaxPool, Head, Passthrough

BATCH_NORM_MOMENTUM = 0.99
BATCH_NORM_EPSILON = 1e-5  # Keras' default of 1e-3 changes what imported weights compute

# Rows of Darknet-19 (paper, table 6): (filters, kernel size) of the convolutions of each stage.
# A max-pool stands before every stage but the first.
DARKNET19_STAGES = (
    ((32, 3),),
    ((64, 3),),
    ((128, 3), (64, 1), (128, 3)),
    ((256, 3), (128, 1), (256, 3)),
    ((512, 3), (256, 1), (512, 3), (256, 1), (512, 3)),
    ((1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3)),
)


class Blocks:
    """Makes Darknet's building blocks and numbers their convolutions.

    Args:
        width: Multiplies the number of filters; results are rounded to multiples of 8.
        weight_decay: Darknet's `decay`: its half times the squared kernel is added to the loss.
    """

    def __init__(self, width=1.0, weight_decay=5e-4):
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
        """The detector's linear 1×1 convolution, see `yolov2_tf.layers.Head`."""
        self.count += 1
        return Head(kernel_regularizer=self._regularizer, name="head", **config)(x)


def decay_regularizer(decay):
    """Darknet's weight `decay` as Keras regulariser of a kernel; None for 0."""
    # Keras' L2(c) adds c·w², whose gradient is 2c·w; Darknet's gradient is decay·w.
    return keras.regularizers.L2(decay / 2) if decay else None


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
        activation: Darknet's `leaky`, `linear`, `relu` or `logistic`.
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
        x = layers.BatchNormalization(
            momentum=BATCH_NORM_MOMENTUM, epsilon=epsilon, name=f"{name}_bn"
        )(x)
    if activation == "leaky":
        return layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky")(x)
    if activation == "relu":
        return layers.ReLU(name=f"{name}_relu")(x)
    if activation == "logistic":
        return layers.Activation("sigmoid", name=f"{name}_logistic")(x)
    if activation == "linear":
        return x
    raise ValueError(f"activation is {activation!r}, expected leaky, linear, relu or logistic")


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


def image_input(rescale=None):
    """Input `(B, H, W, 3)` 0..255 and its rescaling to 0..1 by the layer `rescale`."""
    image = keras.Input((None, None, 3), name="image")
    rescale = layers.Rescaling(1 / 255, name="rescale") if rescale is None else rescale
    return image, rescale(image)


def Darknet19(
    classes=1000,
    *,
    input_size=224,
    resize="stretch",
    width=1.0,
    tree=None,
    weight_decay=5e-4,
    name="darknet19",
):
    """Darknet-19 classifier (paper, section 3 and table 6).

    Args:
        classes: One name per class, or the number of classes; with a tree, one per node.
        input_size: Side of the input in pixels that the network is meant for.
        resize: How pictures come to that size: `stretch` or `letterbox`.
        width: Multiplier of the filters, for small devices.
        tree: Optional `WordTree` over the classes.
        weight_decay: Darknet's `decay`, on convolution kernels only.
        name: Name of the model.

    Returns:
        Functional model: `(B, H, W, 3)` images 0..255 of any size from 32 up to `(B, C)` logits;
        `ClassificationHead.probabilities` makes probabilities of them.
    """
    class_names = [str(i) for i in range(classes)] if isinstance(classes, int) else classes
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    *_, x = _darknet19_trunk(blocks, x)
    x = layers.Conv2D(
        len(class_names),
        1,
        dtype="float32",
        kernel_initializer="he_normal",
        kernel_regularizer=decay_regularizer(weight_decay),
        name=blocks.next_name(),
    )(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name="average_pool")(x)
    x = ClassificationHead(class_names, input_size, resize, tree, name="head")(x)
    return keras.Model(image, x, name=name)


def YOLOv2(
    class_names,
    *,
    anchors=None,
    input_size=416,
    resize="stretch",
    width=1.0,
    squeeze=64,
    tree=None,
    weight_decay=5e-4,
    name="yolov2",
):
    """YOLOv2 on Darknet-19 with the passthrough (paper, section 2).

    Args:
        class_names: One name per class; with a tree, one per node.
        anchors: `(k, 2)` `[width, height]` in cells of 32 pixels; default: VOC's published five.
        input_size: Side of the input in pixels that the network is meant for, a multiple of 32.
        resize: How pictures come to that size: `stretch` or `letterbox`.
        width: Multiplier of the filters, for small devices.
        squeeze: Filters of the 1×1 convolution before the passthrough, 64 in the released
            network; None feeds all 512 channels through, as the paper describes.
        tree: Optional `WordTree` over the classes.
        weight_decay: Darknet's `decay`, on convolution kernels only.
        name: Name of the model.

    Returns:
        `DetectionModel`: `(B, H, W, 3)` images 0..255 to the raw head tensor
        `(B, H/32, W/32, k · (5 + C))` float32.

    Raises:
        ValueError: If `input_size` is not a positive multiple of 32.
    """
    _check_size(input_size)
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    fine, x = _darknet19_trunk(blocks, x)
    x = blocks.convolution(x, 1024, 3)
    x = blocks.convolution(x, 1024, 3)
    if squeeze is not None:
        fine = blocks.convolution(fine, squeeze, 1)
    fine = Passthrough(name="passthrough")(fine)
    x = layers.Concatenate(name="concat")([fine, x])
    x = blocks.convolution(x, 1024, 3)
    x = blocks.head(
        x,
        anchors=published("voc") if anchors is None else anchors,
        class_names=class_names,
        input_size=input_size,
        resize=resize,
        tree=tree,
    )
    return DetectionModel(image, x, name=name)


def TinyYOLOv2(
    class_names,
    *,
    anchors=None,
    input_size=416,
    resize="stretch",
    width=1.0,
    tree=None,
    weight_decay=5e-4,
    name="tiny_yolov2",
):
    """Tiny YOLOv2 (Darknet's yolov2-tiny-voc.cfg): nine convolutions, no passthrough.

    Arguments and result are those of `YOLOv2`; default anchors are the published tiny-voc ones.
    """
    _check_size(input_size)
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    for stage, filters in enumerate((16, 32, 64, 128, 256, 512)):
        x = blocks.convolution(x, filters, 3)
        # The last pool keeps the size: the grid is 32 pixels wide from the fifth pool on.
        x = max_pool(x, 2, stride=2 if stage < 5 else 1, name=f"pool{stage + 1}")
    x = blocks.convolution(x, 1024, 3)
    x = blocks.convolution(x, 1024, 3)
    x = blocks.head(
        x,
        anchors=published("tiny-voc") if anchors is None else anchors,
        class_names=class_names,
        input_size=input_size,
        resize=resize,
        tree=tree,
    )
    return DetectionModel(image, x, name=name)


def _darknet19_trunk(blocks, x):
    """The 18 convolutions before the classifier: the last 26×26 map and the 13×13 map (at 416)."""
    for stage, convolutions in enumerate(DARKNET19_STAGES):
        if stage:
            fine = x
            x = max_pool(x, 2, stride=2, name=f"pool{stage}")
        for filters, size in convolutions:
            x = blocks.convolution(x, filters, size)
    return fine, x


def _check_size(input_size):
    if input_size < STRIDE or input_size % STRIDE:
        raise ValueError(f"input_size is {input_size}, expected a positive multiple of {STRIDE}")
