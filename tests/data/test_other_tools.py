"""What further tools leave behind, built here: read with its image sets, or refused by its name."""

import json

import pytest
from PIL import Image

from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

BOX = (0.2, 0.05, 0.7, 0.3)  # y_min x_min y_max x_max of corners 10 20 60 70 in 200 x 100 pixels
HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
KITTI = "dog 0.0 0 0.0 10 20 60 70" + " 0" * 7 + "\n"
VIA_ROW = {"name": "rect", "x": 10, "y": 20, "width": 50, "height": 50}


def via(name):
    region = {"shape_attributes": VIA_ROW, "region_attributes": {"class": "dog"}}
    return {name: {"filename": name, "size": 1, "regions": [region], "file_attributes": {}}}


def by_set(files, sets=("train", "valid")):
    """Files for each image set; `SET` in a name or a text is the set."""
    return {
        name.replace("SET", one): json.loads(json.dumps(content).replace("SET", one))
        for one in sets
        for name, content in files.items()
    }


READ = {
    "Roboflow's CSV": by_set(
        {"SET/SETa.jpg": None, "SET/_annotations.csv": HEADER + "SETa.jpg,200,100,dog,10,20,60,70"}
    ),
    "Roboflow's CSV of RetinaNet": by_set(
        {
            **{"SET/SETa.jpg": None, "SET/_annotations.csv": "SETa.jpg,10,20,60,70,dog"},
            **{"SET/_classes.csv": "dog,0\n"},
        }
    ),
    "VIA's balloons": by_set({"SET/SETa.jpg": None, "SET/via_region_data.json": via("SETa.jpg")}),
    "KITTI for DIGITS": by_set({"SET/images/SETa.jpg": None, "SET/labels/SETa.txt": KITTI}),
}
READ_WITHOUT_SETS = {
    "makesense": {"a.jpg": None, "labels.csv": "dog,10,20,50,50,a.jpg,200,100\n"},
    "SKU-110K": {"a.jpg": None, "labels.csv": "a.jpg,10,20,60,70,dog,200,100\n"},
    "makesense, with a header": {
        "a.jpg": None,
        "labels.csv": "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,"
        "image_height\ndog,10,20,50,50,a.jpg,200,100\n",
    },
}
DETECTRON2_BOX = {"bbox": [10, 20, 60, 70], "bbox_mode": 0, "category_id": 0}
REFUSED = {
    "Label Studio": {"p.json": [{"image": "a.jpg", "label": [{"x": 1, "rectanglelabels": ["d"]}]}]},
    "VIA 3": {"p.json": {"metadata": {"1": {"vid": "1", "xy": [2, 1, 1, 5, 5], "av": {}}}}},
    "VoTT": {"a.vott": {"name": "p"}},
    "Supervisely": {"ds/ann/a.jpg.json": {"objects": [{"classTitle": "dog"}]}},
    "labelme": {"train/a.json": {"shapes": [], "imagePath": "a.jpg"}},
    "Datumaro": {
        "annotations/default.json": {
            **{"categories": {}, "annotations": [], "items": [{"id": "a", "label_id": 0}]},
        }
    },
    "BDD100K": {"labels/det.json": [{"name": "a.jpg", "labels": [{"category": "c", "box2d": {}}]}]},
    "Darwin": {"a.json": {"item": {"slots": []}, "annotations": [{"bounding_box": {}}]}},
    "SuperAnnotate": {"a.json": {"metadata": {}, "instances": [{"className": "dog"}]}},
    "Detectron2": {
        "d.json": [{"file_name": "a.jpg", "image_id": 0, "annotations": [DETECTRON2_BOX]}],
    },
    "MMDetection": {"d.json": [{"filename": "a.jpg", "ann": {"bboxes": [[1, 2, 3, 4]]}}]},
    "MMDetection's own": {"d.json": {"metainfo": {}, "data_list": [{"instances": []}]}},
    "FiftyOne": {
        "labels.json": {"classes": ["dog"], "labels": {"a": [{"label": 0, "bounding_box": BOX}]}}
    },
    "FiftyOne's own": {
        "samples.json": {"samples": [{"filepath": "a.jpg", "gt": {"detections": []}}]},
    },
    "Cityscapes": {"gtFine/a.json": {"imgHeight": 9, "objects": [{"label": "c", "polygon": []}]}},
    "keras-yolo3": {"2007_train.txt": "VOC/a b.jpg 10,20,60,70,0 1,2,3,4,1\n"},
    "Labelbox": {"export.ndjson": "{}"},
    "SageMaker": {"output.manifest": "{}"},
    "Hugging Face": {"train/metadata.jsonl": "{}"},
    "DOTA": {"train/labelTxt/P1.txt": "10.0 20.0 60.0 20.0 60.0 70.0 10.0 70.0 ship 0\n"},
    "OIDv4": {"train/Apple/Label/a.txt": "Apple 10 20 60 70\n"},
    "MOT": {"gt/gt.txt": "1,1,10,20,50,50,1,1,1\n"},
    "WIDER FACE": {"wider_face_split/wider_face_train_bbx_gt.txt": "a.jpg\n0\n"},
    "YOLO Keras": {"train/_annotations.txt": "a.jpg 1,2,3,4,0\n", "train/_classes.txt": "dog\n"},
    "CVAT": {"annotations.xml": "<?xml version='1.0'?><annotations><track/></annotations>"},
}


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.new("RGB", (200, 100)).save(path)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.mark.parametrize("tool", READ)
def test_folders_that_are_image_sets(tool, tmp_path):
    folder = write(tmp_path, READ[tool])
    dataset = open_dataset(folder)
    assert {record.image_sets for record in dataset.records} == {("train",), ("valid",)}
    assert len({record.image_id for record in dataset.records}) == 2
    for record in dataset.records:
        assert record.boxes.tolist() == [pytest.approx(BOX)]
        assert record.image is not None
    assert dataset.class_names == ("dog",)
    assert len(open_dataset(folder, split="val")) == 1
    assert len(open_dataset(folder / "train")) == 1
    with pytest.raises(InputError, match="no image set 'night'"):
        open_dataset(folder, split="night")


