"""Box geometry against plain Python, and NumPy against TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf import boxes as geometry

coordinate = st.floats(-0.5, 1.5, width=32)
some_boxes = st.lists(st.tuples(*[coordinate] * 4), min_size=1, max_size=6).map(
    lambda rows: np.array(rows, np.float32)
)


def slow_iou(a, b):
    """By the definition: shared area over covered area."""
    height = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    width = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    shared = height * width
    covered = slow_area(a) + slow_area(b) - shared
    return shared / covered if covered > 1e-6 else None


def slow_area(box):
    return max(float(box[2]) - float(box[0]), 0.0) * max(float(box[3]) - float(box[1]), 0.0)


def random_boxes(rng, *shape):
    corners = np.sort(rng.uniform(0, 1, (*shape, 2, 2)), axis=-2)
    return corners.reshape(*shape, 4).astype(np.float32)


@given(some_boxes, some_boxes)
def test_iou_is_shared_over_covered_area(a, b):
    table = geometry.iou(a[:, None], b[None])
    assert table.shape == (len(a), len(b))
    assert np.all((table >= 0) & (table <= 1 + 1e-6))
    for i in range(len(a)):
        for j in range(len(b)):
            expected = slow_iou(a[i].tolist(), b[j].tolist())
            if expected is not None:  # of a speck's IoU only the range is promised
                assert table[i, j] == pytest.approx(expected, rel=2e-3, abs=1e-4)


def test_iou_of_known_boxes():
    unit = np.array([0.0, 0.0, 1.0, 1.0])
    quarter = np.array([0.5, 0.5, 1.0, 1.0])
    shifted = np.array([0.0, 0.5, 1.0, 1.5])
    assert geometry.iou(unit, quarter) == pytest.approx(0.25)
    assert geometry.iou(unit, shifted) == pytest.approx(1 / 3)
    assert geometry.iou(quarter, np.array([0.0, 0.0, 0.5, 0.5])) == 0  # touching corners


@pytest.mark.parametrize("side", [0.5, 1e-3, 1e-4, 2e-5])
@pytest.mark.parametrize("as_kind", [np.float64, np.float32, tf.constant])
def test_a_tiny_box_is_one_with_itself_too(side, as_kind):
    """A pixel of a panorama is a hundred-thousandth of its side."""
    box = as_kind(np.array([[0.25, 0.25, 0.25 + side, 0.25 + side]]))
    assert float(geometry.iou(box, box)[0]) == pytest.approx(1, abs=1e-6)
    shape = as_kind(np.array([[side, 2 * side]]))
    assert float(geometry.shape_iou(shape, shape)[0]) == pytest.approx(1, abs=1e-6)


def test_share_within_is_of_the_first_box():
    a = np.array([[0.0, 0.0, 0.5, 0.5], [0.2, 0.2, 0.2, 0.9]])
    b = np.array([[0.0, 0.25, 1.0, 1.0], [0.6, 0.6, 0.9, 0.9]])
    np.testing.assert_allclose(geometry.share_within(a[:, None], b[None]), [[0.5, 0], [0, 0]])
    assert geometry.share_within(a[:, None], b[:0][None]).shape == (2, 0)


def test_iou_is_symmetric_and_one_with_itself():
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 50), random_boxes(rng, 50)
    np.testing.assert_allclose(geometry.iou(a, b), geometry.iou(b, a), rtol=1e-6)
    np.testing.assert_allclose(geometry.iou(a, a), 1, atol=1e-4)


@pytest.mark.parametrize("empty", [[0.3, 0.3, 0.3, 0.3], [0.6, 0.6, 0.2, 0.2], [0, 0, 0, 0]])
def test_empty_and_swapped_boxes_have_no_area_and_overlap_nothing(empty):
    empty = np.array(empty, np.float32)
    others = np.stack([empty, [0.0, 0.0, 1.0, 1.0]]).astype(np.float32)
    assert geometry.area(empty) == 0
    assert np.all(geometry.iou(empty, others) == 0)


def test_shape_iou_is_the_iou_of_centred_boxes():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.1, 0.9, (2, 40, 2))

    def centred(shape):
        return np.concatenate([0.5 - shape[:, ::-1] / 2, 0.5 + shape[:, ::-1] / 2], axis=1)

    np.testing.assert_allclose(
        geometry.shape_iou(a, b), geometry.iou(centred(a), centred(b)), rtol=1e-6
    )


@given(some_boxes)
def test_centres_and_corners_round_trip(boxes):
    centers = geometry.corners_to_centers(boxes)
    np.testing.assert_allclose(geometry.centers_to_corners(centers), boxes, atol=1e-6)


def test_centres_are_x_first():
    centers = geometry.corners_to_centers(np.array([0.1, 0.2, 0.5, 0.8]))
    np.testing.assert_allclose(centers, [0.5, 0.3, 0.6, 0.4])


@given(some_boxes)
def test_clip_keeps_what_is_inside(boxes):
    clipped = geometry.clip(boxes)
    assert np.all((clipped >= 0) & (clipped <= 1))
    inside = (boxes >= 0) & (boxes <= 1)
    assert np.array_equal(clipped[inside], boxes[inside])
    assert np.array_equal(geometry.clip(clipped), clipped)


@pytest.mark.parametrize(
    "function", [geometry.area, geometry.corners_to_centers, geometry.centers_to_corners,
                 geometry.clip]
)  # fmt: skip
def test_tensors_give_what_arrays_give(function):
    boxes = np.random.default_rng(2).uniform(-0.5, 1.5, (3, 7, 4)).astype(np.float32)
    result = function(tf.constant(boxes))
    assert isinstance(result, tf.Tensor)
    np.testing.assert_allclose(result, function(boxes), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("function", "sides"), [(geometry.iou, 4), (geometry.shape_iou, 2)])
def test_tensor_overlaps_are_those_of_arrays(function, sides):
    a, b = np.random.default_rng(3).uniform(0, 1, (2, 9, sides)).astype(np.float32)
    result = function(tf.constant(a)[:, None], tf.constant(b)[None])
    np.testing.assert_allclose(result, function(a[:, None], b[None]), rtol=1e-5, atol=1e-6)


def test_boxes_in_pixels_are_no_fractions():
    fractions = np.array([[0, 0, 1, 1], [-9, -9, 9, 9], [0.5, 1.2, 0.7, 1.4]])  # not clipped
    assert geometry.can_be_fractions(fractions).all()
    others = np.array([[30, 40, 200, 220], [0, 0, 3, 5], [0, 0, np.nan, 1], [-np.inf, 0, 1, 1]])
    assert not geometry.can_be_fractions(others).any()
