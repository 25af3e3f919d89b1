"""What users' labelling tools wrote, after public reports: every case opens right or is refused.

The cases are small folders beside the checkout. Each row of the table states what is right.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.training_sets import DataSource, open_training_sets
from yolov2_tf.errors import InputError


@pytest.fixture(scope="module")
def cases():
    beside = Path(__file__).resolve().parents[3] / "shared" / "cases"
    folder = Path(os.environ.get("YOLOV2_CASES", beside))
    if not folder.is_dir():
        pytest.skip("needs the cases: ../shared/cases beside the checkout, or $YOLOV2_CASES")
    return folder


FISH, BOTH = "fish", "fish crab"

# case: classes, pictures, pictures found, boxes, words of the notes (all of them, in order)
OPENS = {
    "01-roboflow-yolov8": ("crab fish", 8, 8, 16, ["train, val found", "left out: 'test'"]),
    "01b-roboflow-with-test": ("crab fish", 10, 10, 20, ["train, val, test found"]),
    "02-pose-labels": ("hand", 12, 12, 12, ["train, val found"]),
    "02b-pose-2d": ("hand", 6, 6, 6, []),
    "03-windows-list": (FISH, 6, 6, 6, []),
    "03c-windows-yaml": (FISH, 6, 6, 6, ["train, val found", "in several image sets"]),
    "03c-windows-yaml/quoted.yaml": (FISH, 6, 6, 6, ["backslashes that YAML forbids"]),
    "04-darknet-data": (BOTH, 6, 6, 6, ["train, val found"]),
    "04-darknet-data/data/data.yaml": (BOTH, 6, 6, 6, ["train, val found"]),
    "04-darknet-data/data/obj.data": (BOTH, 6, 6, 6, ["train, valid found"]),
    "04b-cvat-yolo11": (FISH, 6, 6, 6, []),
    "04b-cvat-yolo11/obj.data": (FISH, 6, 6, 6, []),
    "04d-labelstudio-yolo": ("crab fish", 6, 6, 6, []),
    "04f-voc_label-layout": (FISH, 6, 6, 6, []),
    "04g-labels-beside-in-images": (FISH, 6, 6, 6, []),
    "04h-other-yaml-name": (FISH, 6, 6, 6, []),
    "05-duplicates": (FISH, 6, 6, 6, ["repeat another exactly dropped: 12"]),
    "06-extra-columns": (FISH, 6, 6, 6, ["a fifth number (a confidence) ignored in 1 rows"]),
    "07-nc-only": ("0 1", 6, 6, 6, []),
    "07-nc-only/names-file.yaml": (BOTH, 6, 6, 6, []),
    "07-nc-only/names-inline-dict.yaml": (BOTH, 6, 6, 6, []),
    "07-nc-only/names-numbers.yaml": ("0 1", 6, 6, 6, []),
    "07-nc-only/names-one-based.yaml": (BOTH, 6, 6, 6, ["the first name is class 0"]),
    "07-nc-only/no-test-dir.yaml": (
        *(BOTH, 6, 6, 6),
        ["train, val found", "left out: 'test'", "in several image sets"],
    ),
    "07-nc-only/tabs.yaml": (BOTH, 6, 6, 6, ["tabs or backslashes"]),
    "07-nc-only/val-missing.yaml": (BOTH, 6, 6, 6, []),
    "08-labelstudio-urlencoded": (FISH, 7, 7, 7, []),
    "09-nfd-nfc": ("crab fish", 6, 6, 18, []),
    "10-suffixes": (FISH, 6, 6, 6, []),
    "11-symlinked-subfolder": (FISH, 6, 6, 6, []),
    "11-symlinked-subfolder/direct.yaml": (FISH, 6, 6, 6, []),
    "12-class-in-val-only": ("eel fish", 8, 8, 8, ["train, val found"]),
    "13-labels-case-and-comments": (FISH, 6, 6, 6, ["comments skipped: 1"]),
    "14-comma-decimal": (FISH, 6, 6, 6, ["decimal commas: 6"]),
    "15-name-label-in-txt": (FISH, 6, 6, 6, ["name their class instead of numbering it: 6"]),
    "17-train-and-val-overlap": (FISH, 6, 6, 6, ["train, val found", "several image sets, read"]),
    "18-missing-in-list": (FISH, 9, 6, 6, ["pictures not found: 3"]),
    "19-spaces-after-names": (FISH, 6, 6, 6, []),
    "27b-exif-yolo": ("fish", 6, 6, 6, []),
    "60-csv/cp1252.csv": ("poisson_pêche", 6, 6, 6, []),
    "60-csv/dup.csv": (FISH, 6, 6, 6, ["repeat another exactly dropped: 6"]),
    "60-csv/filename-and-path.csv": (FISH, 6, 6, 6, []),
    "60-csv/fractions-mixed.csv": (FISH, 6, 6, 6, ["fractions of the picture"]),
    "60-csv/fractions-one-over.csv": (FISH, 6, 6, 6, ["fractions of the", "clipped: 1"]),
    "60-csv/name-is-file.csv": (FISH, 6, 6, 6, []),
    "60-csv/no-extension.csv": (FISH, 6, 6, 6, []),
    "60-csv/pandas-index.csv": (FISH, 6, 6, 6, []),
    "60-csv/retina-backslash.csv": (FISH, 6, 6, 6, []),
    "60-csv/retina.csv": (FISH, 6, 6, 5, []),
    "60-csv/semicolon.csv": (FISH, 6, 6, 6, []),
    "60-csv/swapped.csv": (FISH, 6, 6, 6, ["swapped back: 3"]),
    "60-csv/tfod.csv": (FISH, 6, 6, 6, []),
    "60-csv/utf16.csv": (FISH, 6, 6, 6, []),
    "60-csv/via.csv": (FISH, 6, 6, 6, []),
    "60-csv/vott.csv": (FISH, 6, 6, 6, []),
    "61b-csv-two-folders": (FISH, 12, 12, 12, ["test_labels, train_labels found"]),
    "61b-csv-two-folders/train_labels.csv": (FISH, 6, 6, 6, []),
    "62-kitti": ("Car", 6, 6, 6, ["DontCare"]),
    "63-via-json": (FISH, 6, 6, 6, []),
    "65-createml": (FISH, 6, 6, 6, []),
}

REFUSED = {
    "07-nc-only/nc-wrong.yaml": "'nc' is 80, but there are 2 names",
    "60-csv": "several CSV files: cp1252.csv",
}

# case: pictures that train, that score, words of the notes
TRAINS = {
    "01-roboflow-yolov8": (6, 2, "train trains; val scores"),
    "01b-roboflow-with-test": (6, 2, "train trains; val scores; test is not used"),
    "02b-pose-2d": (5, 1, "1 of 6 pictures are held out"),
    "12-class-in-val-only": (4, 4, "only the validation set has, which nothing trains: eel"),
    "17-train-and-val-overlap": (6, 2, "both in training and in validation"),
    "61b-csv-two-folders": (5, 1, "train_labels trains; test_labels is not used"),
}


@pytest.mark.parametrize("case", OPENS)
def test_a_case_opens(cases, case):
    classes, pictures, found, boxes, notes = OPENS[case]
    dataset = open_dataset(cases / case)
    assert [name.replace(" ", "_") for name in dataset.class_names] == classes.split()
    assert len(dataset) == pictures
    assert sum(record.image is not None for record in dataset.records) == found
    assert dataset.num_boxes == boxes
    assert len(dataset.notes) == len(notes), dataset.notes
    for note, words in zip(dataset.notes, notes, strict=True):
        assert words in note
    assert all(record.width and record.height for record in dataset.records if record.image)


@pytest.mark.parametrize("case", REFUSED)
def test_a_case_is_refused(cases, case):
    with pytest.raises(InputError) as caught:
        open_dataset(cases / case)
    assert REFUSED[case] in str(caught.value)


@pytest.mark.parametrize("case", TRAINS)
def test_a_case_trains_on_train_only(cases, case):
    trains, scores, words = TRAINS[case]
    train, validation, notes = open_training_sets(DataSource(str(cases / case)))
    assert (len(train), len(validation)) == (trains, scores)
    assert any(words in note for note in notes)


def test_labelimg_writes_its_own_fifteen_classes_first(cases):
    dataset = open_dataset(cases / "04c-labelimg-yolo-folder")
    assert (len(dataset), dataset.num_boxes, len(dataset.class_names)) == (6, 6, 16)
    assert {dataset.class_names[label] for r in dataset.records for label in r.labels} == {"fish"}


@pytest.mark.parametrize(
    ("case", "box"),
    [
        ("02-pose-labels", (0.35, 0.4, 0.65, 0.6)),  # cx cy w h .5 .5 .2 .3
        ("02b-pose-2d", (0.35, 0.4, 0.65, 0.6)),
        ("14-comma-decimal", (0.3, 0.45, 0.7, 0.55)),
        ("60-csv/tfod.csv", (0.1, 0.05, 0.7, 0.3)),  # 10 10 60 70 of 200 × 100
        ("60-csv/semicolon.csv", (0.1, 0.05, 0.7, 0.3)),
        ("60-csv/retina-backslash.csv", (0.1, 0.05, 0.7, 0.3)),
        ("60-csv/swapped.csv", (0.1, 0.05, 0.7, 0.3)),
        ("60-csv/via.csv", (0.1, 0.05, 0.7, 0.3)),
        ("60-csv/fractions-one-over.csv", (0.1, 0.1, 0.8, 1.0)),
        ("62-kitti", (0.1, 0.05, 0.5, 0.3)),
        ("63-via-json", (0.1, 0.05, 0.7, 0.3)),
        ("65-createml", (0.3, 0.175, 0.7, 0.325)),  # centre 50 50, 30 × 40
    ],
)
def test_the_first_box_of_a_case(cases, case, box):
    records = open_dataset(cases / case).records
    np.testing.assert_allclose(records[0].boxes[0], box, atol=1e-6)
