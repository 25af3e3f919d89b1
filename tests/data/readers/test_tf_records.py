import io

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.image_sets import TO_TRAIN
from yolov2_tf.data.images import load_image
from yolov2_tf.data.readers.tf_records import read_records
from yolov2_tf.errors import InputError

tf = pytest.importorskip("tensorflow")


def encoded(color):
    file = io.BytesIO()
    Image.new("RGB", (100, 80), color).save(file, "PNG")
    return file.getvalue()


def example(name="a.jpg", boxes=((0.25, 0.1, 0.75, 0.3),), texts=("dog",), labels=(), **more):
    def feature(values):
        if values and isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if values and isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    content = {
        "image/encoded": [more.pop("image", encoded("red"))],
        "image/filename": [name.encode()],
        "image/width": [100],
        "image/height": [80],
        "image/object/class/text": [text.encode() for text in texts],
        "image/object/class/label": list(labels),
    }
    for i, side in enumerate(("ymin", "xmin", "ymax", "xmax")):
        content[f"image/object/bbox/{side}"] = [float(box[i]) for box in boxes]
    content |= {f"image/object/{key}": value for key, value in more.items()}
    features = {key: feature(value) for key, value in content.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write(path, *examples):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in examples:
            writer.write(record)
    return path


def test_boxes_classes_and_pictures(tmp_path):
    path = write(
        tmp_path / "train.record",
        example("b.jpg", boxes=(), texts=(), image=encoded("blue")),
        example(
            boxes=[(0, 0, 1, 1), (0.25, 0.1, 0.75, 0.3)], texts=["cat", "dog"], difficult=[0, 1]
        ),
    )
    dataset = read_records(path)
    first, second = dataset.records
    assert dataset.name == "train"
    assert dataset.class_names == ("cat", "dog")
    assert (first.image_id, second.image_id) == ("b.jpg", "a.jpg")
    assert first.boxes.shape == (0, 4)
    np.testing.assert_allclose(second.boxes, [[0, 0, 1, 1], [0.25, 0.1, 0.75, 0.3]])
    assert second.ignore.tolist() == [False, True]
    assert dataset.counts == {"boxes ignored (difficult)": 1}
    assert load_image(first.image)[0, 0].tolist() == [0, 0, 255]
    assert load_image(second.image)[0, 0].tolist() == [255, 0, 0]
    assert (second.width, second.height) == (100, 80)


def test_shards_image_sets_and_the_label_map(tmp_path):
    label_map = "item {\n id: 2\n name: 'dog'\n}\nitem { name: \"cat\" id: 1 }"
    (tmp_path / "label_map.pbtxt").write_text(label_map)
    write(tmp_path / "train.record-00000-of-00002", example(texts=(), labels=[2]))
    write(tmp_path / "train.record-00001-of-00002", example(texts=(), labels=[1]))
    write(tmp_path / "test.record", example(texts=(), labels=[2]))
    dataset = read_records(tmp_path, split="train")
    assert dataset.class_names == ("cat", "dog")
    assert [record.labels.tolist() for record in dataset.records] == [[1], [0]]
    assert [record.image_id for record in dataset.records] == ["a.jpg", "a.jpg#2"]
    assert {record.image_sets for record in dataset.records} == {("train",)}
    assert len(read_records(tmp_path)) == 3


def test_the_only_file_of_a_folder_is_the_set_that_its_name_says(tmp_path):
    write(tmp_path / "test.record", example())
    assert read_records(tmp_path).records[0].image_sets == ("test",)
    assert read_records(tmp_path / "test.record", split=TO_TRAIN).records[0].image_sets == ()
    with pytest.raises(InputError, match="only the image set test, which is not to train on"):
        read_records(tmp_path, split=TO_TRAIN)
    (tmp_path / "test.record").rename(tmp_path / "pets.record")
    assert read_records(tmp_path, split=TO_TRAIN).records[0].image_sets == ()


def test_a_number_before_that_of_the_shard_belongs_to_the_image_set(tmp_path):
    for name in ("train2017.record-00000-of-00002", "train2017.record-00001-of-00002"):
        write(tmp_path / name, example(f"{name}.jpg"))
    write(tmp_path / "train2018.record-00000-of-00001", example())
    sets = [record.image_sets for record in read_records(tmp_path).records]
    assert sets == [("train2017",), ("train2017",), ("train2018",)]


def test_braces_in_names_of_the_label_map(tmp_path):
    text = "item { # don't\n id: 1 name: '{x}' }\nitem { id: 2 name: \"}\" # it's\n}"
    (tmp_path / "label_map.pbtxt").write_text(text)
    path = write(tmp_path / "a.record", example(texts=(), labels=[2]))
    assert read_records(path).class_names == ("{x}", "}")


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r"dog\'s bed", "dog's bed"),
        (r"19\" wheel", '19" wheel'),
        (r"\303\251t\xc3\xa9", "été"),
        (r"a\\b\8", r"a\b8"),
        ("été", "été"),
    ],
)
def test_names_of_the_label_map_may_be_escaped(tmp_path, quote, written, name):
    text = f"item {{ name: {quote}{written}{quote} id: 1 }}"
    (tmp_path / "label_map.pbtxt").write_text(text)
    write(tmp_path / "a.record", example(texts=(), labels=[1]))
    assert read_records(tmp_path).class_names == (name,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no record of any kind", "damaged or no TFRecord file"),
        (b"", "the data set has no images"),
        (b"\x1f\x8b gzip", "a compressed TFRecord file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_records(path)


def test_examples_of_another_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"example 0: no tf\.train\.Example"):
        read_records(write(tmp_path / "a.tfrecord", b"\xff\xff\xff"))
    with pytest.raises(InputError, match="example 0: 1, 1, 1, 1 coordinates and 2 classes"):
        read_records(write(tmp_path / "b.tfrecord", example(texts=["dog", "cat"])))
    path = write(tmp_path / "c.tfrecord", example())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged"):
        read_records(path)


def test_hidden_files_are_left_out(tmp_path):
    write(tmp_path / "train.tfrecord", example(texts=(), labels=(1,)))
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'dog' }")
    for name in ("._train.tfrecord", "._label_map.pbtxt"):
        (tmp_path / name).write_bytes(b"\0\x05\x16\x07\0\xff")
    (record,) = read_records(tmp_path).records
    assert record.image_id == "a.jpg"
