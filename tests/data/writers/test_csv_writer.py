"""A folder of tables, one for each image set, is read again, whatever the sets are called."""

import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert
from yolov2_tf.errors import InputError

BOX = np.array([[0.1, 0.2, 0.5, 0.9]], np.float32)


def record(image_id, sets, boxes=BOX):
    n = len(boxes)
    return Record(
        *(None, image_id, boxes, np.zeros(n, np.int32), np.zeros(n, bool), 200, 100),
        image_sets=sets,
    )


@pytest.mark.parametrize(
    "sets",
    [
        {"a": ("train",), "b": ("val",), "c": ("other",)},
        {"a": ("2007_trainval",), "b": ("2012_trainval",), "c": ("2007_test",)},
        {"a": ("train", "other"), "b": ("other",), "c": ("train",)},
        {"a": ("other",), "b": ("other",), "c": ("other",)},
    ],
)
def test_image_sets_of_any_name_come_back(tmp_path, sets):
    records = [record(image_id, names) for image_id, names in sets.items()]
    convert(Dataset("", ("cat",), records), tmp_path / "out", "csv")
    found = {}
    for one in open_dataset(tmp_path / "out").records:
        stem = one.image_id.rpartition("/")[2].removesuffix(".jpg")
        found[stem] = (*found.get(stem, ()), *one.image_sets)
        np.testing.assert_allclose(one.boxes, BOX, atol=1e-5)
    assert {stem: set(names) for stem, names in found.items()} == {k: {*v} for k, v in sets.items()}


def test_an_image_set_without_boxes_comes_back(tmp_path):
    records = [record("a", ("train",)), record("b", ("test",), np.zeros((0, 4), np.float32))]
    convert(Dataset("", ("cat",), records), tmp_path / "out", "csv")
    back = open_dataset(tmp_path / "out")
    assert sorted(sum((r.image_sets for r in back.records), ())) == ["test", "train"]


def test_a_copy_of_a_table_is_not_read_as_another_image_set(tmp_path):
    convert(Dataset("", ("cat",), [record("a", ("other",))]), tmp_path / "out", "csv")
    table = tmp_path / "out" / "other.csv"
    (tmp_path / "out" / "other_old.csv").write_text(table.read_text())
    with pytest.raises(InputError, match="several CSV files"):
        open_dataset(tmp_path / "out")
