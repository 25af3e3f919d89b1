"""Probabilities on trees in slow NumPy, which shares nothing with the package but the tree."""

import numpy as np

from yolov2_tf.trees.wordtree import WordTree


def make_tree(rng, nodes, widest):
    """A random tree: groups of 1 to `widest` below random nodes, in the order of their making."""
    parent, free = [], [-1]
    while len(parent) < nodes:
        up = free.pop(0 if not parent else rng.integers(len(free)))
        size = min(int(rng.integers(1, widest + 1)), nodes - len(parent))
        free.extend(range(len(parent), len(parent) + size))
        parent.extend([up] * size)
    return WordTree([f"n{i}" for i in range(nodes)], parent)


def slow_softmax(logits, tree):
    result = np.zeros(logits.shape)
    for first, size in zip(tree.group_offset, tree.group_size, strict=True):
        group = logits[..., first : first + size].astype(np.float64)
        group = np.exp(group - group.max(axis=-1, keepdims=True))
        result[..., first : first + size] = group / group.sum(axis=-1, keepdims=True)
    return result


def slow_gradient(p, upstream, tree):
    shared = np.add.reduceat(p * upstream, tree.group_offset, axis=-1)[..., tree.group]
    return p * (upstream - shared)


def slow_absolute(conditional, tree):
    result = conditional.copy()
    for node, up in enumerate(tree.parent):
        if up >= 0:
            result[..., node] *= result[..., up]
    return result


def slow_descend(conditional, tree, threshold, root):
    node, probability = -1, root
    while len(tree.children(node)):
        best = max(tree.children(node), key=lambda child: conditional[child])
        if probability * conditional[best] <= threshold:
            break
        node, probability = best, probability * conditional[best]
    return node, probability
