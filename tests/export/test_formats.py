"""Options that a form or a network has not, before it is opened."""

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.export.formats import (
    KERAS,
    check_running_options,
    check_tree_options,
    format_to_write,
)


def test_options_of_trees_are_for_networks_with_one():
    given = {"tree_threshold": None, "map": "coco9k.map"}
    check_tree_options(object(), given, "m.keras")
    check_tree_options(None, {"tree_threshold": None}, "m.keras")
    with pytest.raises(InputError, match=r"m\.keras: has no label tree \(expected no --map\)"):
        check_tree_options(None, given, "m.keras")


def test_a_size_that_memory_cannot_hold_is_refused_before_anything_is_opened():
    with pytest.raises(InputError, match="at most 8,192"):
        check_running_options(KERAS, {"size": 100_000}, "m.keras")


def test_a_folder_is_no_file_to_write(tmp_path):
    (tmp_path / "m.tflite").mkdir()
    with pytest.raises(InputError, match=r"m\.tflite: is a folder"):
        format_to_write(tmp_path / "m.tflite", None, {})
    assert format_to_write(tmp_path, "saved_model", {}).name == "saved_model"
