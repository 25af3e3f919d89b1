"""Annotations and crops of detections: none takes the place of another."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.source import open_dataset
from yolov2_tf.drawing.annotated import Annotations, Crops
from yolov2_tf.drawing.media_finder import Source

FOUND = {"boxes": [[0, 0, 0.5, 0.5], [0.2, 0.2, 1, 1]], "labels": [0, 1]}
IMAGE = np.zeros((20, 30, 3), np.uint8)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_pictures_of_one_stem_have_crops_of_their_own(tmp_path):
    crops = Crops(tmp_path, ["cat", "dog"])
    for place in ("a.jpg", "a.png", "sub/a.jpg"):
        crops.add(Path(place), IMAGE, FOUND)
    assert files(tmp_path) == [
        *("cat/a-1.png", "cat/a.png-1.png", "cat/sub/a-1.png"),
        *("dog/a-1.png", "dog/a.png-1.png", "dog/sub/a-1.png"),
    ]


@pytest.mark.parametrize("names", [("a/b", "a:b"), ("cat.", "cat")])
def test_classes_of_one_folder_are_numbered_together(tmp_path, names):
    Crops(tmp_path, names).add(Path("x.jpg"), IMAGE, FOUND)
    assert [Path(file).name for file in files(tmp_path)] == ["x-1.png", "x-2.png"]


@pytest.mark.parametrize("form", ["yolo", "coco"])
def test_annotations_of_a_tree_tell_nodes_of_one_name_apart(tmp_path, form):
    Image.fromarray(IMAGE).save(tmp_path / "x.png")
    annotations = Annotations(tmp_path / "out", form, ["crane", "dog", "crane"])
    found = {**FOUND, "labels": [0, 2]}
    annotations.add(
        Source("x.png", "picture", Path("x.png"), str(tmp_path / "x.png")), IMAGE, found
    )
    annotations.write()
    dataset = open_dataset(tmp_path / "out")
    assert dataset.class_names == ("crane (0)", "dog", "crane (2)")
    assert sorted(dataset.records[0].labels) == [0, 2]
