"""Random views of training pictures: jittered crop or expansion, flip, size and colours.

Randomness is stateless: the same seed gives the same view. Measured on one core at 416 pixels, a
view costs about 4 ms beside 2 ms for decoding the JPEG; the comments say what was saved where.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from yolov2_tf.resize import PADDING

SMALLEST_SIDE = 0.001
"""Boxes narrower or lower than this fraction of the view are dropped, as in Darknet."""

ASPECT = 4 / 3
"""Most that `random_crop` changes the ratio of width to height, as Darknet's `aspect=.75`."""

OVERSAMPLING = 2
"""How many times as many pixels as the closest view needs a picture keeps that is `thinned`."""

LUMA = (0.299, 0.587, 0.114)

PIXELS_PER_ROW = 8
"""Pixels that one row of the colour product holds, see `random_colours`."""


class View(NamedTuple):
    """Which part of a picture is seen, and where in the square view it lies.

    All are `(2,)` int32 tensors `[vertical, horizontal]` in pixels.

    Attributes:
        start: First row and column of the visible part of the picture.
        extent: Height and width of the visible part.
        inner: Height and width to which that part is resized.
        before: Rows and columns of padding before it.
    """

    start: tf.Tensor
    extent: tf.Tensor
    inner: tf.Tensor
    before: tf.Tensor


def random_view(shape, size, jitter, seed, letterbox=False):
    """Moves each border of the picture by up to `jitter` of its side, inwards or outwards.

    Args:
        shape: `(2,)` int32 `[height, width]` of the picture in pixels.
        size: Side of the square view in pixels, scalar.
        jitter: Largest move as a fraction of the side, 0 to below 0.5.
        seed: `(2,)` integers.
        letterbox: Whether the view keeps the aspect of what it shows, with bars around it.

    Returns:
        `View`.
    """
    moves = tf.random.stateless_uniform([2, 2], seed, -jitter, jitter)
    sides = tf.cast(shape, tf.float32)
    first = tf.round(moves[0] * sides)
    last = tf.maximum(tf.round((1 + moves[1]) * sides), first + 1)
    if letterbox:
        center, half = (first + last) / 2, tf.reduce_max(last - first) / 2
        first, last = tf.round(center - half), tf.round(center + half)
    return _view(first, last, sides, size)


def random_crop(shape, size, zoom, seed, letterbox=False):
    """A window somewhere in the picture, for classification; Darknet's `random_augment_image`.

    Args:
        shape: `(2,)` int32 `[height, width]` of the picture in pixels.
        size: Side of the square view in pixels, scalar.
        zoom: `(smallest, largest)` magnification against the whole picture in the view: at 2 the
            window is half as high and wide as the picture, below 1 there is padding around it.
        seed: `(2,)` integers.
        letterbox: Whether the window is a square, as seen at magnification 1 with bars.

    Returns:
        `View`.
    """
    zoom_seed, aspect_seed, place_seed = tf.unstack(tf.random.split(seed, 3))
    sides = tf.cast(shape, tf.float32)
    whole = tf.fill([2], tf.reduce_max(sides)) if letterbox else sides
    log_aspect = tf.random.stateless_uniform([], aspect_seed, -1.0, 1.0) * math.log(ASPECT) / 2
    stretch = tf.exp(tf.stack([log_aspect, -log_aspect]))
    window = whole * stretch / tf.random.stateless_uniform([], zoom_seed, *zoom)
    first = tf.round(tf.random.stateless_uniform([2], place_seed) * (sides - window))
    return _view(first, tf.maximum(tf.round(first + window), first + 1), sides, size)


def _view(first, last, sides, size):
    """The view from row and column `first` to `last`, which may lie outside of the picture."""
    start, stop = tf.maximum(first, 0.0), tf.minimum(last, sides)
    scale = tf.cast(size, tf.float32) / (last - first)
    before = tf.round((start - first) * scale)
    after = tf.round((last - stop) * scale)
    inner = tf.maximum(tf.cast(size, tf.float32) - before - after, 1.0)
    before = tf.minimum(before, tf.cast(size, tf.float32) - inner)  # of a line one pixel is left
    return View(*(tf.cast(v, tf.int32) for v in (start, stop - start, inner, before)))


