"""Crops of detections: none takes the place of another."""

from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.drawing.annotated import Crops

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
