"""The networks: Darknet's sizes, any input size, saving and loading."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.reader import build_model
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import published
from yolov2_tf.models.blocks import BATCH_NORM_EPSILON, convolution, max_pool
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.yolov2 import YOLO9000, TinyYOLOv2, YOLOv2
from yolov2_tf.trees.wordtree import WordTree

NAMES = ["ant", "bee", "cat"]
VOC = [f"class {i}" for i in range(20)]


def pictures(height, width, batch=2):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (batch, height, width, 3)).astype(np.float32)


def convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.fixture(scope="module")
def yolo():
    return YOLOv2(NAMES, width=0.125, input_size=64)


@pytest.fixture(scope="module")
def tiny():
    return TinyYOLOv2(NAMES, width=0.125, input_size=64)


@pytest.fixture(scope="module")
def classifier():
    return Darknet19(10, width=0.125)


@pytest.fixture(params=["yolo", "tiny"])
def detector(request):
    return request.getfixturevalue(request.param)


# === Sizes that Darknet's files have ===


@pytest.mark.parametrize(
    ("build", "file_bytes"),
    [
        (lambda: YOLOv2(VOC), 202_704_260),  # yolov2-voc.weights
        (lambda: TinyYOLOv2(VOC), 63_471_556),  # yolov2-tiny-voc.weights
        (lambda: Darknet19(1000), 83_427_120),  # darknet19.weights
    ],
    ids=["yolov2-voc", "yolov2-tiny-voc", "darknet19"],
)
def test_as_many_numbers_as_the_published_weights(build, file_bytes):
    """A file is a header of 16 bytes and four bytes a number, means and variances included."""
    assert build().count_params() * 4 + 16 == file_bytes


def test_yolo9000_is_darknet19_and_the_head(shared_data):
    """Three anchors, nothing between trunk and head (yolo9000.cfg)."""
    tree = WordTree.read(shared_data / "darknet/9k.tree")
    published = build_model(read_network(shared_data / "darknet/yolo9000.cfg"), tree=tree)
    model = YOLO9000(tree.names, tree=tree)
    assert model.count_params() == published.count_params()
    shapes = [tuple(layer.kernel.shape) for layer in convolutions(model)]
    assert shapes == [tuple(layer.kernel.shape) for layer in convolutions(published)]
    np.testing.assert_allclose(model.head.anchors, published.head.anchors, rtol=1e-5)
    assert model.head.input_size == published.head.input_size


def test_without_squeeze_the_passthrough_has_2048_channels():
    model = YOLOv2(VOC, squeeze=None)
    assert model.get_layer("passthrough").output.shape[-1] == 2048
    assert len(convolutions(model)) == 22  # one less than with it


def test_darknet19_has_19_convolutions(classifier):
    assert len(convolutions(classifier)) == 19
    full = [32, 64, 128, 64, 128, 256, 128, 256, 512, 256, 512, 256, 512,
            1024, 512, 1024, 512, 1024]  # fmt: skip
    assert [layer.filters for layer in convolutions(classifier)[:-1]] == [
        max(8, side // 8) for side in full
    ]


# === What the blocks are made of ===


def test_convolutions_are_named_in_darknets_order(yolo, tiny, classifier):
    assert [layer.name for layer in convolutions(tiny)] == [f"conv{i}" for i in range(1, 9)] + [
        "head"
    ]
    assert {layer.name for layer in convolutions(yolo)} == {f"conv{i}" for i in range(1, 23)} | {
        "head"
    }
    assert {layer.name for layer in convolutions(classifier)} == {f"conv{i}" for i in range(1, 20)}


def test_the_trunk_of_a_classifier_fits_a_detector(yolo, classifier):
    for i in range(1, 19):
        name = f"conv{i}"
        shapes = [model.get_layer(name).kernel.shape for model in (yolo, classifier)]
        assert shapes[0] == shapes[1], name


def test_blocks_are_convolution_batch_norm_and_leaky_relu(detector):
    for layer in convolutions(detector)[:-1]:
        assert not layer.use_bias
        assert layer.padding == "same"
        norm = detector.get_layer(f"{layer.name}_bn")
        assert (norm.momentum, norm.epsilon) == (0.99, BATCH_NORM_EPSILON) == (0.99, 1e-5)
        assert detector.get_layer(f"{layer.name}_leaky").negative_slope == pytest.approx(0.1)
    assert detector.head.use_bias
    assert detector.head.activation is keras.activations.linear


def test_kernels_start_he_normal():
    model = TinyYOLOv2(NAMES, width=0.25)
    kernel = model.get_layer("conv7").kernel.numpy()
    assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[:3])), rel=0.02)


def test_fine_features_come_first(yolo):
    fine, coarse = (
        tensor._keras_history.operation.name for tensor in yolo.get_layer("concat").input
    )
    assert (fine, coarse) == ("passthrough", "conv20_leaky")
    assert yolo.get_layer("conv21").input.name == yolo.get_layer("conv13_leaky").output.name


def test_images_are_rescaled_inside(detector):
    assert isinstance(detector.layers[1], keras.layers.Rescaling)
    rescaled = detector.layers[1](pictures(32, 32))
    np.testing.assert_allclose(rescaled, pictures(32, 32) / 255, rtol=1e-6)


def test_weight_decay_is_on_the_kernels_of_convolutions_only(detector):
    expected = 5e-4 / 2 * sum(np.sum(layer.kernel.numpy() ** 2) for layer in convolutions(detector))
    assert float(tf.add_n(detector.losses)) == pytest.approx(expected, rel=1e-5)
    assert len(detector.losses) == len(convolutions(detector))
    assert TinyYOLOv2(NAMES, width=0.125, weight_decay=0).losses == []


def test_filters_are_multiples_of_8():
    model = TinyYOLOv2(NAMES, width=0.3)
    filters = [layer.filters for layer in convolutions(model)[:-1]]
    assert filters == [8, 8, 16, 40, 80, 152, 304, 304]


@pytest.mark.parametrize("side", [4, 5, 8])
@pytest.mark.parametrize(
    ("size", "stride", "padding"),
    [(2, 2, None), (2, 1, None), (3, 1, None), (3, 2, None), (5, 3, None), (2, 2, 0), (2, 3, 1)],
)
def test_max_pools_are_darknets(side, size, stride, padding):
    """By Darknet's loop: windows begin half the padding before the map; beyond it is -infinity."""
    features = -np.random.default_rng(0).uniform(1, 2, (1, side, side, 1)).astype(np.float32)
    around = size - 1 if padding is None else padding
    out = (side + around - size) // stride + 1
    expected = np.full((out, out), -np.inf)
    for i in range(out):
        for j in range(out):
            for y in range(i * stride - around // 2, i * stride - around // 2 + size):
                for x in range(j * stride - around // 2, j * stride - around // 2 + size):
                    if 0 <= y < side and 0 <= x < side:
                        expected[i, j] = max(expected[i, j], features[0, y, x, 0])
    image = keras.Input((None, None, 1))
    pool = keras.Model(image, max_pool(image, size, stride, padding=padding, name="pool"))
    assert np.array_equal(pool(features)[0, ..., 0], expected)


def test_strided_convolutions_pad_on_both_sides():
    image = keras.Input((None, None, 3))
    block = keras.Model(
        image, convolution(image, 4, 3, stride=2, batch_norm=False, activation="linear", name="c")
    )
    images = pictures(6, 6)
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
    expected = tf.nn.conv2d(padded, block.get_layer("c").kernel.value, 2, "VALID")
    np.testing.assert_allclose(block(images), expected, rtol=1e-5, atol=1e-4)


def test_a_block_refuses_an_unknown_activation():
    x = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="'stair', expected one of leaky"):
        convolution(x, 8, 3, activation="stair", name="c")


# === Inputs and outputs ===


@pytest.mark.parametrize("build", [YOLOv2, TinyYOLOv2])
@pytest.mark.parametrize("size", [0, -32, 31, 100, (64, 64), "64", None])
def test_sizes_that_do_not_fit_are_refused(build, size):
    with pytest.raises(ValueError, match="multiple of 32"):
        build(NAMES, input_size=size)


@pytest.mark.parametrize("build", [YOLOv2, TinyYOLOv2])
@pytest.mark.parametrize("width", [0, -1, float("nan"), "half"])
def test_widths_that_leave_nothing_are_refused(build, width):
    with pytest.raises(InputError, match=r"width is .*above 0"):
        build(NAMES, width=width)


def test_a_passthrough_below_nothing_is_refused():
    with pytest.raises(ValueError, match="squeeze is -1"):
        YOLOv2(NAMES, width=0.01, squeeze=-1)


def test_the_head_knows_how_the_model_is_used():
    anchors = [(1, 2), (3, 4)]
    model = YOLOv2(NAMES, anchors=anchors, input_size=96, resize="letterbox", width=0.125)
    assert isinstance(model, DetectionModel)
    assert model.head.class_names == tuple(NAMES)
    assert model.head.anchors.tolist() == [[1, 2], [3, 4]]
    assert (model.head.input_size, model.head.resize) == (96, "letterbox")
    assert model.output_shape == (None, None, None, 2 * (5 + 3))


def test_default_anchors_are_the_published_ones(yolo, tiny):
    assert np.array_equal(yolo.head.anchors, published("voc"))
    assert np.array_equal(tiny.head.anchors, published("tiny-voc"))


def test_one_graph_runs_every_multiple_of_32(detector):
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def run(images):
        traces.append(images.shape)
        return detector(images, training=False)

    for height, width in [(32, 32), (64, 64), (96, 64), (64, 128)]:
        images = pictures(height, width)
        raw = run(images)
        assert raw.shape == (2, height // 32, width // 32, 5 * (5 + 3))
        np.testing.assert_allclose(raw, detector(images, training=False), rtol=1e-4, atol=1e-4)
    assert len(traces) == 1


def test_a_batch_gives_what_its_images_give(detector):
    images = pictures(64, 64, batch=3)
    together = detector(images, training=False).numpy()
    for image, raw in zip(images, together, strict=True):
        np.testing.assert_allclose(detector(image[None], training=False)[0], raw, atol=1e-4)


def test_the_classifier_gives_logits_at_any_size(classifier):
    for size in (32, 64, 96):
        logits = classifier(pictures(size, size), training=False).numpy()
        assert logits.shape == (2, 10)
        assert np.all(np.isfinite(logits))
    assert np.any(logits < 0)


def test_mixed_precision_computes_in_half_and_answers_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        models = [TinyYOLOv2(NAMES, width=0.125), YOLOv2(NAMES, width=0.125)]
        models.append(Darknet19(10, width=0.125))
    finally:
        keras.config.set_dtype_policy("float32")
    for model in models:
        assert model.get_layer("conv2").compute_dtype == "bfloat16"
        assert model.get_layer("conv2").kernel.dtype == "float32"
        assert model(pictures(64, 64), training=False).dtype == tf.float32


# === Files ===


def test_a_file_says_all_by_itself(tmp_path):
    """Loaded by another process, without `custom_objects`: same outputs, same names and sizes."""
    images = pictures(64, 64)
    np.save(tmp_path / "images.npy", images)
    build = {
        "yolo": lambda: YOLOv2(NAMES, width=0.125, anchors=[(1, 2), (3, 4)], input_size=96),
        "classifier": lambda: Darknet19(10, width=0.125),
        "tiny": lambda: TinyYOLOv2(NAMES, width=0.125, input_size=64, resize="letterbox"),
    }
    expected = {}
    for name, make in build.items():
        model = make()
        if name == "tiny":  # what it was compiled with belongs to it
            model.compile("sgd", YOLOv2Loss(model.head.anchors, rescore=False))
        model.save(tmp_path / f"{name}.keras")
        expected[name] = model(images, training=False).numpy()
    code = """
import sys
from pathlib import Path
import numpy as np
import yolov2_tf

folder = Path(sys.argv[1])
images = np.load(folder / "images.npy")
for name in sys.argv[2:]:
    model = yolov2_tf.load_model(folder / f"{name}.keras")
    np.save(folder / f"{name}.npy", model(images, training=False))
    if name != "classifier":
        head = model.head
        print(head.class_names, head.anchors.shape, head.input_size, head.resize)
print(model.loss.rescore)
"""
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path, *build], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "('ant', 'bee', 'cat') (2, 2) 96 stretch",
        "('ant', 'bee', 'cat') (5, 2) 64 letterbox",
        "False",
    ]
    for name, raw in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), raw, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("build", [TinyYOLOv2, YOLOv2, YOLO9000, Darknet19])
def test_channels_first_is_refused(build):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(InputError, match="image_data_format is channels_first"):
            build(["cat", "dog"], width=0.05)
    finally:
        keras.config.set_image_data_format("channels_last")
