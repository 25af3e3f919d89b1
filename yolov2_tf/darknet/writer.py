"""Keras models as Darknet networks: the reverse of `reader`."""

import contextlib
import dataclasses
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from yolov2_tf.darknet.cfg import Section, parse_cfg, write_cfg
from yolov2_tf.darknet.graph import describe
from yolov2_tf.darknet.network import parse_network
from yolov2_tf.darknet.reader import EPSILON, import_darknet
from yolov2_tf.darknet.sections import Cost, Reorg
from yolov2_tf.darknet.weights import ConvWeights, Header, write_weights
from yolov2_tf.data.names import label_lines
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing
from yolov2_tf.models.heads import Head
from yolov2_tf.models.layers import DarknetInput

TOLERANCE = 1e-3
HALF_PRECISION_TOLERANCE = 0.1
"""How far the outputs of the written network may be off, as a fraction of the largest."""

# What the published cfgs say where a Keras model says nothing; only training in Darknet reads it,
# and the size of a network without a head.
_DEFAULTS = {
    "net": {"batch": 1, "subdivisions": 1, "width": 224, "height": 224, "channels": 3},
    "region": {
        "bias_match": 1,
        "jitter": 0.2,
        "rescore": 1,
        "object_scale": 5,
        "noobject_scale": 1,
        "class_scale": 1,
        "coord_scale": 1,
        "absolute": 1,
        "thresh": 0.6,
        "random": 1,
    },
    "softmax": {"groups": 1},
}


class DarknetFiles(NamedTuple):
    """What `export_darknet` wrote.

    Attributes:
        paths: The files by suffix: `cfg`, `weights`, with classes `names`, with a tree `tree`.
        notes: What the files cannot say, one line each, for the user to see.
    """

    paths: dict[str, Path]
    notes: tuple[str, ...]


def export_darknet(model, folder):
    """Writes a model as Darknet's cfg and weights, with its class names and tree.

    The files get their names only when they were read again and gave the model's outputs.
    Sections of an imported network that still describe it are written as they came: its weights
    come out byte for byte, its cfg word for word but for comments and blanks.

    Args:
        model: Functional model made of the building blocks of `yolov2_tf.models`: a detector
            (without decoding and suppression), a classifier or a trunk.
        folder: Where `<model.name>.cfg`, `.weights`, `.names` and `.tree` shall be.

    Returns:
        `DarknetFiles`.

    Raises:
        InputError: If a layer has no form in Darknet, or a weight is not finite.
    """
    head = _find(model, Head)
    if head is not None and head.tree_logits == "leaves":
        raise InputError(
            "the head makes the logits of inner nodes from those of the leaves",
            where=model.name,
            expected="a logit for each node, as in Darknet",
        )
    sections, blocks = describe(model)
    origin = _find(model, DarknetInput)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", model.name)
    if head is not None and head.tree is not None:
        sections[-1].options["tree"] = f"{name}.tree"
    network = _complete(sections, head, origin)
    header = Header() if origin is None else Header(*origin.header)

    kinds = ["weights", "cfg"]
    kinds += [] if head is None else ["names"]
    kinds += [] if head is None or head.tree is None else ["tree"]
    paths = {kind: Path(folder) / f"{name}.{kind}" for kind in kinds}
    with contextlib.ExitStack() as stack:
        new = {kind: stack.enter_context(replacing(path)) for kind, path in paths.items()}
        write_weights(new["weights"], network, map(_weights, blocks), header)
        new["cfg"].write_text(write_cfg(network.sections), encoding="utf-8")
        if "names" in new:
            new["names"].write_text(label_lines(head.class_names) + "\n", encoding="utf-8")
        if "tree" in new:
            head.tree.write(new["tree"])
        _check_outputs(model, head, network, new)
    return DarknetFiles(paths, tuple(_notes(network, head)))


def _find(model, kind):
    return next((layer for layer in model.layers if isinstance(layer, kind)), None)


