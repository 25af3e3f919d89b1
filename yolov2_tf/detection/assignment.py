"""Assigns ground truth boxes to anchors of grid cells (Darknet's src/region_layer.c)."""

import dataclasses

import tensorflow as tf

from yolov2_tf.boxes import corners_to_centers, shape_iou


@dataclasses.dataclass(frozen=True)
class Matches:
    """The matched anchor of each ground truth box, `(B, M)` unless said otherwise.

    Attributes:
        slot: int32 index into the N predictions; 0 where there is no match.
        kept: float32, 1 where the truth is valid and owns its slot, else 0.
        offset: `(B, M, 2)` float32 `[x, y]` of the centre within its cell, 0..1.
        log_scale: `(B, M, 2)` float32 logarithm of `[width, height]` over the prior's.
        balance: float32, 2 - w·h: small boxes weigh up to twice as much as large ones.
        taken: `(B, N)` float32, 1 for matched anchors.
        lost: `(B, M, M)` bool, whether the truth of the second axis lost its slot to the later one
            of the third.
    """

    slot: tf.Tensor
    kept: tf.Tensor
    offset: tf.Tensor
    log_scale: tf.Tensor
    balance: tf.Tensor
    taken: tf.Tensor
    lost: tf.Tensor


def match(boxes, labels, grid, anchors):
    """Matches each ground truth box to the cell of its centre and the anchor of the best shape IoU.

    Where two boxes match the same anchor of a cell, the later one gets it. Boxes with the label
    -1, without area or not finite are left out.

    Args:
        boxes: `(B, M, 4)` float32 truths as fractions.
        labels: `(B, M)` int32.
        grid: `(rows, columns)` scalar tensors.
        anchors: `(k, 2)` `[width, height]` in cells.

    Returns:
        `Matches`.
    """
    rows, columns = grid
    k = len(anchors)
    size = tf.cast(tf.stack([columns, rows]), tf.float32)
    centers = corners_to_centers(boxes)
    position, shape = centers[..., :2] * size, centers[..., 2:] * size
    valid = (labels >= 0) & tf.reduce_all(shape > 0, axis=-1)

    cell = tf.clip_by_value(tf.floor(position), 0.0, size - 1)
    anchor = tf.argmax(
        shape_iou(shape[..., None, :], tf.constant(anchors)), axis=-1, output_type=tf.int32
    )
    column_row = tf.cast(cell, tf.int32)
    slot = (column_row[..., 1] * columns + column_row[..., 0]) * k + anchor
    slot = tf.where(valid, slot, 0)

    same = (slot[:, :, None] == slot[:, None, :]) & valid[:, :, None] & valid[:, None, :]
    truths = tf.shape(labels)[1]
    later = tf.range(truths)[:, None] < tf.range(truths)[None, :]
    lost = same & later
    kept = tf.cast(valid & ~tf.reduce_any(lost, axis=-1), tf.float32)

    prior = tf.gather(tf.constant(anchors), anchor)
    log_scale = tf.math.log(tf.maximum(shape, 1e-6) / prior)
    image = tf.broadcast_to(tf.range(tf.shape(labels)[0])[:, None], tf.shape(slot))
    taken = tf.scatter_nd(
        tf.stack([image, slot], axis=-1), kept, tf.stack([tf.shape(labels)[0], rows * columns * k])
    )
    return Matches(
        slot=slot,
        kept=kept,
        offset=position - cell,
        log_scale=log_scale,
        balance=2.0 - centers[..., 2] * centers[..., 3],
        taken=taken,
        lost=lost,
    )
