"""Files of TFRecord are read again, whatever image sets and classes are called."""

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert


@pytest.mark.parametrize(
    "sets", [("train2017", "val2017"), ("train", "train2017"), ("part1", "part2"), ("1", "2")]
)
def test_image_sets_with_numbers_stay_apart(tmp_path, sets):
    records = []
    for name in sets:
        path = str(tmp_path / f"of {name}.png")
        Image.new("RGB", (200, 100)).save(path)
        box = np.array([[0.1, 0.2, 0.5, 0.9]], np.float32)
        flags = np.zeros(1, np.int32), np.zeros(1, bool)
        records.append(Record(path, name, box, *flags, 200, 100, image_sets=(name,)))
    convert(Dataset("", ("a {cat}",), records), tmp_path / "out", "tfrecord")
    back = open_dataset(tmp_path / "out")
    assert back.class_names == ("a {cat}",)
    found = {record.image_id: record.image_sets for record in back.records}
    assert found == {f"of {name}.png": (name,) for name in sets}
