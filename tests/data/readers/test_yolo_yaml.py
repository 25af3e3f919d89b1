import pytest

from yolov2_tf.data.readers.yolo_yaml import load_yaml
from yolov2_tf.errors import InputError


def load(folder, text):
    (folder / "data.yaml").write_text(text)
    return load_yaml(folder / "data.yaml")


def test_of_a_key_that_is_there_again_the_last_is_taken_and_said(tmp_path):
    content, notes = load(tmp_path, "train: a\nnames: [cat]\ntrain: b\n")
    assert content == {"train": "b", "names": ["cat"]}
    assert notes == [f"{tmp_path / 'data.yaml'}: 'train' is there 2 times, the last is taken"]
    assert load(tmp_path, "train: a\nnames: {0: cat, 1: dog}\n")[1] == []


def test_a_class_number_that_is_there_again_is_refused(tmp_path):
    message = r"data\.yaml:4: malformed YAML: the number 0 is there 2 times"
    with pytest.raises(InputError, match=message):
        load(tmp_path, "train: a\nnames:\n  0: cat\n  0: dog\n  1: bird\n")
