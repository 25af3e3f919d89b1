import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.only_classes import only_classes
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError


def record(name, labels):
    boxes = np.array([[0, 0, 0.1 * (i + 1), 1] for i in range(len(labels))], np.float32)
    ignore = np.arange(len(labels)) % 2 == 1
    labels = np.array(labels, np.int32)
    return Record(b"", name, boxes.reshape(-1, 4), labels, ignore, 10, 10, image_sets=("train",))


@pytest.fixture
def dataset():
    records = [record("a", [0, 1, 2, 1]), record("b", [0]), record("c", [])]
    return Dataset("pets", ("cat", "dog", "bird"), records)


def test_boxes_of_other_classes_go_and_their_pictures_stay(dataset):
    some, note = only_classes(dataset, ["bird", "dog"])
    assert some.class_names == ("bird", "dog")
    first, second, third = some.records
    assert first.labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(first.boxes, dataset.records[0].boxes[1:])
    assert first.ignore.tolist() == [True, False, True]
    assert (len(second.labels), len(third.labels)) == (0, 0)
    assert first.image_sets == ("train",)
    assert note == "boxes of other classes, left out: 2"


def test_classes_that_are_not_there_are_said(dataset):
    with pytest.raises(InputError, match=r"no class 'brid' .*expected cat, dog, bird.*'bird', if"):
        only_classes(dataset, ["cat", "brid"])
    with pytest.raises(InputError, match="a class twice in cat, cat"):
        only_classes(dataset, ["cat", "cat"])
