import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolov2_tf.data.readers.yolo_txt import find_yolo, read_yolo
from yolov2_tf.errors import InputError


def write(folder, labels, yaml="train: images/train\nnames: [cat, dog]\n", split="train"):
    """Writes a data set; `labels` maps file stems to label text, or None for no label file."""
    (folder / "images" / split).mkdir(parents=True, exist_ok=True)
    (folder / "labels" / split).mkdir(parents=True, exist_ok=True)
    for stem, text in labels.items():
        Image.new("RGB", (100, 80)).save(folder / "images" / split / f"{stem}.jpg")
        if text is not None:
            (folder / "labels" / split / f"{stem}.txt").write_text(text)
    (folder / "data.yaml").write_text(yaml)
    return folder / "data.yaml"


def test_boxes_are_centres_and_sizes(tmp_path):
    path = write(tmp_path, {"a": "1 0.5 0.25 0.2 0.5\n\n0 0.5 0.5 1 1", "b": ""})
    dataset = read_yolo(path)
    first, second = dataset.records
    np.testing.assert_allclose(first.boxes, [[0, 0.4, 0.5, 0.6], [0, 0, 1, 1]], atol=1e-7)
    assert first.labels.tolist() == [1, 0]
    assert (first.width, first.height) == (100, 80)
    assert first.image_id == "images/train/a.jpg"
    assert second.boxes.shape == (0, 4)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.name == f"{tmp_path.name} train"
    assert dataset.notes == ()


def test_an_outline_becomes_its_bounding_box(tmp_path):
    path = write(tmp_path, {"a": "0 0.1 0.2 0.5 0.1 0.3 0.9\n1 0 0 .5 0 .5 .25 0 .25"})
    boxes = read_yolo(path).records[0].boxes
    np.testing.assert_allclose(boxes, [[0.1, 0.1, 0.9, 0.5], [0, 0, 0.25, 0.5]], atol=1e-7)


def test_a_picture_without_a_label_file_is_background_and_told(tmp_path):
    path = write(tmp_path, {"a": "0 .5 .5 1 1", "b": None})
    dataset = read_yolo(path)
    assert [len(record.boxes) for record in dataset.records] == [1, 0]
    assert dataset.notes == (
        "pictures without a label file, taken as background: 1 (images/train/b.jpg)",
    )


def test_no_label_file_at_all_raises(tmp_path):
    with pytest.raises(InputError, match=r"not one picture has a label file.*labels/train/a\.txt"):
        read_yolo(write(tmp_path, {"a": None}))


def test_splits(tmp_path):
    yaml = "train: images/train\nval: [images/val, images/train]\ntest:\nnames: [cat, dog]"
    write(tmp_path, {"a": "0 .5 .5 1 1"})
    path = write(tmp_path, {"b": "0 .5 .5 1 1"}, yaml, "val")
    ids = lambda split: [os.path.basename(r.image) for r in read_yolo(path, split=split).records]  # noqa: E731
    assert ids("train") == ["a.jpg"]
    assert ids("val") == ["b.jpg", "a.jpg"]
    assert ids(None) == ["a.jpg", "b.jpg"]
    assert "train, val found" in read_yolo(path).notes[0]
    with pytest.raises(InputError, match=r"no image set 'test'.*train, val"):
        ids("test")


def test_a_list_of_pictures(tmp_path):
    yaml = "train: lists/train.txt\nnames: [cat, dog]"
    path = write(tmp_path, {"a": "0 .5 .5 1 1", "b": "1 .5 .5 1 1", "c": ""}, yaml)
    (tmp_path / "lists").mkdir()
    lines = ["../images/train/b.jpg", "images/train/a.jpg", "", "./images/train/gone.jpg"]
    (tmp_path / "lists" / "train.txt").write_text("\n".join(lines))
    dataset = read_yolo(path)
    assert [r.image_id for r in dataset.records][:2] == ["images/train/b.jpg", "images/train/a.jpg"]
    assert dataset.records[2].image is None
    assert dataset.notes[-1] == "pictures not found: 1 (lists/images/train/gone.jpg)"


