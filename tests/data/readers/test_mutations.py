"""Damaged annotations: thousands of mutated inputs give a data set or `InputError`, and quickly."""

import json
import random
import time

import pytest
from peak_memory import measured
from PIL import Image

from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

VIA = {"a.jpg1": {"filename": "a.jpg", "size": 1, "file_attributes": {}, "regions": [
    {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 40},
     "region_attributes": {"class": "dog"}},
    {"shape_attributes": {"name": "polygon", "all_points_x": [1, 2], "all_points_y": [3, 4]},
     "region_attributes": {"class": {"cat": True}}}]}}  # fmt: skip
CREATEML = [{"image": "a.jpg", "annotations": [
    {"label": "dog", "coordinates": {"x": 50, "y": 40, "width": 30, "height": 40}}]}]  # fmt: skip

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
TOKENS = (
    *(b"nan", b"-1", b"1e999", b"0", b"\0", b"\xff", b"\n", b",", b";", b'"', b"{", b"[", b"]"),
    *(b"null", b"true", b"..", b"/", b"\\", b": ", b"- ", b"\xef\xbb\xbf", b"\xff\xfe", b"%zz"),
    *(b"9" * 400, b"[" * 200, "é".encode(), b"1.5", b"train", b"images", b"\t", b"'", b"?"),
    *(b"|", b"#", b"&a *a"),
)  # fmt: skip


def mutated(content, random):
    """The content with one to four pieces changed, taken away, doubled or put elsewhere."""
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(content) + 1)
        end = min(len(content), start + random.choice((0, 1, 1, 2, 5, 20)))
        moved, doubled = content[end : end + 9], content[start:end] * 2
        piece = random.choice((b"", random.choice(TOKENS), doubled, moved, random.randbytes(1)))
        content = content[:start] + piece + content[end:]
    return content


def mutate(folder, form, times):
    """Opens mutated inputs; returns how many of them gave a data set, and the longest time."""
    name, content = INPUTS[form]
    for picture in ("images/a.jpg", "images/b.jpg", "a.jpg", "label_2/a.jpg"):
        (folder / picture).parent.mkdir(exist_ok=True)
        Image.new("RGB", (100, 80)).save(folder / picture)
    for other, text in BESIDE.get(form, {}).items():
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_text(text)
    (folder / name).parent.mkdir(exist_ok=True)
    spec = (
        folder
        if form == "kitti"
        else folder / ("data.yaml" if "data.yaml" in BESIDE.get(form, {}) else name)
    )
    source, opened, longest = random.Random(form), 0, 0.0
    for _ in range(times):
        (folder / name).write_bytes(mutated(content.encode(), source))
        start = time.perf_counter()
        try:
            open_dataset(spec, format="kitti" if form == "kitti" else None)
            opened += 1
        except InputError:
            pass
        longest = max(longest, time.perf_counter() - start)
    return opened, longest


@pytest.mark.parametrize("form", INPUTS)
def test_a_few_mutated_inputs(tmp_path, form):
    opened, _ = mutate(tmp_path, form, 100)
    assert 0 < opened < 100


@pytest.mark.slow
@pytest.mark.parametrize("form", INPUTS)
def test_ten_thousand_mutated_inputs(tmp_path, form):
    with measured() as memory:
        opened, longest = mutate(tmp_path, form, 10_000)
    assert 0 < opened < 10_000
    assert longest < 5
    assert memory.growth < 1e9
