"""Labels that look wrong by themselves."""

import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.suspects import copies_of_pictures, find_suspects, shared_by_sets


def record(name, boxes, labels=None, *, ignore=None, size=(100, 200), image=None, sets=()):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    labels = np.zeros(len(boxes), np.int32) if labels is None else np.array(labels, np.int32)
    ignore = np.zeros(len(boxes), bool) if ignore is None else np.array(ignore, bool)
    height, width = size
    return Record(image, name, boxes, labels, ignore, width, height, image_sets=sets)


GOOD = [0.2, 0.2, 0.5, 0.5]


@pytest.mark.parametrize(
    ("boxes", "labels", "kind", "which"),
    [
        ([GOOD, [0.5, 0.5, 0.52, 0.7]], None, "tiny", (1,)),  # 2 of 100 pixels high
        ([[0, 0.001, 1, 1], GOOD], None, "whole", (0,)),
        ([[0.1, 0.1, 0.14, 0.9], GOOD], None, "thin", (0,)),
        ([GOOD, [0.2, 0.21, 0.5, 0.5]], None, "twice", (0, 1)),
        ([GOOD, [0.2, 0.21, 0.5, 0.5]], [0, 1], "two classes", (0, 1)),
    ],
)
def test_what_is_wrong_is_named(boxes, labels, kind, which):
    good = record("good", [GOOD, [0.2, 0.35, 0.5, 0.7]])
    dataset = Dataset("set", ("a", "b"), [good, record("bad", boxes, labels)])
    assert find_suspects(dataset) == [(kind, 1, which)]
    all_ignored = record("bad", boxes, labels, ignore=[True] * len(boxes))
    assert find_suspects(Dataset("set", ("a", "b"), [all_ignored])) == []


def test_without_a_size_tiny_is_a_fraction():
    box = [0.5, 0.5, 0.502, 0.7]
    for size, found in (((0, 0), 1), ((5000, 5000), 0), ((100, 100), 1)):
        dataset = Dataset("set", ("a",), [record("x", [box], size=size)])
        tiny = [suspect for suspect in find_suspects(dataset) if suspect.kind == "tiny"]
        assert len(tiny) == found


def test_copies_across_image_sets_are_told_from_others():
    parts = [("train",), ("test",), ("train",), ("train", "trainval"), ("trainval",)]
    pictures = [b"one", b"one", b"two", b"two", b"three"]
    records = [
        record(str(i), [GOOD], image=picture, sets=sets)
        for i, (picture, sets) in enumerate(zip(pictures, parts, strict=True))
    ]
    groups, across = copies_of_pictures(Dataset("set", ("a",), records))
    assert groups == [[0, 1], [2, 3]]
    assert across == [[0, 1]]


def test_a_union_of_sets_may_share_and_others_may_not():
    parts = [("train", "trainval"), ("val", "trainval"), ("train", "test"), ("test",)]
    records = [record(str(i), [GOOD], sets=sets) for i, sets in enumerate(parts)]
    assert shared_by_sets(Dataset("set", ("a",), records)) == {
        ("train", "trainval"): [0],
        ("train", "test"): [2],
    }
    records = [records[i] for i in (0, 1)]
    assert shared_by_sets(Dataset("set", ("a",), records)) == {}