def test_pictures_of_sets_elsewhere(tmp_path):
    files = READ["KITTI for DIGITS"]
    labels = write(tmp_path / "labels", {n: c for n, c in files.items() if c is not None})
    pictures = write(
        tmp_path / "pictures", {"train/traina.jpg": None, "valid/valida.jpg": None, "x.jpg": None}
    )
    dataset = open_dataset(labels, images=pictures, class_names=["cat", "dog"])
    assert [record.image_sets for record in dataset.records] == [("train",), ("valid",)]
    assert dataset.class_names == ("cat", "dog")


@pytest.mark.parametrize("tool", READ_WITHOUT_SETS)
def test_one_table(tool, tmp_path):
    (record,) = open_dataset(write(tmp_path, READ_WITHOUT_SETS[tool])).records
    assert record.boxes.tolist() == [pytest.approx(BOX)]
    assert record.image is not None


def test_roboflow_names_the_classes_of_darknet(tmp_path):
    row = "1 .5 .5 .2 .3\n"
    files = {"SET/SETa.jpg": None, "SET/SETa.txt": row, "SET/_darknet.labels": "cat\ndog"}
    dataset = open_dataset(write(tmp_path, by_set(files)))
    assert dataset.class_names == ("cat", "dog")
    assert {record.image_sets for record in dataset.records} == {("train",), ("valid",)}


@pytest.mark.parametrize("tool", REFUSED)
def test_what_is_refused_is_called_by_its_name(tool, tmp_path):
    folder = write(tmp_path, {"train/a.jpg": None, **REFUSED[tool]})
    with pytest.raises(InputError, match=f"{tool}.*Try: "):
        open_dataset(folder)
    file = next(name for name in REFUSED[tool] if "_classes" not in name)
    with pytest.raises(InputError, match=f"{tool}.*Try: "):
        open_dataset(folder / file)


@pytest.mark.parametrize(
    "header", ["image_id,width,height,bbox,source", "image,id,label,annotator"]
)
def test_a_table_without_boxes_is_told_from_none(header, tmp_path):
    files = {"a.jpg": None, "train.csv": header + '\na,200,100,"[1, 2, 3, 4]",x\n'}
    with pytest.raises(InputError, match=r"no annotations found.*mend the CSV.*train\.csv:"):
        open_dataset(write(tmp_path, files))


def test_a_table_of_boxes_that_cannot_be_read_says_why_in_a_folder_too(tmp_path):
    files = {"a.jpg": None, "train.csv": HEADER + 'a.jpg,"2,000",100,dog,10,20,60,70\n'}
    with pytest.raises(InputError, match=r"mend the CSV.*train\.csv:2: '2,000' may have a comma"):
        open_dataset(write(tmp_path, files))


def test_a_form_is_called_by_its_name_behind_many_pictures_and_empty_files(tmp_path):
    for number in range(400):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    label = {"objects": [{"classTitle": "dog", "points": {}}]}
    write(tmp_path, {"z/ann/0.jpg.json": {"objects": []}, "z/ann/1.jpg.json": label})
    with pytest.raises(InputError, match="Supervisely's JSON"):
        open_dataset(tmp_path)


def test_a_yaml_beside_labels_of_another_form_does_not_hide_their_name(tmp_path):
    files = {"data.yaml": "train: ../train/images\nnames: [dog]\n", "train/images/a.jpg": None}
    write(tmp_path, {**files, "train/labelTxt/a.txt": "1 2 3 2 3 4 1 4 dog 0\n"})
    with pytest.raises(InputError, match="DOTA's oriented boxes"):
        open_dataset(tmp_path)


def test_archives_are_to_be_unpacked(tmp_path):
    folder = write(tmp_path / "pets", {"train/a.jpg": None, "labels.ZIP": ""})
    with pytest.raises(InputError, match=r"Try: unpack .*pets/labels\.ZIP"):
        open_dataset(folder)
