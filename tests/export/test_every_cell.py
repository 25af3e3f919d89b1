"""The cells of the table in docs/export.md that hold in every format, all of them at once.

Each file is of a letterboxed network with a label tree, has another size than the network was made
for, and takes several pictures at once; it has to find what the Keras model finds at that size.
"""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.export.detectors import open_model
from yolov2_tf.export.inference_network import at_size
from yolov2_tf.export.onnx import export_onnx
from yolov2_tf.export.opencv import OpenCvDetector
from yolov2_tf.export.openvino import export_openvino
from yolov2_tf.export.saved_model import export_saved_model
from yolov2_tf.export.tflite import export_tflite
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

pytestmark = pytest.mark.slow

TREE = WordTree(["animal", "thing", "dog", "cat", "cup", "box"], [-1, -1, 0, 0, 1, 1])
SIZE = 64
SCORE = 0.02
LIMITS = Thresholds(SCORE, tree=0.3)


def restless(model):
    """Random weights of the head under which much is found."""
    kernel, bias = model.head.get_weights()
    random = np.random.default_rng(0)
    spread = 3 / kernel.shape[2] ** 0.5
    model.head.set_weights(
        [random.normal(0, spread, kernel.shape), random.normal(0, 1, bias.shape)]
    )
    return model


@pytest.fixture(scope="module")
def tree_model():
    keras.utils.set_random_seed(0)
    return restless(
        TinyYOLOv2(TREE.names, input_size=96, width=0.02, resize="letterbox", tree=TREE)
    )


def found_by_keras(model, pictures, **settings):
    return list(detect(detector(model, SCORE, **settings), pictures, size=SIZE))


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        assert len(other["labels"])
        np.testing.assert_array_equal(one["labels"], other["labels"])
        np.testing.assert_allclose(one["scores"], other["scores"], atol=1e-4)
        np.testing.assert_allclose(one["boxes"], other["boxes"], atol=1e-3)


FILES = [
    (".tflite", {"batch": 2}),
    (".tflite", {"batch": 2, "nms": False}),
    (".tflite", {"batch": 2, "nms": False, "raw_head": True}),
    (".onnx", {"batch": 2, "nms": True}),
    (".onnx", {"batch": None, "nms": False}),
    (".xml", {"batch": None, "nms": True}),
    (".xml", {"batch": 2, "nms": False}),
]
EXPORTS = {".tflite": export_tflite, ".onnx": export_onnx, ".xml": export_openvino}
NEEDED = {".tflite": (), ".onnx": ("onnx", "tf2onnx", "onnxruntime"), ".xml": ("openvino", "onnx")}


@pytest.mark.parametrize(("suffix", "settings"), FILES)
def test_letterboxed_trees_of_another_size_in_batches(
    suffix, settings, tree_model, pictures, tmp_path
):
    for package in NEEDED[suffix]:
        pytest.importorskip(package, reason=f"needs {package}")
    path = tmp_path / f"model{suffix}"
    sized = at_size(tree_model, SIZE)
    EXPORTS[suffix](sized, path, pictures=pictures[:2], thresholds=LIMITS, **settings)
    dynamic = {"batch_size": 2} if settings["batch"] is None else {}
    opened = open_model(path, Thresholds(SCORE), **dynamic)
    layout = opened.layout
    assert (opened.batch, opened.input_size, opened.tree) == (2, SIZE, TREE)
    assert (layout.resize, layout.nms) == ("letterbox", settings.get("nms", True))
    # Five pictures: the last group of two has an empty place.
    wanted = found_by_keras(tree_model, pictures, tree_threshold=0.3)
    assert_same(opened.detect(pictures), wanted)


def test_a_saved_model_likewise(tree_model, pictures, tmp_path):
    sized = at_size(tree_model, SIZE)
    path, _ = export_saved_model(sized, tmp_path / "m", pictures=pictures[:2], thresholds=LIMITS)
    opened = open_model(path, Thresholds(SCORE))
    assert (opened.input_size, opened.tree, opened.layout.resize) == (SIZE, TREE, "letterbox")
    encoded = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        encoded.append(file.getvalue())
    wanted = found_by_keras(tree_model, pictures, tree_threshold=0.3)
    assert_same(opened.detect_bytes(encoded), wanted)  # five at once


def test_darknet_of_another_size_in_opencv(pictures, tmp_path):
    """Without a tree, which OpenCV does not know; whoever runs the files resizes."""
    pytest.importorskip("cv2", reason="needs opencv-python-headless")
    keras.utils.set_random_seed(0)
    model = restless(TinyYOLOv2(("cat", "dog"), input_size=96, width=0.02, resize="letterbox"))
    sized = at_size(model, SIZE)
    paths = export_darknet(sized, tmp_path).paths
    assert f"width={SIZE}" in paths["cfg"].read_text().replace(" ", "")
    opened = OpenCvDetector(sized.head, paths, threads=1, thresholds=Thresholds(SCORE, iou=0.4))
    # OpenCV's region layer suppresses at an overlap of 0.4 by itself.
    assert_same(opened.detect(pictures), found_by_keras(model, pictures, iou_threshold=0.4))
