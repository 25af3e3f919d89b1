"""The last layer of a network: it gives the logits, and holds all that explains them.

Class names, input size, resize mode and tree travel in the head's config, so a `.keras` file says
by itself how it is to be used.
"""

import collections
import numbers
import reprlib
from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import checked_anchors
from yolov2_tf.models.input_sides import MAX_SIDE
from yolov2_tf.models.layers import register
from yolov2_tf.models.objectness_prior import ObjectnessPrior
from yolov2_tf.resize import MODES
from yolov2_tf.trees.group_softmax import absolute_probabilities, group_softmax
from yolov2_tf.trees.leaf_logits import node_logits
from yolov2_tf.trees.tree_logits import checked_tree_logits
from yolov2_tf.trees.wordtree import WordTree, as_tree


class Head:
    """What the heads of detectors and classifiers have in common.

    Heads compute in float32 under mixed precision too.

    Attributes:
        class_names: Tuple of one name per class; with a tree, one per node.
        input_size: Side of the square input in pixels that the network is meant for.
        resize: How pictures are brought to that size, see `yolov2_tf.resize.MODES`.
        tree: `yolov2_tf.trees.wordtree.WordTree` whose nodes are the classes, or None.
        tree_logits: `nodes`: the layers before give a logit of each class. `leaves`: they give
            those of the tree's leaves, and the head makes the others of these, see
            `yolov2_tf.trees.leaf_logits.node_logits`.
    """

    @property
    def num_classes(self):
        """Number of classes C."""
        return len(self.class_names)

    @property
    def num_logits(self):
        """How many logits of classes the layers before give: C, or one for each leaf."""
        return len(self.tree.leaves) if self.tree_logits == "leaves" else self.num_classes

    def _explain(self, class_names, input_size, resize, tree, tree_logits="nodes"):
        class_names = _in_order(class_names)
        if resize not in MODES:
            raise ValueError(f"resize is {resize!r}, expected one of {MODES}")
        self.class_names = class_names
        self.input_size = _checked_side(input_size)
        self.resize = resize
        self.tree = as_tree(tree)
        if self.tree is not None and len(self.tree) != len(self.class_names):
            raise ValueError(
                f"the tree has {len(self.tree)} nodes, the names are {len(self.class_names)}"
            )
        self.tree_logits = checked_tree_logits(tree_logits, self.tree)

    def _explanation(self):
        return {
            "class_names": list(self.class_names),
            "input_size": self.input_size,
            "resize": self.resize,
            "tree": None if self.tree is None else self.tree.to_config(),
        }


@keras.saving.register_keras_serializable("yolov2_tf", name="Head")  # its name in saved files
class DetectionHead(Head, keras.layers.Conv2D):
    """The linear 1×1 convolution to `k · (5 + C)` channels.

    Channels are anchor-major `[tx, ty, tw, th, to, class…]`, as in Darknet.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        class_names: See `Head`, as for the next three.
        input_size: Pixels.
        resize: `stretch` or `letterbox`.
        tree: `WordTree`, its config, or None.
        tree_logits: `nodes` or `leaves`, see `Head`.

    Call: `(B, S, S, F)` to the raw head tensor `(B, S, S, k · (5 + C))`.
    """

    def __init__(
        self,
        anchors,
        class_names,
        input_size=416,
        resize="stretch",
        tree=None,
        tree_logits="nodes",
        **kwargs,
    ):
        self._explain(class_names, input_size, resize, tree, tree_logits)
        self.anchors = checked_anchors(anchors)
        kwargs.setdefault("dtype", "float32")
        # A small start makes the first predictions the priors themselves; with He's the first
        # steps have to undo boxes e² times too large.
        kwargs.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=0.01))
        kwargs.setdefault("bias_initializer", ObjectnessPrior(len(self.anchors)))
        super().__init__(len(self.anchors) * (5 + self.num_logits), 1, **kwargs)

    def call(self, features):
        raw = super().call(features)
        return raw if self.tree_logits == "nodes" else self.of_all_nodes(raw)

    def of_all_nodes(self, raw):
        """The raw head tensor of what the convolution gives with logits of leaves.

        Args:
            raw: `(B, S, S, k · (5 + leaves))`.

        Returns:
            `(B, S, S, k · (5 + C))`.
        """
        batch, rows, columns, _ = _static(raw)
        k = len(self.anchors)
        boxes = tf.reshape(raw, [batch, rows * columns * k, 5 + self.num_logits])
        boxes = tf.concat([boxes[..., :5], node_logits(boxes[..., 5:], self.tree)], axis=-1)
        return tf.reshape(boxes, [batch, rows, columns, k * (5 + self.num_classes)])

    def compute_output_shape(self, input_shape):
        *places, _ = super().compute_output_shape(input_shape)
        return (*places, len(self.anchors) * (5 + self.num_classes))

    def get_config(self):
        config = super().get_config()
        for fixed in ("filters", "kernel_size"):
            del config[fixed]
        config |= {"anchors": self.anchors.tolist(), "tree_logits": self.tree_logits}
        return {**config, **self._explanation()}


# Keras looks for a layer's weights in a file under the name of its Python class, and not under the
# registered one: without this no file saved when the class was called so would load.
DetectionHead.__name__ = "Head"


