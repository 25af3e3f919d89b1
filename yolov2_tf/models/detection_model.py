"""The functional Keras model that a detector is while it trains."""

import keras
import tensorflow as tf

from yolov2_tf.models.heads import find_head

STATISTICS = ("average_iou", "recall", "object", "no_object", "class_accuracy")

LOSSES = ("box", "objectness", "no_objectness", "class", "prior")


@keras.saving.register_keras_serializable("yolov2_tf")
class DetectionModel(keras.Model):
    """Functional model from images to the raw head tensor, trained by `compile` and `fit`.

    Compile it with `loss=YOLOv2Loss(model.head.anchors)`.
    Keras expects one target tensor per output; a detector has two, boxes and labels. Only the
    computation of loss and metrics is replaced: saving, distribution, mixed precision,
    gradient accumulation and callbacks are Keras' own.

    `fit` takes `(images, {"boxes": (B, M, 4), "labels": (B, M)})` batches and reports the parts
    of the loss (`loss_box`, …), `average_iou`, `recall` and `class_accuracy` of the matched
    anchors, and the mean objectness of matched (`object`) and unmatched ones (`no_object`).
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_jit = False  # XLA would compile anew for every input size and padding
        names = [f"loss_{name}" for name in LOSSES] + list(STATISTICS)
        self._means = {name: keras.metrics.Mean(name) for name in names}

    @property
    def head(self):
        """Its `class_names`, `anchors`, `input_size`, `resize`, `tree`, see `find_head`."""
        return find_head(self)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses, statistics = self.loss.terms(y, y_pred, self._images_seen(y_pred, training))
        for name, value in losses.items():
            self._means[f"loss_{name}"].update_state(tf.reduce_mean(value))
        for name, (value, weight) in statistics.items():
            self._means[name].update_state(value, weight)
        total = tf.reduce_mean(tf.add_n(list(losses.values())))
        if self.losses:  # weight decay
            total += tf.cast(tf.add_n(self.losses), total.dtype)
        # Keras adds up the gradients of the replicas.
        return total / tf.distribute.get_strategy().num_replicas_in_sync

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()

    def _images_seen(self, y_pred, training):
        """From the optimizer's step count, which a checkpoint keeps: a resume goes on warming."""
        if not training:
            return None
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        batch = tf.shape(y_pred)[0] * replicas
        return tf.cast(self.optimizer.iterations, tf.int64) * tf.cast(batch, tf.int64)
