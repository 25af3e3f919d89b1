"""Darknet networks as Keras models, made of the building blocks of `yolov2_tf.models`."""

import dataclasses
import re
from pathlib import Path

import keras

from yolov2_tf.darknet.cfg import shorten, write_cfg
from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.sections import (
    AvgPool,
    Convolutional,
    Dropout,
    MaxPool,
    Region,
    Reorg,
    Route,
    Shortcut,
    Softmax,
)
from yolov2_tf.darknet.weights import Header, read_weights
from yolov2_tf.errors import InputError
from yolov2_tf.models.blocks import (
    activate,
    convolution,
    decay_regularizer,
    image_input,
    max_pool,
)
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import (
    ClassificationHead,
    DetectionHead,
    RegionHead,
    check_class_names,
)
from yolov2_tf.models.layers import DarknetInput, DarknetReorg, FitMap, Passthrough

EPSILON = 1e-6
"""Added to variances by OpenCV, and to their roots by Darknet's CPU code.

With the 1e-5 of Darknet's later GPU code the head tensor of a real network moves by 2e-3.
"""


def import_darknet(cfg, weights, *, class_names=None, tree=None, allow_partial=False):
    """Makes a Keras model of a Darknet network and its weights.

    The model takes RGB images `(B, H, W, 3)` with values 0..255. A network with `[region]` becomes
    a `DetectionModel` that gives the raw head tensor; the convolution before `[region]` is its
    `DetectionHead` if it is linear and 1×1, else a `RegionHead` stands for `[region]`. A classifier
    gives logits `(B, classes)`; a `ClassificationHead` takes the place of its `[softmax]`. Any
    other network, such as a trunk, gives its last feature map.

    Networks of one channel take RGB too, and turn it grey.

    Convolutions are named `conv1`, `conv2`, … in the order of the file, as in `yolov2_tf.models`.
    What a Keras model has no place for (the `[net]` section, training options of `[region]`, the
    header of the weights) stays in its `DarknetInput` layer; `export_darknet` writes it again.

    Args:
        cfg: Path of the cfg.
        weights: Path of the weights.
        class_names: One name per class of `[region]` or `[softmax]`; default: the names of the
            tree's nodes, or `class 0`, `class 1`, ….
        tree: `WordTree` of the classes, where `[region]` or `[softmax]` names one.
        allow_partial: Whether the weights may end early, as `darknet19_448.conv.23` does. The
            model is then the trunk that they fill.

    Returns:
        `DetectionModel` or functional `keras.Model`.

    Raises:
        InputError: If the files cannot be used or do not belong together; with file and line.
    """
    network = read_network(cfg)
    weight_file = read_weights(weights, network, allow_partial=allow_partial)
    filled = network.layers[: weight_file.filled_layers]
    model = build_model(
        dataclasses.replace(network, layers=filled),
        header=weight_file.header,
        class_names=class_names,
        tree=tree,
        name=re.sub(r"[^A-Za-z0-9.]+", "_", Path(cfg).stem),
    )
    names = _layer_names(network)
    for layer, arrays in weight_file:
        _assign(model, names[layer.index], arrays)
    return model


def build_model(network, *, header=Header(), class_names=None, tree=None, name="darknet"):
    """Makes a Keras model of a `Network`, with random weights.

    Args:
        network: The `Network`.
        header: `Header` to keep in the model.
        class_names: See `import_darknet`, as for the tree and the model that is returned.
        tree: `WordTree` of the classes.
        name: Name of the model.

    Raises:
        InputError: If this package cannot run the network; with file and line.
    """
    _check_channels(network)
    _check_all_used(network)
    regularizer = decay_regularizer(network.net.number("decay", 1e-4, low=0))
    names = _layer_names(network)
    place = _head_place(network)
    if place is None and (class_names is not None or tree is not None):
        raise InputError(
            "the network has no head whose classes there could be names or a tree of",
            where=network.layers[-1].section.where() if network.layers else None,
            expected="neither",
        )
    head = None if place is None else _head(network, place, regularizer, class_names, tree)

    origin = DarknetInput(write_cfg(network.sections), dataclasses.astuple(header), name="rescale")
    image, x = image_input(origin, channels=network.input_shape[2])
    outputs = [x]  # outputs[i + 1] is that of layer i
    for layer in network.layers:
        inputs = [outputs[source + 1] for source in layer.sources]
        if layer.index == place:
            x = head(*inputs)
        else:
            x = _add_layer(network, layer, inputs, names[layer.index], regularizer)
        outputs.append(x)
    is_detector = isinstance(network.layers[-1], Region)
    return (DetectionModel if is_detector else keras.Model)(image, x, name=name)