@register
class RegionHead(Head, keras.layers.Layer):
    """Passes logits on; it stands for Darknet's `[region]` where these come from any layer.

    What Darknet's users put before `[region]` is not always a linear 1×1 convolution, which would
    be a `DetectionHead`: it may be 3×3, normalised, leaky, or followed by other layers.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells.
        class_names: See `Head`, as for the next three.
        input_size: Pixels.
        resize: `stretch` or `letterbox`.
        tree: `WordTree`, its config, or None.

    Call: the raw head tensor `(B, S, S, k · (5 + C))`, as it is, in float32.
    """

    def __init__(self, anchors, class_names, input_size=416, resize="stretch", tree=None, **kwargs):
        self._explain(class_names, input_size, resize, tree)
        self.anchors = checked_anchors(anchors)
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape):
        channels = len(self.anchors) * (5 + self.num_classes)
        if input_shape[-1] != channels:
            raise ValueError(f"{input_shape[-1]} channels of logits, expected {channels}")

    def call(self, logits):
        return logits

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "anchors": self.anchors.tolist(), **self._explanation()}


@register
class ClassificationHead(Head, keras.layers.Layer):
    """Flattens the averaged map to logits; it takes the place of Darknet's `[softmax]`.

    Args:
        class_names: See `Head`, as for the next three.
        input_size: Pixels.
        resize: `stretch` or `letterbox`.
        tree: `WordTree`, its config, or None.
        tree_logits: `nodes` or `leaves`, see `Head`.

    Call: `(B, 1, 1, C)`, or `(B, 1, 1, leaves)`, to logits `(B, C)`.
    """

    def __init__(
        self,
        class_names,
        input_size=224,
        resize="stretch",
        tree=None,
        tree_logits="nodes",
        **kwargs,
    ):
        self._explain(class_names, input_size, resize, tree, tree_logits)
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    @property
    def hierarchy(self):
        """The tree, or a tree of one group where there is none."""
        if self.tree is not None:
            return self.tree
        return WordTree(map(str, range(self.num_classes)), [-1] * self.num_classes)

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
        logits = tf.reshape(averages, [-1, self.num_logits])
        return logits if self.tree_logits == "nodes" else node_logits(logits, self.tree)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.num_classes

    def get_config(self):
        config = {**super().get_config(), "tree_logits": self.tree_logits}
        return {**config, **self._explanation()}


def check_class_names(class_names, tree=None):
    """Refuses names that cannot tell the classes of a new network apart.

    Nodes of a tree may share one: a crane is a bird, and a machine.

    Args:
        class_names: One name per class.
        tree: `WordTree` over the classes, or None.

    Returns:
        Tuple of the names as str.

    Raises:
        InputError: If it is no sequence of names, or there are none, an empty one, or one twice.
    """
    class_names = _in_order(class_names)
    counts = collections.Counter(class_names)
    if not counts:
        raise InputError("there are no class names", expected="at least one")
    if any(not name.strip() for name in counts):
        raise InputError("a class has an empty name", expected="a name for each")
    name, count = counts.most_common(1)[0]
    if count > 1 and tree is None:
        raise InputError(f"{count} classes are called {name!r}", expected="a name for each")
    return class_names


def _checked_side(pixels):
    """A side as int; files that claim another one must not eat memory."""
    if not (isinstance(pixels, numbers.Real) and 1 <= pixels <= MAX_SIDE):  # NaN is neither
        raise InputError(f"input_size is {pixels!r}", expected=f"1 to {MAX_SIDE:,} pixels")
    return int(pixels)


def _static(tensor):
    """The shape of a tensor: numbers where they are known, else scalars of the graph."""
    shape = tf.shape(tensor)
    return [shape[i] if side is None else side for i, side in enumerate(tensor.shape)]


def _in_order(class_names):
    """The names as a tuple of str; what has no order, or would give its keys, is refused."""
    if isinstance(class_names, str):
        raise InputError(
            f"class_names is the text {class_names!r}",
            expected=f"a sequence of names, such as [{class_names!r}]",
        )
    unordered = isinstance(class_names, Mapping | set | frozenset)
    if unordered or not isinstance(class_names, Iterable):
        raise InputError(
            f"class_names is {reprlib.repr(class_names)}",
            expected="a sequence of names, in the order of the labels",
        )
    return tuple(str(name) for name in class_names)


def find_head(model):
    """The `DetectionHead` or `RegionHead` of a detector: its classes, anchors and input size.

    Raises:
        ValueError: If the model has none, or is no Keras model.
    """
    head = _find(model, (DetectionHead, RegionHead))
    if head is None:
        raise ValueError(f"model {model.name!r} has no Head layer: it is not a YOLOv2 detector")
    return head


def find_classification_head(model):
    """The `ClassificationHead` of a classifier.

    Raises:
        ValueError: If the model has none, or is no Keras model.
    """
    head = _find(model, ClassificationHead)
    if head is None:
        raise ValueError(f"model {model.name!r} has no ClassificationHead: it is not a classifier")
    return head


def _find(model, kind):
    if not isinstance(model, keras.Model):
        raise InputError(
            f"a {type(model).__name__} is no Keras model", hint="yolov2_tf.load_model(path)"
        )
    return next((layer for layer in model.layers if isinstance(layer, kind)), None)
