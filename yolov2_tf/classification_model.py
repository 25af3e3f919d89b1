"""What a classifier is besides Darknet-19: its head, loss, accuracy and ranking of classes.

Classes without a tree are a tree of one group: what holds for trees holds for them.
"""

import keras
import tensorflow as tf

from yolov2_tf.group_softmax import (
    absolute_probabilities,
    descend,
    group_softmax,
    path_cross_entropy,
)
from yolov2_tf.resize import MODES
from yolov2_tf.wordtree import WordTree, as_tree

TOP = 5
"""How many classes a prediction names."""

register = keras.saving.register_keras_serializable("yolov2_tf")


@register
class ClassificationHead(keras.layers.Layer):
    """Flattens the averaged map to logits, and holds all that explains them.

    It takes the place of Darknet's `[softmax]`. The names, input size, resize mode and tree travel
    in this layer's config, so a `.keras` file says by itself how it is to be used. The layer
    computes in float32 under mixed precision too.

    Args:
        class_names: One name per class; with a tree, one per node.
        input_size: Side of the square input in pixels that the network is meant for.
        resize: How pictures are brought to that size, see `yolov2_tf.resize.MODES`.
        tree: `yolov2_tf.wordtree.WordTree` whose nodes are the classes, or its config.

    Call: `(B, 1, 1, C)` to logits `(B, C)`.
    """

    def __init__(self, class_names, input_size=224, resize="stretch", tree=None, **kwargs):
        if resize not in MODES:
            raise ValueError(f"resize is {resize!r}, expected one of {MODES}")
        self.class_names = tuple(str(name) for name in class_names)
        self.input_size = int(input_size)
        self.resize = resize
        self.tree = as_tree(tree)
        if self.tree is not None and len(self.tree) != len(self.class_names):
            raise ValueError(
                f"the tree has {len(self.tree)} nodes, the names are {len(self.class_names)}"
            )
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    @property
    def hierarchy(self):
        """The tree, or a tree of one group where there is none."""
        if self.tree is not None:
            return self.tree
        return WordTree(map(str, range(len(self.class_names))), [-1] * len(self.class_names))

    def probabilities(self, logits):
        """Probability of each class: absolute ones with a tree, else a softmax.

        Args:
            logits: `(B, C)`.

        Returns:
            `(B, C)` float32, 0..1; those of a tree's leaves sum to 1.
        """
        hierarchy = self.hierarchy
        return absolute_probabilities(group_softmax(logits, hierarchy), hierarchy)

    def call(self, averages):
        return tf.reshape(averages, [-1, len(self.class_names)])

    def compute_output_shape(self, input_shape):
        return input_shape[0], len(self.class_names)

    def get_config(self):
        return {
            **super().get_config(),
            "class_names": list(self.class_names),
            "input_size": self.input_size,
            "resize": self.resize,
            "tree": None if self.tree is None else self.tree.to_config(),
        }


def find_classification_head(model):
    """The `ClassificationHead` of a model.

    Raises:
        ValueError: If the model has none.
    """
    for layer in model.layers:
        if isinstance(layer, ClassificationHead):
            return layer
    raise ValueError(f"model {model.name!r} has no ClassificationHead: it is not a classifier")


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