def _layer_names(network):
    """Names of the Keras layers: `conv1`, `conv2`, …, `head`, and by index `maxpool_1`."""
    names = [f"{layer.section.type}_{layer.index}" for layer in network.layers]
    for number, layer in enumerate(network.convolutions, start=1):
        names[layer.index] = f"conv{number}"
    place = _head_place(network)
    if place is not None:
        names[place] = "head"
    return names


def _head_place(network):
    """Number of the layer that becomes the model's head; None if the network ends otherwise.

    It is the linear 1×1 convolution that `[region]` reads, directly or through a `[route]` of one
    source; else the `[region]` itself, or the `[softmax]`.
    """
    *_, last = network.layers
    if not isinstance(last, Region):
        return next((x.index for x in network.layers if isinstance(x, Softmax)), None)
    before = network.layers[last.sources[0]]
    while isinstance(before, Route) and len(before.sources) == 1:
        before = network.layers[before.sources[0]]
    linear = isinstance(before, Convolutional) and (
        before.size == before.stride == 1
        and before.padding == 0
        and not before.batch_normalize
        and before.activation == "linear"
    )
    return before.index if linear else last.index


def _add_layer(network, layer, inputs, name, regularizer):
    """The Keras tensor that a layer makes of its inputs."""
    x = inputs[0]
    match layer:
        case Convolutional():
            return convolution(
                x,
                layer.filters,
                layer.size,
                stride=layer.stride,
                padding=layer.padding,
                batch_norm=layer.batch_normalize,
                epsilon=EPSILON,
                activation=layer.activation,
                name=name,
                regularizer=regularizer,
            )
        case MaxPool():
            return max_pool(x, layer.size, layer.stride, padding=layer.padding, name=name)
        case Route() if len(inputs) > 1:
            return keras.layers.Concatenate(name=name)(inputs)
        case Shortcut():
            return activate(_add(network, layer, inputs, name), layer.activation, name)
        case Reorg() if layer.stride > 1:
            kind = Passthrough if layer.plain else DarknetReorg
            return kind(layer.stride, name=name)(x)
        case AvgPool():
            return keras.layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name=name)(x)
        case Dropout():
            return keras.layers.Dropout(layer.probability, name=name)(x)
    return x  # [region], [cost], a [route] with one source, a [reorg] of stride 1


def _add(network, layer, tensors, name):
    """The sum of the maps that a `Shortcut` adds, in the shape of the first."""
    total = [tensors[0]]
    for source, x in zip(layer.sources[1:], tensors[1:], strict=True):
        shape = network.layers[source].output_shape
        if shape != layer.output_shape:
            stride = shape[0] // layer.output_shape[0]
            x = FitMap(layer.output_shape[2], stride, name=f"{name}_of_{source}")(x)
        total.append(x)
    return keras.layers.Add(name=name)(total)


def _assign(model, name, arrays):
    """Sets the weights of a convolution, and of its batch normalisation, from `ConvWeights`."""
    convolution = model.get_layer(name)
    convolution.kernel.assign(arrays.kernel.transpose(2, 3, 1, 0))
    if arrays.scales is None:
        convolution.bias.assign(arrays.biases)
        return
    norm = model.get_layer(f"{name}_bn")
    norm.beta.assign(arrays.biases)
    norm.gamma.assign(arrays.scales)
    norm.moving_mean.assign(arrays.means)
    norm.moving_variance.assign(arrays.variances)


