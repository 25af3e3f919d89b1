"""Logits to the most probable classes, on tensors and as a layer."""

import keras
import tensorflow as tf

from yolov2_tf.models.layers import register
from yolov2_tf.trees.group_softmax import (
    absolute_probabilities,
    descend,
    group_softmax,
)
from yolov2_tf.trees.wordtree import as_tree

TOP = 5
"""How many classes a prediction names."""


def most_probable(logits, tree, k):
    """The k most probable leaves (Darknet's `hierarchy_predictions` with `only_leaves`).

    An inner node is at least as probable as any leaf below it, so leaves compete with leaves.

    Args:
        logits: `(B, C)`.
        tree: `WordTree`.
        k: How many; all leaves where there are fewer.

    Returns:
        `leaves` `(B, k)` int32, nodes, the most probable first, and `probabilities` `(B, k)`.
    """
    probabilities = absolute_probabilities(group_softmax(logits, tree), tree)
    best = tf.math.top_k(tf.gather(probabilities, tree.leaves, axis=1), min(k, len(tree.leaves)))
    return tf.gather(tree.leaves, best.indices), best.values


def right_leaves(leaves, labels, tree):
    """Says which leaves are the label, or below it where the label is an inner node.

    Args:
        leaves: `(B, k)` nodes.
        labels: `(B,)` nodes.
        tree: `WordTree`.

    Returns:
        `(B, k)` bool.
    """
    paths = tf.gather(tree.paths, leaves)  # (B, k, levels)
    return tf.reduce_any(paths == tf.cast(labels, tf.int32)[:, None, None], axis=-1)


@register
class RankClasses(keras.layers.Layer):
    """Logits to the most probable classes.

    Args:
        tree: `WordTree` over the logits, or its config.
        top: k, how many leaves.
        threshold: The descent stops before a node whose probability is not above this.

    Call: `(B, C)` to `{"labels": (B, k), "scores": (B, k), "node": (B,), "probability": (B,)}`:
    the most probable leaves, and where the descent from the root ends, -1 for the root itself.
    """

    def __init__(self, tree, top=TOP, threshold=0.5, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.tree = as_tree(tree)
        self.top = top
        self.threshold = threshold

    def call(self, logits):
        labels, scores = most_probable(logits, self.tree, self.top)
        node, probability = descend(logits, self.tree, self.threshold, from_logits=True)
        return {"labels": labels, "scores": scores, "node": node, "probability": probability}

    def compute_output_shape(self, input_shape):
        batch, top = input_shape[0], min(self.top, len(self.tree.leaves))
        return {"labels": (batch, top), "scores": (batch, top)} | dict.fromkeys(
            ("node", "probability"), (batch,)
        )

    def get_config(self):
        config = {"tree": self.tree.to_config(), "top": self.top, "threshold": self.threshold}
        return {**super().get_config(), **config}
