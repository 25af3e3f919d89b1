"""Columns of annotations give what the annotations themselves give."""

import numpy as np
import pytest

from yolov2_tf.data.annotation_columns import AnnotationColumns
from yolov2_tf.data.annotations import Annotation, build_dataset
from yolov2_tf.data.picture_column import StoredPicture
from yolov2_tf.errors import InputError


class Store:
    def picture(self, place):
        return bytes([place])

    def file(self, place):
        return "/file", place


STORES = Store(), Store()
IMAGES = (
    "a/b.jpg",
    None,
    b"bytes",
    StoredPicture(STORES[0], 0),
    StoredPicture(STORES[1], (1 << 44) - 1),
    StoredPicture(STORES[0], 5),
)


def annotations(names=("dog", "cat", "cow")):
    random = np.random.default_rng(0)
    for i, image in enumerate(IMAGES):
        corners = np.sort(random.random((i, 2, 2)), axis=1).reshape(-1, 4)
        yield Annotation(
            image,
            f"picture {i}",
            corners.tolist(),
            [names[k % len(names)] for k in range(i)],
            ["difficult" if k == 1 else False for k in range(i)],
            lambda box, i=i: f"file: example {i}, box {box}",
            10 + i,
            20 + i,
            ("train",) if i % 2 else ("train", "val"),
        )


def columns(these):
    packed = AnnotationColumns()
    for i, annotation in enumerate(these):
        packed.append(annotation, f"file: example {i}")
    return packed.packed()


def test_each_annotation_comes_back():
    before, after = list(annotations()), columns(annotations())
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        for name in ("image", "image_id", "names", "ignore", "width", "height", "image_sets"):
            assert getattr(old, name) == getattr(new, name), name
        np.testing.assert_array_equal(np.reshape(old.boxes, (-1, 4)), new.boxes)
        assert [old.locate(k) for k in range(3)] == [new.locate(k) for k in range(3)]
    with pytest.raises(IndexError):
        after[len(before)]


def test_the_data_set_is_the_same():
    one = build_dataset("set", list(annotations()), ("cat", "cow", "dog"))
    other = build_dataset("set", columns(annotations()), ("cat", "cow", "dog"))
    assert (one.notes, one.counts) == (other.notes, other.counts)
    for old, new in zip(one.records, other.records, strict=True):
        assert (old.image, old.image_id, old.image_sets) == (
            new.image,
            new.image_id,
            new.image_sets,
        )
        np.testing.assert_array_equal(old.boxes, new.boxes)
        np.testing.assert_array_equal(old.labels, new.labels)
        np.testing.assert_array_equal(old.ignore, new.ignore)


def test_messages_name_the_box():
    with pytest.raises(InputError, match="file: example 4, box 3: unknown class 'cow'"):
        build_dataset("set", columns(annotations(("a", "b", "c", "cow"))), ("a", "b", "c"))


def test_stored_pictures_are_read_when_they_are_asked_for():
    dataset = build_dataset("set", columns(annotations()), ("cat", "cow", "dog"))
    images = dataset.records.take([5, 3, 0]).images
    assert [image() for image in images[:2]] == [b"\x05", b"\x00"]
    assert images[2] == "a/b.jpg"
