import pytest

from yolov2_tf.data.readers.yolo_txt import read_yolo
from yolov2_tf.data.readers.yolo_yaml import load_yaml
from yolov2_tf.errors import InputError

ALIASES = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


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


@pytest.mark.parametrize("use", ["train: *x11", "names: *x11", "nc: *x11", "path: *x11"])
def test_aliases_of_aliases_are_refused(tmp_path, use):
    """A kilobyte that would be 31,000,000,000 letters."""
    path = tmp_path / "data.yaml"
    path.write_text(f"{ALIASES}train: images\nnames: [dog]\n{use}\n")
    with pytest.raises(InputError, match=r"data\.yaml:2: malformed YAML: aliases"):
        read_yolo(path)


def test_a_huge_description_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "data.yaml"
    path.write_text("names: [" + "a, " * 400_000 + "b]\n")
    with pytest.raises(InputError, match=r"a description of 1,200,\d+ letters"):
        read_yolo(path)
