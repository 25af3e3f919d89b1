"""Ground truth that cannot be meant is refused before it trains, and so is another head's loss."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.truths import check_truths
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2
from yolov2_tf.trees.wordtree import WordTree

ANCHORS = [(0.5, 0.5), (1, 2)]


def model(loss_anchors=ANCHORS, **loss_options):
    image = keras.Input((None, None, 3))
    x = keras.layers.AveragePooling2D(32)(image)
    detector = DetectionModel(image, DetectionHead(ANCHORS, ["ant", "bee"])(x))
    detector.compile("sgd", loss=YOLOv2Loss(loss_anchors, **loss_options), run_eagerly=True)
    return detector


def images(count=2):
    return np.zeros((count, 32, 32, 3), np.float32)


def truths(**changed):
    boxes = np.float32([[[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]], [[0.3, 0.3, 0.4, 0.9], [9, 9, 0, 0]]])
    return {"boxes": boxes, "labels": np.int32([[0, 1], [1, -1]])} | changed


def with_box(*box):
    boxes = truths()["boxes"]
    boxes[1, 0] = box
    return truths(boxes=boxes)


WRONG = {
    "pixels": (with_box(30, 40, 200, 220), r"\[30, 40, 200, 220\] at \(1, 0\) is far outside"),
    "swapped": (with_box(0.5, 0.2, 0.1, 0.6), "corners swapped"),
    "nan": (with_box(np.nan, 0.2, 0.1, 0.6), "not finite"),
    "five": (truths(boxes=np.zeros((2, 2, 5), np.float32)), r"boxes are \(2, 2, 5\)"),
    "flat": (truths(labels=np.int32([0, 1])), r"labels are \(2,\)"),
    "other count": (truths(labels=np.zeros((2, 3), np.int32)), r"labels are \(2, 3\)"),
    "no class": (truths(labels=np.int32([[0, 1], [2, -1]])), r"label 2 at \(1, 0\) .*0 to 1"),
    "below": (truths(labels=np.int32([[0, 1], [-2, -1]])), "label -2"),
    "half": (truths(labels=np.float32([[0, 0.5], [1, -1]])), "label 0.5"),
    "image label": (truths(image_labels=np.int32([-1, 7])), "image label 7"),
    "no regions": (
        truths(image_labels=np.int32([[-1, 0], [1, -1]])),
        r"image_labels are \(2, 2\), image_regions are missing",
    ),
    "other regions": (
        truths(image_labels=np.int32([[-1], [1]]), image_regions=np.zeros((2, 2, 4))),
        r"image_regions are \(2, 2, 4\) .*\(B, L, 4\)",
    ),
    "one label, regions": (
        truths(image_labels=np.int32([-1, 1]), image_regions=np.zeros((2, 1, 4))),
        r"image_labels are \(2,\), image_regions",
    ),
    "no labels": ({"boxes": truths()["boxes"]}, "a dict of 'boxes'"),
    "no dict": (truths()["boxes"], r"ndarray of shape \(2, 2, 4\)"),
    "ragged": (truths(labels=tf.ragged.constant([[0, 1], [1]])), r"ragged .*to_tensor\(-1\)"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_fit_names_what_cannot_be_meant_and_trains_nothing(wrong, message):
    detector = model()
    before = detector.get_weights()
    with pytest.raises(InputError, match=message):
        detector.fit(images(), wrong, verbose=0)
    for old, new in zip(before, detector.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def as_dataset(batch):
    return tf.data.Dataset.from_tensors(batch)


def as_generator(batch):
    return (one for one in [batch])


class AsPyDataset(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


@pytest.mark.parametrize("form", [as_dataset, as_generator, AsPyDataset])
def test_the_first_batch_is_looked_at_in_every_form_and_then_trains(form):
    detector = model()
    with pytest.raises(InputError, match="far outside"):
        detector.fit(form((images(), with_box(3, 4, 20, 22))), verbose=0)
    assert int(detector.optimizer.iterations) == 0
    history = detector.fit(form((images(), truths())), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert int(detector.optimizer.iterations) == 1


def test_the_validation_set_is_looked_at_too():
    for wrong in ((images(), with_box(3, 4, 20, 22)), as_dataset((images(), with_box(3, 4, 9, 9)))):
        with pytest.raises(InputError, match="far outside"):
            model().fit(images(), truths(), validation_data=wrong, verbose=0)


def test_evaluate_looks_too_but_not_once_an_epoch():
    detector = model()
    for form in (lambda batch: batch, as_dataset, as_generator):
        wrong = form((images(), with_box(3, 4, 20, 22)))
        with pytest.raises(InputError, match="far outside"):
            detector.evaluate(*wrong if isinstance(wrong, tuple) else (wrong,), verbose=0)
    looked = []
    scored = as_dataset((images(), truths())).map(
        lambda *batch: (tf.py_function(lambda: looked.append(1), [], []), batch)[1]
    )
    detector.fit(images(), truths(), validation_data=scored, epochs=3, verbose=0)
    assert len(looked) == 1 + 3


def test_pixels_that_were_divided_are_refused():
    pixels = np.full((2, 32, 32, 3), 0.9, np.float32)
    for batch in ((pixels, truths()), (tf.constant(pixels), truths())):
        with pytest.raises(InputError, match=r"pixels are 0.9 at most .*0 to 255"):
            model().fit(*batch, verbose=0)
    with pytest.raises(InputError, match="0 to 255"):
        model().fit(images(), truths(), validation_data=(pixels, truths()), verbose=0)
    with pytest.raises(InputError, match="0 to 255"):
        model().fit(as_dataset((pixels, truths())), verbose=0)
    for right in (pixels * 255, np.ones((2, 32, 32, 3), np.uint8)):  # a dark picture
        model().fit(right, truths(), verbose=0)


def test_what_may_be_is_let_through():
    check_truths(truths(), 2)
    check_truths(with_box(-0.2, 0.1, 1.3, 0.1), 2)  # nobody clipped it, and it is a line
    check_truths({"boxes": np.zeros((3, 0, 4)), "labels": np.zeros((3, 0), int)}, 2)


def test_a_loss_of_another_head_is_refused():
    tree = WordTree(["ant", "bee"], [-1, -1])
    for options, message in [
        ({"loss_anchors": ANCHORS[:1]}, "the 1 anchors .*the 2 of the head"),
        ({"loss_anchors": [(0.5, 0.5), (2, 1)]}, "anchors"),
        ({"tree": tree}, "a tree of 2 nodes"),
        ({"class_weights": [1, 2, 3]}, "3 class_weights"),
        ({"box_classes": [0, 2]}, r"box_classes \[0, 2\]"),
    ]:
        detector = model(**options)
        with pytest.raises(InputError, match=message):
            detector.fit(images(), truths(), verbose=0)
        with pytest.raises(InputError, match=message):
            detector.train_on_batch(images(), truths())
    detector = model()
    detector.compile("sgd", loss="mse")
    with pytest.raises(InputError, match="loss 'mse'"):
        detector.fit(images(), truths(), verbose=0)


def test_what_the_loss_would_ignore_is_refused():
    measured = model()
    measured.compile("sgd", loss=YOLOv2Loss(ANCHORS), metrics=["mae"])
    with pytest.raises(InputError, match="compiled with metrics"):
        measured.fit(images(), truths(), verbose=0)
    measured.compile("sgd", loss=YOLOv2Loss(ANCHORS), run_eagerly=True)
    measured.fit(images(), truths(), verbose=0)
    measured.compile("sgd", loss=YOLOv2Loss(ANCHORS), loss_weights=[2])
    with pytest.raises(InputError, match=r"loss_weights .*coord_scale"):
        measured.fit(images(), truths(), verbose=0)
    measured.compile("sgd", loss=YOLOv2Loss)
    with pytest.raises(InputError, match="compiled with the loss <class"):
        measured.fit(images(), truths(), verbose=0)
    with pytest.raises(InputError, match=r"class_weight, .*class_weights="):
        model().fit(images(), truths(), class_weight={0: 1, 1: 2}, verbose=0)
    with pytest.raises(InputError, match="no sample weights"):
        model().fit(images(), truths(), sample_weight=np.ones(2), verbose=0)
    raw = tf.zeros((2, 1, 1, 2 * (5 + 2)))
    with pytest.raises(InputError, match="no sample weights"):
        YOLOv2Loss(ANCHORS)(truths(), raw, sample_weight=np.ones(2))
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        YOLOv2Loss(ANCHORS, reduction="sum")


def test_shapes_are_refused_outside_of_fit_too():
    with pytest.raises(InputError, match=r"boxes are \(2, 2, 5\)"):
        model().train_on_batch(images(), truths(boxes=np.zeros((2, 2, 5), np.float32)))
    with pytest.raises(InputError, match="sample weights"):
        model().train_on_batch(images(), truths(), sample_weight=np.ones(2, np.float32))


def test_labels_of_images_must_be_as_many_in_all_batches():
    labels = truths(
        image_labels=np.int32([[-1, 0], [1, -1]]), image_regions=np.zeros((2, 2, 4), np.float32)
    )
    spec = tf.nest.map_structure(tf.type_spec_from_value, (images(), labels))
    spec[1]["image_labels"] = tf.TensorSpec((2, None), tf.int32)
    unknown = tf.data.Dataset.from_generator(lambda: [(images(), labels)], output_signature=spec)
    detector = model()
    detector.compile("sgd", loss=YOLOv2Loss(ANCHORS))  # shapes are unknown in graphs alone
    with pytest.raises(InputError, match=r"image_labels are \(2, None\) .*an L that is the same"):
        detector.fit(unknown, verbose=0)
    with pytest.raises(InputError, match="image_regions are missing"):
        detector.train_on_batch(images(), truths(image_labels=np.int32([[-1], [1]])))


@pytest.mark.parametrize("network", [YOLOv2, TinyYOLOv2, Darknet19])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("dog", "the text 'dog'"),
        ([], "no class names"),
        (["cat", " "], "empty name"),
        (["cat", "dog", "cat"], "2 classes are called 'cat'"),
        ({0: "cat", 1: "dog"}, r"class_names is {0: 'cat', 1: 'dog'} .*in the order of the labels"),
        ({"cat"}, "class_names is {'cat'}"),
        (None, "class_names is None"),
    ],
)
def test_names_that_tell_no_classes_apart_are_refused(network, names, message):
    with pytest.raises(InputError, match=message):
        network(names)


@pytest.mark.parametrize("network", [YOLOv2, TinyYOLOv2, Darknet19])
def test_names_may_come_one_by_one(network):
    built = network((name for name in ("ant", "bee")), width=0.01)
    assert built.layers[-1].class_names == ("ant", "bee")


def test_nodes_of_a_tree_may_share_a_name():
    tree = WordTree(["n1", "n2"], [-1, -1])
    head = TinyYOLOv2(["crane", "crane"], width=0.01, tree=tree).head
    assert head.class_names == ("crane", "crane")
