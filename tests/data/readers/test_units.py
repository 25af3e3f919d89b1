import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.data.readers.units import (
    are_corners,
    are_fractions,
    like_fractions,
    start_at_zero,
)
from yolov2_tf.errors import InputError

SIZE = np.array([640, 480])


def random_boxes(seed, count):
    """Corners `[x_min, y_min, x_max, y_max]` as fractions."""
    random = np.random.default_rng(seed)
    points = np.sort(random.uniform(0, 1, (count, 2, 2)), axis=1)
    return points.reshape(-1, 4)


def as_sides(corners):
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


@given(st.integers(0, 999), st.integers(1, 60))
def test_units_are_told_over_the_set(seed, count):
    boxes = random_boxes(seed, count)
    assert are_fractions(boxes, "set")
    assert not are_fractions(np.ceil(boxes * 640), "set")
    assert not are_fractions(boxes * 640 + 2, "set")


def test_one_untidy_number_does_not_change_the_unit():
    boxes = random_boxes(0, 50)
    boxes[3, 2] = 1.02
    assert are_fractions(boxes, "set")
    boxes[4] = 10, 20, 30, 40
    assert are_fractions(boxes, "set")
    pixels = random_boxes(1, 50) * 640 + 2
    pixels[5] = 0.1, 0.2, 0.3, 0.4
    assert not are_fractions(pixels, "set")
    assert like_fractions(pixels).nonzero()[0].tolist() == [5]


def test_a_mixed_set_is_refused():
    boxes = np.concatenate([random_boxes(0, 5), random_boxes(1, 5) * 640 + 2])
    with pytest.raises(InputError, match="5 of 10 boxes look like fractions"):
        are_fractions(boxes, "set")


def test_whole_numbers_are_pixels_unless_they_are_the_whole_picture():
    assert like_fractions([[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0.5]]).tolist() == [
        *(False, True, True)
    ]
    assert not are_fractions(np.zeros((0, 4)), "set")


def test_the_border_tells_where_counting_starts():
    assert not start_at_zero([[1, 5, 20, 30], [7, 1, 30, 40]])
    assert start_at_zero([[0, 5, 20, 30], [7, 0.5, 30, 40], [9, 1, 30, 40]])
    assert not start_at_zero([[5, 5, 20, 30]])  # nothing tells: as VOC defines it
    assert not start_at_zero([])


@given(st.integers(0, 999), st.integers(20, 200), st.booleans())
def test_corners_are_told_from_sides(seed, count, fractions):
    corners = random_boxes(seed, count)
    size = np.ones(2) if fractions else SIZE
    corners = corners * np.tile(size, 2)
    sizes = np.tile(size, (count, 1))
    assert are_corners(corners, sizes)
    assert not are_corners(as_sides(corners), sizes)


@given(st.integers(0, 999), st.integers(1, 5))
def test_areas_tell_also_in_small_sets(seed, count):
    corners = random_boxes(seed, count) * np.tile(SIZE, 2)
    sides, sizes = as_sides(corners), np.tile(SIZE, (count, 1))
    areas = sides[:, 2] * sides[:, 3]
    assert not are_corners(sides, sizes, areas)
    told = ~np.isclose(areas, corners[:, 2] * corners[:, 3], rtol=0.05)
    if told.all():
        assert are_corners(corners, sizes, areas)
