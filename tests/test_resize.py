"""Resizing against OpenCV, and the geometry of boxes against pixels."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.resize import MODES, PADDING, box_transform, resize_image

SHAPES = [(1, 1), (1, 9), (7, 1), (3, 5), (33, 47), (64, 64), (101, 50), (50, 101), (200, 300)]


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def bars(height, width, size):
    """Where the picture lies in the letterbox, by rounding halves up: rows and columns."""
    scale = size / max(height, width)
    inner = [max(int(np.floor(side * scale + 0.5 + 1e-9)), 1) for side in (height, width)]
    before = [(size - side) // 2 for side in inner]
    return tuple(slice(b, b + side) for b, side in zip(before, inner, strict=True))


@pytest.mark.parametrize("size", [32, 61, 96])
@pytest.mark.parametrize("shape", SHAPES)
def test_stretch_is_opencv_bilinear(shape, size):
    image = picture(*shape)
    expected = cv2.resize(image.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    resized = resize_image(image, size).numpy()
    assert resized.dtype == np.float32
    assert resized.shape == (size, size, 3)
    np.testing.assert_allclose(resized, expected, atol=0.05)


@pytest.mark.parametrize("size", [32, 61, 96])
@pytest.mark.parametrize("shape", SHAPES)
def test_letterbox_is_opencv_bilinear_between_grey_bars(shape, size):
    image = picture(*shape)
    rows, columns = bars(*shape, size)
    expected = np.full((size, size, 3), PADDING, np.float32)
    expected[rows, columns] = cv2.resize(
        image.astype(np.float32),
        (columns.stop - columns.start, rows.stop - rows.start),
        interpolation=cv2.INTER_LINEAR,
    ).reshape(rows.stop - rows.start, columns.stop - columns.start, 3)
    np.testing.assert_allclose(resize_image(image, size, "letterbox"), expected, atol=0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_square_of_the_right_size_stays_as_it_is(mode, dtype):
    image = picture(48, 48).astype(dtype)
    resized = resize_image(image, 48, mode)
    assert resized.dtype == tf.float32
    np.testing.assert_allclose(resized, image, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_one_graph_serves_all_sizes(mode):
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8),
                                  tf.TensorSpec([], tf.int32)])  # fmt: skip
    def resize(image, size):
        return resize_image(image, size, mode)

    for shape, size in [((20, 30), 32), ((31, 7), 64)]:
        image = picture(*shape)
        np.testing.assert_allclose(
            resize(image, tf.constant(size)), resize_image(image, size, mode), atol=1e-4
        )


def test_stretch_leaves_boxes_alone():
    scale, offset = box_transform(tf.constant([[20, 30], [5, 5]]), 64)
    assert np.array_equal(scale, np.ones((2, 4)))
    assert np.array_equal(offset, np.zeros((2, 4)))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_whole_picture_becomes_the_part_between_the_bars(shape):
    size = 96
    scale, offset = box_transform(tf.constant(shape), size, "letterbox")
    box = np.array([0.0, 0.0, 1.0, 1.0]) * scale + offset
    rows, columns = bars(*shape, size)
    expected = np.array([rows.start, columns.start, rows.stop, columns.stop]) / size
    np.testing.assert_allclose(box, expected, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("shape", "box"),
    [((100, 240), (10, 30, 70, 90)), ((240, 101), (100, 20, 220, 81)), ((50, 50), (5, 10, 45, 30))],
)
def test_a_drawn_box_is_where_the_transform_says(mode, shape, box):
    """White pixels in the picture; their extent in the input is found by thresholding."""
    size = 160
    top, left, bottom, right = box
    image = np.zeros((*shape, 3), np.uint8)
    image[top:bottom, left:right] = 255
    scale, offset = box_transform(tf.constant(shape), size, mode)
    fractions = np.array(box) / np.array([*shape, *shape])
    moved = (fractions * scale + offset).numpy() * size
    rows, columns = np.nonzero(resize_image(image, size, mode).numpy()[..., 0] > 128)
    found = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    np.testing.assert_allclose(moved, found, atol=1)


@pytest.mark.parametrize("mode", MODES)
def test_boxes_come_back_from_the_input(mode):
    rng = np.random.default_rng(0)
    shapes = np.array(SHAPES, np.int32)
    boxes = rng.uniform(0, 1, (len(SHAPES), 4)).astype(np.float32)
    scale, offset = box_transform(tf.constant(shapes), 416, mode)
    assert np.all(scale > 0)
    np.testing.assert_allclose((boxes * scale + offset - offset) / scale, boxes, atol=1e-3)
