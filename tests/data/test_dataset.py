import re

import numpy as np
import pytest
from whole_page import check_page

from yolov2_tf.data.dataset import Dataset, box_shapes
from yolov2_tf.data.records import Record, RecordColumns
from yolov2_tf.errors import InputError


def record(image_id, count):
    boxes = np.linspace(0, 1, 4 * count, dtype=np.float32).reshape(count, 4)
    labels = np.arange(count, dtype=np.int32)
    return Record("a.jpg", image_id, boxes, labels, labels % 2 == 1)


def test_a_data_set_keeps_any_sequence_as_columns():
    dataset = Dataset("set", ("a", "b", "c"), [record("a", 2), record("b", 3)])
    assert isinstance(dataset.records, RecordColumns)
    assert dataset.num_boxes == 3
    assert box_shapes(dataset).shape == (3, 2)
    assert box_shapes(dataset, ignored=True).shape == (5, 2)
    assert len(Dataset("none", ("a",), [])) == 0


def test_a_data_set_made_by_hand_is_looked_at():
    def made(boxes, labels, ignore=None, names=("a", "b")):
        ignore = [False] * len(labels) if ignore is None else ignore
        right = Record("a.jpg", "right", [[0, 0, 1, 1]], [1], [False])
        return Dataset("mine", names, [right, Record("b.jpg", "wrong", boxes, labels, ignore)])

    box = [0.1, 0.1, 0.5, 0.5]
    assert len(made([box, box], [0, 1]).records.boxes) == 3
    assert made([box], [1.0]).records.labels.tolist() == [1, 1]
    assert made([], []).class_names == made([], [], names=["a", "b"]).class_names == ("a", "b")
    for wrong, message in [
        (([box, box], [0]), r"\(2, 4\), \(1,\), \(1,\)"),
        (([box, box], [0, 1], [False]), r"\(2,\), \(1,\)"),
        (([box], [2]), r"label 2, .*labels 0 to 1"),
        (([box], [-1]), "label -1"),
        (([[10, 20, 50, 60]], [0]), "as fractions of the picture"),
        (([[0.1, 0.1, 0.5, np.nan]], [0]), "nan"),
        (([[0.5, 0.1, 0.1, 0.5]], [0]), r"y_min, x_min, y_max, x_max"),
        (([[0.1, 0.5, 0.5, 0.1]], [0]), r"y_min, x_min, y_max, x_max"),
        ((np.transpose([box, box]), [0, 1]), r"\(4, 2\), \(2,\), \(2,\)"),
        (([box], [0.7]), "whole numbers"),
    ]:
        with pytest.raises(InputError, match=message) as error:
            made(*wrong)
        assert error.value.where == "wrong"
    with pytest.raises(InputError, match="the text 'ab'"):
        made([box], [0], names="ab")


def test_a_notebook_shows_boxes_and_pictures_of_each_class():
    boxes = np.tile(np.float32([[0.1, 0.1, 0.5, 0.5]]), (3, 1))
    records = [
        Record(None, "a", boxes, np.int32([0, 0, 1]), np.array([False, False, True])),
        Record(None, "b", boxes[:1], np.int32([0]), np.array([False])),
        Record(None, "c", boxes[:0], np.int32([]), np.array([], bool)),
    ]
    html = Dataset("<set>", ("a & b", "c"), records, ("1 box ignored",))._repr_html_()
    check_page(html)
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in html.split("<tr>")[1:]]
    assert rows == [
        ["Class", "Boxes", "Pictures"],
        ["a &amp; b", "3", "2"],
        ["c", "0", "0"],
        ["all", "3", "3"],
    ]
    assert "<caption>&lt;set&gt;</caption>" in html
    assert html.endswith("<p>1 box ignored</p>")


def test_a_notebook_shows_a_data_set_without_anything():
    check_page(Dataset("empty", (), ())._repr_html_())