# === What the head says of itself ===


def _head(network, place, regularizer, class_names, tree):
    """The layer that stands for the one at `_head_place`."""
    layer = network.layers[place]
    if isinstance(layer, Softmax):
        return _logits(network, layer, class_names, tree)
    config = _head_config(network, network.layers[-1], class_names, tree)
    if isinstance(layer, Region):
        return RegionHead(**config, name="head")
    return DetectionHead(**config, kernel_regularizer=regularizer, name="head")


def _logits(network, softmax, class_names, tree):
    """The layer that stands for `[softmax]`."""
    classes = softmax.output_shape[2]
    where, unnamed = softmax.section.where, class_names is None and tree is None
    if unnamed and (softmax.groups > 1 or softmax.tree is not None):
        # What its outputs mean is not known.
        return keras.layers.Reshape([classes], dtype="float32", name="logits")
    if softmax.groups > 1:
        raise InputError(
            f"[softmax] parts its classes into {softmax.groups} groups",
            where=where("groups"),
            expected="groups=1 where there are class names or a tree",
        )
    if softmax.tree is not None and tree is None:
        raise InputError(
            f"[softmax] needs its tree, {shorten(softmax.tree)}, beside class names",
            where=where("tree"),
            hint="give the file, as --tree",
        )
    if softmax.tree is None and tree is not None:
        raise InputError(
            "[softmax] has no tree", where=softmax.section.where(), hint="leave the tree out"
        )
    names = _default_names(classes, tree) if class_names is None else class_names
    for what, count in (("class names", len(names)), ("nodes of the tree", len(tree or names))):
        if count != classes:
            raise InputError(
                f"{count:,} {what}",
                where=softmax.section.where(),
                expected=f"{classes:,}, one for each class of [softmax]",
                hint=f"the first {classes:,}, as Darknet takes them" if count > classes else None,
            )
    return ClassificationHead(names, network.input_size, network.resize, tree=tree, name="head")


def _head_config(network, region, class_names, tree):
    """Arguments of the head that stands for `[region]`."""
    _check_tree(region, tree)
    if class_names is None:
        class_names = _default_names(region.classes, tree)
    if len(class_names) != region.classes:
        raise InputError(
            f"{len(class_names):,} class names",
            where=region.section.where("classes"),
            expected=f"{region.classes:,}, one for each class of [region]",
        )
    check_class_names(class_names, tree)
    return {
        "anchors": region.anchors,
        "class_names": class_names,
        "input_size": network.input_size,
        "resize": network.resize,
        "tree": tree,
    }


def _check_tree(region, tree):
    where = region.section.where
    if region.tree is None:
        if not region.softmax:
            raise InputError(
                "[region] scores its classes without a softmax, which the original Darknet and"
                " AlexeyAB's do differently and OpenCV not at all",
                where=where("softmax"),
                expected="softmax=1, or tree=",
            )
        if tree is not None:
            raise InputError("[region] has no tree", where=where(), hint="leave the tree out")
    elif tree is None:
        raise InputError(
            f"[region] needs its tree, {shorten(region.tree)}",
            where=where("tree"),
            hint="give the file, as --tree",
        )
    elif len(tree) != region.classes:
        raise InputError(
            f"the tree has {len(tree):,} nodes",
            where=where("classes"),
            expected=f"{region.classes:,}, the classes of [region]",
        )


def _default_names(classes, tree):
    return tree.names if tree else [f"class {number}" for number in range(classes)]


# === Checks ===


def _check_channels(network):
    channels = network.input_shape[2]
    if channels not in (1, 3):
        raise InputError(
            f"images have {channels} channels",
            where=network.net.where("channels"),
            expected="3: red, green, blue; or 1: grey",
        )


def _check_all_used(network):
    """A Keras model holds only what its output depends on: other weights would be lost."""
    used = {network.layers[-1].index}
    for layer in reversed(network.layers):
        if layer.index in used:
            used.update(layer.sources)
    for layer in network.convolutions:
        if layer.index not in used:
            raise InputError("no later layer uses this one", where=layer.section.where())
