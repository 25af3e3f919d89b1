import dataclasses
import os
import re
import shutil

import numpy as np
import pytest

from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import load_image
from yolov2_tf.data.labels import open_classification
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.readers.tfds_sets import read_tfds
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert
from yolov2_tf.data.writers.tfds_writer import write_shards
from yolov2_tf.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")

SIZES = {"train": 5, "test": 3}


def picture(split, index):
    return np.random.default_rng([SIZES[split], index]).integers(
        0, 256, (20 + index, 30, 3), np.uint8
    )


class SomeBoxes(tfds.core.GeneratorBasedBuilder):
    """Pictures of noise with `index` boxes each."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        objects = {
            "bbox": tfds.features.BBoxFeature(),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            "is_difficult": np.bool_,
            "is_crowd": np.bool_,
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(encoding_format="png"),
                    "image/id": np.int64,
                    "objects": tfds.features.Sequence(objects),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for index in range(SIZES[split]):
            yield (
                index,
                {
                    "image": picture(split, index),
                    "image/id": index,
                    "objects": [
                        {
                            "bbox": tfds.features.BBox(0.1, 0.2, 0.5, 0.6 + i / 10),
                            "label": i % 2,
                            "is_difficult": i == 1,
                            "is_crowd": i == 2,
                        }
                        for i in range(index)
                    ],
                },
            )


class OnlyLabels(SomeBoxes):
    """No boxes, but two labels; one picture of each split has none."""

    def _info(self):
        kind = tfds.features.ClassLabel
        features = {
            "image": tfds.features.Image(),
            "colour": kind(names=["red"]),
            "label": kind(names=["cat", "dog"]),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
        )

    def _generate_examples(self, split):
        for index in range(SIZES[split]):
            label = index % 3 - 1
            yield index, {"image": picture(split, index), "colour": 0, "label": label}


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def prepared(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    builder = tfds.builder("some_boxes", data_dir=folder, file_format=request.param)
    builder.download_and_prepare()
    return builder.data_path


def check_record(record, split):
    """TFDS shuffles; the number of boxes tells which example this is."""
    count = len(record.boxes)
    expected = [[0.1, 0.2, 0.5, 0.6 + i / 10] for i in range(count)]
    np.testing.assert_allclose(record.boxes, np.reshape(expected, (-1, 4)), atol=1e-6)
    assert record.labels.tolist() == [i % 2 for i in range(count)]
    assert record.ignore.tolist() == [i in (1, 2) for i in range(count)]
    assert (record.width, record.height) == (30, 20 + count)
    np.testing.assert_array_equal(load_image(record.image), picture(split, count))


def test_boxes_labels_and_pictures_come_back(prepared):
    dataset = read_tfds(prepared, split="train")
    assert dataset.class_names == ("cat", "dog")
    assert dataset.name == "some_boxes/1.0.0 train"
    assert sorted(len(record.boxes) for record in dataset.records) == [0, 1, 2, 3, 4]
    for record in dataset.records:
        check_record(record, "train")


def test_all_splits_are_read_and_told(prepared):
    dataset = read_tfds(prepared)
    assert len(dataset) == 8
    assert len({record.image_id for record in dataset.records}) == 8
    assert "train, test found: all are used" in dataset.notes[0]
    for record in dataset.records:
        check_record(record, record.image_id.split("[")[0])
        assert record.image_sets == (record.image_id.split("[")[0],)
    assert {r.image_sets for r in read_tfds(prepared, split="train[:2]").records} == {()}


def test_splits_stay_apart_in_another_form(prepared, tmp_path):
    convert(read_tfds(prepared), tmp_path / "out", "yolo")
    for split, count in SIZES.items():
        assert len(open_dataset(tmp_path / "out", split=split)) == count


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_pictures_keep_their_names(prepared, tmp_path, file_format):
    dataset = read_tfds(prepared)
    names = ["a.jpg", "deep/b.jpg", "é.jpg", "a.jpg", "c d.jpg", "a.jpg", "f", ""]
    records = [
        dataclasses.replace(record, image_id=name)
        for record, name in zip(dataset.records, names, strict=True)
    ]
    named = dataclasses.replace(dataset, records=records)
    write_shards(named, tmp_path / "out", shards=2, file_format=file_format)
    back = read_tfds(tmp_path / "out")
    found = {re.sub(r"test\[\d\]", "its place", record.image_id) for record in back.records}
    assert found == {*names[:-1], "a.jpg#2", "a.jpg#3", "its place"}


def test_a_part_of_a_split(prepared):
    whole = read_tfds(prepared, split="train")
    part = read_tfds(prepared, split="train[1:3]")
    assert [r.image() for r in part.records] == [r.image() for r in whole.records[1:3]]
    with pytest.raises(InputError, match=r"no split 'val' \(expected train, test\)"):
        read_tfds(prepared, split="val")


def test_class_names_of_a_model(prepared):
    first = read_tfds(prepared, split="train", class_names=["dog", "cow", "cat"])
    assert {label for record in first.records for label in record.labels} == {0, 2}
    with pytest.raises(InputError, match=r"train\[\d\], box \d: unknown class"):
        read_tfds(prepared, split="train", class_names=["cow"])


def test_pictures_decode_as_training_does(prepared):
    checked, faults = check_images(read_tfds(prepared))
    assert len(checked) == 8
    assert faults == []


def test_by_name_it_is_prepared_with_random_access(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    dataset = open_dataset("tfds:some_boxes", split="test")
    assert len(dataset) == 3
    assert list(tmp_path.rglob("*.array_record-*"))
    assert len(open_dataset("tfds:some_boxes:1.0.0", split="train")) == 5


def test_a_prepared_folder_is_recognised(prepared):
    assert len(open_dataset(prepared, split="test")) == 3


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    builder = tfds.builder("only_labels", data_dir=tmp_path_factory.mktemp("labelled"))
    builder.download_and_prepare()
    return builder.data_path


def test_a_set_without_boxes_raises(labelled):
    with pytest.raises(InputError, match="no detection set: its features are colour, image, label"):
        read_tfds(labelled)


def test_labels_of_pictures_are_read(labelled):
    dataset = open_classification(labelled, "train")
    assert dataset.class_names == ("cat", "dog")
    assert dataset.name == "only_labels/1.0.0 train"
    assert dataset.notes == ("pictures without a label, left out: 2",)
    assert len(dataset) == 3
    for record in dataset.records:
        index = load_image(record.image).shape[0] - 20
        assert record.label == index % 3 - 1
        np.testing.assert_array_equal(load_image(record.image), picture("train", index))
    checked, faults = check_images(dataset)
    assert (len(checked), faults) == (3, [])


def test_all_splits_of_labelled_pictures_are_read_and_told(labelled):
    dataset = open_classification(labelled, class_names=["cow", "dog", "cat"])
    assert len({record.image_id for record in dataset.records}) == len(dataset) == 5
    assert {record.label for record in dataset.records} == {1, 2}
    assert any("train, test found: all are used" in note for note in dataset.notes)
    with pytest.raises(InputError, match="no split 'val'"):
        open_classification(labelled, "val")


def test_a_set_without_labels_raises(prepared):
    with pytest.raises(InputError, match="no classification set: its features are image, image/id"):
        open_classification(prepared)


@pytest.mark.parametrize("name", ["there_is_no_such_set", "voc/1066", "train[:"])
def test_an_unknown_name_raises(name):
    with pytest.raises(InputError, match="TFDS cannot provide this data set"):
        read_tfds(name)


def columns_of(dataset):
    return [
        (r.image_id, r.boxes.tolist(), r.labels.tolist(), r.ignore.tolist(), r.width, r.height)
        for r in dataset.records
    ]


def test_pictures_are_places_in_the_files(prepared):
    dataset = read_tfds(prepared, split="train[1:]")
    stores = {record.image.store for record in dataset.records}
    assert len(stores) == 1
    files = [record.image.file for record in dataset.records]
    assert len(set(files)) == len(files) == 4
    assert [number for _, number in files] == [1, 2, 3, 4]
    assert all(os.path.isfile(path) for path, _ in files)
    turned = dataset.records.take([3, 0, 2])
    assert [r.image() for r in turned] == [dataset.records[i].image() for i in (3, 0, 2)]


def test_pictures_in_files_are_looked_at_once(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path))
    monkeypatch.setattr("yolov2_tf.data.cache._SETTLED", 0)
    looked = []

    def progress(items, total):
        looked.append(total)
        return items

    first, _ = check_images(read_tfds(prepared), progress)
    second, _ = check_images(read_tfds(prepared), progress)
    assert looked == [8]
    assert columns_of(first) == columns_of(second)
    for path in {record.image.file[0] for record in first.records}:
        os.utime(path)  # a file that changed is looked at again
    check_images(read_tfds(prepared), progress)
    assert looked == [8, 8]


def test_batches_are_those_of_the_same_pictures_in_memory(prepared):
    stored = check_images(read_tfds(prepared))[0]
    records = [dataclasses.replace(r, image=r.image()) for r in stored.records]
    held = dataclasses.replace(stored, records=records)
    streams = [training_batches(d, batch_size=4, size=32, seed=3) for d in (stored, held)]
    for (images, truths), (same, same_truths) in zip(*(s.take(3) for s in streams), strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(truths["boxes"], same_truths["boxes"])


def test_a_file_that_vanishes_is_named(prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "1.0.0")
    record = read_tfds(folder, split="train").records[2]
    path, _ = record.image.file
    os.unlink(path)
    if "array_record" in path:
        with open(path, "wb") as file:  # held open until now; a new reader meets what is left
            file.write(b"no such thing")
        with pytest.raises(InputError, match="cannot be read"):
            read_tfds(folder, split="train")
    else:
        with pytest.raises(InputError, match="cannot be read"):
            record.image()
