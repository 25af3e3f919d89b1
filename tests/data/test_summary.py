import json

import numpy as np

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.summary import summarize, table_rows


def record(labels, ignore=None, sets=("train",), image="a.jpg"):
    boxes = np.zeros((len(labels), 4), np.float32)
    ignore = np.zeros(len(labels), bool) if ignore is None else np.array(ignore)
    return Record(image, "a", boxes, np.array(labels, np.int32), ignore, image_sets=sets)


RECORDS = [
    record([0, 0, 1], [False, True, False]),
    record([1], sets=("train", "val")),
    record([], sets=("val",), image=None),
]


def test_figures_by_class_and_image_set():
    dataset = Dataset("some", ("cat", "dog", "cow"), RECORDS, ("a note",), {"dropped": 2})
    summary = summarize(dataset)
    assert summary.pictures == {"train": 2, "val": 2}
    assert {name: boxes.tolist() for name, boxes in summary.boxes.items()} == {
        "train": [1, 2, 0],
        "val": [0, 1, 0],
    }
    assert summary.ignored == {"train": 1, "val": 0}
    assert summary.background == {"train": 0, "val": 1}
    assert summary.missing == {"train": 0, "val": 1}
    assert summary.classes_without_box == ("cow",)
    value = json.loads(json.dumps(summary.as_json()))
    assert value["image_sets"]["train"]["boxes_per_class"] == {"cat": 1, "dog": 2, "cow": 0}
    assert value["counts"] == {"dropped": 2}
    assert value["notes"] == ["a note"]


def test_the_table():
    heading, rows = table_rows(summarize(Dataset("some", ("cat", "dog", "cow"), RECORDS)))
    assert heading == ("", "train", "val")
    assert rows == [
        ("pictures", "2", "2"),
        ("  without any box", "0", "1"),
        ("  not found", "0", "1"),
        ("boxes", "3", "1"),
        ("  dog", "2", "1"),
        ("  cat", "1", "0"),
        ("boxes ignored", "1", "0"),
    ]


def test_many_classes_are_added_up():
    names = tuple(map(str, range(50)))
    records = [record([i] * (50 - i), sets=()) for i in range(50)]
    heading, rows = table_rows(summarize(Dataset("some", names, records)), shown=10)
    assert heading == ("", "")
    assert rows[2] == ("  0", "50")
    assert rows[-1] == ("  40 more classes", f"{sum(range(1, 41)):,}")
