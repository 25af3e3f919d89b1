import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.createml_json import FILE_NAME, read_createml
from yolov2_tf.errors import InputError

BOX = {"label": "dog", "coordinates": {"x": 20, "y": 40, "width": 20, "height": 40}}


def write(folder, *boxes):
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 80)).save(folder / "a.jpg")
    content = [{"image": "a.jpg", "annotations": list(boxes)}]
    (folder / FILE_NAME).write_text(json.dumps(content))
    return folder / FILE_NAME


def test_boxes_are_centres_in_pixels(tmp_path):
    dataset = read_createml(write(tmp_path, BOX))
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.25, 0.1, 0.75, 0.3]])
    assert dataset.class_names == ("dog",)
    assert read_createml(tmp_path).num_boxes == 1


def test_roboflow_keeps_the_sets_in_folders(tmp_path):
    for name in ("train", "valid"):
        write(tmp_path / name, BOX)
    dataset = read_createml(tmp_path)
    assert [record.image_id for record in dataset.records] == ["train/a.jpg", "valid/a.jpg"]
    assert [record.image_sets for record in dataset.records] == [("train",), ("valid",)]
    assert len(read_createml(tmp_path, split="val")) == 1


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({"label": "dog"}, r"\[0\]: annotations\[0\]: no 'coordinates'"),
        ({**BOX, "label": 3}, "'label' is 3"),
        (
            {**BOX, "coordinates": {"x": 1, "y": 2, "width": "w", "height": 3}},
            "'w' is not a finite",
        ),
        (None, "no 'coordinates'"),
    ],
)
def test_bad_boxes_raise_with_their_place(tmp_path, box, message):
    with pytest.raises(InputError, match=message):
        read_createml(write(tmp_path, box))


def test_a_missing_picture(tmp_path):
    path = write(tmp_path, BOX)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"no picture can be read; the first: a\.jpg"):
        read_createml(path)


def test_fractions_are_no_specks(tmp_path):
    box = {"label": "dog", "coordinates": {"x": 0.2, "y": 0.5, "width": 0.2, "height": 0.5}}
    for name in ("train", "valid"):
        write(tmp_path / name, box)
    dataset = read_createml(tmp_path)
    for record in dataset.records:
        np.testing.assert_allclose(record.boxes, [[0.25, 0.1, 0.75, 0.3]], atol=1e-7)
    assert "coordinates are fractions of the picture" in dataset.notes
    write(tmp_path / "valid", BOX)
    with pytest.raises(InputError, match="1 of 2 boxes look like fractions"):
        read_createml(tmp_path)
