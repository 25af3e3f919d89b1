"""The recipe for pictures of one's own: what nobody set is chosen by the data and the machine.

It starts from the shipped network, whose trunk has seen real pictures. The paper's recipe
(`yolov2_tf.training.paper`) wants thousands of pictures, a pretrained trunk and a GPU.
"""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from yolov2_tf.data.dataset import box_shapes, check_records
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import cluster
from yolov2_tf.models.blocks import Blocks
from yolov2_tf.models.darknet19 import DARKNET19_STAGES
from yolov2_tf.models.input_sides import STRIDE
from yolov2_tf.training.precision import fastest
from yolov2_tf.training.recipes import DetectionRecipe, names_network
from yolov2_tf.zoo.names import load_model, read_head

STARTER = {"model": "yolov2", "width": 0.25}
"""Architecture of the shipped network `starter`; another one cannot take its weights."""

TINY_WIDTH = 0.5
"""Width of a Tiny YOLOv2 for which nobody set one."""

ALWAYS = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "mean": 0.999,
    "precision": "auto",
}
"""Values that hold for all data: Adam along a cosine gains most in few steps, and the mean of the
weights scores better than where they stand (`recipes/starter/README.md`)."""

ANCHOR_GAIN = 0.03
"""Where one more anchor raises the average IoU by less than this, the curve counts as flat."""

MAX_ANCHORS = 9

SHAPES = 20_000
"""Box shapes that are clustered at most; more do not move the centres."""

BOX_SIDE = 32
"""Pixels of the input that the boxes of a class should have, by their median: a cell. Smaller ones
are hard to find, and mAP counts a class of small things as any other."""

SIZES = (224, 416)
"""Smallest and largest side of the input that is chosen; the paper's is 416."""

BATCH_SIZES = {"cpu": (4, 16), "gpu": (4, 64)}
"""Smallest and largest batch that is chosen."""

EPOCH_STEPS = 128
"""Steps that an epoch should have, over which a score and a checkpoint are worth their time."""

SEEN = 10_000
"""Pictures that a training on a few hundred sees."""

PASSES = (12, 200)
"""Fewest and most passes over the pictures: of many, of a few."""

FROM_NOTHING = 3
"""How many times as many passes a network needs that starts from nothing."""


def auto_recipe(dataset, *, from_scratch=False, **given):
    """The recipe that `yolov2 train DATA` uses.

    Args:
        dataset: `Dataset` to train on.
        from_scratch: Whether to leave out the shipped network's weights.
        **given: Fields of `DetectionRecipe` that are set; they win.

    Returns:
        `DetectionRecipe`.

    Raises:
        InputError: If a value cannot be, or this is no data set or one without pictures.
    """
    check_records(dataset)
    recipe = DetectionRecipe(**{**start(given, from_scratch=from_scratch), **given})
    return fitted(recipe, dataset, given)


def start(given, *, from_scratch=False):
    """What can be chosen before the data are known: where the network comes from, how it learns.

    Args:
        given: Fields of `DetectionRecipe` that are set, to their values.
        from_scratch: Whether to leave out the shipped network's weights.

    Returns:
        Fields to values, for fields that are not set.

    Raises:
        InputError: If weights are wanted and none are.
    """
    chosen = {**ALWAYS}
    model = given.get("model")
    file = model if str(model).endswith(".keras") or names_network(model) else None
    own = file or given.get("weights")
    if from_scratch and own:
        raise InputError(
            f"from scratch, with the weights of {own}", expected="either one", field="from_scratch"
        )
    fits = all(given.get(name, value) == value for name, value in STARTER.items())
    if file is None and not given.get("weights"):
        chosen |= STARTER
        if given.get("model") == "tiny":
            chosen["width"] = TINY_WIDTH
        if fits and not from_scratch:
            chosen["weights"] = "starter"
    return {name: value for name, value in chosen.items() if name not in given}


def fitted(recipe, dataset, given):
    """Chooses what depends on the data.

    Args:
        recipe: `DetectionRecipe` of what is set and of `start`.
        dataset: `Dataset` to train on.
        given: Names of the fields that are set.

    Returns:
        `DetectionRecipe`.
    """
    if recipe.precision == "auto":
        recipe = dataclasses.replace(recipe, precision=fastest())
    chosen = {}
    if recipe.weights is not None and "weights" in given and not {"model", "width"} <= {*given}:
        chosen |= architecture(load_model(recipe.weights))
    if recipe.continues:
        chosen["size"] = read_head(recipe.model).input_size
    else:
        chosen["size"] = input_size(dataset, SIZES, recipe.multi_scale)
        if recipe.teacher is None:
            chosen["anchors"] = number_of_anchors(box_shapes(dataset), recipe.seed)
        else:
            chosen["anchors"] = len(read_head(recipe.teacher).anchors)
    if has_a_side(dataset.class_names):
        chosen["flip"] = False

    def value(name):
        return getattr(recipe, name) if name in given else chosen[name]

    count = len(dataset)
    device = "gpu" if tf.config.list_physical_devices("GPU") else "cpu"
    chosen["batch_size"] = batch_size(count, BATCH_SIZES[device])
    chosen["passes"] = max(1, round(EPOCH_STEPS * value("batch_size") / max(count, 1)))
    fresh = recipe.weights is None and not recipe.continues
    chosen["epochs"] = math.ceil(passes(count, fresh=fresh) / value("passes"))
    chosen = {name: value for name, value in chosen.items() if name not in given}
    return dataclasses.replace(recipe, **chosen)


