"""Keras layers that are YOLOv2's own: the passthrough and the head.

Everything is registered under the package's name, so `.keras` files load without
`custom_objects` once this module is imported; `yolov2_tf.load_model` sees to that.
"""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.resize import MODES
from yolov2_tf.wordtree import as_tree

register = keras.saving.register_keras_serializable("yolov2_tf")


@register
class Passthrough(keras.layers.Layer):
    """Stacks neighbouring features into channels (paper, section 2, "Fine-Grained Features").

    `(B, H, W, C)` to `(B, H / block, W / block, C · block²)` by `tf.nn.space_to_depth`.
    Darknet calls this `[reorg3d]`.
    """

    def __init__(self, block=2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs):
        return tf.nn.space_to_depth(inputs, self.block)

    def compute_output_shape(self, input_shape):
        return _reorganised_shape(input_shape, self.block)

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@register
class DarknetReorg(keras.layers.Layer):
    """Darknet's `[reorg]`, which published weights with a passthrough were trained on.

    It is not `tf.nn.space_to_depth`, nor a permutation of its channels: Darknet's loop
    (`reorg_cpu` in src/blas.c) reads the feature map as if it had C / block² channels on a grid
    `block` times as fine. `(B, H, W, C)` to `(B, H / block, W / block, C · block²)`; C must be
    a multiple of block².
    """

    def __init__(self, block=2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs):
        block = self.block
        channels = inputs.shape[-1]
        shape = tf.shape(inputs)
        batch, height, width = shape[0], shape[1], shape[2]
        x = tf.transpose(inputs, [0, 3, 1, 2])
        x = tf.reshape(x, [batch, channels // block**2, height * block, width * block])
        x = tf.transpose(x, [0, 2, 3, 1])
        x = tf.nn.space_to_depth(x, block)
        x = tf.transpose(x, [0, 3, 1, 2])
        x = tf.reshape(x, [batch, channels * block**2, height // block, width // block])
        return tf.transpose(x, [0, 2, 3, 1])

    def compute_output_shape(self, input_shape):
        return _reorganised_shape(input_shape, self.block)

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@register
class DarknetMaxPool(keras.layers.Layer):
    """Max-pool with Darknet's padding where Keras' `same` and `valid` differ from it.

    `(B, H, W, C)` to `(B, (H + padding − size) // stride + 1, …, C)`.

    Args:
        size: Side of the window.
        stride: Stride of the window.
        padding: Rows and columns of −∞ in all, half of them (rounded down) above and left.
    """

    def __init__(self, size, stride, padding, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride
        self.padding = padding

    def call(self, inputs):
        around = [self.padding // 2, self.padding - self.padding // 2]
        paddings = [[0, 0], around, around, [0, 0]]
        padded = tf.pad(inputs, paddings, constant_values=inputs.dtype.min)
        return tf.nn.max_pool2d(padded, self.size, self.stride, "VALID")

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        added = self.padding - self.size
        sides = [side if side is None else (side + added) // self.stride + 1 for side in sides]
        return (batch, *sides, channels)

    def get_config(self):
        config = {"size": self.size, "stride": self.stride, "padding": self.padding}
        return {**super().get_config(), **config}


@register
class DarknetInput(keras.layers.Rescaling):
    """Rescaling from 0..255 to 0..1 that keeps what only a network's Darknet files said.

    Args:
        cfg: Text of the cfg.
        header: `[major, minor, revision, seen]` of the weights file.
    """

    def __init__(self, cfg, header, scale=1 / 255, **kwargs):
        super().__init__(scale, **kwargs)
        self.cfg = cfg
        self.header = tuple(header)

    def get_config(self):
        return {**super().get_config(), "cfg": self.cfg, "header": list(self.header)}


@register
class ObjectnessPrior(keras.initializers.Initializer):
    """Bias of a head whose every prediction starts with a low objectness.

    From zero, where each of the hundreds of empty slots starts at ½, the first steps press all
    objectness down so hard that its sigmoid saturates and never comes back (seen with SGD at
    1e-2). The remedy is that of RetinaNet (Lin et al., 2017, section 4.1).

    Args:
        k: Number of anchors.
        probability: σ(t_o) at the start, 0..1.
    """

    def __init__(self, k, probability=0.05):
        self.k = k
        self.probability = probability

    def __call__(self, shape, dtype=None):
        bias = np.zeros((self.k, shape[0] // self.k))
        bias[:, 4] = np.log(self.probability / (1 - self.probability))
        return tf.constant(bias.reshape(shape), dtype or "float32")

    def get_config(self):
        return {"k": self.k, "probability": self.probability}


@register
class Head(keras.layers.Conv2D):
    """The linear 1×1 convolution to `k · (5 + C)` channels, and all that explains them.

    Channels are anchor-major `[tx, ty, tw, th, to, class…]`, as in Darknet. The names, anchors,
    input size, resize mode and tree travel in this layer's config, so a `.keras` file says by
    itself how it is to be used. The layer computes in float32 under mixed precision too.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        class_names: One name per class; with a tree, one per node.
        input_size: Side of the square input in pixels that the network is meant for.
        resize: How pictures are brought to that size, see `yolov2_tf.resize.MODES`.
        tree: `yolov2_tf.wordtree.WordTree` whose nodes are the classes, or its config.
    """

    def __init__(self, anchors, class_names, input_size=416, resize="stretch", tree=None, **kwargs):
        if resize not in MODES:
            raise ValueError(f"resize is {resize!r}, expected one of {MODES}")
        self.class_names = tuple(str(name) for name in class_names)
        self.anchors = np.asarray(anchors, np.float32).reshape(-1, 2)
        self.input_size = int(input_size)
        self.resize = resize
        self.tree = as_tree(tree)
        if self.tree is not None and len(self.tree) != len(self.class_names):
            raise ValueError(
                f"the tree has {len(self.tree)} nodes, the names are {len(self.class_names)}"
            )
        kwargs.setdefault("dtype", "float32")
        # A small start makes the first predictions the priors themselves; with He's the first
        # steps have to undo boxes e² times too large.
        kwargs.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=0.01))
        kwargs.setdefault("bias_initializer", ObjectnessPrior(len(self.anchors)))
        filters = len(self.anchors) * (5 + len(self.class_names))
        super().__init__(filters, 1, **kwargs)

    @property
    def num_classes(self):
        """Number of classes C."""
        return len(self.class_names)

    def get_config(self):
        config = super().get_config()
        for fixed in ("filters", "kernel_size"):
            del config[fixed]
        return {
            **config,
            "anchors": self.anchors.tolist(),
            "class_names": list(self.class_names),
            "input_size": self.input_size,
            "resize": self.resize,
            "tree": None if self.tree is None else self.tree.to_config(),
        }


def _reorganised_shape(shape, block):
    batch, height, width, channels = shape
    return (
        batch,
        None if height is None else height // block,
        None if width is None else width // block,
        channels * block**2,
    )
