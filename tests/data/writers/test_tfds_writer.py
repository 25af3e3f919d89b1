"""Shards that TFDS and our own reader read back as they were."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.images import load_image
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.tfds_writer import write_shards
from yolov2_tf.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")


@pytest.fixture
def dataset(tmp_path):
    """Seven pictures of two image sets; picture i has i boxes, and one of another format each."""
    records = []
    for i in range(7):
        path = tmp_path / f"{i}.{('png', 'jpg', 'gif')[i % 3]}"
        Image.new("RGB", (30 + i, 20), (30 * i, 0, 90)).save(path)
        boxes = np.float32([[0.1, 0.05 * j, 0.5, 0.05 * j + 0.3] for j in range(i)]).reshape(-1, 4)
        labels = np.int32([j % 2 for j in range(i)])
        ignore = np.array([j == 3 for j in range(i)], bool)
        image_sets = ("val",) if i in (2, 5) else ("train",)
        records.append(
            Record(str(path), f"name {i}", boxes, labels, ignore, 30 + i, 20, image_sets=image_sets)
        )
    return Dataset("seven", ("cat", "dog"), records)


@pytest.mark.parametrize(("file_format", "shards"), [("array_record", 2), ("tfrecord", 1)])
def test_what_is_written_is_read_back(dataset, tmp_path, file_format, shards):
    out = tmp_path / "deep" / "out"
    assert write_shards(dataset, out, shards=shards, file_format=file_format) == ()
    assert len(list(out.glob(f"*{file_format}*"))) == 2 * shards
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    seen = 0
    for split in ("train", "val"):
        back = open_dataset(out, split=split)
        assert back.class_names == dataset.class_names
        wanted = {r.width: r for r in dataset.records if split in r.image_sets}
        assert sorted(r.width for r in back.records) == sorted(wanted)
        for record in back.records:
            before = wanted[record.width]
            assert record.image_id == before.image_id
            np.testing.assert_array_equal(record.boxes, before.boxes)
            np.testing.assert_array_equal(record.labels, before.labels)
            np.testing.assert_array_equal(record.ignore, before.ignore)
            np.testing.assert_array_equal(load_image(record.image), load_image(before.image))
            seen += 1
    assert seen == 7
    builder = tfds.builder_from_directory(out)
    if file_format == "array_record":
        read = builder.as_data_source(split="val")
    else:
        read = tfds.as_numpy(builder.as_dataset(split="val"))
    names = {example["image/filename"] for example in read}
    assert names == {b"name 2", b"name 5"}


def test_what_cannot_be_written_leaves_nothing(dataset, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="3 shards of 2 pictures"):
        write_shards(dataset, out, shards=3)
    (tmp_path / "5.gif").write_bytes(b"no picture")
    with pytest.raises(InputError, match="not a picture"):
        write_shards(dataset, out)
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_shards(dataset, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_labels_stay_those_of_their_classes_whatever_these_are_called(dataset, tmp_path):
    """TFDS keeps the names in a file, a line for each; it trims them and leaves out empty ones."""
    odd = Dataset("odd", ("cat\nand kitten", " dog"), dataset.records)
    (note,) = write_shards(odd, tmp_path / "out")
    assert note == "class names written in one line, trimmed: cat and kitten, dog"
    back = open_dataset(tmp_path / "out")
    assert back.class_names == ("cat and kitten", "dog")
    wanted = {record.image_id: record.labels.tolist() for record in dataset.records}
    assert {record.image_id: record.labels.tolist() for record in back.records} == wanted
    for names in (("", "dog"), ("dog", " dog")):
        with pytest.raises(InputError, match="without the blanks around it"):
            write_shards(Dataset("odd", names, dataset.records), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_command(run, tmp_path):
    out = tmp_path / "shards"
    code, _, err = run("prepare", "digits", out, "--split", "val", "--shards", "3", "--no-check")
    assert code == 0, err
    assert "200 pictures in 3 array_record files" in err
    assert len(open_dataset(out)) == 200
    assert run("prepare", "digits", tmp_path / "x", "--file-format", "zip")[0] == 2


def test_turned_pictures_are_written_upright(tmp_path):
    """Boxes are those of what people see; TFDS decodes what is stored."""
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 256, (16, 32, 3), np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    box = np.float32([[0.1, 0.2, 0.5, 0.6]])
    record = Record(str(path), "turned", box, np.int32([0]), np.array([False]), 16, 32)
    write_shards(Dataset("one", ("cat",), [record]), tmp_path / "out", shards=1)
    (example,) = tfds.builder_from_directory(tmp_path / "out").as_data_source(split="train")
    np.testing.assert_array_equal(example["image"], load_image(str(path)))
    assert example["image"].shape == (32, 16, 3)
    np.testing.assert_array_equal(example["objects"]["bbox"], box)


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        (("2007_trainval", "test-dev"), ("2007_trainval", "test-dev"), ()),
        (
            ("my set", "my_set"),
            ("my_set_2", "my_set"),
            ("image sets with another name: my set as my_set_2",),
        ),
    ],
)
def test_image_sets_of_any_name_are_written(dataset, tmp_path, old, new, notes):
    records = [
        dataclasses.replace(dataset.records[i], image_sets=(name,)) for i, name in enumerate(old)
    ]
    assert write_shards(Dataset("odd", ("cat",), records), tmp_path / "out") == notes
    for record, name in zip(records, new, strict=True):
        (back,) = open_dataset(tmp_path / "out", split=name).records
        assert (back.image_id, back.image_sets) == (record.image_id, (name,))
