"""What users' tools wrote as VOC and COCO, after public reports: every case opens right.

The cases are small folders beside the checkout. Each row of the table states what is right.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.data.image_check import check_images, turn_upright
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.training_sets import DataSource, open_training_sets

SET_NOTE = "found: all are used"
ODD = "44-coco-odd-boxes/instances"

# case: classes, pictures, boxes that train, boxes that do not, words of the notes in order
OPENS = {
    "20-roboflow-voc": ("crab fish", 10, 40, 0, [SET_NOTE]),
    "21-cvat-voc-subfolders": ("crab fish", 6, 24, 0, []),
    "21b-cvat-voc-spaces": ("crab fish", 6, 24, 0, [SET_NOTE]),
    "21c-list-bom-crlf": ("crab fish", 6, 24, 0, []),
    "23-difficult-variants": ("crab fish", 6, 9, 18, []),
    "24-zero-based-and-floats": ("fish", 6, 12, 0, ["counted from pixel 0"]),
    "25-only-voc-names": ("car person", 6, 12, 0, []),
    "26-object-without-box": ("crab fish", 6, 18, 0, ["without a box, left out: 1 ("]),
    "27-exif-labelimg": ("fish", 6, 6, 0, []),
    "29-same-stem-two-suffixes": ("crab fish", 6, 18, 0, ["several suffixes, the first taken: 6"]),
    "29b-pictures-without-xml": ("crab fish", 6, 18, 0, ["without an XML file, not used: 6"]),
    "30-voc-fractions": ("fish", 6, 6, 0, ["fractions of their pictures"]),
    "31-bom-xml-gbk": ("crab fish 鱼", 3, 9, 0, []),
    "31b-doctype-and-comment": ("crab fish", 3, 10, 0, []),
    "40-roboflow-coco": ("crab fish", 10, 10, 0, [SET_NOTE, "no class: sea"]),
    "41-cvat-coco-crowd": ("fish", 6, 0, 6, ["all 6 boxes are crowds"]),
    "42-labelstudio-coco-windows": ("crab fish", 6, 6, 0, []),
    "42b-labelstudio-coco-linux": ("crab fish", 6, 6, 0, []),
    f"{ODD}_dup.json": ("fish", 8, 6, 0, ["repeat another exactly dropped: 6"]),
    f"{ODD}_empty.json": ("fish", 8, 6, 0, ["annotations without a box, left out: 1"]),
    f"{ODD}_floatid.json": ("fish", 8, 6, 0, []),
    f"{ODD}_nobbox.json": ("fish", 8, 6, 0, ["annotations without a box, left out: 1"]),
    f"{ODD}_nullwh.json": ("fish", 8, 6, 0, []),
    f"{ODD}_orphan.json": ("fish", 5, 5, 0, ["pictures that are not listed, left out: 1"]),
    f"{ODD}_samefile.json": ("fish", 6, 6, 0, ["under several ids, joined: 6"]),
    f"{ODD}_strcat.json": ("fish", 8, 6, 0, []),
    f"{ODD}_zero.json": ("fish", 8, 6, 0, ["without any area in their picture dropped: 1"]),
    "45-coco-fractions": ("fish", 6, 6, 0, ["fractions of their pictures"]),
}

# The first box, as pixels of the picture of 200 × 100: y_min, x_min, y_max, x_max
BOXES = {
    "20-roboflow-voc": (9, 9, 49, 59),
    "21-cvat-voc-subfolders": (9, 9, 49, 59),
    "24-zero-based-and-floats": (0, 0, 40.25, 30.5),
    "30-voc-fractions": (10, 20, 90, 100),
    "31-bom-xml-gbk": (9, 9, 49, 59),
    "40-roboflow-coco": (10, 10, 60, 50),
    "42-labelstudio-coco-windows": (10.25, 10.5, 60.25, 50.5),
    "45-coco-fractions": (10, 20, 60, 60),
}

# case: pictures that train, that score
TRAINS = {
    "20-roboflow-voc": (6, 2),
    "21-cvat-voc-subfolders": (5, 1),  # a fifth is held out
    "21b-cvat-voc-spaces": (4, 2),
    "40-roboflow-coco": (6, 2),
}


@pytest.fixture(scope="module")
def cases():
    beside = Path(__file__).resolve().parents[4] / "shared" / "cases"
    folder = Path(os.environ.get("YOLOV2_CASES", beside))
    if not folder.is_dir():
        pytest.skip("needs the cases: ../shared/cases beside the checkout, or $YOLOV2_CASES")
    return folder


@pytest.mark.parametrize("case", OPENS)
def test_a_case_opens(cases, case):
    classes, pictures, boxes, ignored, notes = OPENS[case]
    dataset = open_dataset(cases / case)
    assert dataset.class_names == tuple(classes.split())
    assert len(dataset) == pictures
    assert all(os.path.isfile(record.image) for record in dataset.records)
    assert all((record.width, record.height) == (200, 100) for record in dataset.records)
    assert (dataset.num_boxes, int(dataset.records.ignore.sum())) == (boxes, ignored)
    assert len(dataset.notes) == len(notes), dataset.notes
    for note, words in zip(dataset.notes, notes, strict=True):
        assert words in note


@pytest.mark.parametrize("case", BOXES)
def test_the_first_box_of_a_case(cases, case):
    box = open_dataset(cases / case).records[0].boxes[0]
    np.testing.assert_allclose(box * (100, 200, 100, 200), BOXES[case], atol=1e-4)


@pytest.mark.parametrize("case", TRAINS)
def test_a_case_trains_on_train_only(cases, case):
    train, validation, _ = open_training_sets(DataSource(str(cases / case)))
    assert (len(train), len(validation)) == TRAINS[case]
    names = [os.path.basename(r.image) for d in (train, validation) for r in d.records]
    assert not any(name.startswith("test") for name in names)


def test_every_command_turns_boxes_of_rotated_pictures(cases):
    dataset = open_dataset(cases / "27-exif-labelimg")
    shapes_only, (checked, _) = turn_upright(dataset), check_images(dataset)
    for seen in (shapes_only, checked):
        record = seen.records[0]
        assert (record.width, record.height, record.orientation) == (100, 200, 6)
        # Stored: x 19 to 59 of 200, y 9 to 49 of 100. Orientation 6 is seen turned clockwise.
        np.testing.assert_allclose(record.boxes[0], [0.095, 0.51, 0.295, 0.91], atol=1e-6)
        assert any("turned upright with them (EXIF): 6" in note for note in seen.notes)
