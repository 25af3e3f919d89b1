"""`yolov2_tf.resize` in NumPy, for machines without TensorFlow; equal to the last bit."""

import numpy as np

PADDING = 127.5  # as in yolov2_tf.resize, which loads TensorFlow


def resize(image, size, mode):
    """Resizes a picture as `yolov2_tf.resize.resize_image` does.

    Args:
        image: `(H, W, 3)`, values 0..255.
        size: Side of the square in pixels.
        mode: `stretch` or `letterbox`.

    Returns:
        `(resized, scale, offset)`: `(size, size, 3)` float32, and what `box_transform` gives.
    """
    transform = box_transform(image.shape[:2], size, mode)
    if mode == "stretch":
        return _bilinear(image, size, size), *transform
    (height, width), (top, left) = _letterbox(image.shape[:2], size)
    canvas = np.full((size, size, 3), PADDING, np.float32)
    canvas[top : top + height, left : left + width] = _bilinear(image, height, width)
    return canvas, *transform


def box_transform(shape, size, mode):
    """How boxes move with the picture, as `yolov2_tf.resize.box_transform` tells.

    Args:
        shape: `(height, width)` of the picture.
        size: Side of the square in pixels.
        mode: `stretch` or `letterbox`.

    Returns:
        `(scale, offset)`, two `(4,)` float32: `input_box = box * scale + offset`.
    """
    if mode == "stretch":
        return np.ones(4, np.float32), np.zeros(4, np.float32)
    inner, before = _letterbox(shape, size)
    side = np.float32(size)
    return np.array(inner * 2, np.float32) / side, np.array(before * 2, np.float32) / side


def _letterbox(shape, size):
    """Height and width of the picture inside the letterbox, and of the bars before it."""
    longest = max(shape)
    # Integers round the same way everywhere: (2·a·size + b) // 2b is a·size/b to the nearest.
    inner = [max((2 * int(side) * size + longest) // (2 * longest), 1) for side in shape]
    return inner, [(size - side) // 2 for side in inner]


def _bilinear(image, height, width):
    """Bilinear, half-pixel centres, no antialiasing; bit for bit what `tf.image.resize` gives."""
    top, bottom, down = _neighbours(image.shape[0], height)
    left, right, across = _neighbours(image.shape[1], width)
    down, across = down[:, None, None], across[None, :, None]

    def row(index):
        pixels = image[index]  # only the rows that are needed: a camera frame has many more
        low = pixels[:, left].astype(np.float32)
        return low + (pixels[:, right].astype(np.float32) - low) * across

    upper = row(top)
    return upper + (row(bottom) - upper) * down


def _neighbours(old, new):
    """For each new pixel the two old ones it lies between, and how far from the first."""
    scale = np.float32(old) / np.float32(new)
    position = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    low = np.floor(position)
    first = np.maximum(low, 0).astype(np.intp)
    second = np.minimum(np.ceil(position), old - 1).astype(np.intp)
    return first, second, position - low
