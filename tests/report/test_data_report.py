"""The page about a data set: its figures, and that it stands alone."""

import numpy as np
import pytest
from whole_page import check_page

from yolov2_tf.data.dataset import Dataset, box_shapes
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.records import Record
from yolov2_tf.data.summary import summarize
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import average_iou, to_cells
from yolov2_tf.report.data_report import data_page, inspect_dataset


@pytest.fixture(scope="module")
def digits():
    return open_digits("val", size=160, count=12)


def test_figures_are_those_of_the_parts(digits):
    report = inspect_dataset(digits, 160, 3)
    shapes = box_shapes(digits)
    assert report.summary.as_json() == summarize(digits).as_json()
    assert report.average_iou == pytest.approx(average_iou(shapes, report.anchors))
    assert sum(row["boxes"] for row in report.classes.values()) == digits.num_boxes
    weighted = sum(row["boxes"] * row["average_iou"] for row in report.classes.values())
    assert weighted / digits.num_boxes == pytest.approx(report.average_iou)
    small = (shapes * 160).min(axis=1) < 8
    assert report.too_small == pytest.approx(small.mean())
    assert report.sharing == round((1 - report.most_recall[160]) * digits.num_boxes)
    value = report.as_json(digits)
    assert {*summarize(digits).as_json()} <= {*value}
    np.testing.assert_allclose(value["anchors"], to_cells(report.anchors, 160), atol=1e-4)


def test_given_anchors_are_used_in_cells(digits):
    report = inspect_dataset(digits, 160, [[1, 1], [2, 2]])
    np.testing.assert_allclose(report.anchors, [[0.2, 0.2], [0.4, 0.4]])


@pytest.mark.parametrize("pictures", [True, False])
def test_the_page_stands_alone(digits, pictures):
    report = inspect_dataset(digits, 160)
    text = data_page(digits, report, pictures=pictures)
    page = check_page(text)
    assert bool(page.alts) == pictures
    assert text.count("<svg ") == 7


def test_names_from_outside_are_text(digits):
    hostile = '<script>alert("$x$")</script>'
    whole, label = np.array([[0, 0, 1, 1]], np.float32), np.zeros(1, np.int32)
    record = Record(None, hostile, whole, label, np.zeros(1, bool))
    dataset = Dataset(hostile, (hostile,), [record], notes=(hostile,))
    report = inspect_dataset(dataset)
    assert report.suspects
    check_page(data_page(dataset, report))


def test_a_data_set_without_boxes_is_refused():
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool)
    with pytest.raises(InputError, match="no box that counts"):
        inspect_dataset(Dataset("empty", ("a",), [Record(None, "x", *nothing)]))
