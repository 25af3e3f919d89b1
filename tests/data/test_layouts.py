"""Layouts as tools leave them, built here: recognised, refused by name, or asked which is meant."""

import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.layouts import recognise
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.training_sets import DataSource, open_training_sets
from yolov2_tf.errors import InputError

BOX = (0.25, 0.1, 0.75, 0.3)
ROW = "0 0.2 0.5 0.2 0.5\n"
XML = (
    "<annotation><size><width>100</width><height>80</height></size><object><name>dog</name>"
    "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>31</xmax><ymax>61</ymax></bndbox></object>"
    "</annotation>"
)
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [10, 20, 20, 40]}],
    "categories": [{"id": 5, "name": "dog"}],
}


def write(folder, files):
    """Writes files by path: text, a value for JSON, or None for a picture."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.new("RGB", (100, 80)).save(path)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


YOLO_LAYOUTS = {
    "labelImg": {"a.jpg": None, "a.txt": ROW, "classes.txt": "dog\n"},
    "labelImg, classes beside the labels": {
        **{"images/a.jpg": None, "labels/a.txt": ROW, "labels/classes.txt": "dog\n"},
    },
    "Label Studio": {"images/x-a.jpg": None, "labels/x-a.txt": ROW, "classes.txt": "dog\n"},
    "Darknet": {
        **{"obj.data": "classes=1\ntrain = data/train.txt\nnames = data/obj.names\n"},
        **{"obj.names": "dog\n", "train.txt": "data/obj/a.jpg\n", "obj/a.jpg": None},
        **{"obj/a.txt": ROW},
    },
    "lists without obj.data": {
        **{"train.txt": r"C:\Users\me\set\obj\a.jpg", "obj/a.jpg": None, "obj/a.txt": ROW},
        **{"obj.names": "dog"},
    },
    "a yaml of another name": {
        **{"pets.yaml": "path: /content/pets\ntrain: images\nnames: {0: dog}\n"},
        **{"images/a.jpg": None, "labels/a.txt": ROW, "other.yaml": "a: b\n"},
    },
    "voc_label.py": {
        **{"JPEGImages/a.jpg": None, "labels/a.txt": ROW, "voc.names": "dog\n"},
    },
    "labels by set": {
        **{"train/a.jpg": None, "labels/train/a.txt": ROW, "classes.txt": "dog\n"},
    },
    "upper case": {"Images/a.JPG": None, "Labels/a.TXT": ROW, "classes.txt": "dog\n"},
    "CVAT's absolute list": {
        **{"obj.data": "classes = 1\ntrain = /data/train.txt\nnames = /data/obj.names\n"},
        **{"obj.names": "dog\n", "train.txt": "/data/obj_train_data/cam 1/a.jpg\n"},
        **{"obj_train_data/cam 1/a.jpg": None, "obj_train_data/cam 1/a.txt": ROW},
    },
}


@pytest.mark.parametrize("layout", YOLO_LAYOUTS)
def test_yolo_layouts(tmp_path, layout):
    dataset = open_dataset(write(tmp_path, YOLO_LAYOUTS[layout]))
    (record,) = dataset.records
    assert dataset.class_names == ("dog",)
    np.testing.assert_allclose(record.boxes, [BOX], atol=1e-6)
    assert (record.width, record.height) == (100, 80)


def test_a_description_one_folder_below_is_found(tmp_path):
    yaml = "train: ../images\nnames: [dog]"
    write(tmp_path, {"images/a.jpg": None, "labels/a.txt": ROW, "config/my.yaml": yaml})
    assert open_dataset(tmp_path).class_names == ("dog",)
    write(tmp_path, {"config/your.yaml": yaml})
    with pytest.raises(InputError, match=r"several descriptions: config/my\.yaml, config/your"):
        open_dataset(tmp_path)


def test_a_folder_of_sets_without_a_yaml_keeps_them_apart(tmp_path):
    files = {f"{s}/{part}/{s}.{x}": c for s in ("train", "valid") for part, x, c in (
        ("images", "jpg", None), ("labels", "txt", ROW))}  # fmt: skip
    dataset = open_dataset(write(tmp_path, files))
    assert [record.image_sets for record in dataset.records] == [("train",), ("valid",)]
    assert dataset.class_names == ("0",)
    assert any("called by number" in note for note in dataset.notes)
    assert len(open_dataset(tmp_path, split="val")) == 1


def test_pictures_beside_the_folders_of_sets_are_a_set_of_their_own(tmp_path):
    folders = ("train", "bus", "")
    files = {f"images/{f}/a{i}.jpg": None for i, f in enumerate(folders)}
    files |= {f"labels/{f}/a{i}.txt": ROW for i, f in enumerate(folders)}
    write(tmp_path, files)
    sets = [record.image_sets for record in open_dataset(tmp_path).records]
    assert sorted(sets) == [("other",), ("other",), ("train",)]
    assert len(open_dataset(tmp_path, split="other")) == 2


def test_pictures_that_share_a_label_file_are_told(tmp_path):
    files = {"images/a.jpg": None, "images/a.png": None, "images/b.jpg": None}
    write(tmp_path, {**files, "labels/a.txt": ROW, "labels/b.txt": ROW})
    (note,) = (note for note in open_dataset(tmp_path).notes if "share a label file" in note)
    assert note.endswith(": 2 (images/a.jpg, images/a.png)")


def test_label_files_without_a_picture_are_told(tmp_path):
    files = {"a.jpg": None, "a.txt": ROW, "b.txt": ROW, "classes.txt": "dog", "notes.txt": "hello"}
    dataset = open_dataset(write(tmp_path, files))
    assert dataset.notes == ("label files without a picture: 1 (b.txt)",)


TWO_FORMS = {
    "voc": {"a.xml": XML},
    "yolo": {"a.txt": ROW, "classes.txt": "dog\n"},
    "csv": {"labels.csv": "image,x1,y1,x2,y2,class\na.jpg,10,20,30,60,dog\n"},
    "coco": {"instances_all.json": COCO},
    "createml": {"_annotations.createml.json": [{"image": "a.jpg", "annotations": [
        {"label": "dog", "coordinates": {"x": 20, "y": 40, "width": 20, "height": 40}}]}]},
    "via": {"via.json": {"a.jpg1": {"filename": "a.jpg", "regions": [{
        "shape_attributes": {"name": "rect", "x": 10, "y": 20, "width": 20, "height": 40},
        "region_attributes": {"class": "dog"}}]}}},
}  # fmt: skip


@pytest.mark.parametrize("second", TWO_FORMS)
@pytest.mark.parametrize("first", TWO_FORMS)
def test_two_forms_in_one_folder_are_refused_and_format_chooses(tmp_path, first, second):
    write(tmp_path, {"a.jpg": None, **TWO_FORMS[first], **TWO_FORMS[second]})
    if first != second:
        with pytest.raises(InputError, match=r"annotations in 2 forms: .*--format"):
            open_dataset(tmp_path)
    for form in {first, second}:
        dataset = open_dataset(tmp_path, format=form)
        (record,) = dataset.records
        assert [dataset.class_names[label] for label in record.labels] == ["dog"]
        np.testing.assert_allclose(record.boxes, [BOX], atol=1e-6)


def test_a_format_that_is_not_there(tmp_path):
    write(tmp_path, {"a.jpg": None, "a.xml": XML})
    with pytest.raises(InputError, match="no format 'pascal'"):
        open_dataset(tmp_path, format="pascal")
    with pytest.raises(InputError, match="no COCO annotations"):
        open_dataset(tmp_path, format="coco")


def test_several_descriptions_are_refused(tmp_path):
    yaml = "train: images\nnames: [dog]"
    write(tmp_path, {"a.yaml": yaml, "b.yaml": yaml, "images/a.jpg": None, "labels/a.txt": ROW})
    with pytest.raises(InputError, match=r"several descriptions: a\.yaml, b\.yaml"):
        open_dataset(tmp_path)


LABELME = {"version": "5", "shapes": [], "imagePath": "a.jpg"}
REFUSED = {
    "labelme": ({"a.json": LABELME}, "labelme's JSON.*labelme2coco"),
    "Label Studio": ({"out.json": [{"annotations": [{"result": []}]}]}, "Label Studio's own JSON"),
    "VoTT": ({"out.json": {"assets": {"1": {"regions": []}}}}, "VoTT's JSON"),
    "Supervisely": ({"ann/a.json": {"objects": [{"classTitle": "dog"}]}}, "Supervisely's JSON"),
    "COCO results": (
        {"found.json": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]},
        "COCO results.*no annotations",
    ),
    "CVAT": ({"annotations.xml": "<annotations><image/></annotations>"}, "CVAT's own XML"),
}


@pytest.mark.parametrize("tool", REFUSED)
def test_known_forms_that_are_not_read_say_what_converts_them(tmp_path, tool):
    files, message = REFUSED[tool]
    write(tmp_path, {"a.jpg": None, **files})
    with pytest.raises(InputError, match=message):
        open_dataset(tmp_path)
    for name in files:
        if name.endswith(".json"):
            with pytest.raises(InputError, match=message):
                open_dataset(tmp_path / name)


def test_nothing_found_says_what_was_looked_for_and_the_nearest_thing(tmp_path):
    write(
        tmp_path, {"set/images/a.jpg": None, "set/Annotations/a.xml": XML, "set/images/b.md": "#"}
    )
    with pytest.raises(InputError, match=r"there: 1 \.jpg, 1 \.md .*VOC.*Try: .*set, .* voc"):
        open_dataset(tmp_path / "set" / "images")
    write(tmp_path / "more/deep/set", {"instances_all.json": COCO, "a.jpg": None})
    with pytest.raises(InputError, match=r"Try: .*set, which looks like coco"):
        open_dataset(tmp_path / "more" / "deep")
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="what is there: nothing"):
        open_dataset(tmp_path / "none")


def test_a_folder_of_pictures_has_no_form(tmp_path):
    assert recognise(write(tmp_path, {"a.jpg": None, "notes.txt": "hello"})) == []


def test_the_folder_of_the_pictures_must_be_there(tmp_path):
    write(tmp_path, {"a.jpg": None, "a.xml": XML})
    with pytest.raises(InputError, match="no such folder of pictures"):
        open_dataset(tmp_path, images=tmp_path / "nowhere")


@pytest.mark.parametrize("place", ["", "annotations/"])
def test_other_json_beside_coco_costs_no_image_set(tmp_path, place):
    files = {
        f"{s}/{n}": c
        for s in ("train", "val")
        for n, c in (("a.jpg", None), (f"{place}l.json", COCO))
    }
    write(tmp_path, {**files, f"train/{place}classes.json": {"0": "dog"}})
    assert {r.image_sets for r in open_dataset(tmp_path).records} == {("train",), ("val",)}
    write(tmp_path, {f"train/{place}old.json": COCO})
    with pytest.raises(InputError, match="several COCO files of one image set: l"):
        open_dataset(tmp_path)


def test_several_files_of_via_cost_no_image_set(tmp_path):
    region = {"shape_attributes": {"name": "rect", "x": 10, "y": 20, "width": 20, "height": 40}}
    regions = [{**region, "region_attributes": {"class": "dog"}}]
    via = {"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": regions, "file_attributes": {}}}
    files = {
        f"{s}/{n}": c for s in ("train", "val") for n, c in (("a.jpg", None), ("via.json", via))
    }
    write(tmp_path, {**files, "train/project.json": {"_via_img_metadata": via}})
    with pytest.raises(InputError, match="several files of VIA: project"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("form", ["voc", "coco"])
def test_an_image_set_that_nobody_filled_is_told_and_not_scored_on(tmp_path, form):
    files = {f"train/{i}.jpg": None for i in range(3)}
    if form == "voc":
        files |= {f"Annotations/{i}.xml": XML for i in range(3)}
        files |= {"ImageSets/Main/train.txt": "0\n1\n2\n", "ImageSets/Main/valid.txt": "\n"}
    else:
        images = [{**COCO["images"][0], "id": i, "file_name": f"{i}.jpg"} for i in range(3)]
        files["train/_annotations.coco.json"] = {**COCO, "images": images}
        files["valid/_annotations.coco.json"] = {**COCO, "images": [], "annotations": []}
    data = DataSource(str(write(tmp_path, files)))
    train, scored, notes = open_training_sets(data)
    assert (len(train), scored) == (3, None)  # copies of one picture, none to hold out
    assert any("no image set to score on" in note for note in notes)
    assert "image sets without a picture, left out: valid" in open_dataset(tmp_path).notes


@pytest.mark.parametrize("folder", ["photos", "images/set1", "images/train/a"])
def test_pictures_of_coco_in_a_folder_of_any_name(tmp_path, folder):
    write(tmp_path, {f"{folder}/a.jpg": None, "annotations/instances_train.json": COCO})
    (record,) = open_dataset(tmp_path).records
    assert record.image == str(tmp_path / folder / "a.jpg")


def test_pictures_of_another_image_set_are_not_taken_for_coco_s(tmp_path):
    files = {f"annotations/instances_{s}2017.json": COCO for s in ("train", "val")}
    dataset = open_dataset(write(tmp_path, {**files, "val2017/a.jpg": None}))
    assert [record.image is None for record in dataset.records] == [True, False]
    train = open_dataset(tmp_path, split="train2017")
    with pytest.raises(InputError, match=r"picture not found.*--images with"):
        check_images(train)


def test_tables_in_annotations_beside_the_pictures(tmp_path):
    files = {f"annotations/{s}.csv": f"{s}.jpg,10,20,30,60,dog\n" for s in ("train", "val")}
    write(tmp_path, {**files, "images/train.jpg": None, "images/val/val.jpg": None})
    dataset = open_dataset(tmp_path)
    assert [r.image_sets for r in dataset.records] == [("train",), ("val",)]
    for record in dataset.records:
        np.testing.assert_allclose(record.boxes, [BOX], atol=1e-6)
    assert dataset.name == tmp_path.name
    write(tmp_path, {"annotations/train.xml": XML})
    assert len(open_dataset(tmp_path)) == 1  # of VOC, as if there were no tables
