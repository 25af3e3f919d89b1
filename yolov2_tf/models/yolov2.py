"""YOLOv2, Tiny YOLOv2 and YOLO9000 as functional Keras models (paper, sections 2 and 4).

Inputs are RGB images `(B, H, W, 3)` with values 0..255, H and W multiples of 32; the first layer
rescales them. Convolutions are named `conv1`, `conv2`, … in Darknet's order, so that weights move
by name between a classifier, a detector and an imported network.
"""

from keras import layers

from yolov2_tf.models.anchors import published
from yolov2_tf.models.blocks import Blocks, image_input, max_pool
from yolov2_tf.models.darknet19 import _darknet19_trunk
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import check_class_names
from yolov2_tf.models.input_sides import SIDES, is_side
from yolov2_tf.models.layers import Passthrough


def YOLOv2(
    class_names,
    *,
    anchors=None,
    input_size=416,
    resize="stretch",
    width=1.0,
    squeeze=64,
    tree=None,
    tree_logits="nodes",
    weight_decay=5e-4,
    name="yolov2",
) -> DetectionModel:
    """YOLOv2 on Darknet-19 with the passthrough (paper, section 2).

    Args:
        class_names: One name per class; with a tree, one per node.
        anchors: `(k, 2)` `[width, height]` in cells of 32 pixels; default: VOC's published five.
        input_size: Side of the input in pixels that the network is meant for, a multiple of 32.
        resize: How pictures come to that size: `stretch` or `letterbox`.
        width: Multiplier of the filters, for small devices.
        squeeze: Filters of the 1×1 convolution before the passthrough, 64 in the released
            network; None feeds all 512 channels through, as the paper describes; 0 is for a
            network without passthrough.
        tree: Optional `WordTree` over the classes.
        tree_logits: `nodes` or `leaves`, see `yolov2_tf.models.heads.Head`.
        weight_decay: Darknet's `decay`, on convolution kernels only.
        name: Name of the model.

    Returns:
        `DetectionModel`: `(B, H, W, 3)` images 0..255 to the raw head tensor
        `(B, H/32, W/32, k · (5 + C))` float32.

    Raises:
        ValueError: If `input_size` is no multiple of 32 up to 8,192, or `squeeze` is below 0.
        InputError: If the names cannot tell the classes apart, see `check_class_names`, or anchors
            or width are not above 0.
    """
    _check_size(input_size)
    class_names = check_class_names(class_names, tree)
    if squeeze is not None and squeeze < 0:
        raise ValueError(f"squeeze is {squeeze}, expected None or 0 and more filters")
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    fine, x = _darknet19_trunk(blocks, x)
    x = blocks.convolution(x, 1024, 3)
    x = blocks.convolution(x, 1024, 3)
    if squeeze:
        fine = blocks.convolution(fine, squeeze, 1)
    if squeeze != 0:
        fine = Passthrough(name="passthrough")(fine)
        x = layers.Concatenate(name="concat")([fine, x])
    x = blocks.convolution(x, 1024, 3)
    x = blocks.head(
        x,
        anchors=published("voc") if anchors is None else anchors,
        class_names=class_names,
        input_size=input_size,
        resize=resize,
        tree=tree,
        tree_logits=tree_logits,
    )
    return DetectionModel(image, x, name=name)


def TinyYOLOv2(
    class_names,
    *,
    anchors=None,
    input_size=416,
    resize="stretch",
    width=1.0,
    tree=None,
    tree_logits="nodes",
    weight_decay=5e-4,
    name="tiny_yolov2",
) -> DetectionModel:
    """Tiny YOLOv2 (Darknet's yolov2-tiny-voc.cfg): nine convolutions, no passthrough.

    Arguments and result are those of `YOLOv2`; default anchors are the published tiny-voc ones.
    """
    _check_size(input_size)
    class_names = check_class_names(class_names, tree)
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    for stage, filters in enumerate((16, 32, 64, 128, 256, 512)):
        x = blocks.convolution(x, filters, 3)
        # The last pool keeps the size: the grid is 32 pixels wide from the fifth pool on.
        x = max_pool(x, 2, stride=2 if stage < 5 else 1, name=f"pool{stage + 1}")
    x = blocks.convolution(x, 1024, 3)
    x = blocks.convolution(x, 1024, 3)
    x = blocks.head(
        x,
        anchors=published("tiny-voc") if anchors is None else anchors,
        class_names=class_names,
        input_size=input_size,
        resize=resize,
        tree=tree,
        tree_logits=tree_logits,
    )
    return DetectionModel(image, x, name=name)


def YOLO9000(
    class_names,
    *,
    anchors=None,
    input_size=544,
    resize="stretch",
    width=1.0,
    tree=None,
    tree_logits="nodes",
    weight_decay=5e-4,
    name="yolo9000",
) -> DetectionModel:
    """YOLO9000 (paper, section 4; Darknet's yolo9000.cfg): a head on Darknet-19 itself.

    Nothing stands between trunk and head, so a classifier's last convolution, which gives the
    classes of each place before their mean is taken, can start the classes of the head: see
    `yolov2_tf.models.transfer.transfer_weights`.

    Arguments and result are those of `YOLOv2`; default anchors are the three of yolo9000.cfg.
    """
    _check_size(input_size)
    class_names = check_class_names(class_names, tree)
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    *_, x = _darknet19_trunk(blocks, x)
    x = blocks.head(
        x,
        anchors=published("yolo9000") if anchors is None else anchors,
        class_names=class_names,
        input_size=input_size,
        resize=resize,
        tree=tree,
        tree_logits=tree_logits,
    )
    return DetectionModel(image, x, name=name)


def _check_size(input_size):
    if not is_side(input_size):
        raise ValueError(f"input_size is {input_size!r}, expected {SIDES}")
