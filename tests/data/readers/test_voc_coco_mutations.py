"""Damaged VOC and COCO files: thousands of mutated inputs give a data set or `InputError`."""

import copy
import json
import random
import time

import pytest
from peak_memory import measured
from PIL import Image

from yolov2_tf.data.readers.coco_json import read_coco
from yolov2_tf.data.readers.voc_xml import read_voc
from yolov2_tf.errors import InputError

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
TOKENS = [
    *(b"nan", b"-1", b"1e999", b"0", b"\0", b"\xff", b"\n", b"<", b">", b"/", b"&", b"&x;", b'"'),
    *(b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<![CDATA[", b"]]>", b"<!--", b"<object>", b"</object>"),
    *(b"gb2312", b"utf-16", b"utf-7", b"idna", b"..", b"\\", b"{", b"}", b"[", b"]", b",", b"null"),
    *(b"true", b"1e18", b"9" * 400, b"[" * 300, b"<a>" * 300, "é".encode(), b"\\ud800"),
    b"\xef\xbb\xbf",
]  # fmt: skip


VALUES = [
    *(None, True, -1, 0, 0.5, 3, 7, 9.0, 90, 1e18, 10**30, float("nan"), float("inf")),
    *("", "7", "x", "\ud800", "../a.jpg", "a.jpg\0", "é" * 300),
    *([], {}, [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4], [9, 9, 1, 1], [[]], ["1", "2", "3", "4"]),
]


def mutated(content, source):
    """The content with one to four pieces changed, taken away, doubled or put elsewhere."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(content) + 1)
        end = min(len(content), start + source.choice((0, 1, 1, 2, 5, 20, 200)))
        piece = source.choice(
            (
                *(b"", content[start:end] * 2, source.choice(TOKENS), source.choice(TOKENS)),
                *(content[end : end + 20], source.randbytes(1), str(source.random()).encode()),
            )
        )
        content = content[:start] + piece + content[end:]
    return content


def mutated_tree(content, source):
    """JSON with one to three values changed or taken away; still JSON."""
    tree = json.loads(content)
    for _ in range(source.randint(1, 3)):
        node, key = tree, source.choice(list(tree))
        while isinstance(node[key], dict | list) and node[key] and source.random() < 0.9:
            node = node[key]
            key = source.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node, dict) and source.random() < 0.2 and len(node) > 1:
            del node[key]
        else:
            node[key] = copy.deepcopy(source.choice(VALUES))
    return json.dumps(tree).encode()


def mutate(folder, form, times):
    """Reads mutated inputs; returns how many of them gave a data set, and the longest time."""
    name, content = INPUTS[form]
    for picture in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(folder / picture)
    lists = folder / "ImageSets" / "Main"
    if form == "voc":
        lists.mkdir(parents=True)
        for other in "bcdef":
            (folder / f"{other}.xml").write_text(VOC)
    source, opened, longest = random.Random(form), 0, 0.0
    for i in range(times):
        change = mutated_tree if form == "coco" and i % 2 else mutated
        (folder / name).write_bytes(change(content.encode(), source))
        if form == "voc" and i % 4 == 0:
            (lists / "train.txt").write_bytes(mutated(LISTS.encode(), source))
        elif form == "voc" and i % 4 == 1:
            (lists / "train.txt").unlink()
        start = time.perf_counter()
        try:
            dataset = read_voc(folder) if form == "voc" else read_coco(folder / name)
        except InputError:
            pass
        else:
            opened += 1
            assert 1 <= len(dataset) <= 6
            boxes = dataset.records.boxes
            assert ((boxes >= 0) & (boxes <= 1)).all()
            assert (boxes[:, 2:] > boxes[:, :2]).all()
        longest = max(longest, time.perf_counter() - start)
    return opened, longest


@pytest.mark.parametrize("form", INPUTS)
def test_a_few_mutated_inputs(tmp_path, form):
    opened, _ = mutate(tmp_path, form, 150)
    assert 0 < opened < 150


@pytest.mark.slow
@pytest.mark.parametrize("form", INPUTS)
def test_ten_thousand_mutated_inputs(tmp_path, form):
    with measured() as memory:
        opened, longest = mutate(tmp_path, form, 10_000)
    print(f"{form}: {opened} of 10,000 gave a data set, the longest took {longest:.2f} s")
    assert 0 < opened < 10_000
    assert longest < 5
    assert memory.growth < 1e9
