"""Damaged TFRecord files: thousands of mutated inputs give a data set or `InputError`."""

import io
import random

import pytest
from mutated_inputs import check_thousands, mutated, open_all
from PIL import Image

from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.readers.tf_records import read_records

tf = pytest.importorskip("tensorflow")

LABEL_MAP = b"item {\n  id: 1\n  name: 'dog'\n}\nitem { name: \"cat\" id: 2 }\n"
NUMBERS = (-1.0, 0.0, 0.5, 1.0, 1.02, 30.0, 1e30, float("nan"), float("inf"))
TEXTS = (b"", b"dog", b"\xff", b"a" * 300, b"\0", b"../a.jpg", b"1")
WHOLE = (-(2**63), -1, 0, 1, 2, 100, 2**31, 2**62)


def picture():
    file = io.BytesIO()
    Image.new("RGB", (10, 8), "red").save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


def features(number):
    """Features of one example, as lists by key."""
    return {
        **{f"image/object/bbox/{side}": [0.1, 0.2] for side in ("ymin", "xmin")},
        **{f"image/object/bbox/{side}": [0.6, 0.7] for side in ("ymax", "xmax")},
        "image/encoded": [PICTURE],
        "image/filename": [b"%d.png" % number],
        "image/width": [10],
        "image/height": [8],
        "image/object/class/text": [b"dog", b"cat"],
        "image/object/class/label": [1, 2],
        "image/object/difficult": [0, 1],
    }


def example(content):
    def feature(values):
        for kind, field, message in (
            (bytes, "bytes_list", tf.train.BytesList),
            (float, "float_list", tf.train.FloatList),
            (int, "int64_list", tf.train.Int64List),
        ):
            if values and all(type(value) is kind for value in values):
                return tf.train.Feature(**{field: message(value=values)})
        return tf.train.Feature()

    features = {key: feature(values) for key, values in content.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def with_other_values(content, source):
    """Features with one to three of them changed, emptied, longer or taken away."""
    for _ in range(source.randint(1, 3)):
        key = source.choice(list(content))
        kind = source.choice((NUMBERS, TEXTS, WHOLE))
        values = content[key]
        content[key] = source.choice(
            (
                [source.choice(kind) for _ in values],
                [*values[1:], source.choice(kind)],
                [*values, *values],
                [],
            )
        )
        if source.random() < 0.2 and len(content) > 1:
            del content[key]
    return content


def write(path, examples):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in examples:
            writer.write(record)


def mutate(folder, times):
    """Reads mutated files; the pictures of those that give a data set are looked at, too."""
    source = random.Random("tfrecord")
    path, label_map = folder / "train.record", folder / "label_map.pbtxt"

    def prepare(number):
        examples = [example(features(i)) for i in range(3)]
        label_map.write_bytes(LABEL_MAP)
        match number % 4:
            case 0:  # whole records of damaged messages
                write(path, [examples[0], mutated(examples[1], source)])
            case 1:
                write(path, [examples[0], example(with_other_values(features(1), source))])
            case 2:
                write(path, examples)
                path.write_bytes(mutated(path.read_bytes(), source))
            case 3:
                write(path, examples)
                label_map.write_bytes(mutated(LABEL_MAP, source))

    def opening():
        dataset = read_records(folder)
        boxes = dataset.records.boxes
        assert ((boxes >= 0) & (boxes <= 1)).all()
        check_images(dataset, decode=False)

    return open_all(prepare, opening, times)


def test_a_few_mutated_inputs(tmp_path):
    assert 0 < mutate(tmp_path, 60).opened < 60


@pytest.mark.slow
def test_ten_thousand_mutated_inputs(tmp_path):
    check_thousands("tfrecord", mutate(tmp_path, 10_000))
