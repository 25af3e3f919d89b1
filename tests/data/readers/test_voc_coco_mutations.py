"""Damaged VOC and COCO files: thousands of mutated inputs give a data set or `InputError`."""

import json
import random

import pytest
from mutated_inputs import TOKENS, check_thousands, mutated, mutated_json, open_all
from PIL import Image

from yolov2_tf.data.readers.coco_json import read_coco
from yolov2_tf.data.readers.voc_xml import read_voc

VOC = """<?xml version="1.0" encoding="utf-8"?>
<annotation><folder>x</folder><filename>a.jpg</filename><path>C:\\data\\a.jpg</path>
<size><width>100</width><height>80</height><depth>3</depth></size>
<object><name>dog</name><difficult>0</difficult>
<bndbox><xmin>11</xmin><ymin>21.5</ymin><xmax>30</xmax><ymax>60</ymax></bndbox></object>
<object><name>cat &amp; dog</name><difficult>Unspecified</difficult><part><name>head</name></part>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>100</xmax><ymax>80</ymax></bndbox></object>
</annotation>
"""
COCO = json.dumps(
    {
        "info": {"year": 2017},
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 100, "height": 80},
            {"id": "9", "file_name": "x\\b.jpg", "width": None},
            {"id": 11, "file_name": "c.jpg", "width": 10, "height": 10},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 90, "bbox": [10, 20, 30, 40.5], "iscrowd": 0},
            {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 99, 80], "area": 7920},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [], "segmentation": [[1, 2, 3]]},
            *({"id": i, "image_id": 7, "category_id": 3, "bbox": [i, i, 9, 9]} for i in (4, 5, 6)),
        ],
        "categories": [
            {"id": 90, "name": "toothbrush", "supercategory": "root"},
            {"id": 3, "name": "car"},
            {"id": 0, "name": "root", "supercategory": "none"},
        ],
    }
)
INPUTS = {"voc": ("a.xml", VOC), "coco": ("instances_val.json", COCO)}
LISTS = "a\nb  1\nframe 1\n../a\n/etc/passwd\n\\x\\a.jpg\n"
XML = (
    *(b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<![CDATA[", b"]]>", b"<!--", b"<object>", b"</object>"),
    *(b"utf-7", b"idna", b"<a>" * 300),
)


def mutate(folder, form, times):
    """Reads mutated inputs of a form."""
    name, content = INPUTS[form]
    for picture in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(folder / picture)
    lists = folder / "ImageSets" / "Main"
    if form == "voc":
        lists.mkdir(parents=True)
        for other in "bcdef":
            (folder / f"{other}.xml").write_text(VOC)
    source = random.Random(form)

    def prepare(number):
        if form == "coco" and number % 2:
            (folder / name).write_bytes(mutated_json(content, source))
        else:
            (folder / name).write_bytes(mutated(content.encode(), source, (*TOKENS, *XML)))
        if form == "voc" and number % 4 == 0:
            (lists / "train.txt").write_bytes(mutated(LISTS.encode(), source))
        elif form == "voc" and number % 4 == 1:
            (lists / "train.txt").unlink()

    def opening():
        dataset = read_voc(folder) if form == "voc" else read_coco(folder / name)
        assert 1 <= len(dataset) <= 6
        boxes = dataset.records.boxes
        assert ((boxes >= 0) & (boxes <= 1)).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()

    return open_all(prepare, opening, times)


@pytest.mark.parametrize("form", INPUTS)
def test_a_few_mutated_inputs(tmp_path, form):
    assert 0 < mutate(tmp_path, form, 150).opened < 150


@pytest.mark.slow
@pytest.mark.parametrize("form", INPUTS)
def test_ten_thousand_mutated_inputs(tmp_path, form):
    check_thousands(form, mutate(tmp_path, form, 10_000))