@pytest.mark.parametrize(
    "root", ["path: .", "path: /nowhere/coco", "path: sub/..", "path: ''", "train: ../images/train"]
)
def test_roots_as_found_in_the_wild(tmp_path, root):
    (tmp_path / "sub").mkdir()
    yaml = f"names: [cat, dog]\n{root}\n" + ("" if "train" in root else "train: images/train\n")
    dataset = read_yolo(write(tmp_path, {"a": "0 .5 .5 1 1"}, yaml))
    assert dataset.records[0].image_id == "images/train/a.jpg"


def test_a_relative_path_from_inside_the_folder(tmp_path, monkeypatch):
    write(tmp_path, {"a": "0 .5 .5 1 1"})
    monkeypatch.chdir(tmp_path)
    assert read_yolo("data.yaml").num_boxes == 1


def test_the_root_may_be_given(tmp_path):
    path = write(tmp_path / "here", {})
    write(tmp_path / "there", {"a": "0 .5 .5 1 1"})
    assert "there" in read_yolo(path, images=tmp_path / "there").records[0].image


def test_names_as_list_or_dict_are_text(tmp_path):
    names = "names: {0: no, 1: 007, 2: '2024-01-01'}\nnc: 3\n"
    dataset = read_yolo(write(tmp_path, {"a": "2 .5 .5 1 1"}, "train: images/train\n" + names))
    assert dataset.class_names == ("no", "007", "2024-01-01")


def test_class_names_of_a_model(tmp_path):
    path = write(tmp_path, {"a": "1 .5 .5 1 1\n0 .5 .5 1 1"})
    assert read_yolo(path, class_names=["dog", "cow", "cat"]).records[0].labels.tolist() == [0, 2]
    with pytest.raises(InputError, match=r"a\.txt:2: unknown class 'cat' \(expected dog"):
        read_yolo(path, class_names=["dog"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("0 .5 .5 1 1\n2 .5 .5 1 1", r"a\.txt:2: class id 2 is out of range \(expected 0 to 1\)"),
        ("-1 .5 .5 1 1", r"a\.txt:1: class id -1 is out of range"),
        ("0.5 .5 .5 1 1", r"a\.txt:1: class id 0\.5 is out of range"),
        ("\n\n0 .5 .5 1", r"a\.txt:3: 3 numbers after the class"),
        ("0 .5 .5 1 1 45", r"a\.txt:1: 5 numbers after the class, the last is 45"),
        ("0 .5 .5 1 1 .1 .2 .3 .4 .5", r"a\.txt:1: 9 numbers after the class"),
        ("0 .5 nan 1 1", r"a\.txt:1: 'nan' is not a finite number"),
        ("0 .5 1e999 1 1", r"a\.txt:1: '1e999' is not a finite number"),
        ("cow .5 .5 1 1", r"a\.txt:1: 'cow' is no number and no class \(expected 0 to 1\)"),
        ("0 50 40 20 30", r"a\.txt:1: 1 of 1 rows are in pixels.*expected fractions"),
    ],
)
def test_bad_labels_raise_with_file_and_line(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        read_yolo(write(tmp_path, {"a": labels}))


def test_mended_boxes_are_told_with_file_and_line(tmp_path):
    labels = "0 .5 .5 1 1\n\n0 .5 .5 -.1 .1\n0 .5 .5 0 .1\n0 .9 .5 .4 .4"
    dataset = read_yolo(write(tmp_path, {"a": labels}))
    assert len(dataset.records[0].boxes) == 3
    swapped, empty, clipped = dataset.notes
    assert "swapped" in swapped
    assert "a.txt:3)" in swapped
    assert "a.txt:4)" in empty
    assert "a.txt:5)" in clipped


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("train: [\nnames", r"data\.yaml:2: malformed YAML"),
        ("a: b: c", r"data\.yaml:1: malformed YAML"),
        ("- a", "no keys"),
        ("", "no keys"),
        ("train: images/train", "'names' is missing"),
        ("train: images/train\nnames: cat", "'names' is missing, or no list"),
        ("train: images/train\nnames: [[cat]]", "'names' is missing, or no list"),
        ("train: images/train\nnames: {0: cat, x: dog}", "the keys of 'names' are '0', 'x'"),
        ("train: images/train\nnames: {1: cat, 2: dog}\nnc: 1", "'nc' is 1, but there are 2"),
        ("train: images/train\nnames: [cat]\nkpt_shape: 5", "'kpt_shape' is '5'"),
        ("train: images/train\nnames: [cat]\nnc: 3", "'nc' is 3, but there are 1 names"),
        ("train: images/train\nnames: [cat, cat]", "class names occur twice: cat"),
        ("train: nowhere\nnames: [cat, dog]", "'train' is 'nowhere': neither a folder nor"),
        ("train: labels/train\nnames: [cat, dog]", "no pictures in .*labels/train"),
        ("names: [cat, dog]", "no image sets"),
    ],
)
def test_a_bad_yaml_raises(tmp_path, yaml, message):
    with pytest.raises(InputError, match=message):
        read_yolo(write(tmp_path, {"a": "0 .5 .5 1 1"}, yaml))


