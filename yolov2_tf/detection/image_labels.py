"""Labels of images without boxes, for joint training: which there are, and where to seek each."""

import tensorflow as tf

from yolov2_tf.boxes import corners_to_centers
from yolov2_tf.errors import InputError
from yolov2_tf.models.truths import check_image_shapes

IMAGE_OVERLAP = 0.3
"""What the box found for an image's label is assumed to overlap with its object (section 4)."""

IMAGE_RULES = ("paper", "darknet", "object")
"""What an image's label says about objectness, see `yolov2_tf.detection.loss.YOLOv2Loss`."""


def labels_and_regions(y_true):
    """The labels of images, and where in them each is to be found.

    Args:
        y_true: Dict with `image_labels` `(B,)`, or `(B, L)` and `image_regions` `(B, L, 4)`.

    Returns:
        `(B, L)` int32 and `(B, L, 4)` float32, fractions of the image.

    Raises:
        InputError: If these do not belong together, or L differs between batches.
    """
    labels, regions = tf.cast(y_true["image_labels"], tf.int32), y_true.get("image_regions")
    if regions is None:
        _check_static(labels.shape, None)
        whole = tf.constant([0.0, 0.0, 1.0, 1.0])
        return labels[:, None], tf.tile(whole[None, None], [tf.shape(labels)[0], 1, 1])
    regions = tf.cast(regions, tf.float32)
    _check_static(labels.shape, regions.shape)
    if labels.shape.rank is None or labels.shape[1] is None:  # the loop over them is unrolled
        raise InputError(
            f"image_labels are {labels.shape}",
            expected="(B, L) of an L that is the same in all batches",
            hint="padded_shapes of padded_batch, or tf.ensure_shape",
        )
    return labels, regions


def _check_static(labels, regions):
    if all(shape is None or shape.rank is not None for shape in (labels, regions)):
        check_image_shapes(labels, regions)


def centered_in(boxes, region):
    """Whether the centres of boxes `(M, N, 4)` are in the regions `(M, 4)`: `(M, N)` bool."""
    centers = corners_to_centers(boxes)[..., 1::-1]
    low, high = region[:, None, :2], region[:, None, 2:]
    return tf.reduce_all((centers >= low) & (centers <= high), axis=-1)
