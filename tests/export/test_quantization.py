"""Rounding and ranges against their definitions; networks with Darknet's reorg."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolov2_tf.darknet.cfg import parse_cfg
from yolov2_tf.darknet.network import parse_network
from yolov2_tf.darknet.reader import build_model
from yolov2_tf.errors import InputError
from yolov2_tf.export.calibration import best_range, observe
from yolov2_tf.export.flatbuffer import convolutions, operator_names, unpack
from yolov2_tf.export.quantization import round_keeping_sums
from yolov2_tf.export.tflite import export_tflite
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.layers import DarknetReorg


@settings(max_examples=60, deadline=None)
@given(
    outputs=st.integers(1, 4),
    taps=st.integers(1, 9),
    inputs=st.integers(1, 5),
    largest=st.floats(0.1, 126.4),
    seed=st.integers(0, 999),
)
def test_rounding_keeps_the_sums(outputs, taps, inputs, largest, seed):
    values = np.random.default_rng(seed).uniform(-largest, largest, (outputs, taps, inputs))
    rounded = round_keeping_sums(values)
    assert (rounded == np.rint(rounded)).all()
    assert np.abs(rounded).max() <= 127
    assert np.abs(rounded - values).max() < 1
    assert np.abs((rounded - values).sum(axis=1)).max() <= 0.5 + 1e-9


def test_rounding_moves_the_values_nearest_to_the_other_side():
    values = np.array([0.4, 0.45, 0.3, 0.1]).reshape(1, 4, 1)  # sum 1.25, rounded plainly 0
    assert round_keeping_sums(values).ravel().tolist() == [0, 1, 0, 0]
    assert round_keeping_sums(-values).ravel().tolist() == [0, -1, 0, 0]


def quantised(values, low, high):
    step = (high - low) / 255
    zero = np.rint(-low / step)
    return (np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step


def leaky(x):
    return np.where(x < 0, 0.1 * x, x)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), shape=st.sampled_from([0.7, 1.0, 2.0]))
def test_best_range_beats_the_extremes(seed, shape):
    random = np.random.default_rng(seed)
    values = random.gamma(shape, size=20_000) * random.choice([-1, 1], 20_000)
    values = values.astype(np.float32)

    def error(low, high, activation=lambda x: x):
        return np.mean((activation(quantised(values, low, high)) - activation(values)) ** 2)

    low, high = best_range(values)
    assert low <= 0 <= high
    assert error(low, high) <= error(values.min(), values.max()) * 1.01
    leaky_low, leaky_high = best_range(values, leaky)
    assert error(leaky_low, leaky_high, leaky) <= error(low, high, leaky) * 1.01
    assert leaky_low >= low - 0.1 * abs(low)  # what a leaky ReLU shrinks deserves less room


@pytest.mark.parametrize("values", [[0.0] * 10, [3.0] * 10, [-2.0] * 10, [1.0, 2.0, 4.0]])
def test_best_range_holds_zero_and_survives_constants(values):
    low, high = best_range(np.array(values, np.float32))
    assert low <= 0 <= high
    assert high >= 0.9 * max(*values, 0)
    assert low <= 0.9 * min(*values, 0)


def test_observes_samples_extremes_and_channel_means(exported, pictures):
    content = exported["none"][0].read_bytes()
    graph = unpack(content).subgraphs[0]
    image = graph.inputs[0]
    picture = np.random.default_rng(0).uniform(0, 255, (96, 96, 3)).astype(np.float32)
    seen = observe(content, [image], [picture, picture / 2])[image]
    assert {seen.samples.min(), seen.samples.max()} == {(picture / 2).min(), picture.max()}
    np.testing.assert_allclose(seen.means, 0.75 * picture.mean(axis=(0, 1)), rtol=1e-4)


def test_darknet_s_reorg_is_quantised_too(pictures, tmp_path):
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    for filters in (8, 16, 16, 16):
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.LeakyReLU(negative_slope=0.1)(x)
        x = keras.layers.MaxPool2D(2)(x)
    x = DarknetReorg(2)(x)
    x = DetectionHead([(1, 1), (2, 2)], ["a", "b"], input_size=64)(x)
    path = tmp_path / "reorg.tflite"
    calibration = pictures[:2]
    difference = export_tflite(
        DetectionModel(image, x), path, quantization="int8", nms=False, calibration=calibration
    )
    assert difference.scores < 0.1
    names = operator_names(unpack(path.read_bytes()))
    assert names.count("QUANTIZE") == names.count("DEQUANTIZE") == 1
    assert {"TRANSPOSE", "SPACE_TO_DEPTH"} <= set(names[: names.index("DEQUANTIZE")])


@pytest.mark.parametrize("weights", [0.0, 1e-13, 1e-9])
def test_a_filter_without_weights_keeps_its_bias(pictures, tmp_path, weights):
    """Weight decay leaves such filters; their biases were beyond int32 and turned over."""
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    convolution = keras.layers.Conv2D(8, 3, padding="same")
    x = keras.layers.LeakyReLU(negative_slope=0.1)(convolution(x))
    x = keras.layers.MaxPool2D(32)(x)
    x = DetectionHead([(1, 1), (2, 2)], ["a", "b"], input_size=64)(x)
    kernel, bias = convolution.get_weights()
    kernel[..., ::2] = weights
    bias[::2] = 3.0
    convolution.set_weights([kernel, bias])
    path = tmp_path / "dead.tflite"
    export_tflite(
        DetectionModel(image, x), path, quantization="int8", nms=False, calibration=pictures[:2]
    )
    model = unpack(path.read_bytes())
    tensor = model.subgraphs[0].tensors[convolutions(model)[0].inputs[2]]
    steps = np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.int32)
    np.testing.assert_allclose((steps * tensor.quantization.scale)[::2], 3.0, rtol=1e-3)


def imported(net, first, pool="size=2\nstride=2"):
    """A network of a cfg with random weights."""
    text = f"""