def _weights(block):
    """The `ConvWeights` of a `Block`."""
    kernel = block.convolution.kernel.numpy().transpose(3, 2, 0, 1)
    norm = block.norm
    if norm is None:
        use_bias, filters = block.convolution.use_bias, block.convolution.filters
        bias = block.convolution.bias.numpy() if use_bias else np.zeros(filters, np.float32)
        return ConvWeights(bias, None, None, None, kernel)
    variances = norm.moving_variance.numpy()
    if norm.epsilon != EPSILON:  # Darknet adds its own
        variances = variances + (norm.epsilon - EPSILON)
    return ConvWeights(
        norm.beta.numpy(), norm.gamma.numpy(), norm.moving_mean.numpy(), variances, kernel
    )


# === What the graph does not say ===


def _complete(sections, head, origin):
    """The `Network` of the sections, with all that only the imported cfg said, or the defaults."""
    old = [] if origin is None else parse_cfg(origin.cfg)
    net = Section("net", _defaults("net")) if origin is None else old[0]
    *sections, last = [net if head is None else _net_of(head, net), *sections]
    if last.type in _DEFAULTS:
        options = next((x.options for x in old if x.type == last.type), _defaults(last.type))
        if head is not None:
            options = {key: value for key, value in options.items() if key != "tree"}
        last = Section(last.type, {**options, **last.options})  # the head knows its tree
    network = parse_network([*sections, last])
    return _in_old_words(network, parse_network(old)) if old else network


def _net_of(head, net):
    """A `[net]` with the size of a head and its way to resize, in the old words if these fit."""
    height, width = net.integer("height"), net.integer("width")
    options = dict(net.options)
    if max(height, width) != head.input_size or (height != width and head.resize == "stretch"):
        height = width = head.input_size
        options.update(width=str(width), height=str(height))
    if height == width and (head.resize == "letterbox") != bool(net.integer("letter_box", 0)):
        options["letter_box"] = str(int(head.resize == "letterbox"))
    return Section("net", options)


def _in_old_words(network, old):
    """The same network, in the words of `old` wherever these say the same."""
    sections = [layer.section for layer in network.layers]
    for layer, before in zip(network.layers, old.layers, strict=False):
        if _meaning(layer) == _meaning(before):
            sections[layer.index] = before.section
    costs = [layer for layer in old.layers[len(sections) :] if isinstance(layer, Cost)]
    return parse_network([network.net, *sections, *(layer.section for layer in costs)])


def _meaning(layer):
    """What a layer computes, whatever the size of its input."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    for name in ("section", "input_shape", "output_shape"):
        del fields[name]
    return type(layer), fields


def _defaults(type):
    return {key: str(value) for key, value in _DEFAULTS[type].items()}


def _notes(network, head):
    if any(isinstance(layer, Reorg) and layer.plain for layer in network.layers):
        yield (
            "the passthrough is written as [reorg3d]: AlexeyAB's Darknet runs it, OpenCV and the"
            " original Darknet do not"
        )
    height, width, _ = network.input_shape
    if head is None:
        yield f"the model has no input size of its own: the cfg says {width}×{height}"
        return
    how = "stretched" if head.resize == "stretch" else "letterboxed"
    yield f"a cfg does not say how pictures are resized: they must be {how} to {width}×{height}"
    if head.tree is not None:
        yield "Darknet looks for the tree in the folder it runs in"


def _check_outputs(model, head, network, paths):
    """Refuses files that do not say what the model does."""
    copy = import_darknet(paths["cfg"], paths["weights"], tree=head and head.tree)
    full = all(layer.compute_dtype == "float32" for m in (model, copy) for layer in m.layers)
    tolerance = TOLERANCE if full else HALF_PRECISION_TOLERANCE
    image = np.random.default_rng(0).uniform(0, 255, (1, *network.input_shape[:2], 3))
    expected, found = (np.asarray(m(image, training=False)) for m in (model, copy))
    error, largest = np.abs(expected - found).max(), np.abs(expected).max()
    if not error <= tolerance * largest:
        raise RuntimeError(f"the written network's output is off by {error} in {largest}")
