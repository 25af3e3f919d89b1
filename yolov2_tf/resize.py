"""The one definition of how a picture becomes the input of a network.

Bilinear, half-pixel centres, no antialiasing: `tf.image.resize`, OpenCV's `INTER_LINEAR`. Another
filter than that of the training moves mAP by a point either way (docs/darknet.md: Pillow's
antialiasing costs .75, OpenCV's `INTER_AREA` gains 1.5 on one network), so training, evaluation and
every exported form use this definition. (Training thins pictures that are far larger than its views
before, see `yolov2_tf.data.augment.thinned`.)
"""

import tensorflow as tf

MODES = ("stretch", "letterbox")
"""`stretch` fills the square and ignores the aspect ratio; `letterbox` keeps it and pads."""

PADDING = 127.5
"""Value of the letterbox's bars: mid-grey."""


def resize_image(image, size, mode="stretch"):
    """Resizes one image to a square.

    Args:
        image: `(H, W, 3)`, values 0..255 of any dtype.
        size: Side of the square in pixels, an int or a scalar tensor.
        mode: One of `MODES`.

    Returns:
        `(size, size, 3)` float32, values 0..255.
    """
    if mode == "stretch":
        return tf.image.resize(image, [size, size])
    shape = tf.shape(image)[:2]
    inner, before = _letterbox(shape, size)
    resized = tf.image.resize(image, inner)
    after = size - inner - before
    paddings = tf.concat([tf.stack([before, after], axis=1), [[0, 0]]], axis=0)
    return tf.pad(resized, paddings, constant_values=PADDING)


def box_transform(shapes, size, mode="stretch"):
    """How boxes move with the picture: `input_box = box * scale + offset`.

    Args:
        shapes: `(..., 2)` int32 `[height, width]` of the pictures.
        size: Side of the network's input in pixels.
        mode: One of `MODES`.

    Returns:
        `(scale, offset)`, each `(..., 4)` float32, for `[y_min, x_min, y_max, x_max]`.
    """
    if mode == "stretch":
        ones = tf.ones_like(tf.concat([shapes, shapes], axis=-1), tf.float32)
        return ones, tf.zeros_like(ones)
    inner, before = _letterbox(shapes, size)
    side = tf.cast(size, tf.float32)
    scale, offset = tf.cast(inner, tf.float32) / side, tf.cast(before, tf.float32) / side
    return tf.concat([scale, scale], axis=-1), tf.concat([offset, offset], axis=-1)


def _letterbox(shapes, size):
    """Height and width of the picture inside the letterbox, and of the bars before it."""
    longest = tf.reduce_max(shapes, axis=-1, keepdims=True)
    # Integers round the same way everywhere: (2·a·size + b) // 2b is a·size/b to the nearest.
    inner = tf.maximum((2 * shapes * size + longest) // (2 * longest), 1)
    return inner, (size - inner) // 2
