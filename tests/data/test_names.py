"""Names that cannot be written are refused when a data set is opened."""

import json
import os

import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.labels import open_classification
from yolov2_tf.data.names import as_shown, check_names, is_utf8, label_lines, trimmed_names
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

HALF = "x\ud800"
BYTE = os.fsdecode(b"stra\xdfe")


@pytest.fixture(scope="module", autouse=True)
def _bytes_are_names(tmp_path_factory):
    try:
        (tmp_path_factory.mktemp("names") / BYTE).touch()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40)).save(path)


def yolo(folder, *stems):
    for stem in stems:
        picture(folder / "images" / f"{stem}.jpg")
        label = folder / "labels" / f"{stem}.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 .5 .5 .4 .4\n")
    (folder / "classes.txt").write_text("person\n")
    return folder


def test_a_picture_whose_name_is_not_utf8_is_named(tmp_path):
    with pytest.raises(InputError, match="not UTF-8") as raised:
        open_dataset(yolo(tmp_path, "a", BYTE, "z"))
    assert raised.value.where.endswith(r"images/stra\xdfe.jpg")
    assert "convmv" in raised.value.hint
    str(raised.value).encode()  # it can be printed


@pytest.mark.parametrize("stems", [(BYTE,), (BYTE, BYTE + "2"), ("a", "b", BYTE)])
def test_wherever_it_stands(tmp_path, stems):
    with pytest.raises(InputError, match=r"stra\\xdfe\.jpg"):
        open_dataset(yolo(tmp_path, *stems))


def test_other_letters_are_names_like_all(tmp_path):
    assert len(open_dataset(yolo(tmp_path, "straße", "写真", "a\nb"))) == 3


def coco(folder, file, category):
    picture(folder / "a.jpg")
    content = {
        "images": [{"id": 1, "file_name": file, "width": 60, "height": 40}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [10, 20, 20, 10]}],
        "categories": [{"id": 5, "name": category}],
    }
    (folder / "instances_default.json").write_text(json.dumps(content))
    return folder


def test_halves_of_letters_in_json_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"class name 'x\\\\ud800' cannot be written") as raised:
        open_dataset(coco(tmp_path, "a.jpg", HALF))
    str(raised.value).encode()


def test_folders_of_classes(tmp_path):
    picture(tmp_path / "cat" / f"{BYTE}.jpg")
    with pytest.raises(InputError, match=r"stra\\xdfe\.jpg"):
        open_classification(tmp_path)
    (tmp_path / "cat" / f"{BYTE}.jpg").unlink()
    picture(tmp_path / BYTE / "a.jpg")
    with pytest.raises(InputError, match="class name"):
        open_classification(tmp_path)


@pytest.mark.parametrize(
    "changed", [{"image_id": HALF}, {"image": HALF}, {"image_sets": ("train", HALF)}]
)
def test_each_name_of_a_record_is_looked_at(changed):
    made = {"image": "a.jpg", "image_id": "a", "boxes": [], "labels": [], "ignore": []}
    good = Dataset("", ("cat",), [Record(**made)] * 2)
    assert check_names(good) is good
    with pytest.raises(InputError, match="ud800"):
        check_names(Dataset("", ("cat",), [Record(**made), Record(**{**made, **changed})]))


def test_texts_as_they_are_shown():
    assert (is_utf8("é"), is_utf8(BYTE)) == (True, False)
    assert as_shown("é") == "é"
    assert as_shown(BYTE) == r"stra\xdfe"
    assert as_shown(HALF + "é") == r"x\ud800é"


def test_a_label_file_has_a_line_for_each_class():
    names = ["a\nb", "two\r\nlines", " c\u2028d ", "é {}", "e\r"]
    assert label_lines(names).splitlines() == ["a b", "two lines", " c d ", "é {}", "e"]


def test_names_that_are_trimmed_stay_apart():
    assert trimmed_names([" a", "b c ", "d"], "x") == ["a", "b c", "d"]
    for names, said in ((["a", " "], "' ' is empty"), (["a", "a "], "'a ' is 'a', too")):
        with pytest.raises(InputError, match=said):
            trimmed_names(names, "x")