def input_size(dataset, limits, multi_scale=None):
    """Side of the input at which the class of the smallest boxes can be seen, see `BOX_SIDE`.

    Args:
        dataset: `Dataset`.
        limits: Smallest and largest side.
        multi_scale: Smallest and largest side of the training, or None.

    Returns:
        A multiple of 32.
    """
    shapes = box_shapes(dataset)
    if multi_scale is not None:
        limits = multi_scale
    if not len(shapes):
        return limits[0]
    labels = dataset.records.labels[~dataset.records.ignore]
    sides = np.sqrt(shapes.prod(axis=1))
    smallest = min(np.median(sides[labels == label]) for label in np.unique(labels))
    side = STRIDE * math.ceil(BOX_SIDE / smallest / STRIDE)
    return int(np.clip(side, *limits))


def number_of_anchors(shapes, seed=0):
    """How many anchors are worth their cost: where the IoU curve flattens, see `ANCHOR_GAIN`.

    Args:
        shapes: `(n, 2)` shapes of boxes.
        seed: Seed of the clustering.

    Returns:
        1 to `MAX_ANCHORS`, at most the number of distinct shapes.
    """
    if len(shapes) > SHAPES:
        shapes = np.random.default_rng(seed).choice(shapes, SHAPES, replace=False)
    most = min(MAX_ANCHORS, len(np.unique(shapes, axis=0)))
    before = 0.0
    for k in range(1, most + 1):
        _, iou = cluster(shapes, k, seed=seed)
        if iou - before < ANCHOR_GAIN:
            return max(k - 1, 1)
        before = iou
    return max(most, 1)


def batch_size(count, limits):
    """The largest power of two with at least 16 steps a pass, within limits."""
    return int(np.clip(2 ** int(math.log2(max(count / 16, 1))), *limits))


def passes(count, *, fresh):
    """How often a training goes through so many pictures.

    Args:
        count: Number of pictures.
        fresh: Whether the network starts from nothing.
    """
    often = np.clip(SEEN / max(count, 1), *PASSES)
    return math.ceil(FROM_NOTHING * often if fresh else often)


def has_a_side(class_names):
    """Whether a mirrored picture may show another class: letters, digits, left and right."""
    words = [re.split(r"[^a-z0-9]+", name.lower()) for name in class_names]
    signs = [name for name in class_names if len(name) == 1]
    return bool(signs) or any({"left", "right"}.intersection(parts) for parts in words)


def architecture(model):
    """`model` and `width` of a recipe whose network can take the weights of a trained one.

    Args:
        model: Keras model with the layers of `yolov2_tf.models`.

    Returns:
        Dict of both, of Darknet-19 that of the YOLOv2 which it is the trunk of; empty for a
        network that is neither of these, nor YOLO9000 or Tiny YOLOv2.

    Raises:
        InputError: If its layers are of several widths: then no recipe has a network for them.
    """
    kernels = {layer.name: layer.weights[0].shape for layer in model.layers if layer.weights}
    if "conv4" not in kernels:
        return {}
    # The fourth convolution of Darknet-19 is 1 × 1, that of Tiny YOLOv2 3 × 3.
    kind, widest = ("yolov2", "conv14") if kernels["conv4"][0] == 1 else ("tiny", "conv7")
    if widest not in kernels:
        return {}
    if kind == "yolov2" and "head" in kernels and "conv19" not in kernels:
        kind = "yolo9000"
    if kind == "tiny":
        return {"model": kind, "width": kernels[widest][-1] / 1024}
    full = [filters for stage in DARKNET19_STAGES for filters, _ in stage]
    names = [f"conv{number}" for number in range(1, len(full) + 1)]
    pairs = [(n, kernels[name][-1]) for n, name in zip(full, names, strict=True) if name in kernels]
    return {"model": kind, "width": _width(pairs, model.name)}


def _width(filters, name):
    """The width by which some full numbers of filters became others; pairs of both."""
    low = max((own - 4) / full for full, own in filters if own > 8)  # 8 is the least
    high = min((own + 4) / full for full, own in filters)
    full, own = max(filters)
    middle = (low + high) / 2
    for width in (own / full, round(middle, 2), round(middle, 3), middle):
        if width > 0 and all(Blocks(width).filters(full) == own for full, own in filters):
            return width
    raise InputError(
        f"the layers of {name!r} are of several widths, as `yolov2 narrow` leaves them: no new "
        "network can take all of them",
        field="weights",
        hint="--model in place of --weights: its own network, with a head for your classes",
    )


def summary(recipe):
    """What a recipe says, in a line for people."""
    network = recipe.model if recipe.continues else f"{recipe.model} × {recipe.width:g}"
    start = "" if recipe.continues else f", {recipe.anchors} anchors, from "
    if not recipe.continues:
        start += "nothing" if recipe.weights is None else Path(recipe.weights).stem
    if recipe.teacher is not None:
        start += f", taught by {Path(recipe.teacher).stem}"
    time = f"{recipe.epochs} epochs"
    if recipe.minutes is not None:
        time = f"{recipe.minutes:g} minutes"
    if recipe.passes > 1:
        time += f" (an epoch: {recipe.passes} passes)"
    return (
        f"{network}{start}; {recipe.size} px, batches of {recipe.batch_size}, {recipe.optimizer} "
        f"{recipe.learning_rate:g} {recipe.schedule}, {time}, {recipe.precision}"
        f"{'' if recipe.flip else ', not mirrored'}"
    )
