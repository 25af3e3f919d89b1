import pytest

from yolov2_tf.data.image_sets import (
    TO_SCORE,
    TO_TRAIN,
    choose_splits,
    role,
    scoring_names,
    training_names,
    validation_names,
)
from yolov2_tf.errors import InputError


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ("train", "train2017", "Training", "2007_train", "train_labels", "instances-train"),
            "train",
        ),
        (("trainset", "TrainData", "training_set", "trainimages"), "train"),
        (("val", "valid", "validation", "VAL2017", "dev", "evaluation", "Validate"), "val"),
        (("test", "testing", "test_labels", "testset", "test-dev2017", "testdata"), "test"),
        (("trainval", "VOC2012_trainval", "train_val", "train-val2014"), "trainval"),
        (("default", "cam1", "trained", "latest", "train_test", "dataset", "set", ""), None),
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
        (("train_test",), (), ()),
        (("trainset", "testset"), ("trainset",), ()),
        (("test-dev2017", "val2017"), ("val2017",), ()),
        ((), (), ()),
    ],
)
def test_what_trains_and_what_scores(available, train, val):
    assert training_names(available) == train
    assert validation_names(available) == val
    assert not set(train) & set(val)


@pytest.mark.parametrize(
    ("available", "scores"),
    [
        (("test", "train", "valid"), ("valid",)),
        (("train", "test"), ("test",)),
        (("trainval", "val", "test"), ("test",)),  # trainval trains, with the pictures of val
        (("train", "trainval", "val", "test"), ("val",)),
        (("val",), ("val",)),
        (("train",), ("train",)),
        (("cam1", "cam2"), ("cam1", "cam2")),
        ((), ()),
    ],
)
def test_what_a_trained_model_is_scored_on(available, scores):
    assert scoring_names(available) == scores


def test_a_purpose_says_what_it_chose():
    names, notes = choose_splits("d", ["test", "train", "val"], TO_SCORE)
    assert names == ("val",)
    assert notes == (
        "image sets test, train, val: val scores; test, train are not used (--split picks another)",
    )
    assert choose_splits("d", ["train"], TO_TRAIN) == (("train",), ())
    assert choose_splits("d", [], TO_TRAIN) == ((), ())
    with pytest.raises(InputError, match="only the image set test"):
        choose_splits("d", ["test"], TO_TRAIN)


def test_a_function_may_choose():
    assert choose_splits("d", ["test", "train"], training_names) == (("train",), ())
