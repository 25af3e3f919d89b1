"""The class term of the loss: cross-entropy, along the path of a tree where there is one."""

import contextlib
import math
import operator
from collections.abc import Mapping

import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.trees.group_softmax import path_cross_entropy, path_is_best


def class_entropy(logits, labels, tree=None, levels=None):
    """-log Pr(label | object).

    Args:
        logits: `(..., C)` float32.
        labels: `(...)` int32.
        tree: `WordTree` over the logits, or None.
        levels: Of a tree: `(..., levels)` bool, which groups of the path count; None for all.

    Returns:
        `(...)` float32.
    """
    if tree is None:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return path_cross_entropy(logits, labels, tree, levels)


def named_right(logits, labels, tree=None):
    """1 where the likeliest class, or each step of the way down a tree, is the label; else 0.

    Arguments are those of `class_entropy`; the result is `(...)` float32.
    """
    if tree is None:
        right = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
    else:
        right = path_is_best(logits, labels, tree)
    return tf.cast(right, tf.float32)


def trained_levels(matches, labels, tree):
    """Which groups of its path a truth trains.

    All of them if it owns its slot. If not, those that no later truth of the slot trains, as
    `delta_region_class` in src/region_layer.c overwrites group after group.

    Args:
        matches: What `yolov2_tf.detection.assignment.match` returned.
        labels: `(B, M)` int32 nodes, 0 or more.
        tree: `WordTree`.

    Returns:
        `(B, M, levels)` bool.
    """
    path = tf.gather(tree.paths, labels)
    group = tf.where(path >= 0, tf.gather(tree.group, tf.maximum(path, 0)), -1)
    shared = group[:, :, None] == group[:, None]  # a group has one depth
    later = tf.reduce_any(matches.lost[..., None] & shared, axis=2)
    placed = (matches.kept > 0) | tf.reduce_any(matches.lost, axis=-1)
    return placed[..., None] & ~later


def class_factors(class_weights):
    """A factor of the cross-entropy for each class, as a list of float.

    Raises:
        InputError: If they are no sequence of finite numbers, 0 or more.
    """
    if not isinstance(class_weights, Mapping | str):  # of which keys or figures would be taken
        with contextlib.suppress(TypeError, ValueError):
            factors = list(map(float, class_weights))
            if all(0 <= factor < math.inf for factor in factors):
                return factors
    raise InputError(
        f"class_weights is {class_weights!r}",
        expected="a sequence of finite numbers, 0 or more, in the order of the classes",
    )


def class_indices(box_classes):
    """The indices of the classes that boxes may have, as a rising list of int.

    Raises:
        InputError: If they are no sequence of whole numbers.
    """
    try:
        return sorted(map(operator.index, box_classes))
    except TypeError:
        raise InputError(
            f"box_classes is {box_classes!r}", expected="a sequence of indices of classes"
        ) from None
