"""Weights move by name and shape, and what did not move is said."""

import keras
import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import ClassificationHead, DetectionHead, RegionHead
from yolov2_tf.models.transfer import layers_of_head, transfer_weights, with_new_head
from yolov2_tf.models.yolov2 import YOLO9000, TinyYOLOv2, YOLOv2
from yolov2_tf.trees.wordtree import WordTree

NAMES = ["ant", "bee", "cat"]
TRUNK = [f"conv{i}" for i in range(1, 19)]  # what Darknet-19 and YOLOv2 have in common


@pytest.fixture(scope="module")
def source():
    """A detector in which every weight has its own random value."""
    model = YOLOv2(NAMES, width=1 / 16, input_size=64)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 1, variable.shape))
    return model


def same(model, source, name):
    return all(
        np.array_equal(a, b)
        for a, b in zip(
            model.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True
        )
    )


def with_norms(names):
    return {name for conv in names for name in (conv, f"{conv}_bn")}


def test_a_detector_of_the_same_classes_gives_everything(source):
    model = YOLOv2(NAMES, width=1 / 16, input_size=64)
    report = transfer_weights(model, source)
    assert report.missing == {}
    assert set(report.loaded) == {layer.name for layer in model.layers if layer.weights}
    images = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3))
    np.testing.assert_array_equal(model(images), source(images))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"class_names": ["dog", "bee", "cat"]}, "other classes"),
        ({"class_names": ["ant", "bee"]}, "other classes"),
        ({"class_names": NAMES, "anchors": [(i, i) for i in range(1, 6)]}, "other anchors"),
    ],
)
def test_a_head_of_other_classes_or_anchors_starts_anew(source, config, reason):
    model = YOLOv2(width=1 / 16, input_size=64, **config)
    before = model.head.get_weights()
    report = transfer_weights(model, source)
    assert report.missing == {"head": reason}
    assert set(report.loaded) == with_norms([f"conv{i}" for i in range(1, 23)])
    assert all(same(model, source, name) for name in report.loaded)
    for old, new in zip(before, model.head.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert str(report) == f"loaded 44 layers\nhead starts anew: {reason}"


def test_a_classifier_gives_the_trunk(source):
    classifier = Darknet19(10, width=1 / 16)
    report = transfer_weights(classifier, source)
    assert set(report.loaded) == with_norms(TRUNK)
    assert list(report.missing) == ["conv19"]
    assert "shape" in report.missing["conv19"]

    detector = YOLOv2(NAMES, width=1 / 16, input_size=64)
    report = transfer_weights(detector, classifier)
    assert set(report.loaded) == with_norms(TRUNK)
    assert set(report.missing) == {"conv19", "conv20", "conv21", "conv22", "head"}
    assert report.missing["conv20"] == "the source has no such layer"
    assert all(same(detector, source, name) for name in report.loaded)


def test_a_partial_trunk_gives_what_it_has(source):
    trunk = keras.Model(source.input, source.get_layer("conv5_leaky").output)
    model = YOLOv2(NAMES, width=1 / 16, input_size=64)
    report = transfer_weights(model, trunk)
    assert set(report.loaded) == with_norms(TRUNK[:5])


def test_a_batch_norm_goes_with_its_convolution():
    """Its vectors alone would fit, but belong to other features."""

    def network(size):
        x = image = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(8, 3, use_bias=False, name="conv1")(x)
        x = keras.layers.Conv2D(8, size, use_bias=False, name="conv2")(x)
        return keras.Model(image, keras.layers.BatchNormalization(name="conv2_bn")(x))

    report = transfer_weights(network(1), network(3))
    assert report.loaded == ("conv1",)
    assert report.missing == {"conv2": "shape (1, 1, 8, 8), in the source (3, 3, 8, 8)"}


def test_nothing_that_fits_is_an_error(source):
    with pytest.raises(InputError, match="no layer of 'yolov2' fits 'tiny_yolov2'"):
        transfer_weights(TinyYOLOv2(["ant"], input_size=32), source)


def test_a_new_head_on_the_old_network(source):
    anchors = [(1, 2), (3, 4)]
    model = with_new_head(source, class_names=["dog", "eel"], anchors=anchors, input_size=96)
    assert model.output_shape[-1] == 2 * (5 + 2)
    assert model.head.class_names == ("dog", "eel")
    assert model.head.anchors.tolist() == [[1, 2], [3, 4]]
    assert (model.head.input_size, model.head.resize) == (96, "stretch")
    assert model.get_layer("conv22") is source.get_layer("conv22")
    assert source.head.class_names == tuple(NAMES)
    assert len(model.losses) == len(source.losses)  # weight decay of the head too


def test_a_new_head_needs_names_that_tell_its_classes_apart(source):
    for names, message in [(["dog", "dog"], "2 classes"), ([], "no class names"), ("dog", "text")]:
        with pytest.raises(InputError, match=message):
            with_new_head(source, class_names=names)
    one_by_one = with_new_head(source, class_names=(name for name in ["dog", "eel"]))
    assert one_by_one.head.class_names == ("dog", "eel")


def test_the_layers_of_a_head_are_those_that_make_its_channels(source):
    assert layers_of_head(source) == [source.head]
    image = keras.Input((64, 64, 3))
    x = keras.layers.AveragePooling2D(32)(keras.layers.Conv2D(4, 3, padding="same")(image))
    last = keras.layers.Conv2D(2 * 7, 1)
    norm, activation = keras.layers.BatchNormalization(), keras.layers.Activation("relu")
    head = RegionHead([(1, 2), (3, 4)], ["dog", "eel"])
    model = DetectionModel(image, head(activation(norm(last(x)))))
    assert layers_of_head(model) == [head, activation, norm, last]


# === A classifier's classes ===


def random_classifier(names, tree=None):
    classifier = Darknet19(names, width=1 / 16, tree=tree)
    rng = np.random.default_rng(1)
    for variable in classifier.weights:
        variable.assign(rng.uniform(0.5, 1, variable.shape))
    return classifier


def test_the_head_of_yolo9000_begins_with_the_classes_of_a_classifier():
    """The mean over all places of any anchor's logits is what the classifier says."""
    classifier = random_classifier(NAMES)
    model = YOLO9000(NAMES, width=1 / 16, input_size=64)
    before = [weights.reshape(*weights.shape[:-1], 3, 8) for weights in model.head.get_weights()]
    report = transfer_weights(model, classifier)
    assert report.missing == {}
    assert set(report.loaded) == {*with_norms(TRUNK), "head"}
    images = np.random.default_rng(0).uniform(0, 255, (2, 96, 64, 3))
    logits = np.reshape(model(images), (2, 3, 2, 3, 8))[..., 5:]
    wanted = np.reshape(classifier(images), (2, 1, 3))
    np.testing.assert_allclose(logits.mean((1, 2)), np.repeat(wanted, 3, 1), rtol=1e-4)
    for old, new in zip(before, model.head.get_weights(), strict=True):
        np.testing.assert_array_equal(old[..., :5], new.reshape(old.shape)[..., :5])


def test_nodes_of_one_tree_may_be_called_otherwise():
    tree = WordTree(("thing", "dog", "cat"), (-1, 0, 0))
    model = YOLO9000(["a", "b", "c"], width=1 / 16, input_size=64, tree=tree)
    assert "head" in transfer_weights(model, random_classifier(NAMES, tree)).loaded
    trained = YOLO9000(NAMES, width=1 / 16, input_size=64, tree=tree)
    assert transfer_weights(model, trained).missing == {}
    flat = YOLO9000(NAMES, width=1 / 16, input_size=64)
    assert transfer_weights(flat, trained).missing == {"head": "other classes"}


def test_nodes_that_are_called_otherwise_leave_the_last_layers_of_a_region():
    tree = WordTree(("thing", "dog"), (-1, 0))
    image = keras.Input((None, None, 3))
    head = RegionHead([(1, 1)], ["a", "b"], 64, tree=tree, name="head")
    model = DetectionModel(image, head(keras.layers.Conv2D(7, 3, padding="same")(image)))
    renamed = with_new_head(model, class_names=["thing", "dog"], tree=tree)
    assert isinstance(renamed.head, RegionHead)
    assert renamed.head.class_names == ("thing", "dog")


@pytest.mark.parametrize(
    ("classifier_names", "build"),
    [
        (["cat", "bee", "ant"], YOLO9000),
        (["ant", "bee"], YOLO9000),
        (NAMES, YOLOv2),  # its head follows other convolutions
    ],
    ids=["other order", "fewer", "other layers between"],
)
def test_other_classes_or_features_leave_the_head_as_it_is(classifier_names, build):
    model = build(NAMES, width=1 / 16)
    before = model.head.get_weights()
    assert "head" in transfer_weights(model, random_classifier(classifier_names)).missing
    for old, new in zip(before, model.head.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_classifier_whose_last_convolution_is_normalised_gives_no_classes():
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Conv2D(8, 3, padding="same", name="conv1")(image)
    y = keras.layers.Conv2D(3, 1, use_bias=False, name="conv2")(x)
    y = keras.layers.GlobalAveragePooling2D(keepdims=True)(keras.layers.BatchNormalization()(y))
    source = keras.Model(image, ClassificationHead(NAMES, 32, name="head")(y))
    x = DetectionHead([(1, 1)], NAMES, 32, name="head")(x)
    report = transfer_weights(DetectionModel(image, x), source)
    assert set(report.missing) == {"head"}


def test_the_head_of_a_classifier_is_its_last_convolution_and_what_follows():
    model = Darknet19(NAMES, width=1 / 16, input_size=64)
    head = {layer.name for layer in layers_of_head(model)}
    assert "conv19" in head
    assert not head & {*TRUNK}