[net]
width=64
height=64
{net}
[convolutional]
filters=8
size=3
pad=1
{first}
[maxpool]
{pool}
[convolutional]
filters=14
size=1
activation=linear
[region]
anchors=1,1,2,2
classes=2
num=2
softmax=1
"""
    keras.utils.set_random_seed(0)
    return build_model(parse_network(parse_cfg(text)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_is_integers_from_the_picture_on(pictures, tmp_path, channels, stride):
    """With a stride zeros lie around the picture, and grey networks weigh its colours."""
    model = imported(f"channels={channels}", f"stride={stride}\nactivation=leaky")
    path = tmp_path / "raw.tflite"
    options = {"nms": False, "raw_head": True, "quantization": "int8"}
    agreement = export_tflite(model, path, calibration=pictures[:2], **options)
    assert agreement.scores < 0.05
    pads = ["PAD"] * (stride - 1)
    expected = [*pads, "CONV_2D", "LEAKY_RELU", "MAX_POOL_2D", "CONV_2D"]
    assert operator_names(unpack(path.read_bytes())) == expected


def test_a_first_layer_that_has_no_integers_is_named(small_model, pictures, tmp_path):
    x = keras.layers.Rescaling(1 / 255)(small_model.input)
    x = keras.layers.Conv2D(8, 3, padding="same")(keras.layers.Activation("tanh")(x))
    x = DetectionHead([(1, 1)], ["a"], input_size=64)(keras.layers.MaxPool2D(32)(x))
    model = DetectionModel(small_model.input, x)
    options = {"nms": False, "raw_head": True, "quantization": "int8"}
    with pytest.raises(InputError, match="int8 input of a network that begins with MUL, TANH"):
        export_tflite(model, tmp_path / "raw.tflite", calibration=pictures[:2], **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pool", ["size=3\nstride=2", "size=5\nstride=3"])
def test_what_lies_beyond_a_map_has_no_part_in_its_range(pictures, tmp_path, pool):
    """Darknet pools over −∞ there; as a number of float32 it left no step of int8 for the rest."""
    model = imported("channels=3", "stride=2\nactivation=leaky", pool)
    path = tmp_path / "pooled.tflite"
    options = {"nms": False, "quantization": "int8", "calibration": pictures[:2]}
    assert export_tflite(model, path, **options).scores < 0.05
    names = operator_names(unpack(path.read_bytes()))
    assert names.count("QUANTIZE") == names.count("DEQUANTIZE") == 1
