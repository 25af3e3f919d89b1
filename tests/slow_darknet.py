"""What Darknet computes, in slow NumPy, for cfgs that OpenCV refuses or reads otherwise.

It shares nothing with the package: it reads the cfg as `read_cfg` and src/option_list.c do (no
comments but whole lines, the first value of a key, the number that a value starts with).
"""

import re

import numpy as np

ACTIVATIONS = {
    "linear": lambda x: x,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "elu": lambda x: np.where(x >= 0, x, np.exp(np.minimum(x, 0)) - 1),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: 2 / (1 + np.exp(-2 * x)) - 1,
    "swish": lambda x: x / (1 + np.exp(-x)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
}


def slow_darknet(cfg, weights, image):
    """The input of `[region]`, or the last map, `(h, w, c)` float64.

    Args:
        cfg: Path of the cfg.
        weights: Path of the weights.
        image: `(H, W, C)`, values 0..1.
    """
    data = weights.read_bytes()
    major, minor = np.frombuffer(data, "<i4", 2)
    numbers = np.frombuffer(data, "<f4", offset=20 if major * 10 + minor >= 2 else 16)

    def take(*shape):
        nonlocal numbers
        taken, numbers = np.split(numbers, [np.prod(shape)])
        return taken.reshape(shape).astype(np.float64)

    x, outputs = image.transpose(2, 0, 1).astype(np.float64), []
    for kind, options in read_sections(cfg.read_bytes())[1:]:
        if kind == "convolutional":
            x = convolve(x, options, take)
        elif kind == "maxpool":
            stride = number(options, "stride", 1)
            size = number(options, "size", stride)
            x = pool(x, size, stride, number(options, "padding", size - 1))
        elif kind in ("route", "shortcut"):
            key = "layers" if kind == "route" else "from"
            places = [int(place) for place in options[key].split(",")]
            others = [outputs[place] for place in places]  # a negative one counts from the end
            x = np.concatenate(others) if kind == "route" else add(x, others)
            x = ACTIVATIONS[options.get("activation", "linear")](x)
        else:
            assert kind in ("dropout", "region"), kind
        outputs.append(x)
    assert not numbers.size
    return x.transpose(1, 2, 0)


def read_sections(data):
    sections = []
    for line in data.split(b"\n"):
        line = re.sub(rb"\s", b"", line)
        if line[:1] == b"[":
            sections.append((line[1:-1].decode(), {}))
        elif line and line[:1] not in b"#;" and line.find(b"=") not in (-1, len(line) - 1):
            key, _, value = line.decode("utf-8").partition("=")
            sections[-1][1].setdefault(key, value)
    return sections


def number(options, key, default):
    return int(re.match(r"[-+]?[0-9]+", str(options.get(key, default)))[0])


def convolve(x, options, take):
    filters, size, stride = (number(options, key, 1) for key in ("filters", "size", "stride"))
    padding = size // 2 if number(options, "pad", 0) else number(options, "padding", 0)
    biases = take(filters)
    scales, means, variances = (
        take(3, filters) if number(options, "batch_normalize", 0) else np.array([[1], [0], [1]])
    )
    kernel = take(filters, len(x), size, size)
    x = np.pad(x, [(0, 0), (padding, padding), (padding, padding)])
    height, width = ((side - size) // stride + 1 for side in x.shape[1:])
    total = sum(
        np.einsum("oc,chw->ohw", kernel[:, :, i, j], window)
        for i, j, window in windows(x, size, stride, height, width)
    )
    # The epsilon where there is no batch norm is within the comparison's tolerance.
    normalized = (total.T - means) / np.sqrt(variances + 1e-6) * scales + biases
    return ACTIVATIONS[options.get("activation", "logistic")](normalized.T)


def add(x, others):
    """`shortcut_cpu` in src/blas.c, loop by loop."""
    x = x.copy()
    for other in others:
        channels, height, width = np.minimum(x.shape, other.shape)
        stride, sample = max(1, other.shape[2] // x.shape[2]), max(1, x.shape[2] // other.shape[2])
        for j in range(height):
            for i in range(width):
                x[:channels, j * sample, i * sample] += other[:channels, j * stride, i * stride]
    return x


def pool(x, size, stride, padding):
    around = (padding // 2, padding - padding // 2)
    x = np.pad(x, [(0, 0), around, around], constant_values=-np.inf)
    height, width = ((side - size) // stride + 1 for side in x.shape[1:])
    return np.max([window for *_, window in windows(x, size, stride, height, width)], axis=0)


def windows(x, size, stride, height, width):
    for i in range(size):
        for j in range(size):
            rows, columns = (slice(k, k + stride * n, stride) for k, n in ((i, height), (j, width)))
            yield i, j, x[:, rows, columns]
