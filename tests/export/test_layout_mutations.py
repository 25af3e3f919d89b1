"""Damaged `yolov2.json` in a `.tflite`: a layout or `InputError`, soon and in little memory."""

import json
import random
import zipfile

import pytest
from mutated_inputs import check_thousands, mutated, mutated_json, open_all

from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import LAYOUT_FILE, Layout, read_layout
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["animal", "plant", "cat", "dog"], [-1, -1, 0, 0])
DESCRIPTION = json.dumps(
    Layout(
        class_names=("animal", "plant", "cat", "Vögel"),
        anchors=((1.0, 1.5), (3.0, 2.0)),
        input_size=416,
        resize="letterbox",
        nms=True,
        score_threshold=0.005,
        iou_threshold=0.45,
        max_detections=100,
        tree=TREE,
        tree_threshold=0.5,
        writer="a test",
    ).to_json()
).encode()


def write(path, text, method=zipfile.ZIP_STORED):
    path.write_bytes(b"network" * 20)
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(LAYOUT_FILE, text)
    return path


def test_a_description_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = write(tmp_path / "a.tflite", bytes(100 << 20), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1e6
    with pytest.raises(InputError, match="damaged, or not written by this package"):
        read_layout(path)


def test_an_archive_with_a_password_is_refused(tmp_path):
    path = write(tmp_path / "a.tflite", DESCRIPTION)
    content = bytearray(path.read_bytes())
    for start in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
        content[start] |= 1  # "encrypted"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged, or not written by this package"):
        read_layout(path)


def test_a_side_of_two_billion_pixels_is_refused(tmp_path):
    text = DESCRIPTION.replace(b'"input_size": 416', b'"input_size": 2147483648')
    with pytest.raises(InputError, match=r"input_size is 2147483648, expected .* at most 8192"):
        read_layout(write(tmp_path / "a.tflite", text))


def mutate(folder, times):
    source, path = random.Random("layout"), folder / "a.tflite"

    def prepare(number):
        if number % 3 == 0:
            write(path, mutated_json(DESCRIPTION, source))
        elif number % 3 == 1:
            write(path, mutated(DESCRIPTION, source))
        else:
            path.write_bytes(mutated(write(path, DESCRIPTION).read_bytes(), source))

    def opening():
        layout = read_layout(path)
        assert 1 <= layout.input_size <= 8192
        "".join(layout.class_names).encode()

    return open_all(prepare, opening, times)


def test_a_few_mutated_files(tmp_path):
    assert 0 < mutate(tmp_path, 200).opened < 200


@pytest.mark.slow
def test_ten_thousand_mutated_files(tmp_path):
    check_thousands("layouts", mutate(tmp_path, 10_000))
