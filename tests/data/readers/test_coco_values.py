import json

import numpy as np
import pytest

from yolov2_tf.data.readers.coco_json import read_coco
from yolov2_tf.data.readers.coco_values import box_of_outlines

OUTLINES = [[20, 30, 60, 30, 60.5, 70], [40, 10, 50, 20, 45, 15]]


def written(path, entries):
    """A file of pictures of 100 × 80 with one annotation each."""
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.jpg", "width": 100, "height": 80}
            for i in range(len(entries))
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1, **entry} for i, entry in enumerate(entries)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    file = path / "instances.json"
    file.write_text(json.dumps(content))
    return file


def test_the_box_of_outlines_is_around_all_of_them():
    assert box_of_outlines(OUTLINES) == [20, 10, 40.5, 60]


@pytest.mark.parametrize(
    "outlines",
    [None, [], "x", {"counts": [1, 2], "size": [2, 2]}, [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, "a"]]],
)
def test_what_is_no_outline_has_no_box(outlines):
    assert box_of_outlines(outlines) is None


def test_a_file_of_outlines_alone_has_the_boxes_around_them(tmp_path):
    boxes = {"bbox": None}, {"bbox": []}, {}
    file = written(tmp_path, [{"segmentation": OUTLINES, **box} for box in boxes])
    dataset = read_coco(file)
    found = np.concatenate([record.boxes for record in dataset.records])
    np.testing.assert_allclose(found, [[10 / 80, 20 / 100, 70 / 80, 60.5 / 100]] * 3, atol=1e-6)
    assert "no annotation has a box; given the one around its outlines: 3" in dataset.notes


@pytest.mark.parametrize("outlines", [OUTLINES, {"counts": [1, 2], "size": [80, 100]}])
def test_where_others_have_a_box_one_without_is_left_out(tmp_path, outlines):
    bare = {"bbox": [], "segmentation": outlines}
    dataset = read_coco(written(tmp_path, [bare, *[{"bbox": [10, 10, 30, 40]}] * 49]))
    assert dataset.num_boxes == 49
    assert any("annotations without a box, left out: 1" in note for note in dataset.notes)