def thinned(image, side):
    """Every k-th row and column of a large picture, so that it takes less memory.

    A view is interpolated between pixels that are k apart then, where that of the picture itself
    would be between neighbours, so it must still skip pixels: with twice as many as the view has
    its contrast of neighbours is .96 of the other's, with as many .8 (VOC's pictures, enlarged).

    Args:
        image: `(H, W, 3)` uint8.
        side: Pixels of the picture's shorter side that the closest view shows as so many.

    Returns:
        `(H / k, W / k, 3)` uint8, rounded up; k is 1 where the shorter side is below 4 × `side`.
    """
    step = tf.maximum(tf.reduce_min(tf.shape(image)[:2]) // (OVERSAMPLING * side), 1)
    return image[step // 2 :: step, step // 2 :: step]


def take_view(image, view, size):
    """Crops or expands the picture and resizes it, as `yolov2_tf.resize` does.

    Args:
        image: `(H, W, 3)` uint8.
        view: `View`.
        size: Side of the square view, scalar.

    Returns:
        `(size, size, 3)` float32, values 0..255; mid-grey outside of the picture.
    """
    begin = tf.concat([view.start, [0]], axis=0)
    part = tf.slice(image, begin, tf.concat([view.extent, [3]], axis=0))
    after = tf.maximum(size - view.inner - view.before, 0)
    paddings = tf.concat([tf.stack([view.before, after], axis=1), [[0, 0]]], axis=0)
    # Slice, resize and pad cost half of tf.image.crop_and_resize.
    return tf.pad(tf.image.resize(part, view.inner), paddings, constant_values=PADDING)


def take_turned_view(image, view, size, degrees):
    """The view turned about its centre: what `angle` of Darknet's classifiers does.

    What comes into its corners is what the picture has there.

    Args:
        image: `(H, W, 3)` uint8.
        view: `View`.
        size: Side of the square view, scalar.
        degrees: Angle, scalar; positive turns clockwise.

    Returns:
        As `take_view`, bilinear with half-pixel centres.
    """
    angle = tf.cast(degrees, tf.float32) * (math.pi / 180)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    center = tf.cast(size, tf.float32) / 2
    start, extent, inner, before = (tf.cast(side, tf.float32) for side in view)
    y_scale, x_scale = tf.unstack(extent / inner)
    y_start, x_start = tf.unstack(start - before * extent / inner)
    # Pixel (x, y) of the view shows x_start + x_scale * x' of the picture, where x' is x turned
    # back about the centre; centres of pixels are at halves.
    half = 0.5 - center
    x_rest = center + cosine * half + sine * half
    y_rest = center - sine * half + cosine * half
    transform = [
        x_scale * cosine, x_scale * sine, x_scale * x_rest + x_start - 0.5,
        -y_scale * sine, y_scale * cosine, y_scale * y_rest + y_start - 0.5,
        0.0, 0.0,
    ]  # fmt: skip
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image, tf.float32)[None],
        transforms=tf.stack(transform)[None],
        output_shape=tf.stack([size, size]),
        fill_value=float(PADDING),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )[0]


def view_boxes(boxes, labels, shape, view, size):
    """Boxes of the picture as boxes of the view, clipped; those that are lost are dropped.

    Args:
        boxes: `(n, 4)` float32 fractions of the picture.
        labels: `(n,)` int32.
        shape: `(2,)` int32 `[height, width]` of the picture in pixels.
        view: `View`.
        size: Side of the square view, scalar.

    Returns:
        `(boxes, labels)` of the m ≤ n that remain.
    """
    shape, start, extent, inner, before, size = (
        tf.cast(v, tf.float32) for v in (shape, *view, size)
    )
    corners = tf.reshape(boxes, [-1, 2, 2])
    corners = ((corners * shape - start) * inner / extent + before) / size
    boxes = tf.clip_by_value(tf.reshape(corners, [-1, 4]), 0.0, 1.0)
    kept = tf.reduce_all(boxes[:, 2:] - boxes[:, :2] >= SMALLEST_SIDE, axis=1)
    return tf.boolean_mask(boxes, kept), tf.boolean_mask(labels, kept)


def mirror(image, *boxes):
    """Changes left and right of an image `(H, W, 3)` and of boxes, each `(n, 4)`."""
    mirrored = []
    for some in boxes:
        y_min, x_min, y_max, x_max = tf.unstack(some, axis=1)
        mirrored.append(tf.stack([y_min, 1 - x_max, y_max, 1 - x_min], axis=1))
    return tf.reverse(image, [1]), *mirrored


def random_colours(image, seed, *, hue=0.1, saturation=1.5, exposure=1.5):
    """Shifts hue, saturation and exposure by one 3×3 matrix.

    Args:
        image: `(H, W, 3)` float32, values 0..255, H · W a multiple of 8.
        seed: `(2,)` integers.
        hue: Largest turn of the hue either way, as a fraction of the circle.
        saturation: Largest factor of the saturation; its inverse is the smallest.
        exposure: Largest factor of the brightness; its inverse is the smallest.

    Returns:
        `(H, W, 3)` float32; bright colours may exceed 255.
    """
    draws = tf.random.stateless_uniform([5], seed, -1.0, 1.0)
    matrix = colour_matrix(
        hue * draws[0],
        _factor(saturation, draws[1], draws[2]),
        _factor(exposure, draws[3], draws[4]),
    )
    # A product with 3 columns starves the matrix kernel: eight pixels in a row, with the matrix
    # repeated along the diagonal, take half the time.
    blocks = tf.einsum("ij,kl->ikjl", tf.eye(PIXELS_PER_ROW), tf.transpose(matrix))
    blocks = tf.reshape(blocks, [3 * PIXELS_PER_ROW, 3 * PIXELS_PER_ROW])
    return tf.reshape(
        tf.matmul(tf.reshape(image, [-1, 3 * PIXELS_PER_ROW]), blocks), tf.shape(image)
    )


def colour_matrix(turn, saturation, exposure):
    """Matrix `(3, 3)` that rotates colours about the grey axis and scales them.

    Args:
        turn: Rotation of the hue as a fraction of the circle.
        saturation: Factor of the distance from grey of the same luma.
        exposure: Factor of the result.
    """
    grey = tf.tile(tf.constant([LUMA]), [3, 1])  # projects onto grey of the same luma
    angle = 2 * math.pi * turn
    # Rodrigues' rotation about (1, 1, 1): greys stay where they are.
    third, root = 1 / 3, 1 / math.sqrt(3)
    cross = root * tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    rotation = (
        tf.cos(angle) * tf.eye(3)
        + tf.sin(angle) * cross
        + (1 - tf.cos(angle)) * tf.fill([3, 3], third)
    )
    colour = tf.matmul(tf.eye(3) - grey, rotation)
    return exposure * (grey + saturation * colour)


def _factor(limit, draw, side):
    """U(1, limit) or its inverse, as Darknet's `rand_scale`."""
    factor = 1 + (limit - 1) * tf.abs(draw)
    return tf.where(side < 0, 1 / factor, factor)
