"""One network as the start of another (paper, section 2, "Training for detection")."""

import dataclasses

import keras
import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.models.copying import give_weights
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import (
    ClassificationHead,
    DetectionHead,
    RegionHead,
    check_class_names,
    find_classification_head,
)


@dataclasses.dataclass(frozen=True)
class Transfer:
    """What `transfer_weights` did.

    Attributes:
        loaded: Names of the layers that got weights, a head whose classes alone did among them.
        missing: For each layer that got none, the reason.
    """

    loaded: tuple[str, ...]
    missing: dict[str, str]

    def __str__(self):
        lines = [f"{name} starts anew: {reason}" for name, reason in self.missing.items()]
        return "\n".join([f"loaded {len(self.loaded)} layers", *lines])


def transfer_weights(model, source):
    """Copies weights wherever a layer of the source has the same name and shapes.

    A classifier, a detector of other classes or a trunk gives a new detector its features. A
    convolution and its batch normalisation go together. A `DetectionHead` is copied only to
    a head of the same classes and anchors. Where it follows the very layer that a classifier of
    the same classes ends in, as that of `YOLO9000` does, each anchor's classes begin as these.

    Args:
        model: Model that gets weights.
        source: Model that gives them.

    Returns:
        `Transfer`.

    Raises:
        InputError: If nothing fits.
    """
    given = {layer.name: layer for layer in source.layers if layer.weights}
    blocks = {}
    for layer in model.layers:
        if layer.weights:
            blocks.setdefault(layer.name.removesuffix("_bn"), []).append(layer)
    loaded, missing = [], {}
    for name, layers in blocks.items():
        reason = next(filter(None, (_difference(x, given.get(x.name)) for x in layers)), None)
        if reason:
            missing[name] = reason
            continue
        for layer in layers:
            give_weights(layer, given[layer.name].get_weights())
            loaded.append(layer.name)
    if "head" in missing and _classes_from_classifier(model, source):
        del missing["head"]
        loaded.append("head")
    if not loaded:
        raise InputError(
            f"no layer of {source.name!r} fits {model.name!r}",
            expected="the same names and shapes of convolutions",
            hint="the same --model and --width",
        )
    return Transfer(tuple(loaded), missing)


def _classes_from_classifier(model, source):
    """Copies a classifier's last convolution to the classes of each anchor; whether it fits.

    The classifier takes the mean of its logits over all places, so the logits of one place are made
    by the same weights.
    """
    ends = [x for x in source.layers if isinstance(x, ClassificationHead)]
    head = model.get_layer("head")
    if not ends or not isinstance(head, DetectionHead) or not same_classes(head, ends[0]):
        return False
    classes = _last_convolution(source, ends[0])
    if _layer_before(model, head).name != _layer_before(source, classes).name:
        return False
    mine = [x.reshape(*x.shape[:-1], len(head.anchors), -1) for x in head.get_weights()]
    theirs = [x[..., np.newaxis, :] for x in classes.get_weights()]
    of_one = [x[..., :1, 5:].shape for x in mine]
    if of_one != [x.shape for x in theirs]:  # other filters, or normalisation in place of a bias
        return False
    for by_anchor, given in zip(mine, theirs, strict=True):
        by_anchor[..., 5:] = given
    head.set_weights([x.reshape(*x.shape[:-2], -1) for x in mine])
    return True


def same_classes(head, other):
    """Whether the logits of two heads are of the same classes.

    Those of a tree are its nodes, whatever they are called.

    Args:
        head: `Head`.
        other: `Head`.
    """
    if head.tree is not None and other.tree is not None:
        return head.tree == other.tree
    return head.tree is other.tree and head.class_names == other.class_names


def with_new_head(model, **config):
    """The same network up to its head, and a new head: for other classes or anchors.

    Suits networks that no builder of `yolov2_tf.models` makes, such as imported ones. Where these
    end in a `RegionHead`, it stays one if classes, anchors and tree do, for its logits are then the
    same; else a `DetectionHead` takes the place of all from the last convolution on.

    Args:
        model: `DetectionModel`; its layers and weights are shared, not copied.
        **config: What is to change: `class_names`, `anchors`, `input_size`, `resize`, `tree`,
            `tree_logits`.

    Returns:
        `DetectionModel`.

    Raises:
        InputError: If a `RegionHead` follows layers that are joined, or names cannot tell the
            classes apart.
    """
    old = model.head
    same = ("anchors", "class_names", "input_size", "resize", "tree")
    if "class_names" in config:
        names = check_class_names(config["class_names"], config.get("tree", old.tree))
        config = {**config, "class_names": names}
    config = {**{key: getattr(old, key) for key in same}, **config}
    convolution = old
    if isinstance(old, RegionHead):
        head = RegionHead(**config, name=old.name)
        if same_classes(head, old) and head.anchors.tolist() == old.anchors.tolist():
            return DetectionModel(model.input, head(old.input), name=model.name)
        convolution = _last_convolution(model, old)
    regularizer = convolution.kernel_regularizer
    if config["tree"] is not None:
        config = {"tree_logits": old.tree_logits, **config}
    head = DetectionHead(**config, kernel_regularizer=regularizer, name=old.name)
    return DetectionModel(model.input, head(convolution.input), name=model.name)


def layers_of_head(model):
    """The layers that make what a head says: the last convolution and what follows it.

    Args:
        model: `DetectionModel`, or a classifier.

    Returns:
        List of layers: a `DetectionHead` alone, which is a convolution; a `RegionHead` or a
        `ClassificationHead` with the line of layers that leads to it.

    Raises:
        InputError: If a `RegionHead` follows layers that are joined.
    """
    detects = isinstance(model, DetectionModel)
    layers = [model.head if detects else find_classification_head(model)]
    if not isinstance(layers[0], DetectionHead):
        convolution = _last_convolution(model, layers[0])
        while layers[-1] is not convolution:
            layers.append(_layer_before(model, layers[-1]))
    return layers


def _last_convolution(model, head):
    """The convolution from which a single line of layers leads to the head."""
    layer = head
    while not isinstance(layer, keras.layers.Conv2D):
        if isinstance(layer.input, list):
            raise InputError(
                f"layer {layer.name!r} joins several before the head of {model.name!r}",
                expected="a convolution, which a new head can replace",
            )
        layer = _layer_before(model, layer)
    return layer


def _layer_before(model, layer):
    """The layer whose output is the only input of `layer`."""
    return next(x for x in model.layers if x.output is layer.input)


def _difference(layer, other):
    """Why the weights of `other` do not fit `layer`; None if they do."""
    if other is None:
        return "the source has no such layer"
    if isinstance(layer, DetectionHead) and isinstance(other, DetectionHead):
        if not same_classes(layer, other):
            return "other classes"
        if layer.anchors.tolist() != other.anchors.tolist():
            return "other anchors"
    shapes, others = ([tuple(w.shape) for w in x.weights] for x in (layer, other))
    if shapes != others:
        return f"shape {shapes[0]}, in the source {others[0]}"
    return None
