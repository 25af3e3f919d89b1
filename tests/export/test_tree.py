"""Exported detectors with a label tree give the labels that the Keras model gives."""

import importlib.util

import keras
import numpy as np
import pytest
from PIL import Image

from gpu_slices import assert_slices_keep_their_axes
from yolov2_tf.detection.non_max_suppression import NonMaxSuppression
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export import forms
from yolov2_tf.export.detectors import open_model
from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.layout import LABELLED_OUTPUTS
from yolov2_tf.export.onnx import export_onnx
from yolov2_tf.export.openvino import export_openvino
from yolov2_tf.export.postprocessing import non_max_suppression
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model
from yolov2_tf.export.tflite import export_tflite
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(
    ["animal", "thing", "dog", "cat", "hound", "poodle", "cup", "box"],
    [-1, -1, 0, 0, 2, 2, 1, 1],
)
SCORE = 0.02


def restless(model, seed=0, spread=1.0):
    """Random weights under which pictures differ and boxes have many labels."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            around_one = rng.uniform(0.7, 1.3, size), rng.uniform(0.7, 1.3, size)
            around_zero = rng.normal(0, 0.2, size), rng.normal(0, 0.1, size)
            layer.set_weights([around_one[0], *around_zero, around_one[1]])
    kernel, bias = model.head.get_weights()
    scale = spread / kernel.shape[2] ** 0.5
    model.head.set_weights([rng.normal(0, scale, kernel.shape), rng.normal(0, 1, bias.shape)])
    return model


def assert_same(found, expected):
    """The same labels in the same order, at the same places."""
    assert len(expected["labels"])
    np.testing.assert_array_equal(found["labels"], expected["labels"])
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-4)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-3)


@pytest.fixture(scope="module")
def tree_model():
    keras.utils.set_random_seed(0)
    model = TinyYOLOv2(TREE.names, input_size=96, width=0.125, resize="letterbox", tree=TREE)
    return restless(model, spread=3.0)


@pytest.mark.parametrize("threshold", [0.5, 0.0])
def test_every_form_gives_the_labels_of_the_keras_model(tree_model, pictures, tmp_path, threshold):
    settings = {"score_threshold": SCORE, "tree_threshold": threshold}
    expected = list(detect(detector(tree_model, **settings), pictures))
    labels = np.concatenate([one["labels"] for one in expected])
    assert len(set(labels)) > 3
    if threshold == 0:
        assert set(labels) <= set(TREE.leaves)

    path = tmp_path / "with.tflite"
    limits = Thresholds(SCORE, tree=threshold)
    export_tflite(tree_model, path, pictures=pictures[:2], thresholds=limits)
    tflite = TFLiteDetector(path, score_threshold=SCORE)
    assert tflite.tree == TREE
    raw = tmp_path / "without.tflite"
    export_tflite(tree_model, raw, nms=False, pictures=pictures[:2], thresholds=limits)
    outputs = TFLiteDetector(raw, score_threshold=SCORE)
    for file in (path, raw):
        assert_slices_keep_their_axes(unpack(file.read_bytes()))
    bare = tmp_path / "head.tflite"
    export_tflite(
        tree_model, bare, nms=False, raw_head=True, pictures=pictures[:2], thresholds=limits
    )
    forms = [tflite, outputs, TFLiteDetector(bare, score_threshold=SCORE)]
    if threshold:
        folder, _ = export_saved_model(
            tree_model, tmp_path / "s", pictures=pictures[:2], thresholds=limits
        )
        forms.append(SavedModelDetector(folder, SCORE))
    for form in forms:
        for picture, one in zip(pictures, expected, strict=True):
            assert_same(form.detect(picture), one)
    assert set(LABELLED_OUTPUTS) == set(outputs.run(np.zeros((96, 96, 3), np.float32)))


def test_a_model_is_opened_with_its_tree_whatever_file_it_is_in(tree_model, pictures, tmp_path):
    tree_model.save(tmp_path / "tree.keras")
    export_tflite(tree_model, tmp_path / "tree.tflite", pictures=pictures[:1])
    thresholds = Thresholds(score=SCORE)
    opened = [open_model(tmp_path / f"tree.{kind}", thresholds) for kind in ("keras", "tflite")]
    assert all(form.tree == TREE and form.class_names == TREE.names for form in opened)
    for one, other in zip(*(form.detect(pictures) for form in opened), strict=True):
        assert_same(other, one)


def test_suppresses_labelled_boxes_like_the_layer():
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 0.7, (80, 2))
    boxes = np.concatenate([corners, corners + 0.3], axis=1).astype(np.float32)
    scores, labels = rng.uniform(0, 1, 80).astype(np.float32), rng.integers(0, 3, 80)
    settings = {"score_threshold": 0.2, "iou_threshold": 0.45, "max_detections": 10}
    found = non_max_suppression(boxes, scores, labels, thresholds=Thresholds(0.2, 0.45, 10))
    expected = NonMaxSuppression(**settings)(boxes[None], scores[None], np.int32(labels)[None])
    count = int(expected["num_detections"][0])
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name][0, :count], atol=1e-6)


@pytest.mark.parametrize("nms", [True, False])
@pytest.mark.parametrize(("suffix", "export"), [(".onnx", export_onnx), (".xml", export_openvino)])
def test_onnx_and_openvino_give_the_labels_of_the_keras_model(
    suffix, export, nms, tree_model, pictures, tmp_path
):
    for package in ("onnx", "tf2onnx", "onnxruntime", "openvino"):
        pytest.importorskip(package, reason=f"needs {package}")
    limits = Thresholds(SCORE, tree=0.3)
    path = tmp_path / f"tree{suffix}"
    export(tree_model, path, pictures=pictures[:2], thresholds=limits, nms=nms, batch=None)
    if suffix == ".onnx":
        import onnx

        graph = onnx.load(path).graph
        read = {name for node in graph.node for name in node.input}
        assert read >= {value.name for value in graph.initializer}  # or ONNX Runtime warns
    opened = open_model(path, Thresholds(SCORE), batch_size=2)
    assert opened.tree == TREE
    expected = detect(detector(tree_model, SCORE, tree_threshold=0.3), pictures)
    for found, wanted in zip(opened.detect(pictures), expected, strict=True):
        assert_same(found, wanted)


def leaf_model():
    keras.utils.set_random_seed(0)
    options = {"tree": TREE, "tree_logits": "leaves"}
    model = TinyYOLOv2(TREE.names, input_size=64, width=0.125, resize="letterbox", **options)
    return restless(model, spread=3.0)


def test_an_int8_file_adds_up_leaves_in_its_decoding_alone(pictures, tmp_path):
    model, path = leaf_model(), tmp_path / "m.tflite"
    many = [np.roll(picture, i, axis=1) for i in range(0, 40, 4) for picture in pictures]
    int8 = {"quantization": "int8", "calibration": many, "thresholds": Thresholds(SCORE)}
    with pytest.raises(InputError, match="head tensor of a network that gives logits of leaves"):
        export_tflite(model, path, nms=False, raw_head=True, **int8)
    assert not path.exists()
    export_tflite(model, path, **int8)
    found = list(TFLiteDetector(path, score_threshold=SCORE).detect(pictures))
    assert any(len(one["labels"]) for one in found)
    names = [form.name for form in forms._tflite(model, tmp_path, (many, pictures[:2], None), [])]
    assert "TFLite int8" in names
    assert "TFLite int8, raw head" not in names


def test_a_head_of_leaves_gives_the_labels_of_the_keras_model_in_every_form(pictures, tmp_path):
    model = leaf_model()
    exporters = {"s": export_saved_model, "m.tflite": export_tflite}
    if all(importlib.util.find_spec(name) for name in ("onnx", "tf2onnx", "onnxruntime")):
        exporters["m.onnx"] = export_onnx
    limits = Thresholds(SCORE, tree=0.5)
    expected = list(detect(detector(model, SCORE, tree_threshold=0.5), pictures))
    assert len({*np.concatenate([one["labels"] for one in expected])}) > 2
    for name, export in exporters.items():
        export(model, tmp_path / name, pictures=pictures[:2], thresholds=limits)
        opened = open_model(tmp_path / name, Thresholds(SCORE))
        for found, wanted in zip(opened.detect(pictures), expected, strict=True):
            assert_same(found, wanted)


@pytest.mark.slow
def test_yolo9000_builds_loads_runs_and_is_exported(shared_data, tmp_path):
    """The whole network with 9,418 nodes on real photos, from Darknet's files to the others."""
    from yolov2_tf.darknet.network import read_network
    from yolov2_tf.darknet.reader import build_model, import_darknet
    from yolov2_tf.darknet.writer import export_darknet

    folder = shared_data / "darknet"
    tree = WordTree.read(folder / "9k.tree")
    network = read_network(folder / "yolo9000.cfg")
    keras.utils.set_random_seed(0)
    written = export_darknet(
        restless(build_model(network, tree=tree), spread=3.0), tmp_path / "darknet"
    )
    assert written.paths["weights"].stat().st_size == 195_230_024  # with the later, longer header
    model = import_darknet(folder / "yolo9000.cfg", written.paths["weights"], tree=tree)
    written.paths["weights"].unlink()

    names = ("dog", "horses", "giraffe")
    photos = [np.asarray(Image.open(folder / f"{name}.jpg").convert("RGB")) for name in names]
    settings = {"score_threshold": SCORE, "tree_threshold": 0.1}
    expected = list(detect(detector(model, **settings), photos, batch_size=1))
    labels = np.concatenate([one["labels"] for one in expected])
    assert len(set(labels)) > 10
    assert tree.depth[labels].max() > 1

    path = tmp_path / "9k.tflite"
    limits = Thresholds(SCORE, tree=0.1)
    export_tflite(model, path, pictures=photos[:1], thresholds=limits)
    assert not [n for n in operator_names(unpack(path.read_bytes())) if n.startswith("Flex")]
    runner = TFLiteDetector(path, threads=2, score_threshold=SCORE)
    found = [runner.detect(photo) for photo in photos]
    del runner
    path.unlink()
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)
    folder, _ = export_saved_model(
        model, tmp_path / "served", pictures=photos[:1], thresholds=limits
    )
    served = SavedModelDetector(folder, SCORE)
    for photo, one in zip(photos, expected, strict=True):
        assert_same(served.detect(photo), one)
