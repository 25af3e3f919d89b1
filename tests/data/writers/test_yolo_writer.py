"""What `data.yaml` names."""

import numpy as np
import pytest
import yaml
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert


def dataset(folder, sets):
    records = []
    for image_id, names in sets.items():
        Image.new("RGB", (200, 100)).save(folder / f"{image_id}.jpg")
        box = np.array([[0.1, 0.2, 0.5, 0.9]], np.float32)
        flags = np.zeros(1, np.int32), np.zeros(1, bool)
        path = str(folder / f"{image_id}.jpg")
        records.append(Record(path, image_id, box, *flags, 200, 100, image_sets=names))
    return Dataset("", ("cat",), records)


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (
            {"a": ("2007_trainval",), "b": ("2012_trainval",), "c": ("2007_test",)},
            {"train": ["2007_trainval.txt", "2012_trainval.txt"], "test": "2007_test.txt"},
        ),
        (
            {"a": ("train",), "b": ("val", "trainval"), "c": ("extra_val", "trainval")},
            {"train": "train.txt", "val": ["val.txt", "extra_val.txt"]},
        ),
    ],
)
def test_all_sets_for_the_same_are_named(tmp_path, sets, expected):
    """Of two years only the first would train, else."""
    convert(dataset(tmp_path, sets), tmp_path / "out", "yolo")
    content = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert {key: content[key] for key in ("train", "val", "test") if key in content} == expected
    assert len(open_dataset(tmp_path / "out")) == 3
