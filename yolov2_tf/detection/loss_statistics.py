"""Figures that show how a detector's training goes, beside the loss."""

import tensorflow as tf

from yolov2_tf.detection.class_entropy import named_right


def statistics(matched, matches, overlap, objectness, free, labels, tree):
    """What `keras.metrics.Mean` gathers over an epoch.

    Args:
        matched: `(B, M, 5 + C)` raw predictions of the slots that are responsible for truths.
        matches: `yolov2_tf.detection.assignment.Matches`.
        overlap: `(B, M)` IoU of their boxes with the truths.
        objectness: `(B, N)` of all slots, in 0 to 1.
        free: `(B, N)` float32, 1 for slots without a truth that count.
        labels: `(B, M)` int32.
        tree: `WordTree` or None.

    Returns:
        Dict from name to `(value, weight)`, scalars: `average_iou`, `recall` (IoU above .5),
        `object` and `no_object` (mean objectness with and without a truth), `class_accuracy`.
    """
    kept = matches.kept
    return {
        "average_iou": _mean(overlap, kept),
        "recall": _mean(tf.cast(overlap > 0.5, tf.float32), kept),
        "object": _mean(tf.sigmoid(matched[..., 4]), kept),
        "no_object": _mean(objectness, free),
        "class_accuracy": _mean(named_right(matched[..., 5:], labels, tree), kept),
    }


def _mean(values, weights):
    """Weighted mean and the sum of weights, as `keras.metrics.Mean` takes them."""
    total = tf.reduce_sum(weights)
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), total), total
