"""Networks small enough for tests, their weights, and OpenCV as the independent runtime."""

import contextlib
import re

import cv2
import numpy as np
import pytest

from yolov2_tf.darknet.cfg import parse_cfg, read_cfg, write_cfg
from yolov2_tf.darknet.network import parse_network
from yolov2_tf.darknet.weights import ConvWeights, Header, write_weights
from yolov2_tf.errors import InputError

PUBLISHED = (
    "yolov2-voc",
    "yolov2",
    "yolov2-tiny-voc",
    "yolov2-tiny",
    "yolo9000",
    "darknet19",
    "darknet19_448",
)


@pytest.fixture(autouse=True)
def one_thread():
    cv2.setNumThreads(1)


@pytest.fixture(params=PUBLISHED)
def published(request):
    return request.param


@pytest.fixture(params=["yolov2-voc", "yolov2-tiny-voc", "yolo9000", "darknet19"])
def form(request):
    """One published network of each form; the others differ in classes and input size."""
    return request.param


@pytest.fixture
def write_network(tmp_path):
    """Writes a cfg and random weights that keep activations near 1; returns both paths."""

    def write(sections, *, name="net", header=Header(0, 1, 0, 32013312), seed=0):
        cfg, weights = tmp_path / f"{name}.cfg", tmp_path / f"{name}.weights"
        network = parse_network(sections)
        cfg.write_text(write_cfg(network.sections))
        rng = np.random.default_rng(seed)
        write_weights(
            weights, network, (random_weights(c, rng) for c in network.convolutions), header
        )
        return cfg, weights

    return write


@pytest.fixture
def published_sections(shared_data):
    """The sections of a published cfg, with `1 / slimmer` of the filters and a small input."""

    def read(name, *, slimmer=16, size=96):
        sections = read_cfg(shared_data / "darknet" / f"{name}.cfg")
        if slimmer == 1:
            return sections
        *_, last = (i for i, section in enumerate(sections) if section.type == "convolutional")
        for index, section in enumerate(sections):
            if section.type == "convolutional" and index != last:
                section.options["filters"] = str(int(section.options["filters"]) // slimmer)
        sections[0].options.update(width=str(size), height=str(size))
        return sections

    return read


@pytest.fixture(params=range(12))
def random_sections(request):
    """A small network of layers of any kind, options of any kind."""
    rng = np.random.default_rng(request.param)
    size = rng.integers(17, 40)
    texts = [f"[net]\nwidth={size}\nheight={size}\nchannels=3\nlearning_rate=0.1\n"]
    while len(texts) < 8:
        candidate = [*texts, random_layer(rng, len(texts) - 1)]
        with contextlib.suppress(InputError):  # what does not fit is not taken
            network = parse_network(parse_cfg("".join(candidate)))
            if min(network.layers[-1].output_shape[:2]) > 1:
                texts = candidate
    return parse_cfg("".join(texts))


def random_layer(rng, index):
    kind = rng.choice(["convolution", "convolution", "pool", "reorg", "route", "dropout"])
    if index == 0 or kind == "convolution":
        padding = rng.choice(["pad=1", "pad=0", "padding=1", "padding=2"])
        activation = rng.choice(["leaky", "linear", "relu", "logistic"])
        return (
            f"[convolutional]\nbatch_normalize={rng.integers(2)}\nfilters={rng.integers(1, 9)}\n"
            f"size={rng.integers(1, 5)}\nstride={rng.integers(1, 3)}\n{padding}\n"
            f"activation={activation}\n"
        )
    if kind == "pool":
        size = rng.integers(1, 5)
        padding = rng.choice(["", f"padding={rng.integers(size)}\n"])
        return f"[maxpool]\nsize={size}\nstride={rng.integers(1, 4)}\n{padding}"
    if kind == "route":
        return f"[route]\nlayers=-1,{rng.integers(index)}\n"
    return {"reorg": "[reorg]\nstride=2\n", "dropout": "[dropout]\n"}[kind]


def random_weights(layer, rng):
    def normal(deviation, *shape):
        return rng.normal(0, deviation, shape).astype(np.float32)

    def uniform(low, high):
        return rng.uniform(low, high, layer.filters).astype(np.float32)

    _, channels, size, _ = layer.kernel_shape
    kernel = normal(np.sqrt(2 / (channels * size**2)), *layer.kernel_shape)
    biases = normal(0.2, layer.filters)
    if not layer.batch_normalize:
        return ConvWeights(biases, None, None, None, kernel)
    return ConvWeights(
        biases, uniform(0.5, 1.5), normal(0.2, layer.filters), uniform(0.3, 2), kernel
    )


@pytest.fixture
def images():
    def make(size, count=1, seed=0):
        return np.random.default_rng(seed).uniform(0, 255, (count, size, size, 3)).astype("f4")

    return make


@pytest.fixture
def run_opencv():
    """What OpenCV computes: the input of `[region]` or `[softmax]`, else the last map; NHWC."""

    def run(cfg, weights, images):
        text = re.sub(r"\ntree *=.*", "", cfg.read_text())  # "Yolo9000 is not implemented"
        network = cv2.dnn.readNetFromDarknet(
            np.frombuffer(text.encode(), np.uint8), np.fromfile(weights, np.uint8)
        )
        network.enableWinograd(False)  # it alone is off by 6e-5 on real weights
        types = [section.type for section in read_cfg(cfg)]
        types = types[1:-1] if types[-1] == "cost" else types[1:]
        name = None
        if types[-1] in ("region", "softmax"):
            kind = {"convolutional": "conv"}.get(types[-2], types[-2])
            name = f"{kind}_{len(types) - 2}"
        outputs = []
        for image in images:
            network.setInput(np.ascontiguousarray(image.transpose(2, 0, 1))[None] / 255)
            outputs.append(network.forward(name))
        return np.concatenate(outputs).transpose(0, 2, 3, 1)

    return run
