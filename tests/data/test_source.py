import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.digits import scenes as digits
from yolov2_tf.data.labels import open_classification
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import holds_pictures, open_dataset
from yolov2_tf.errors import InputError

BOX = (20 / 80, 10 / 100, 60 / 80, 30 / 100)
XML = (
    "<annotation><size><width>100</width><height>80</height></size><object><name>dog</name>"
    "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>31</xmax><ymax>61</ymax></bndbox></object>"
    "</annotation>"
)


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 80)).save(path)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def voc(folder):
    text(folder / "Annotations" / "a.xml", XML)
    picture(folder / "JPEGImages" / "a.jpg")
    return folder


def devkit(folder):
    voc(folder / "VOCdevkit" / "VOC2007")
    return folder


def xml_only(folder):
    text(folder / "a.xml", XML)
    picture(folder / "a.jpg")
    return folder


def coco_json(folder):
    return coco(folder) / "annotations" / "instances_val.json"


def coco(folder):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [10, 20, 20, 40]}],
        "categories": [{"id": 5, "name": "dog"}],
    }
    text(folder / "annotations" / "instances_val.json", json.dumps(content))
    picture(folder / "val" / "a.jpg")
    return folder


def yolo(folder):
    text(folder / "data.yaml", "train: images\nnames: [dog]")
    text(folder / "labels" / "a.txt", "0 0.2 0.5 0.2 0.5")
    picture(folder / "images" / "a.jpg")
    return folder


def yolo_yaml(folder):
    return yolo(folder) / "data.yaml"


def csv(folder):
    text(folder / "boxes.csv", "a.jpg,10,20,30,60,dog\n")
    picture(folder / "a.jpg")
    return folder / "boxes.csv"


@pytest.mark.parametrize(
    "make", [voc, devkit, xml_only, coco_json, coco, yolo, yolo_yaml, csv], ids=lambda f: f.__name__
)
def test_every_form_is_recognised_and_means_the_same_box(tmp_path, make):
    for spec in (make(tmp_path), str(make(tmp_path))):
        dataset = open_dataset(spec, class_names=["cat", "dog"])
        (record,) = dataset.records
        np.testing.assert_allclose(record.boxes, [BOX], atol=1e-6)
        assert record.labels.tolist() == [1]
        assert (record.width, record.height) == (100, 80)
        assert record.image.endswith("a.jpg")
        assert dataset.class_names == ("cat", "dog")


def test_the_split_reaches_the_reader(tmp_path):
    with pytest.raises(InputError, match="no image set 'val'"):
        open_dataset(yolo(tmp_path / "yolo"), split="val")
    with pytest.raises(InputError, match="a CSV file has none"):
        open_dataset(csv(tmp_path / "csv"), split="val")


def test_the_folder_of_the_pictures_reaches_the_reader(tmp_path):
    path = csv(tmp_path / "csv")
    (tmp_path / "csv" / "a.jpg").rename(tmp_path / "a.jpg")
    assert open_dataset(path, images=tmp_path).records[0].image == str(tmp_path / "a.jpg")


def test_reading_annotations_does_not_load_tensorflow(tmp_path):
    program = (
        "import sys; from yolov2_tf.data.source import open_dataset\n"
        "for spec in sys.argv[1:]: assert open_dataset(spec).num_boxes == 1\n"
        "assert 'tensorflow' not in sys.modules"
    )
    specs = [make(tmp_path / make.__name__) for make in (voc, coco, yolo, csv)]
    subprocess.run([sys.executable, "-c", program, *specs], check=True)


def test_digits(monkeypatch):
    asked = []

    def open_digits(split):
        asked.append(split)
        no = np.zeros(1, bool)
        record = Record(b"", "one", np.array([[0, 0, 1, 1]], np.float32), np.array([7]), no)
        return Dataset("digits", tuple("0123456789"), [record])

    monkeypatch.setattr(digits, "open_digits", open_digits)
    dataset = open_dataset("digits")
    assert dataset.records[0].labels.tolist() == [7]
    assert "train is used" in dataset.notes[0]
    assert open_dataset("digits", split="val", class_names=tuple("9876543210")).records[
        0
    ].labels.tolist() == [2]
    assert asked == ["train", "val"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("boxes.tar.xz", "an archive.*unpack it"),
        ("boxes.zip", "an archive.*unpack it"),
        ("boxes.pdf", r"a \.pdf file is no data set"),
        ("boxes", "a nameless file is no data set"),
    ],
)
def test_other_files_are_refused(tmp_path, name, message):
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=message):
        open_dataset(tmp_path / name)


def test_other_folders_and_names_are_refused(tmp_path):
    picture(tmp_path / "images" / "a.jpg")
    with pytest.raises(
        InputError, match=r"no annotations found; what is there: 1 \.jpg.*VOC.*COCO.*YOLO"
    ):
        open_dataset(tmp_path)
    with pytest.raises(InputError, match=r"no such data set.*tfds:NAME"):
        open_dataset("nowhere/at/all")


@pytest.mark.parametrize(
    ("name", "images", "boxes", "counted"),
    [
        ("bccd", 364, 4886, 4886),  # and two boxes without any width
        ("voc2007_sample", 413, 1285, 1025),
        ("voc2012_animals", 1000, 2103, 1897),
        ("coco_sample", 79, 624, 619),
        ("yolo_txt_sample", 40, 271, 271),
        ("faults", 1, 3, 3),
    ],
)
def test_real_data(shared_data, name, images, boxes, counted):
    dataset = open_dataset(shared_data / name)
    assert len(dataset) == images
    assert sum(len(record.boxes) for record in dataset.records) == boxes
    assert dataset.num_boxes == counted


@pytest.mark.slow
def test_the_voc_archive_unpacked(shared_data, tmp_path):
    import tarfile

    with tarfile.open(shared_data / "voc_trainval_annotations.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    dataset = open_dataset(tmp_path, split="trainval")
    assert len(dataset) == 5_011 + 11_540
    assert sum(len(record.boxes) for record in dataset.records) == 15_662 + 31_561
    assert len(dataset.class_names) == 20


def test_some_data_sets_hold_their_pictures(tmp_path):
    assert all(map(holds_pictures, ("digits", "tfds:voc/2007", "gs://bucket/shards")))
    assert not holds_pictures(voc(tmp_path / "voc"))
    assert not holds_pictures(tmp_path / "nowhere")
    (tmp_path / "a.tfrecord").touch()
    assert holds_pictures(tmp_path / "a.tfrecord")
    with pytest.raises(InputError, match="holds its pictures itself"):
        open_dataset(tmp_path / "a.tfrecord", images=tmp_path)


def test_what_has_one_form_is_not_told_which():
    with pytest.raises(InputError, match="one form only"):
        open_dataset("digits", format="voc")


@pytest.mark.parametrize("open_data", [open_dataset, open_classification])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "a NoneType is no data set by its path or name"),
        ((b"digits",), "a bytes is no data set"),
        ((["digits"],), "a list is no data set"),
        (("digits", ["train", "val"]), "split is .*one image set.*lambda"),
        (("digits", "val", "dog"), r"class_names is the text 'dog' .*\['dog'\]"),
    ],
)
def test_what_is_of_another_kind_is_told(open_data, arguments, message):
    names = ("split", "class_names")
    with pytest.raises(InputError, match=message):
        open_data(arguments[0], **dict(zip(names, arguments[1:], strict=False)))
