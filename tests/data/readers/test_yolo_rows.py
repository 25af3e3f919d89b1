"""What the numbers of a row mean is decided over a whole set."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.data.readers.yolo_rows import Row, RowLayout, read_rows
from yolov2_tf.errors import InputError


def layout(*rows, **settings):
    return RowLayout([("a.txt", Row(i + 1, "0", row)) for i, row in enumerate(rows)], **settings)


BOXES = [(0.5, 0.5, 0.2, 0.3), (0.2, 0.7, 0.1, 0.2), (0.6, 0.3, 0.5, 0.5)]
KEYPOINTS_3D = [(0.45, 0.45, 2, 0.5, 0.6, 1), (0.2, 0.7, 0, 0.21, 0.65, 2), (0, 0, 0, 0.6, 0.3, 1)]
KEYPOINTS_2D = [(0.45, 0.45, 0.5, 0.6, 0.5, 0.5), (0.2, 0.7, 0.2, 0.7, 0.21, 0.65)]


def corners(box):
    x, y, w, h = box
    return y - h / 2, x - w / 2, y + h / 2, x + w / 2


def test_boxes():
    found = layout(*BOXES)
    assert found.notes == []
    assert [found.corners(box) for box in BOXES] == [corners(box) for box in BOXES]


def test_key_points_by_the_yaml():
    rows = [box + points for box, points in zip(BOXES, KEYPOINTS_2D, strict=False)]
    found = layout(*rows, keypoints=6)
    assert [found.corners(row) for row in rows] == [corners(box) for box in BOXES[:2]]
    assert found.notes == []


def test_key_points_by_their_visibility():
    rows = [box + points for box, points in zip(BOXES, KEYPOINTS_3D, strict=True)]
    found = layout(*rows)
    assert [found.corners(row) for row in rows] == [corners(box) for box in BOXES]
    assert found.notes == ["rows with 2 key points: the first four numbers are the box"]


def test_key_points_without_visibility_could_be_outlines():
    rows = [box + points for box, points in zip(BOXES, KEYPOINTS_2D, strict=False)]
    with pytest.raises(InputError, match=r"a\.txt:1: 10 numbers.*--format yolo-outlines, or"):
        layout(*rows)
    assert layout(*rows, layout="keypoints").corners(rows[0]) == corners(BOXES[0])
    xs, ys = rows[0][0::2], rows[0][1::2]
    outline = (min(ys), min(xs), max(ys), max(xs))
    assert layout(*rows, layout="outlines").corners(rows[0]) == outline


def test_outlines_and_oriented_boxes():
    outlines = [(0.1, 0.2, 0.5, 0.1, 0.3, 0.9), (0.0, 0.0, 0.5, 0.0, 0.5, 0.25, 0.0, 0.25)]
    found = layout(*outlines)
    assert found.corners(outlines[0]) == (0.1, 0.1, 0.9, 0.5)
    oriented = [(0.3, 0.1, 0.5, 0.3, 0.3, 0.5, 0.1, 0.3)] * 3
    found = layout(*oriented)
    assert found.corners(oriented[0]) == (0.1, 0.1, 0.5, 0.5)
    assert found.notes == ["four corners, of which the upright box is taken: 3 rows"]


@pytest.mark.parametrize("boxes", [0, 3])
@pytest.mark.parametrize("lengths", [(6, 8, 10), (6, 6), (10,), (8, 12)])
def test_how_many_outlines_became_boxes_is_told(boxes, lengths):
    random = np.random.default_rng(0)
    rows = [*BOXES[:boxes], *(tuple(random.uniform(0.1, 0.9, n)) for n in lengths)]
    assert layout(*rows).notes == [
        f"outlines, of which the upright box is taken: {len(lengths)} rows"
    ]


def test_what_a_tracker_writes_behind_a_box_is_ignored():
    rows = [(*box, 0.9, float(i + 1)) for i, box in enumerate(BOXES)]
    found = layout(*rows, BOXES[0])
    assert [found.corners(row) for row in rows] == [corners(box) for box in BOXES]
    assert found.notes == [
        "a confidence and the number of a track behind the box ignored in 3 rows"
    ]


@pytest.mark.parametrize("track", [0.0, 1.0])
def test_a_track_that_may_be_the_border_is_refused(track):
    row = (*BOXES[0], 0.9, track)
    with pytest.raises(
        InputError, match=r"a\.txt:1: 6 numbers.*--format yolo-centres or yolo-outl"
    ):
        layout(row)
    assert layout(row, layout="centres").corners(row) == corners(BOXES[0])
    found = layout(row, layout="outlines")
    assert found.corners(row) == (min(row[1::2]), min(row[::2]), max(row[1::2]), max(row[::2]))


@pytest.mark.parametrize("name", ["centres", "corners"])
def test_too_few_numbers_are_too_few_in_every_layout(name):
    with pytest.raises(InputError, match=r"a\.txt:1: 3 numbers after the class"):
        layout((0.1, 0.2, 0.3), layout=name)


@given(st.integers(3, 9), st.integers(0, 1000))
def test_random_outlines_of_one_length_are_never_read_as_boxes(points, seed):
    random = np.random.default_rng(seed)
    rows = [tuple(np.round(random.random(2 * points), 4)) for _ in range(5)]
    try:
        found = layout(*rows)
    except InputError:  # asked, not guessed
        return
    for row in rows:
        assert found.corners(row) == (min(row[1::2]), min(row[::2]), max(row[1::2]), max(row[::2]))


def test_corners_instead_of_centres_are_refused():
    rows = [(0.6, 0.6, 0.9, 0.8), (0.1, 0.1, 0.9, 0.95), (0.2, 0.3, 0.4, 0.5)]
    with pytest.raises(InputError, match=r"2 of 3 boxes stick out.*--format yolo-corners"):
        layout(*rows)
    assert layout(*rows, layout="corners").corners(rows[0]) == (0.6, 0.6, 0.8, 0.9)
    assert layout(*rows, layout="centres").corners(rows[0]) == corners(rows[0])


def test_pixels_are_refused_and_one_wild_number_is_not():
    rows = [(100 + i, 90, 20, 30) for i in range(5)]
    with pytest.raises(InputError, match=r"5 of 5 rows are in pixels"):
        layout(*rows)
    layout(*BOXES, (0.5, 0.5, 1.02, 0.2), (0.5, 0.5, 7.0, 0.2))


def test_visdrone_s_rows_are_called_so():
    with pytest.raises(InputError, match=r"a\.txt:1: .*VisDrone.*Try: Ultralytics' VisDrone.yaml"):
        layout((222, 30, 40, 1, 4, 0, 0), (20, 18, 20, 0, 0, 0, 0))


def test_a_confidence_behind_the_box_is_ignored():
    found = layout(*BOXES, (*BOXES[0], 0.91))
    assert found.corners((*BOXES[0], 0.91)) == corners(BOXES[0])
    assert found.notes == ["a fifth number (a confidence) ignored in 1 rows (a.txt:4)"]
    with pytest.raises(InputError, match=r"a\.txt:1: 5 numbers after the class, the last is 90"):
        layout((*BOXES[0], 90.0))  # an angle would mean another box


@pytest.mark.parametrize(
    ("text", "rows", "told"),
    [
        ("0 .5 .5 .1 .2\n", [("0", (0.5, 0.5, 0.1, 0.2))], {}),
        ("\ufeff0\t.5\t.5\t.1\t.2\r\n\r\n", [("0", (0.5, 0.5, 0.1, 0.2))], {}),
        ("# made by\n0 .5 .5 .1 .2", [("0", (0.5, 0.5, 0.1, 0.2))], {"comments skipped": 1}),
        ("0 0,5 0,5 0,1 0,2", [("0", (0.5, 0.5, 0.1, 0.2))], {"rows with decimal commas": 1}),
        ("0,.5,.5,.1,.2", [("0", (0.5, 0.5, 0.1, 0.2))], {"rows separated by commas": 1}),
        ("0, 0.5, 0.5, 0.1, 1", [("0", (0.5, 0.5, 0.1, 1))], {"rows separated by commas": 1}),
        ("dog .5 .5 .1 .2", [("dog", (0.5, 0.5, 0.1, 0.2))], {}),
        ("", [], {}),
    ],
)
def test_reading_rows(tmp_path, text, rows, told):
    (tmp_path / "a.txt").write_text(text)
    counter = collections.Counter()
    found = read_rows(tmp_path / "a.txt", counter)
    assert [(row.label, row.values) for row in found] == rows
    assert counter == told


def test_upper_left_corners_instead_of_centres_are_refused():
    rows = [(0.0, 0.0, 0.3, 0.4), (0.1, 0.1, 0.9, 0.85), (0.6, 0.3, 0.4, 0.5)] * 3
    with pytest.raises(InputError, match=r"6 of 9 .*x y width height of the upper.*Try: add half"):
        layout(*rows)
    layout(*rows[:3])  # too few
    assert layout(*rows, layout="centres").corners(rows[0]) == corners(rows[0])


def test_a_confidence_before_the_box_is_refused():
    rows = [(sure, *box) for sure, box in zip((0.93, 0.8, 0.99), BOXES, strict=True)] * 3
    with pytest.raises(InputError, match=r"of 9 boxes.*a confidence before cx cy.*write it behind"):
        layout(*rows)
    behind = [(*box, confidence) for confidence, *box in rows]
    assert layout(*behind).corners(behind[0]) == corners(BOXES[0])


def test_a_few_boxes_in_pixels_have_no_place_among_fractions():
    found = layout(*BOXES, (100, 50, 200, 100))
    y_min, x_min, y_max, x_max = found.corners((100, 50, 200, 100))
    assert y_min == y_max > 1
    assert x_min == x_max > 1
