import shutil

import pytest

from tests.data.test_layouts import COCO, ROW, TWO_FORMS, XML, write
from yolov2_tf.data.layouts import recognise
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.visible_files import visible

APPLE = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02\0\0\0\x09\xb0\xff"
KITTI = "Car 0.00 0 1.5 10 20 30 60 1.5 1.6 3.7 1 2 8 1.5\n"

SETS = {
    **{form: {"a.jpg": None, **files} for form, files in TWO_FORMS.items()},
    "yolo of folders": {"images/a.jpg": None, "labels/a.txt": ROW, "classes.txt": "dog\n"},
    "yolo, described": {
        **{"data.yaml": "train: images\nnames: [dog]\n", "images/a.jpg": None},
        **{"labels/a.txt": ROW},
    },
    "Darknet": {
        **{"obj.data": "train = train.txt\nnames = obj.names\n", "obj.names": "dog\n"},
        **{"train.txt": "a.jpg\n", "a.jpg": None, "a.txt": ROW},
    },
    "voc of folders": {"Annotations/a.xml": XML, "JPEGImages/a.jpg": None},
    "coco of any name": {"result.json": COCO, "a.jpg": None},
    "Roboflow's COCO without sets": {"_annotations.coco.json": COCO, "a.jpg": None},
    "Roboflow's COCO": {"train/_annotations.coco.json": COCO, "train/a.jpg": None},
    "csv in folders": {
        f"{name}/{file}": content
        for name in ("train", "valid")
        for file, content in {"a.jpg": None, **TWO_FORMS["csv"]}.items()
    },
    "kitti": {"training/label_2/a.txt": KITTI, "training/image_2/a.jpg": None},
    "kitti in one folder": {"training/a.txt": KITTI, "training/a.jpg": None},
}


@pytest.mark.parametrize("form", SETS)
def test_files_that_macos_leaves_change_nothing(tmp_path, form):
    write(tmp_path, SETS[form])
    before = recognise(tmp_path), open_dataset(tmp_path)
    for path in [*tmp_path.rglob("*")]:
        path.with_name(f"._{path.name}").write_bytes(APPLE)
    after = recognise(tmp_path), open_dataset(tmp_path)
    assert after[0] == before[0]
    assert after[1].class_names == before[1].class_names
    assert after[1].notes == before[1].notes
    assert [r.image_id for r in after[1].records] == [r.image_id for r in before[1].records]


def test_hidden_folders_are_no_image_sets(tmp_path):
    write(tmp_path, SETS["csv in folders"])
    shutil.copytree(tmp_path / "train", tmp_path / ".train")
    assert {name for record in open_dataset(tmp_path).records for name in record.image_sets} == {
        "train",
        "valid",
    }


def test_what_is_hidden_is_left_out(tmp_path):
    write(tmp_path, {"b.txt": "", "a.txt": "", ".a.txt": "", "c.csv": ""})
    assert [path.name for path in visible(tmp_path)] == ["a.txt", "b.txt", "c.csv"]
    assert [path.name for path in visible(tmp_path, "*.txt")] == ["a.txt", "b.txt"]
    assert visible(tmp_path / "nowhere") == []
