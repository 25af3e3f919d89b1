"""Damaged annotations: thousands of mutated inputs give a data set or `InputError`, and quickly."""

import json
import random

import pytest
from mutated_inputs import check_thousands, mutated, mutated_json, open_all
from PIL import Image

from yolov2_tf.data.source import open_dataset

VIA = {"a.jpg1": {"filename": "a.jpg", "size": 1, "file_attributes": {}, "regions": [
    {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40},
     "region_attributes": {"class": "dog"}},
    {"shape_attributes": {"name": "polygon", "all_points_x": [1, 2], "all_points_y": [3, 4]},
     "region_attributes": {"class": {"cat": True}}}]}}  # fmt: skip
CREATEML = [
    {"image": "a.jpg", "annotations": [
        {"label": "dog", "coordinates": {"x": 50, "y": 40, "width": 30, "height": 40}},
        {"label": "cat", "coordinates": {"x": 20, "y": 30, "width": 9.5, "height": 8}}]},
    {"image": "b.jpg", "annotations": []}]  # fmt: skip

# What is mutated, by the form: file name and content; the other files stand beside it.
INPUTS = {
    "yolo rows": ("labels/a.txt", "0 .5 .5 .2 .2\n1 0.1 0.2 0.3 0.1 0.5 0.9\n# x\n0 ,5 1e-3 1 1\n"),
    "yolo yaml": (
        "data.yaml",
        "path: .\ntrain: images\nval:\nnames:\n  0: dog\n  1: cat\nnc: 2\nkpt_shape: [2, 3]\n",
    ),
    "darknet": ("obj.data", "classes = 2\ntrain = data/train.txt\nnames = obj.names\n"),
    "yolo list": ("train.txt", "data/images/a.jpg\nC:\\x\\images\\b.jpg\n./images/a%20.jpg\n"),
    "csv": ("boxes.csv", "image,xmin,ymin,xmax,ymax,label\na.jpg,1,2,30,40,dog\nb.jpg,,,,,\n"),
    "automl": ("boxes.csv", "TRAIN,gs://b/a.jpg,dog,.1,.2,,,.3,.4,,\n"),
    "createml": ("_annotations.createml.json", json.dumps(CREATEML)),
    "via": ("via.json", json.dumps(VIA)),
    "kitti": ("label_2/a.txt", "Car 0 0 1 10 20 30 40 1 1 3 1 2 8 1\nDontCare -1 -1 -1 1 2 3 4\n"),
}
BESIDE = {
    "yolo rows": {"data.yaml": "train: images\nnames: [dog, cat]\n"},
    "yolo yaml": {"labels/a.txt": "0 .5 .5 .2 .2\n"},
    "darknet": {
        **{"labels/a.txt": "0 .5 .5 .2 .2\n", "obj.names": "dog\ncat"},
        **{"train.txt": "images/a.jpg"},
    },
    "yolo list": {"labels/a.txt": "0 .5 .5 .2 .2\n", "data.yaml": "train: train.txt\nnames: [dog]"},
}  # fmt: skip


def mutate(folder, form, times):
    """Opens mutated inputs of a form."""
    name, content = INPUTS[form]
    for picture in ("images/a.jpg", "images/b.jpg", "a.jpg", "label_2/a.jpg"):
        (folder / picture).parent.mkdir(exist_ok=True)
        Image.new("RGB", (100, 80)).save(folder / picture)
    for other, text in BESIDE.get(form, {}).items():
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_text(text)
    (folder / name).parent.mkdir(exist_ok=True)
    spec = folder / ("data.yaml" if "data.yaml" in BESIDE.get(form, {}) else name)
    format, spec = ("kitti", folder) if form == "kitti" else (None, spec)
    source = random.Random(form)

    def prepare(number):
        keep_json = name.endswith(".json") and number % 2
        change = mutated_json if keep_json else mutated
        (folder / name).write_bytes(change(content.encode(), source))

    return open_all(prepare, lambda: open_dataset(spec, format=format), times)


@pytest.mark.parametrize("form", INPUTS)
def test_a_few_mutated_inputs(tmp_path, form):
    assert 0 < mutate(tmp_path, form, 100).opened < 100


@pytest.mark.slow
@pytest.mark.parametrize("form", INPUTS)
def test_ten_thousand_mutated_inputs(tmp_path, form):
    check_thousands(form, mutate(tmp_path, form, 10_000))
