"""Darknet-19 (paper, section 3 and table 6): the classifier, and the trunk that YOLOv2 shares."""

import numbers

import keras
from keras import layers

from yolov2_tf.models.blocks import Blocks, decay_regularizer, image_input, max_pool
from yolov2_tf.models.heads import ClassificationHead, check_class_names
from yolov2_tf.trees.tree_logits import checked_tree_logits

# Rows of Darknet-19 (paper, table 6): (filters, kernel size) of the convolutions of each stage.
# A max-pool stands before every stage but the first.
DARKNET19_STAGES = (
    ((32, 3),),
    ((64, 3),),
    ((128, 3), (64, 1), (128, 3)),
    ((256, 3), (128, 1), (256, 3)),
    ((512, 3), (256, 1), (512, 3), (256, 1), (512, 3)),
    ((1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3)),
)


def Darknet19(
    classes=1000,
    *,
    input_size=224,
    resize="stretch",
    width=1.0,
    tree=None,
    tree_logits="nodes",
    weight_decay=5e-4,
    name="darknet19",
) -> keras.Model:
    """Darknet-19 classifier (paper, section 3 and table 6).

    Args:
        classes: One name per class, or the number of classes; with a tree, one per node.
        input_size: Side of the input in pixels that the network is meant for.
        resize: How pictures come to that size: `stretch` or `letterbox`.
        width: Multiplier of the filters, for small devices.
        tree: Optional `WordTree` over the classes.
        tree_logits: `nodes` or `leaves`, see `yolov2_tf.models.heads.Head`.
        weight_decay: Darknet's `decay`, on convolution kernels only.
        name: Name of the model.

    Returns:
        Functional model: `(B, H, W, 3)` images 0..255 of any size from 32 up to `(B, C)` logits;
        `ClassificationHead.probabilities` makes probabilities of them.

    Raises:
        InputError: If the names cannot tell the classes apart, see `check_class_names`, or the
            width is not above 0.
    """
    count = isinstance(classes, numbers.Integral)
    class_names = check_class_names(map(str, range(classes)) if count else classes, tree)
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    *_, x = _darknet19_trunk(blocks, x)
    checked_tree_logits(tree_logits, tree)
    x = layers.Conv2D(
        len(tree.leaves) if tree_logits == "leaves" else len(class_names),
        1,
        dtype="float32",
        kernel_initializer="he_normal",
        kernel_regularizer=decay_regularizer(weight_decay),
        name=blocks.next_name(),
    )(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name="average_pool")(x)
    x = ClassificationHead(class_names, input_size, resize, tree, tree_logits, name="head")(x)
    return keras.Model(image, x, name=name)


def _darknet19_trunk(blocks, x):
    """The 18 convolutions before the classifier: the last 26×26 map and the 13×13 map (at 416)."""
    for stage, convolutions in enumerate(DARKNET19_STAGES):
        if stage:
            fine = x
            x = max_pool(x, 2, stride=2, name=f"pool{stage}")
        for filters, size in convolutions:
            x = blocks.convolution(x, filters, size)
    return fine, x
