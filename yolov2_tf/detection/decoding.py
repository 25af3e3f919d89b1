"""From the raw output of a head to boxes with scores, as Keras layers."""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.detection.thresholds import TREE
from yolov2_tf.models.layers import register
from yolov2_tf.trees.group_softmax import absolute_probabilities, descend, group_softmax
from yolov2_tf.trees.wordtree import as_tree

MAX_LOG_SCALE = 10.0
"""t_w and t_h are clamped here before exp, which overflows float32 above 88 and float16 at 11."""


@register
class DecodeBoxes(keras.layers.Layer):
    """Raw head tensor to boxes and class scores (paper, section 2, "Direct location prediction").

    For cell (i, j) of an S×S grid: b_x = (j + σ(t_x)) / S, b_y = (i + σ(t_y)) / S,
    b_w = p_w · e^{t_w} / S, b_h = p_h · e^{t_h} / S. A score is Pr(object) · Pr(class | object)
    with a softmax over the classes, or over each group of the tree.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        tree: Optional `WordTree` (or its config) for hierarchical classes; every node has a score
            then. `DecodeTree` gives each box one label.

    Call: `(B, S_h, S_w, k · (5 + C))` to `boxes` `(B, N, 4)`, not clipped, and `scores`
    `(B, N, C)` in 0..1, with N = S_h · S_w · k in row-major order, the anchor fastest.
    """

    def __init__(self, anchors, tree=None, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.anchors = np.asarray(anchors, np.float32).reshape(-1, 2)
        self.tree = as_tree(tree)

    def call(self, raw):
        predictions = split_head(raw, len(self.anchors))
        boxes = decode_boxes(predictions[..., :4], self.anchors, _grid_size(raw))
        # A slice that keeps its axis: GPU delegates of TFLite refuse one that drops it.
        return boxes, *self._classes(tf.sigmoid(predictions[..., 4:5]), predictions[..., 5:])

    def _classes(self, objectness, logits):
        """The outputs behind the boxes, of objectness `(B, N, 1)` and logits `(B, N, C)`."""
        if self.tree is None:
            return (objectness * tf.nn.softmax(logits),)
        conditional = group_softmax(logits, self.tree)
        return (objectness * absolute_probabilities(conditional, self.tree),)

    def compute_output_shape(self, input_shape):
        batch, rows, columns, channels = input_shape
        k = len(self.anchors)
        count = None if rows is None or columns is None else rows * columns * k
        return (batch, count, 4), (batch, count, channels // k - 5)

    def get_config(self):
        return {
            **super().get_config(),
            "anchors": self.anchors.tolist(),
            "tree": None if self.tree is None else self.tree.to_config(),
        }


@register
class DecodeTree(DecodeBoxes):
    """Raw head tensor of a network with a label tree to boxes with one label each.

    The label is the deepest node that is reached from the root by taking the best child while
    Pr(node | object), the product of the conditional probabilities on the way, stays above a
    threshold; as in Darknet the best child of the root if even that is below it. The score is
    Pr(object) · Pr(node | object). The label does not depend on the objectness: a file that keeps
    boxes of low scores gives them the same labels.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        tree: `WordTree` (or its config).
        threshold: Least Pr(node | object), 0..1: the higher, the more general the labels.

    Call: `(B, S_h, S_w, k · (5 + C))` to `boxes` `(B, N, 4)`, not clipped, `scores` `(B, N)` in
    0..1 and `labels` `(B, N)` int32; order as in `DecodeBoxes`.
    """

    def __init__(self, anchors, tree, threshold=TREE, **kwargs):
        super().__init__(anchors, tree, **kwargs)
        self.threshold = threshold

    def _classes(self, objectness, logits):
        labels, probability = descend(
            logits, self.tree, self.threshold, from_logits=True, always_answer=True
        )
        return tf.squeeze(objectness, -1) * probability, labels

    def compute_output_spec(self, raw):
        boxes, _ = self.compute_output_shape(raw.shape)
        return (
            keras.KerasTensor(boxes, "float32"),
            keras.KerasTensor(boxes[:2], "float32"),
            keras.KerasTensor(boxes[:2], "int32"),
        )

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@register
class DecodeNodes(DecodeBoxes):
    """Raw head tensor of a network with a label tree to boxes with the scores of some nodes.

    As Darknet with a `map` (`get_region_boxes` in src/region_layer.c): Pr(object) · Pr(node |
    object) for each node that a class of a data set stands for, whatever stands above or below.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        tree: `WordTree` (or its config).
        nodes: The C nodes.

    Call: `(B, S_h, S_w, k · (5 + nodes of the tree))` to `boxes` `(B, N, 4)`, not clipped, and
    `scores` `(B, N, C)`; order as in `DecodeBoxes`.
    """

    def __init__(self, anchors, tree, nodes, **kwargs):
        super().__init__(anchors, tree, **kwargs)
        self.nodes = list(map(int, nodes))

    def _classes(self, objectness, logits):
        (scores,) = super()._classes(objectness, logits)
        return (tf.gather(scores, self.nodes, axis=-1),)

    def compute_output_shape(self, input_shape):
        boxes, scores = super().compute_output_shape(input_shape)
        return boxes, (*scores[:2], len(self.nodes))

    def get_config(self):
        return {**super().get_config(), "nodes": self.nodes}


def decoder(head, tree_threshold=TREE, nodes=None):
    """The layer that turns the output of a `Head` into what `NonMaxSuppression` takes.

    Args:
        head: The head.
        tree_threshold: See `DecodeTree`.
        nodes: Of a label tree: nodes to score each box by, see `DecodeNodes`; None: each box has
            one label.
    """
    if head.tree is None:
        return DecodeBoxes(head.anchors, name="decode")
    if nodes is not None:
        return DecodeNodes(head.anchors, head.tree, nodes, name="decode")
    return DecodeTree(head.anchors, head.tree, tree_threshold, name="decode")


def split_head(raw, k):
    """Raw head tensor `(B, S_h, S_w, k · (5 + C))` to predictions `(B, N, 5 + C)`."""
    depth = raw.shape[-1] // k
    if raw.shape[1] is None or raw.shape[2] is None:
        shape = tf.shape(raw)
        return tf.reshape(raw, [shape[0], shape[1] * shape[2] * k, depth])
    # A static number of boxes keeps shape arithmetic out of exported graphs.
    return tf.reshape(raw, [-1, raw.shape[1] * raw.shape[2] * k, depth])


def decode_boxes(coordinates, anchors, grid):
    """Coordinates `(B, N, 4)` `[tx, ty, tw, th]` to boxes `(B, N, 4)` as fractions, not clipped.

    Args:
        coordinates: Predictions in the order of `split_head`.
        anchors: `(k, 2)` `[width, height]` in cells.
        grid: `(rows, columns)` of the grid, ints or scalar tensors.
    """
    cells, priors = cells_and_priors(grid, anchors)
    size = tf.cast(tf.stack([grid[1], grid[0]]), tf.float32)
    centers = (cells + tf.sigmoid(coordinates[..., :2])) / size
    half = priors * tf.exp(tf.minimum(coordinates[..., 2:4], MAX_LOG_SCALE)) / (2 * size)
    low, high = centers - half, centers + half
    return tf.concat([low[..., 1:2], low[..., 0:1], high[..., 1:2], high[..., 0:1]], axis=-1)


def cells_and_priors(grid, anchors):
    """For each of the N predictions its cell's corner and its prior, in cells.

    Args:
        grid: `(rows, columns)`, ints or scalar tensors.
        anchors: `(k, 2)` `[width, height]` in cells.

    Returns:
        `cells` `(N, 2)` float32 `[column, row]` and `priors` `(N, 2)` float32 `[width, height]`.
    """
    rows, columns = grid
    k = len(anchors)
    if isinstance(rows, int) and isinstance(columns, int):  # becomes a constant of the graph
        index = np.arange(rows * columns * k) // k
        cells = np.stack([index % columns, index // columns], axis=1).astype(np.float32)
        return tf.constant(cells), tf.constant(np.tile(anchors, [rows * columns, 1]))
    index = tf.range(rows * columns * k) // k
    cells = tf.cast(tf.stack([index % columns, index // columns], axis=1), tf.float32)
    return cells, tf.tile(tf.constant(anchors), [rows * columns, 1])


def _grid_size(raw):
    if raw.shape[1] is not None and raw.shape[2] is not None:
        return raw.shape[1], raw.shape[2]
    shape = tf.shape(raw)
    return shape[1], shape[2]
