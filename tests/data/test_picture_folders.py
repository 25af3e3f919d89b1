"""Which folders hold the pictures of an image set."""

import pytest

from yolov2_tf.data.picture_folders import folders_of_set


@pytest.mark.parametrize(
    ("name", "there", "found"),
    [
        ("train", ["train", "val"], ["train"]),
        ("train_annotations", ["train", "val"], ["train"]),
        ("val", ["valid", "train"], ["valid"]),
        ("val2017", ["val2014", "val2017"], ["val2017"]),  # no picture of another year
        ("val2017", ["val2014", "train2017"], ["val2014"]),
        ("default", ["train", "val"], []),
        ("night", ["night", "day"], ["night"]),
    ],
)
def test_folders_of_the_name_and_of_its_purpose(tmp_path, name, there, found):
    for folder in there:
        (tmp_path / folder).mkdir()
    assert folders_of_set(name, [tmp_path / "absent", tmp_path]) == [
        tmp_path / folder / part for folder in found for part in ("", "images")
    ]
