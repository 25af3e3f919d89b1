"""Keras layers that are YOLOv2's own: passthrough, head, box decoding.

Everything is registered under the package's name, so `.keras` files load without
`custom_objects` once this module is imported; `yolov2_tf.load_model` sees to that.
"""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.resize import MODES
from yolov2_tf.wordtree import as_tree

MAX_LOG_SCALE = 10.0
"""t_w and t_h are clamped here before exp, which overflows float32 above 88 and float16 at 11."""

TREE_THRESHOLD = 0.5
"""Pr(node | object) of a detection's label is above this, as with Darknet's `-hier`."""

register = keras.saving.register_keras_serializable("yolov2_tf")


@register
class Passthrough(keras.layers.Layer):
    """Stacks neighbouring features into channels (paper, section 2, "Fine-Grained Features").

    `(B, H, W, C)` to `(B, H / block, W / block, C · block²)` by `tf.nn.space_to_depth`.
    Darknet calls this `[reorg3d]`.
    """

    def __init__(self, block=2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs):
        return tf.nn.space_to_depth(inputs, self.block)

    def compute_output_shape(self, input_shape):
        return _reorganised_shape(input_shape, self.block)

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@register
class DarknetReorg(keras.layers.Layer):
    """Darknet's `[reorg]`, which published weights with a passthrough were trained on.

    It is not `tf.nn.space_to_depth`, nor a permutation of its channels: Darknet's loop
    (`reorg_cpu` in src/blas.c) reads the feature map as if it had C / block² channels on a grid
    `block` times as fine. `(B, H, W, C)` to `(B, H / block, W / block, C · block²)`; C must be
    a multiple of block².
    """

    def __init__(self, block=2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs):
        block = self.block
        channels = inputs.shape[-1]
        shape = tf.shape(inputs)
        batch, height, width = shape[0], shape[1], shape[2]
        x = tf.transpose(inputs, [0, 3, 1, 2])
        x = tf.reshape(x, [batch, channels // block**2, height * block, width * block])
        x = tf.transpose(x, [0, 2, 3, 1])
        x = tf.nn.space_to_depth(x, block)
        x = tf.transpose(x, [0, 3, 1, 2])
        x = tf.reshape(x, [batch, channels * block**2, height // block, width // block])
        return tf.transpose(x, [0, 2, 3, 1])

    def compute_output_shape(self, input_shape):
        return _reorganised_shape(input_shape, self.block)

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@register
class DarknetMaxPool(keras.layers.Layer):
    """Max-pool with Darknet's padding where Keras' `same` and `valid` differ from it.

    `(B, H, W, C)` to `(B, (H + padding − size) // stride + 1, …, C)`.

    Args:
        size: Side of the window.
        stride: Stride of the window.
        padding: Rows and columns of −∞ in all, half of them (rounded down) above and left.
    """

    def __init__(self, size, stride, padding, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride
        self.padding = padding

    def call(self, inputs):
        around = [self.padding // 2, self.padding - self.padding // 2]
        paddings = [[0, 0], around, around, [0, 0]]
        padded = tf.pad(inputs, paddings, constant_values=inputs.dtype.min)
        return tf.nn.max_pool2d(padded, self.size, self.stride, "VALID")

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        added = self.padding - self.size
        sides = [side if side is None else (side + added) // self.stride + 1 for side in sides]
        return (batch, *sides, channels)

    def get_config(self):
        config = {"size": self.size, "stride": self.stride, "padding": self.padding}
        return {**super().get_config(), **config}


@register
class DarknetInput(keras.layers.Rescaling):
    """Rescaling from 0..255 to 0..1 that keeps what only a network's Darknet files said.

    Args:
        cfg: Text of the cfg.
        header: `[major, minor, revision, seen]` of the weights file.
    """

    def __init__(self, cfg, header, scale=1 / 255, **kwargs):
        super().__init__(scale, **kwargs)
        self.cfg = cfg
        self.header = tuple(header)

    def get_config(self):
        return {**super().get_config(), "cfg": self.cfg, "header": list(self.header)}


@register
class ObjectnessPrior(keras.initializers.Initializer):
    """Bias of a head whose every prediction starts with a low objectness.

    From zero, where each of the hundreds of empty slots starts at ½, the first steps press all
    objectness down so hard that its sigmoid saturates and never comes back (seen with SGD at
    1e-2). The remedy is that of RetinaNet (Lin et al., 2017, section 4.1).

    Args:
        k: Number of anchors.
        probability: σ(t_o) at the start, 0..1.
    """

    def __init__(self, k, probability=0.05):
        self.k = k
        self.probability = probability

    def __call__(self, shape, dtype=None):
        bias = np.zeros((self.k, shape[0] // self.k))
        bias[:, 4] = np.log(self.probability / (1 - self.probability))
        return tf.constant(bias.reshape(shape), dtype or "float32")

    def get_config(self):
        return {"k": self.k, "probability": self.probability}


@register
class Head(keras.layers.Conv2D):
    """The linear 1×1 convolution to `k · (5 + C)` channels, and all that explains them.

    Channels are anchor-major `[tx, ty, tw, th, to, class…]`, as in Darknet. The names, anchors,
    input size, resize mode and tree travel in this layer's config, so a `.keras` file says by
    itself how it is to be used. The layer computes in float32 under mixed precision too.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        class_names: One name per class; with a tree, one per node.
        input_size: Side of the square input in pixels that the network is meant for.
        resize: How pictures are brought to that size, see `yolov2_tf.resize.MODES`.
        tree: `yolov2_tf.wordtree.WordTree` whose nodes are the classes, or its config.
    """

    def __init__(self, anchors, class_names, input_size=416, resize="stretch", tree=None, **kwargs):
        if resize not in MODES:
            raise ValueError(f"resize is {resize!r}, expected one of {MODES}")
        self.class_names = tuple(str(name) for name in class_names)
        self.anchors = np.asarray(anchors, np.float32).reshape(-1, 2)
        self.input_size = int(input_size)
        self.resize = resize
        self.tree = as_tree(tree)
        if self.tree is not None and len(self.tree) != len(self.class_names):
            raise ValueError(
                f"the tree has {len(self.tree)} nodes, the names are {len(self.class_names)}"
            )
        kwargs.setdefault("dtype", "float32")
        # A small start makes the first predictions the priors themselves; with He's the first
        # steps have to undo boxes e² times too large.
        kwargs.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=0.01))
        kwargs.setdefault("bias_initializer", ObjectnessPrior(len(self.anchors)))
        filters = len(self.anchors) * (5 + len(self.class_names))
        super().__init__(filters, 1, **kwargs)

    @property
    def num_classes(self):
        """Number of classes C."""
        return len(self.class_names)

    def get_config(self):
        config = super().get_config()
        for fixed in ("filters", "kernel_size"):
            del config[fixed]
        return {
            **config,
            "anchors": self.anchors.tolist(),
            "class_names": list(self.class_names),
            "input_size": self.input_size,
            "resize": self.resize,
            "tree": None if self.tree is None else self.tree.to_config(),
        }


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
        return boxes, *self._classes(tf.sigmoid(predictions[..., 4]), predictions[..., 5:])

    def _classes(self, objectness, logits):
        if self.tree is None:
            return (objectness[..., None] * tf.nn.softmax(logits),)
        from yolov2_tf.group_softmax import absolute_probabilities, group_softmax

        conditional = group_softmax(logits, self.tree)
        return (objectness[..., None] * absolute_probabilities(conditional, self.tree),)

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
    Pr(object) · Pr(node | object). Whether there is an object thus has no part in what it is
    called, and a file that keeps boxes of low scores gives them the same labels.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        tree: `WordTree` (or its config).
        threshold: Least Pr(node | object), 0..1: the higher, the more general the labels.

    Call: `(B, S_h, S_w, k · (5 + C))` to `boxes` `(B, N, 4)`, not clipped, `scores` `(B, N)` in
    0..1 and `labels` `(B, N)` int32; order as in `DecodeBoxes`.
    """

    def __init__(self, anchors, tree, threshold=TREE_THRESHOLD, **kwargs):
        super().__init__(anchors, tree, **kwargs)
        self.threshold = threshold

    def _classes(self, objectness, logits):
        from yolov2_tf.group_softmax import descend

        labels, probability = descend(
            logits, self.tree, self.threshold, from_logits=True, always_answer=True
        )
        return objectness * probability, labels

    def compute_output_spec(self, raw):
        boxes, _ = self.compute_output_shape(raw.shape)
        return (
            keras.KerasTensor(boxes, "float32"),
            keras.KerasTensor(boxes[:2], "float32"),
            keras.KerasTensor(boxes[:2], "int32"),
        )

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def decoder(head, tree_threshold=TREE_THRESHOLD):
    """The layer that turns the output of a `Head` into what `NonMaxSuppression` takes."""
    if head.tree is None:
        return DecodeBoxes(head.anchors, name="decode")
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


def _reorganised_shape(shape, block):
    batch, height, width, channels = shape
    return (
        batch,
        None if height is None else height // block,
        None if width is None else width // block,
        channels * block**2,
    )
