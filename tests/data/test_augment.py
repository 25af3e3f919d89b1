import colorsys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from yolov2_tf.data.augment import (
    View,
    colour_matrix,
    mirror,
    random_colours,
    random_crop,
    random_view,
    take_view,
    thinned,
    view_boxes,
)
from yolov2_tf.resize import PADDING, resize_image


def whole(height, width, size):
    pairs = [(0, 0), (height, width), (size, size), (0, 0)]
    return View(*(tf.constant(pair) for pair in pairs))


def test_an_untouched_view_is_the_plain_resize():
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (37, 53, 3)), tf.uint8)
    view = random_view(tf.constant([37, 53]), 64, 0.0, [1, 2])
    np.testing.assert_array_equal(take_view(image, view, 64), resize_image(image, 64))
    boxes = tf.constant([[0.1, 0.2, 0.5, 0.9]])
    same, labels = view_boxes(boxes, tf.constant([3]), tf.constant([37, 53]), view, 64)
    np.testing.assert_allclose(same, boxes, atol=1e-6)
    assert labels.numpy().tolist() == [3]


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    side=st.integers(1, 50),
)
def test_a_thinned_picture_keeps_twice_the_pixels_that_a_view_needs(shape, side):
    rows, columns = np.meshgrid(*map(np.arange, shape), indexing="ij")
    image = np.stack([rows % 256, columns % 256, rows // 256 + 2 * (columns // 256)], axis=-1)
    thin = thinned(tf.constant(image, tf.uint8), side).numpy().astype(int)
    assert min(thin.shape[:2]) >= min(*shape, 2 * side)
    assert min(thin.shape[:2]) < 4 * side
    # Each kept pixel stands in the middle of those that it is kept for.
    step = max(min(shape) // (2 * side), 1)
    rows = thin[..., 0] + 256 * (thin[..., 2] % 2)
    columns = thin[..., 1] + 256 * (thin[..., 2] // 2)
    assert np.array_equal(rows[:, 0], np.arange(step // 2, shape[0], step))
    assert np.array_equal(columns[0], np.arange(step // 2, shape[1], step))


def test_boxes_stay_where_they_are_in_a_thinned_picture():
    image = np.zeros((400, 600, 3), np.uint8)
    image[100:200, 150:450] = 255
    thin = thinned(tf.constant(image), 50)
    assert thin.shape == (100, 150, 3)
    seen = resize_image(thin, 50).numpy()[..., 0] / 255
    for profile, first, last in ((seen[:, 25], 12.5, 25), (seen[18], 12.5, 37.5)):
        length = profile.sum()
        center = (profile * np.arange(50)).sum() / length + 0.5
        # Pixels of the input are seen whole or not: half of one is as near as a border comes.
        assert length == pytest.approx(last - first, abs=1)
        assert center == pytest.approx((first + last) / 2, abs=0.5)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    size=st.sampled_from([64, 96]),
    letterbox=st.booleans(),
    shape=st.tuples(st.integers(60, 140), st.integers(60, 140)),
)
def test_boxes_stay_on_what_they_frame(seed, size, letterbox, shape):
    """A bright patch, drawn where the box is, is found where the box of the view says."""
    height, width = shape
    image = np.zeros((height, width, 3), np.uint8)
    top, left, bottom, right = height // 3, width // 4, 2 * height // 3, width // 2
    image[top:bottom, left:right] = 255
    box = tf.constant([[top / height, left / width, bottom / height, right / width]])
    view = random_view(tf.constant(shape), size, 0.3, [seed, 1], letterbox=letterbox)
    moved, _ = view_boxes(box, tf.constant([0]), tf.constant(shape), view, size)
    seen = take_view(tf.constant(image), view, size).numpy()[..., 0]
    rows, columns = np.nonzero(seen > 200)  # brighter than the padding and than blurred borders
    if not len(rows):  # the view may have lost nearly all of the patch
        assert len(moved) == 0 or (moved[0, 2] - moved[0, 0]) * size < 4
        return
    found = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    np.testing.assert_allclose(moved[0].numpy() * size, found, atol=2.5)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), shape=st.tuples(st.integers(1, 300), st.integers(1, 300)))
def test_views_fill_the_square_whatever_the_picture(seed, shape):
    view = random_view(tf.constant(shape), 96, 0.3, [seed, 2])
    image = tf.fill([*shape, 3], tf.constant(255, tf.uint8))
    seen = take_view(image, view, 96).numpy()
    assert seen.shape == (96, 96, 3)
    assert set(np.unique(seen.round(1))) <= {PADDING, 255.0}


@pytest.mark.parametrize("shape", [(1, 1000), (1500, 2), (3, 2000)])
def test_a_line_of_pixels_fills_the_square_too(shape):
    """With bars it is less than a pixel high, wherever the window is."""
    crop = tf.function(
        lambda seed: random_crop(tf.constant(shape), 96, (0.57, 2.0), seed, letterbox=True)
    )
    for seed in range(400):
        view = crop(tf.constant([seed, 3]))
        assert (view.inner.numpy() + view.before.numpy()).max() <= 96, seed
    assert take_view(tf.zeros((*shape, 3), tf.uint8), view, 96).shape == (96, 96, 3)


def test_a_letterboxed_view_keeps_the_aspect():
    view = random_view(tf.constant([100, 200]), 160, 0.2, [5, 6], letterbox=True)
    scale = view.inner.numpy() / view.extent.numpy()
    assert scale[0] == pytest.approx(scale[1], rel=0.03)


def test_lost_boxes_are_dropped_with_their_labels():
    view = View(*(tf.constant(p) for p in [(0, 50), (100, 50), (64, 64), (0, 0)]))  # right half
    boxes = tf.constant([[0.1, 0.0, 0.9, 0.4], [0.1, 0.3, 0.9, 0.8], [0.0, 0.6, 1.0, 1.0]])
    kept, labels = view_boxes(boxes, tf.constant([7, 8, 9]), tf.constant([100, 100]), view, 64)
    assert labels.numpy().tolist() == [8, 9]
    np.testing.assert_allclose(kept, [[0.1, 0.0, 0.9, 0.6], [0.0, 0.2, 1.0, 1.0]], atol=1e-6)


def test_mirroring_twice_changes_nothing():
    image = tf.constant(np.random.default_rng(1).integers(0, 256, (8, 8, 3)), tf.uint8)
    boxes = tf.constant([[0.1, 0.2, 0.5, 0.9]])
    once_image, once_boxes = mirror(image, boxes)
    np.testing.assert_allclose(once_boxes, [[0.1, 0.1, 0.5, 0.8]], atol=1e-6)
    twice_image, twice_boxes = mirror(once_image, once_boxes)
    np.testing.assert_array_equal(twice_image, image)
    np.testing.assert_allclose(twice_boxes, boxes, atol=1e-6)


def test_colour_matrix_does_what_its_parameters_say():
    colour = np.array([0.7, 0.4, 0.2], np.float32)
    luma = colour @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(colour_matrix(0.0, 1.0, 1.0), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(
        colour_matrix(0.0, 0.0, 1.0) @ colour[:, None], [[luma]] * 3, atol=1e-6
    )
    np.testing.assert_allclose(colour_matrix(0.0, 1.0, 1.4), 1.4 * np.eye(3), atol=1e-6)
    grey = np.full((3, 1), 0.5, np.float32)
    np.testing.assert_allclose(colour_matrix(0.3, 1.5, 1.0) @ grey, grey, atol=1e-6)


def test_the_hue_turns_the_way_hsv_turns_it():
    red = np.array([[0.6], [0.2], [0.2]], np.float32)
    turned = (colour_matrix(1 / 3, 1.0, 1.0) @ red).numpy()[:, 0]
    hue, *_ = colorsys.rgb_to_hsv(*np.clip(turned, 0, 1).tolist())
    assert hue == pytest.approx(1 / 3, abs=0.02)  # green


def test_colours_equal_the_matrix_on_every_pixel():
    image = tf.random.stateless_uniform([16, 24, 3], [0, 1], 0, 255)
    shifted = random_colours(image, [3, 4], hue=0.0, saturation=1.0, exposure=1.5).numpy()
    ratio = shifted / image.numpy()
    assert ratio.max() == pytest.approx(ratio.min(), rel=1e-4)
    assert 1 / 1.5 <= ratio.mean() <= 1.5
