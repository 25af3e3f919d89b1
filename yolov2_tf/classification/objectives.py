"""What a classifier is trained for: cross-entropy along a path of the tree, and top-k accuracy.

Classes without a tree are a tree of one group: what holds for trees holds for them.
"""

import keras
import tensorflow as tf

from yolov2_tf.classification.ranking import most_probable, right_leaves
from yolov2_tf.models.layers import register
from yolov2_tf.trees.group_softmax import (
    path_cross_entropy,
)
from yolov2_tf.trees.wordtree import as_tree


@register
class PathCrossEntropy(keras.losses.Loss):
    """Cross-entropy at each level of a tree (paper, section 4), see `path_cross_entropy`.

    Args:
        tree: `WordTree` over the logits, or its config; one group gives plain cross-entropy.

    Call: labels `(B,)`, nodes at any depth, and logits `(B, C)`.
    """

    def __init__(self, tree, reduction="sum_over_batch_size", name="path_cross_entropy"):
        super().__init__(name, reduction, dtype="float32")
        self.tree = as_tree(tree)

    def call(self, y_true, y_pred):
        return path_cross_entropy(y_pred, tf.cast(tf.reshape(y_true, [-1]), tf.int32), self.tree)

    def get_config(self):
        return {"tree": self.tree.to_config(), "reduction": self.reduction, "name": self.name}


@register
class TopAccuracy(keras.metrics.Mean):
    """Share of pictures with a right class among the k most probable, see `right_leaves`.

    Args:
        tree: `WordTree` over the logits, or its config.
        k: How many classes may be named.
        name: Name of the metric.
    """

    def __init__(self, tree, k=1, name="top1", **kwargs):
        super().__init__(name, **kwargs)
        self.tree = as_tree(tree)
        self.k = k

    def update_state(self, y_true, y_pred, sample_weight=None):
        leaves, _ = most_probable(y_pred, self.tree, self.k)
        right = right_leaves(leaves, tf.reshape(y_true, [-1]), self.tree)
        super().update_state(tf.reduce_any(right, axis=-1), sample_weight)

    def get_config(self):
        return {**super().get_config(), "tree": self.tree.to_config(), "k": self.k}
