import pytest

from yolov2_tf.data.image_sets import (
    choose_splits,
    role,
    training_names,
    validation_names,
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ("train", "train2017", "Training", "2007_train", "train_labels", "instances-train"),
            "train",
        ),
        (("val", "valid", "validation", "VAL2017", "dev"), "val"),
        (("test", "testing", "test_labels"), "test"),
        (("trainval", "VOC2012_trainval"), "trainval"),
        (("default", "cam1", "trained", "latest", "train_test", ""), None),
    ],
)
def test_role(names, expected):
    assert {role(name) for name in names} == {expected}


@pytest.mark.parametrize(
    ("available", "train", "val"),
    [
        (("train",), ("train",), ()),
        (("test", "train", "valid"), ("train",), ("valid",)),
        (("test", "train"), ("train",), ()),
        (("train", "trainval", "val"), ("train",), ("val",)),
        (("trainval", "val", "test"), ("trainval",), ()),
        (("cam1", "cam2", "test"), ("cam1", "cam2"), ()),
        (("default", "validation"), ("default",), ("validation",)),
        (("val",), ("val",), ()),
        (("test",), (), ()),
        ((), (), ()),
    ],
)
def test_what_trains_and_what_scores(available, train, val):
    assert training_names(available) == train
    assert validation_names(available) == val
    assert not set(train) & set(val)


def test_a_function_may_choose():
    assert choose_splits("d", ["test", "train"], training_names) == (("train",), ())