@pytest.mark.parametrize("yaml", ["nc: 0", "names: []", "names: {}"])
def test_no_class_at_all(tmp_path, yaml):
    path = write(tmp_path, {"a": "0 .5 .5 1 1"}, f"train: images/train\n{yaml}\n")
    with pytest.raises(InputError, match=r"data\.yaml: no classes: none is named or counted"):
        read_yolo(path)


def test_label_files_of_another_encoding_raise(tmp_path):
    path = write(tmp_path, {"a": ""})
    (tmp_path / "labels" / "train" / "a.txt").write_bytes(b"0 .5 .5 1 1\n\xff\xfe")
    with pytest.raises(InputError, match=r"a\.txt:2: not UTF-8 text"):
        read_yolo(path)


def test_a_broken_picture_does_not_stop_the_reader(tmp_path):
    path = write(tmp_path, {"a": "0 .5 .5 1 1"})
    (tmp_path / "images" / "train" / "a.jpg").write_bytes(b"")
    (record,) = read_yolo(path).records
    assert (record.width, record.height) == (0, 0)


@pytest.mark.parametrize(
    "row",
    [
        "0.0 0.5 0.5 0.2 0.4",
        "0.0e+00 5.0e-01 5.0e-01 2.0e-01 4.0e-01",
        "# made by hand\n0 .5 .5 .2 .4",
        "\n// made by hand\n\n0 0,5 0,5 0,2 0,4",
        "0, .5, .5, .2, .4",
    ],
)
def test_a_folder_without_a_yaml_is_known_by_what_the_reader_reads(tmp_path, row):
    write(tmp_path, {"a": row, "b": row.replace("0", "1", 1)})
    (tmp_path / "data.yaml").unlink()
    assert find_yolo(tmp_path) == tmp_path
    dataset = read_yolo(tmp_path)
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.3, 0.4, 0.7, 0.6]], atol=1e-7)


def test_classes_by_number_may_be_floats(tmp_path):
    write(tmp_path, {"a": "0.0 .5 .5 .2 .4\n2.0 .5 .5 .2 .4"})
    (tmp_path / "data.yaml").unlink()
    dataset = read_yolo(tmp_path)
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.records[0].labels.tolist() == [0, 2]


@pytest.mark.parametrize(
    "row", ["Car 0 0 1.5 10 20 30 60 1 1 3 1 2 8 1", "a photo of 2 dogs", "0 1"]
)
def test_other_texts_beside_pictures_are_no_labels(tmp_path, row):
    write(tmp_path, {"a": row})
    (tmp_path / "data.yaml").unlink()
    assert find_yolo(tmp_path) is None


def test_an_id_that_is_no_class_costs_no_memory(tmp_path):
    path = write(tmp_path, {"a": "0 .5 .5 .2 .2\n60000000 .5 .5 .2 .2"})
    path.unlink()
    with pytest.raises(InputError, match=r"a\.txt:2: class id 60000000 is out of .*0 to 99,999 wh"):
        read_yolo(tmp_path)
    path.write_text("train: images/train\nnc: 60000000\n")
    with pytest.raises(
        InputError, match=r"data\.yaml: 60000000 classes \(expected at most 100,000"
    ):
        read_yolo(path)


