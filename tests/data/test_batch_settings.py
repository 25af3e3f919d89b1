"""Settings that no batch can have are refused before anything is read."""

import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.label_pipeline import classification_batches
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError

DATA = Dataset("one", ("ant",), [Record("no.jpg", "no", [[0, 0, 1, 1]], [0], [False])])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("size", size, "a multiple of 32") for size in (0, -32, 70, 64.0, (64, 64), "64", None)),
        *(("batch_size", count, "1 or more") for count in (0, -1, 2.5, "8")),
        ("resize_every", 0, "1 or more"),
        *(
            ("multi_scale", sides, r"\(smallest, largest\)")
            for sides in (64, True, "64-128", (64,), [64, 96, 128], (128, 64), (70, 100))
        ),
        *(("resize", mode, "stretch or letterbox") for mode in ("letter", None)),
        *(("jitter", part, "0 to 0.5") for part in (-0.5, 2.0, float("nan"))),
        *((name, 0.5, "1 or more") for name in ("saturation", "exposure")),
        ("mosaic", 2, "0 to 1"),
        ("box_mosaic", -0.5, "0 to 1"),
        *(("seed", seed, "a whole number") for seed in (None, 1.5)),
        *(("first_step", step, "0 or more") for step in (None, -1, 2.5)),
    ],
)
def test_a_setting_is_named_with_what_it_can_be(name, value, expected):
    with pytest.raises(InputError, match=f"{name} is .*{expected}"):
        training_batches(DATA, **{name: value})


def test_what_is_no_data_set_is_told():
    for take in (training_batches, check_images):
        with pytest.raises(InputError, match="a str is no data set"):
            take("digits")
        with pytest.raises(InputError, match=r"a tuple is no data set .*data, skipped ="):
            take((DATA, []))
        with pytest.raises(InputError, match="there are no pictures"):
            take(Dataset("none", ("ant",), []))


def test_labels_that_mean_other_classes_are_told():
    labelled = [LabelledImage("no.jpg", 0)]
    mixed = ClassificationDataset("labels", ["bee"], labelled)
    with pytest.raises(InputError, match="labels: its classes are not those of one: it has no ant"):
        training_batches(DATA, classification=mixed)
    for take in (
        lambda other: training_batches(DATA, classification=other),
        classification_batches,
    ):
        with pytest.raises(InputError, match=r"a Dataset of boxes .*open_classification"):
            take(DATA)
        with pytest.raises(InputError, match=r"a tuple is no data set .*data, skipped ="):
            take((mixed, []))
    with pytest.raises(InputError, match=r"the text 'ant' .*\['ant'\]"):
        ClassificationDataset("labels", "ant", labelled)
