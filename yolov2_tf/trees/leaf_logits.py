"""One softmax over the leaves of a label tree, written as the softmax of each group."""

import numpy as np
import tensorflow as tf


def node_logits(logits, tree):
    """Logits of all nodes from those of the leaves: the more there is below a node, the higher.

    An inner node has the logarithm of the sum of the exponentials of the leaves below it. Then the
    softmax of each group is that of a single softmax over all leaves: Pr(leaf) is as if there were
    no tree, and Pr(node) is the sum over the leaves below.

    Args:
        logits: `(..., leaves)`, of the nodes `tree.leaves`, in their order; float32 or float64.
        tree: `yolov2_tf.trees.wordtree.WordTree`.

    Returns:
        `(..., nodes)` of the same type.
    """
    if len(tree.leaves) == len(tree):
        return logits
    rows = tf.reshape(logits, [-1, len(tree.leaves)])
    highest = tf.stop_gradient(tf.reduce_max(rows, axis=1, keepdims=True))
    # A product with zeros and ones has a fixed size and is built into every runtime, as sums over
    # segments are not. Of `9k.tree` it has fourteen million of them.
    sums = tf.matmul(tf.exp(rows - highest), tf.cast(_leaves_below(tree), rows.dtype))
    # What is below 1e-37 of the likeliest leaf has that: the logarithm of 0 has no gradient.
    sums = tf.math.log(tf.maximum(sums, 1e-37)) + highest
    nodes = tf.gather(tf.concat([rows, sums], axis=1), _places(tree), axis=1)
    return tf.reshape(nodes, tf.concat([tf.shape(logits)[:-1], [len(tree)]], axis=0))


def _leaves_below(tree):
    """`(leaves, inner nodes)` bool: which leaves are below which inner node, in ascending order."""
    inner = np.flatnonzero(tree.child_group >= 0)
    below = np.zeros((len(tree.leaves), len(tree)), bool)
    row, level = np.nonzero(tree.paths[tree.leaves] >= 0)
    below[row, tree.paths[tree.leaves][row, level]] = True
    return below[:, inner]


def _places(tree):
    """Where each node is among the leaves followed by the inner nodes, `(nodes,)` int32."""
    inner = np.flatnonzero(tree.child_group >= 0)
    return np.argsort(np.concatenate([tree.leaves, inner])).astype(np.int32)