def test_pictures_that_differ_by_case_have_labels_of_their_own(tmp_path):
    path = write(tmp_path, {"a": "0 .5 .5 1 1", "A": None, "B": None, "C": "1 .5 .5 .5 .5"})
    (tmp_path / "labels" / "train" / "b.txt").write_text("1 .5 .5 .2 .2")
    boxes = {r.image_id[-5:]: r.labels.tolist() for r in read_yolo(path).records}
    assert boxes == {"a.jpg": [0], "A.jpg": [], "B.jpg": [1], "C.jpg": [1]}


fuzz = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
words = st.sampled_from(["0", "1", ".5", ".1", "1", "-1", "nan", "x", "1e9", "\n", "2"])


@fuzz
@given(
    st.one_of(st.binary(max_size=40), st.lists(words, max_size=12).map(" ".join).map(str.encode))
)
def test_any_label_file_gives_a_record_or_input_error(tmp_path, content):
    path = write(tmp_path, {"a": ""})
    (tmp_path / "labels" / "train" / "a.txt").write_bytes(content)
    try:
        assert len(read_yolo(path)) == 1
    except InputError:
        return


pieces = st.sampled_from(
    (
        *("train", "names", "path", "nc", ": ", "\n", "- ", "[", "]", "{", "}", ", ", "a", "0"),
        *("images/train", "..", "/", "&a ", "*a", "<<", "'", '"', "\\0", "?", "|", "\t", "!!bool "),
    )
)


@fuzz
@given(
    st.one_of(st.binary(max_size=40), st.lists(pieces, max_size=14).map("".join).map(str.encode))
)
@example(b"names: " + b"[" * 500)
@example(b"train: " + b"a" * 5000 + b"\nnames: [a]")
@example(b'train: "a\\0"\nnames: [a]')
def test_any_yaml_gives_records_or_input_error(tmp_path, content):
    path = write(tmp_path, {"a": "0 .5 .5 1 1"})
    path.write_bytes(content)
    try:
        assert len(read_yolo(path)) == 1
    except InputError:
        return


def test_yolo_txt_sample(shared_data):
    dataset = read_yolo(shared_data / "yolo_txt_sample" / "data.yaml")
    assert len(dataset) == 40
    assert len(dataset.class_names) == 80
    assert dataset.num_boxes > 200
    assert all(os.path.isfile(record.image) for record in dataset.records)
    assert all(record.width and record.height for record in dataset.records)


def test_the_same_pictures_in_coco_and_yolo_form_agree(shared_data):
    from yolov2_tf.data.readers.coco_json import read_coco

    coco = read_coco(shared_data / "coco_sample" / "annotations" / "instances_val2017.json")
    yolo = read_yolo(shared_data / "yolo_txt_sample" / "data.yaml", class_names=coco.class_names)
    by_name = {os.path.basename(record.image): record for record in coco.records}
    shared = [r for r in yolo.records if os.path.basename(r.image) in by_name]
    if not shared:
        pytest.skip("the two samples have no picture in common")
    for record in shared:
        other = by_name[os.path.basename(record.image)]
        order, other_order = np.lexsort(record.boxes.T), np.lexsort(other.boxes.T)
        np.testing.assert_allclose(record.boxes[order], other.boxes[other_order], atol=1e-4)


def test_labels_beside_a_picture_come_before_those_of_a_folder_above(tmp_path):
    own = tmp_path / "batch2"
    for path, row in {"batch2/a.txt": "1 .5 .5 .5 .5", "labels/a.txt": "0 .1 .1 .1 .1"}.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(row)
    (tmp_path / "labels" / "other.txt").write_text("0 .5 .5 .5 .5")
    Image.new("RGB", (100, 80)).save(own / "a.jpg")
    (own / "classes.txt").write_text("cat\ndog\n")
    dataset = read_yolo(own)
    assert [dataset.class_names[label] for label in dataset.records[0].labels] == ["dog"]
    assert dataset.notes == ("pictures with two label files, one read: 1 (a.txt)",)


def test_below_images_the_labels_apart_are_meant(tmp_path):
    path = write(tmp_path, {"a": "1 .5 .5 .5 .5"})
    (tmp_path / "images" / "train" / "a.txt").write_text("0 .1 .1 .1 .1")
    dataset = read_yolo(path)
    assert dataset.records[0].labels.tolist() == [1]
    two = "pictures with two label files, one read: 1 (labels/train/a.txt)"
    assert dataset.notes == (two,)
