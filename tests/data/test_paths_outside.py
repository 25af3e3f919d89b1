"""Annotations name no files outside their data set, unless --images says where: trust no file."""

import json

import pytest
from PIL import Image

from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

ROW = "0 .5 .5 .2 .2\n"


@pytest.fixture
def place(tmp_path):
    """A data set, and far from it somebody's picture with labels."""
    secret = tmp_path / "secret" / "images" / "a.jpg"
    secret.parent.mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(secret)
    (tmp_path / "secret" / "labels").mkdir()
    (tmp_path / "secret" / "labels" / "a.txt").write_text(ROW)
    folder = tmp_path / "sets" / "mine"
    folder.mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(folder / "b.jpg")
    (folder / "b.txt").write_text(ROW)
    return folder, secret


def csv(folder, path):
    (folder / "boxes.csv").write_text(f"image,xmin,ymin,xmax,ymax,label\n{path},1,2,30,40,dog\n")
    return folder / "boxes.csv"


def coco(folder, path):
    content = {
        "images": [{"id": 1, "file_name": str(path), "width": 100, "height": 80}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}],
        "categories": [{"id": 1, "name": "dog"}],
    }
    (folder / "instances_train.json").write_text(json.dumps(content))
    return folder / "instances_train.json"


def yolo_list(folder, path):
    (folder / "train.txt").write_text(f"{path}\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [dog]\n")
    return folder / "data.yaml"


def yolo_folder(folder, path):
    entry = str(path).rpartition("/")[0]
    (folder / "data.yaml").write_text(f"train: {entry}\nnames: [dog]\n")
    return folder / "data.yaml"


def yolo_root(folder, path):
    root = str(path).rpartition("/images")[0]
    (folder / "data.yaml").write_text(f"path: {root}\ntrain: images\nnames: [dog]\n")
    return folder / "data.yaml"


@pytest.mark.parametrize("write", [csv, coco, yolo_list, yolo_folder, yolo_root])
@pytest.mark.parametrize("absolute", [True, False])
def test_paths_that_lead_out_are_refused(place, write, absolute):
    folder, secret = place
    path = secret if absolute else "../../secret/images/a.jpg"
    spec = write(folder, path)
    with pytest.raises(InputError, match=r"(out of|outside) the data set.*--images"):
        open_dataset(spec)
    (record,) = open_dataset(spec, images=secret.parent.parent).records
    assert record.image == str(secret)
    assert len(record.boxes) == 1


def test_devices_are_not_waited_for(place):
    folder, _ = place
    (folder / "obj.data").write_text("classes = 1\ntrain = /\nnames = /dev/stdin\n")
    with pytest.raises(InputError, match="leads out of the data set"):
        open_dataset(folder / "obj.data")


def test_links_are_the_users_own(place):
    folder, secret = place
    (folder / "linked").symlink_to(secret.parent)
    spec = csv(folder, "linked/a.jpg")
    assert open_dataset(spec).records[0].image == str(folder / "linked" / "a.jpg")
