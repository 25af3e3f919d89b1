"""Per-class non-maximum suppression as a Keras layer that every exporter accepts."""

import keras
import tensorflow as tf

from yolov2_tf.boxes import clip
from yolov2_tf.detection.thresholds import (
    CANDIDATES_PER_DETECTION,
    IOU,
    LEAST_SIDE,
    MAX_DETECTIONS,
    SCORE,
)

COLUMNS = 128
"""Boxes are moved apart by class onto a board of so many columns: along one axis, the thousands of
classes of a label tree would leave float32 too few digits for the boxes."""


@keras.saving.register_keras_serializable("yolov2_tf")
class NonMaxSuppression(keras.layers.Layer):
    """Boxes and scores to detections: the best of overlapping boxes of one class.

    Without `labels` a box may be detected as several classes, as in Darknet's `do_nms_sort`. With
    `per_class=False` a box of any class suppresses its neighbours.

    The layer is made of `NonMaxSuppressionV4` (a TFLite built-in, unlike
    `combined_non_max_suppression`) on boxes that are moved apart by class.

    Args:
        score_threshold: Scores must be above this, 0..1.
        iou_threshold: Boxes of one class overlapping more than this are one detection, 0..1.
        max_detections: N of the output.
        per_class: Whether boxes of different classes leave one another alone.

    Call: `boxes` `(B, M, 4)` and `scores` `(B, M, C)`, or `scores` `(B, M)` and `labels` `(B, M)`
    where each box has one class already, to a dict of `boxes` `(B, N, 4)` clipped to the image,
    `labels` `(B, N)` int32, `scores` `(B, N)`, `num_detections` `(B,)` int32, sorted by score.
    Unused places hold zeros and the label -1.
    """

    def __init__(
        self,
        score_threshold=SCORE,
        iou_threshold=IOU,
        max_detections=MAX_DETECTIONS,
        per_class=True,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        # On a GPU Keras would compile it by XLA, whose kernel fails where there are fewer boxes
        # than detections, and would compile anew for every input size.
        self.supports_jit = False
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.max_detections = max_detections
        self.per_class = per_class

    def call(self, boxes, scores, labels=None):
        boxes, labels, scores = self._candidates(clip(boxes), scores, labels)
        apart = _with_an_area(boxes)
        if self.per_class:
            apart += _place_on_board(labels)
        if boxes.shape[0] is not None:  # static batch, as phones want it: no loop in the graph
            pictures = zip(tf.unstack(apart), tf.unstack(scores), strict=True)
            kept, count = map(
                tf.stack, zip(*(self._suppress(*one) for one in pictures), strict=True)
            )
        else:
            kept, count = tf.map_fn(
                lambda image: self._suppress(*image),
                (apart, scores),
                fn_output_signature=(
                    tf.TensorSpec([self.max_detections], tf.int32),
                    tf.TensorSpec([], tf.int32),
                ),
            )
        used = tf.range(self.max_detections)[None] < count[:, None]
        boxes = tf.gather(boxes, kept, batch_dims=1)
        return {
            "boxes": tf.where(used[..., None], boxes, tf.zeros_like(boxes)),
            "labels": tf.where(used, tf.gather(labels, kept, batch_dims=1), -1),
            "scores": tf.where(used, tf.gather(scores, kept, batch_dims=1), 0.0),
            "num_detections": count,
        }

    def _candidates(self, boxes, scores, labels):
        """The best (box, class) pairs: `(B, K, 4)`, `(B, K)`, `(B, K)`, sorted by score."""
        classes = scores.shape[-1] if labels is None else 1
        wanted = CANDIDATES_PER_DETECTION * self.max_detections
        if scores.shape[1] is None:
            wanted = tf.minimum(wanted, tf.shape(scores)[1] * classes)
            pairs = tf.reshape(scores, [tf.shape(scores)[0], -1])
        else:
            wanted = min(wanted, scores.shape[1] * classes)
            pairs = tf.reshape(scores, [-1, scores.shape[1] * classes])
        scores, pair = tf.math.top_k(pairs, wanted)
        if labels is not None:
            return *(tf.gather(x, pair, batch_dims=1) for x in (boxes, labels)), scores
        return tf.gather(boxes, pair // classes, batch_dims=1), pair % classes, scores

    def _suppress(self, boxes, scores):
        kept, count = tf.raw_ops.NonMaxSuppressionV4(
            boxes=boxes,
            scores=scores,
            max_output_size=self.max_detections,
            iou_threshold=self.iou_threshold,
            score_threshold=self.score_threshold,
            pad_to_max_output_size=True,
        )
        return kept, count

    def compute_output_spec(self, boxes, scores, labels=None):
        batch, n = boxes.shape[0], self.max_detections
        return {
            "boxes": keras.KerasTensor((batch, n, 4), "float32"),
            "labels": keras.KerasTensor((batch, n), "int32"),
            "scores": keras.KerasTensor((batch, n), "float32"),
            "num_detections": keras.KerasTensor((batch,), "int32"),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "max_detections": self.max_detections,
            "per_class": self.per_class,
        }


def gives_detections(model):
    """Whether decoding and suppression are in a Keras model already."""
    return any(isinstance(layer, NonMaxSuppression) for layer in model.layers)


def _with_an_area(boxes):
    """Boxes `(..., 4)` at least `LEAST_SIDE` high and wide.

    Thinner boxes lose their area to rounding when classes are moved apart. TFLite's kernel finds no
    overlap of such a box with itself and selects it again, in the place of weaker detections.
    """
    near, far = boxes[..., :2], boxes[..., 2:]
    return tf.concat([near, tf.maximum(far, near + LEAST_SIDE)], axis=-1)


def _place_on_board(labels):
    """By how much boxes of a class are moved, `(..., 4)`: two image sides from any other class."""
    row, column = labels // COLUMNS, labels % COLUMNS
    return 2.0 * tf.cast(tf.stack([row, column, row, column], axis=-1), tf.float32)
