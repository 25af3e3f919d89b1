"""Keras layers that are YOLOv2's and Darknet's own.

They are registered under the package's name: after `import yolov2_tf`, `keras.models.load_model`
finds them without `custom_objects`.
"""

import keras
import tensorflow as tf

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
        # The outermost rows and columns again: a window that reaches beyond holds them, too, and
        # its maximum stays. A number for −∞ would be in the range of an int8 file.
        before, after = self.padding // 2, self.padding - self.padding // 2
        x = inputs
        if self.padding:
            x = tf.concat([x[:, :1]] * before + [x] + [x[:, -1:]] * after, axis=1)
            x = tf.concat([x[:, :, :1]] * before + [x] + [x[:, :, -1:]] * after, axis=2)
        return tf.nn.max_pool2d(x, self.size, self.stride, "VALID")

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
class FitMap(keras.layers.Layer):
    """What Darknet's `[shortcut]` takes of a map of another shape to add it.

    Every `stride`-th cell, and the first channels, or zeros after the last (`shortcut_cpu` in
    src/blas.c). `(B, H, W, C)` to `(B, ⌈H / stride⌉, ⌈W / stride⌉, channels)`.
    """

    def __init__(self, channels, stride=1, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.stride = stride

    def call(self, inputs):
        missing = max(0, self.channels - inputs.shape[-1])
        part = inputs[:, :: self.stride, :: self.stride, : self.channels]
        return tf.pad(part, [[0, 0]] * 3 + [[0, missing]])

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        sides = [side if side is None else -(-side // self.stride) for side in sides]
        return (batch, *sides, self.channels)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels, "stride": self.stride}


@register
class Grayscale(keras.layers.Layer):
    """The brightness of RGB, as Darknet and OpenCV load pictures for networks of one channel.

    `(B, H, W, 3)` to `(B, H, W, 1)`, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    """

    def call(self, inputs):
        weights = tf.constant([0.299, 0.587, 0.114], inputs.dtype)
        return tf.reduce_sum(inputs * weights, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 1)


def _reorganised_shape(shape, block):
    batch, height, width, channels = shape
    return (
        batch,
        None if height is None else height // block,
        None if width is None else width // block,
        channels * block**2,
    )
