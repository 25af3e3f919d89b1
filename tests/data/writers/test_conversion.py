"""Going through several forms and back changes nothing that these can say."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert, number
from yolov2_tf.errors import InputError


def described(dataset):
    """By the stem of the picture: size, and boxes in pixels with class and flag."""
    found = {}
    for record in dataset.records:
        stem = str(record.image).rsplit("/", 1)[-1].rsplit(".", 1)[0]
        size = (record.height, record.width) * 2
        names = [dataset.class_names[label] for label in record.labels]
        rows = zip(names, record.ignore.tolist(), (record.boxes * size).tolist(), strict=True)
        assert stem not in found
        found[stem] = (size[:2], list(rows))  # their order is kept too
    return found


def check_same(before, after, ignored=True):
    before, after = described(before), described(after)
    assert before.keys() == after.keys()
    for stem, (size, rows) in before.items():
        assert after[stem][0] == size
        assert [row[0] for row in rows] == [row[0] for row in after[stem][1]]
        if ignored:
            assert [row[1] for row in rows] == [row[1] for row in after[stem][1]]
        if rows:
            differences = np.subtract([r[2] for r in rows], [r[2] for r in after[stem][1]])
            assert np.abs(differences).max() < 0.01


def picture(folder, name, size=(200, 100)):
    folder.mkdir(exist_ok=True)
    Image.new("RGB", size).save(folder / name)
    return str(folder / name)


def record(image, image_id, boxes=((0.1, 0.2, 0.5, 0.9),), labels=(0,), ignore=(False,), sets=()):
    return Record(
        image,
        image_id,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int32),
        np.array(ignore, bool),
        200,
        100,
        image_sets=sets,
    )


@pytest.fixture
def small(tmp_path):
    """Two image sets, a background picture, an ignored box, and the same file name twice."""
    boxes = ((0.1, 0.2, 0.5, 0.9), (0.123456, 0, 0.7, 1 / 3))
    return Dataset(
        "small",
        ("cat & <dog>", "zebra, striped", "never seen"),
        [
            record(picture(tmp_path / "p", "b.jpg"), "p/b", boxes, (1, 0), (0, 1), ("train",)),
            record(picture(tmp_path / "p", "é 1.png"), "x", (), (), (), ("train",)),
            record(picture(tmp_path / "q", "b.jpg"), "q/b", sets=("val",)),
        ],
    )


@pytest.mark.parametrize("form", ["voc", "coco", "yolo"])
def test_there_and_back(small, tmp_path, form):
    convert(small, tmp_path / "out", form)
    train = open_dataset(tmp_path / "out", split="train", class_names=small.class_names)
    val = open_dataset(tmp_path / "out", split="val", class_names=small.class_names)
    assert [len(r.boxes) for r in train.records] == [2, 0]  # in the same order
    assert [len(r.boxes) for r in val.records] == [1]
    renamed = {"b": "p_b"}
    before, after = described(Dataset("", small.class_names, small.records[:2])), described(train)
    for stem, (size, rows) in before.items():
        assert after[renamed.get(stem, stem)][0] == size
        for row, other in zip(rows, after[renamed.get(stem, stem)][1], strict=True):
            assert row[0] == other[0]
            assert form == "yolo" or row[1] == other[1]
            np.testing.assert_allclose(row[2], other[2], atol=0.01)


@pytest.mark.parametrize(
    ("ids", "sets", "expected"),
    [
        (("000012", "7"), ("train", "train"), [12, 7]),
        (("train/3", "val/3"), ("train", "val"), [3, 3]),  # a file each
        (("a/3", "b/3"), ("train", "train"), [1, 2]),
        (("3", "x"), ("train", "train"), [1, 2]),
    ],
)
def test_pictures_keep_ids_that_are_numbers_in_coco(tmp_path, ids, sets, expected):
    records = [
        record(picture(tmp_path / "p", f"{i}.jpg"), name, sets=(subset,))
        for i, (name, subset) in enumerate(zip(ids, sets, strict=True))
    ]
    convert(Dataset("", ("cat",), records), tmp_path / "out", "coco", category_ids={"cat": "text"})
    found = []
    for name in dict.fromkeys(sets):
        path = tmp_path / "out" / "annotations" / f"instances_{name}.json"
        content = json.loads(path.read_text())
        assert content["categories"] == [{"id": 1, "name": "cat"}]
        found += [entry["id"] for entry in content["images"]]
        assert {box["image_id"] for box in content["annotations"]} <= {*found}
    assert found == expected


def test_csv_and_back(small, tmp_path):
    notes = convert(small, tmp_path / "out", "csv")
    assert any("1 boxes that neither train nor count" in note for note in notes)
    train = open_dataset(tmp_path / "out" / "train.csv", class_names=small.class_names)
    assert [len(r.boxes) for r in train.records] == [2, 0]


def test_tfrecord_holds_what_the_object_detection_api_reads(small, tmp_path):
    import tensorflow as tf

    convert(small, tmp_path / "out", "tfrecord")
    path = str(tmp_path / "out" / "train.tfrecord")
    first, second = map(
        tf.train.Example.FromString, tf.data.TFRecordDataset(path).as_numpy_iterator()
    )
    feature = first.features.feature
    assert feature["image/filename"].bytes_list.value == [b"p_b.jpg"]
    assert feature["image/format"].bytes_list.value == [b"jpeg"]
    assert feature["image/height"].int64_list.value == [100]
    assert feature["image/object/class/label"].int64_list.value == [2, 1]
    assert feature["image/object/class/text"].bytes_list.value[0] == b"zebra, striped"
    assert feature["image/object/difficult"].int64_list.value == [0, 1]
    np.testing.assert_allclose(
        feature["image/object/bbox/ymin"].float_list.value, small.records[0].boxes[:, 0]
    )
    assert tf.io.decode_jpeg(feature["image/encoded"].bytes_list.value[0]).shape == (100, 200, 3)
    assert "image/object/class/label" not in second.features.feature
    assert 'name: "zebra, striped"' in (tmp_path / "out" / "label_map.pbtxt").read_text()


def test_a_set_that_is_others_put_together_is_not_written_twice(tmp_path):
    sets = {"a": ("train", "trainval"), "b": ("val", "trainval"), "c": ("test",)}
    records = [record(picture(tmp_path / "p", f"{k}.jpg"), k, sets=v) for k, v in sets.items()]
    dataset = Dataset("", ("cat",), records)
    notes = convert(dataset, tmp_path / "coco", "coco")
    assert any("not written: trainval" in note for note in notes)
    files = sorted(path.name for path in (tmp_path / "coco" / "annotations").iterdir())
    assert files == ["instances_test.json", "instances_train.json", "instances_val.json"]
    convert(dataset, tmp_path / "voc", "voc")  # its lists cost nothing
    lists = tmp_path / "voc" / "ImageSets" / "Main"
    assert (lists / "trainval.txt").read_text() == "a\nb\n"


@pytest.mark.parametrize("form", ["voc", "coco", "yolo", "csv", "tfrecord"])
@pytest.mark.parametrize(
    "sets",
    [
        {"a": ("north",), "b": ("south",), "c": ("south", "north")},
        {"a": ("north/1",), "b": ("north_1",), "c": ("north:1",)},
        {"a": ("train",), "b": (), "c": ("val",)},
        {"a": ("train",), "b": ("others",), "c": ()},
    ],
)
def test_no_picture_is_lost_whatever_the_image_sets_are_called(tmp_path, form, sets):
    """Some forms know purposes alone, all have names of files, and sets may leave pictures out."""
    records = [record(picture(tmp_path / "p", f"{k}.jpg"), k, sets=v) for k, v in sets.items()]
    notes = convert(Dataset("", ("cat",), records), tmp_path / "out", form)
    if form == "tfrecord":
        files = sorted((tmp_path / "out").glob("*.tfrecord*"))
        back = [r for file in files for r in open_dataset(file).records]
    else:
        csv = sorted((tmp_path / "out").glob("*.csv"))
        images = {"images": tmp_path / "out" / "images"} if csv else {}
        places = csv or [tmp_path / "out"]
        back = [r for place in places for r in open_dataset(place, **images).records]
    names = {str(r.image if form != "tfrecord" else r.image_id) for r in back}
    lost = {"a", "b", "c"} - {name.rsplit("/", 1)[-1].rsplit(".", 1)[0] for name in names}
    if any("data.yaml has no key for: others" in note for note in notes):
        rows = (tmp_path / "out" / "others.txt").read_text().split()
        lost -= {row.removeprefix("./images/").removesuffix(".jpg") for row in rows}
    assert not lost


def test_sets_of_no_known_purpose_train_together(tmp_path):
    sets = {"a": ("north",), "b": ("south", "north"), "c": ("val",)}
    records = [record(picture(tmp_path / "p", f"{k}.jpg"), k, sets=v) for k, v in sets.items()]
    convert(Dataset("", ("cat",), records), tmp_path / "out", "yolo")
    assert (tmp_path / "out" / "train.txt").read_text() == "./images/a.jpg\n./images/b.jpg\n"


def test_tfrecords_hold_pictures_that_need_no_turning(tmp_path):
    """Readers of TFRecord files decode and no more; boxes are those of the upright picture."""
    import tensorflow as tf

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    stored = Image.fromarray(np.arange(40 * 20 * 3, dtype=np.uint8).reshape(20, 40, 3))
    stored.save(tmp_path / "turned.jpg", exif=exif)
    turned = Record(
        str(tmp_path / "turned.jpg"),
        "turned",
        np.array([[0.1, 0.2, 0.5, 0.9]], np.float32),
        np.zeros(1, np.int32),
        np.zeros(1, bool),
        width=20,
        height=40,
        orientation=6,
    )
    convert(Dataset("", ("cat",), [turned]), tmp_path / "out", "tfrecord")
    path = str(tmp_path / "out" / "annotations.tfrecord")
    (example,) = map(tf.train.Example.FromString, tf.data.TFRecordDataset(path).as_numpy_iterator())
    feature = example.features.feature
    assert feature["image/format"].bytes_list.value == [b"png"]
    height, width = (feature[f"image/{side}"].int64_list.value[0] for side in ("height", "width"))
    pixels = tf.io.decode_image(feature["image/encoded"].bytes_list.value[0]).numpy()
    assert pixels.shape[:2] == (height, width) == (40, 20)
    np.testing.assert_array_equal(
        open_dataset(tmp_path / "out" / "annotations.tfrecord").records[0].boxes, turned.boxes
    )


@pytest.mark.parametrize("form", ["voc", "yolo", "coco", "csv"])
def test_line_breaks_in_names_are_not_written(tmp_path, form):
    names = ["a\nb.png", "a\rb.png", "c\x85d.png", "e\u2028f.png", "a_b.png"]
    records = [record(picture(tmp_path / "p", name), name[:-4]) for name in names]
    convert(Dataset("", ("cat",), records), tmp_path / "out", form)
    back = open_dataset(tmp_path / "out")
    assert len(back) == len(names)
    assert all(record.image is not None for record in back.records)
    assert all(str(record.image).isprintable() for record in back.records)


@pytest.mark.parametrize("form", ["voc", "coco", "csv"])
def test_classes_that_would_be_lost_are_refused(small, tmp_path, form):
    """Readers of these forms trim names: `dog` and ` dog` would come back as one class."""
    for name in ("", " zebra, striped"):
        odd = dataclasses.replace(small, class_names=(name, *small.class_names[1:]))
        with pytest.raises(InputError, match="without the blanks around it"):
            convert(odd, tmp_path / "out", form)
        assert not (tmp_path / "out").exists()
        convert(odd, tmp_path / f"as yolo{name}", "yolo")


def test_pictures_inside_tfrecords_are_neither_linked_nor_left(small, tmp_path):
    for pictures in ("link", "none"):
        with pytest.raises(InputError, match="TFRecord files hold the pictures"):
            convert(small, tmp_path / "out", "tfrecord", pictures=pictures)
    assert not (tmp_path / "out").exists()


def test_pictures_that_are_no_files_are_not_linked(small, tmp_path):
    inside = [record(b"bytes", "x"), *small.records]
    with pytest.raises(InputError, match="no file of its own") as raised:
        convert(Dataset("", small.class_names, inside), tmp_path / "out", "yolo", pictures="link")
    assert raised.value.where == "x"
    assert not (tmp_path / "out").exists()


def test_pictures_are_copied_linked_or_left(small, tmp_path):
    convert(small, tmp_path / "copied", "coco")
    convert(small, tmp_path / "linked", "coco", pictures="link")
    convert(small, tmp_path / "left", "coco", pictures="none")
    assert not (tmp_path / "copied" / "images" / "é 1.png").is_symlink()
    assert (tmp_path / "linked" / "images" / "é 1.png").is_symlink()
    assert not (tmp_path / "left" / "images").exists()


def test_pictures_in_memory_are_written(tmp_path):
    encoded = (tmp_path / "p").joinpath("a.png")
    picture(tmp_path / "p", "a.png")
    records = [record(encoded.read_bytes(), "a/1"), record(encoded.read_bytes, "a:1")]
    convert(Dataset("", ("cat",), records), tmp_path / "out", "voc")
    names = sorted(path.name for path in (tmp_path / "out" / "JPEGImages").iterdir())
    assert names == ["a_1.png", "a_1_2.png"]


def test_ignored_boxes_can_be_left_out(small, tmp_path):
    convert(small, tmp_path / "out", "coco", drop_ignored=True)
    content = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text())
    assert [entry["iscrowd"] for entry in content["annotations"]] == [0]


def test_a_folder_that_is_not_empty_is_left_alone(small, tmp_path):
    with pytest.raises(InputError, match="is there and not empty"):
        convert(small, tmp_path, "voc")
    assert (tmp_path / "p" / "b.jpg").is_file()


def test_an_unknown_size_is_an_error_where_it_is_needed_and_nothing_is_left(tmp_path):
    entry = record(None, "a")
    unknown = Dataset("", ("cat",), [Record(None, "a", entry.boxes, entry.labels, entry.ignore)])
    with pytest.raises(InputError, match="the size of the picture is unknown"):
        convert(unknown, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()
    convert(unknown, tmp_path / "out", "yolo")
    assert (tmp_path / "out" / "labels" / "a.txt").read_text().startswith("0 0.5499")


def test_numbers_are_short_and_exact():
    assert [number(x) for x in (12.0, 0.0, -0.00001, 12.50001, 1 / 3)] == [
        *("12", "0", "0", "12.5", "0.3333")
    ]


@pytest.mark.parametrize("name", ["bccd", "coco_sample"])
def test_voc_coco_yolo_csv_voc(shared_data, tmp_path, name):
    dataset = open_dataset(shared_data / name)
    start = tmp_path / "start"
    convert(dataset, start, "voc", pictures="link")
    before = open_dataset(start)
    check_same(dataset, before)
    step = before
    for form in ("coco", "yolo", "csv", "voc"):
        convert(step, tmp_path / form, form, pictures="link")
        parts = sorted((tmp_path / form).glob("*.csv")) or [tmp_path / form]
        if len(parts) > 1:  # image sets: one file each
            opened = [open_dataset(part, class_names=dataset.class_names) for part in parts]
            records = [record for part in opened for record in part.records]
            step = Dataset("", dataset.class_names, records)
        else:
            step = open_dataset(parts[0])
        check_same(before, step, ignored=form == "coco")
    assert step.num_boxes == sum(len(r.boxes) for r in before.records)
