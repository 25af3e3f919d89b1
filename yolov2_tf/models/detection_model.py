"""The functional Keras model that a detector is while it trains."""

import contextlib

import keras
import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.models.gradients import batches_seen, take_step
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.truths import checked_first_batch

STATISTICS = ("average_iou", "recall", "object", "no_object", "class_accuracy")

LOSSES = ("box", "objectness", "no_objectness", "class", "prior")

OF_STEPS = ("gradient_norm", "loss_prior", "loss_teacher")
"""What only a step of a training has: `evaluate` and `val_…` leave it out."""


@keras.saving.register_keras_serializable("yolov2_tf")
class DetectionModel(keras.Model):
    """Functional model from images to the raw head tensor, trained by `compile` and `fit`.

    Compile it with `loss=YOLOv2Loss(model.head.anchors)`.
    Keras expects one target tensor per output; a detector has two, boxes and labels. Only the
    computation of loss and metrics is replaced, and the step tells its gradient's norm: saving,
    distribution, mixed precision, gradient accumulation and callbacks are Keras' own.

    `fit` takes `(images, {"boxes": (B, M, 4), "labels": (B, M)})` batches and reports the parts
    of the loss (`loss_box`, …), `average_iou`, `recall` and `class_accuracy` of the matched
    anchors, the mean objectness of matched (`object`) and unmatched ones (`no_object`), and the
    norm of a batch's gradient before it is limited (`gradient_norm`). `evaluate` reports the same
    without that norm and what of the loss is for training only (`loss_prior`, `loss_teacher`).
    Both look at the first batch before they start, and raise `InputError` for pixels or ground
    truth that cannot be meant.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_jit = False  # XLA would compile anew for every input size and padding
        names = [*(f"loss_{name}" for name in LOSSES), *STATISTICS, "gradient_norm"]
        self._means = {name: keras.metrics.Mean(name) for name in names}
        self._teacher = None
        self._tests = False

    @property
    def head(self):
        """Its `class_names`, `anchors`, `input_size`, `resize`, `tree`, see `find_head`."""
        return find_head(self)

    def learn_from(self, teacher):
        """Adds what a teacher says to the loss, as `loss_teacher`; it is not saved with the model.

        Args:
            teacher: `yolov2_tf.detection.distillation.Teacher`.

        Raises:
            InputError: If its answers are not those of this head.
        """
        teacher.check_student(self.head)
        self._teacher = teacher
        self._means["loss_teacher"] = keras.metrics.Mean("loss_teacher")
        self.train_function = None  # that of an earlier `fit` knows no teacher

    def fit(self, x=None, y=None, *arguments, **options):
        """As `keras.Model.fit`, after a look at the loss and at the first batch."""
        self._check_loss()
        if options.get("class_weight") is not None:
            raise InputError(
                "a detector was given class_weight, but a picture has many classes",
                expected="none",
                hint="YOLOv2Loss(model.head.anchors, class_weights=[…]), a factor for each class",
            )
        classes = self.head.num_classes
        _refuse_endless(x, options, "steps_per_epoch")
        x = checked_first_batch(x, y, classes)
        validation = options.get("validation_data")
        _refuse_endless(validation, options, "validation_steps")
        if isinstance(validation, tuple | list):
            checked_first_batch(*validation[:2], classes)
        elif validation is not None:
            options["validation_data"] = checked_first_batch(validation, None, classes)
        return super().fit(x, y, *arguments, **options)

    def evaluate(self, x=None, y=None, *arguments, **options):
        """As `keras.Model.evaluate`, after the same look."""
        if not options.get("_use_cached_eval_dataset"):  # of `fit`, which has looked
            self._check_loss()
            _refuse_endless(x, options, "steps")
            x = checked_first_batch(x, y, self.head.num_classes)
        with self._testing():
            return super().evaluate(x, y, *arguments, **options)

    def test_on_batch(self, *arguments, **options):
        """As `keras.Model.test_on_batch`."""
        with self._testing():
            return super().test_on_batch(*arguments, **options)

    @property
    def metrics(self):
        """Those of the loss. `compile` may not add any; Keras would keep them for good."""
        return [metric for metric in super().metrics if metric is not self._compile_metrics]

    @property
    def metrics_names(self):
        """Names of the figures that `evaluate` and `train_on_batch` give as a list, by their place.

        What `evaluate` leaves out comes last, so that its shorter list has these names too.
        """
        return sorted(super().metrics_names, key=lambda name: name in OF_STEPS)

    def _flatten_metrics_in_order(self, logs):
        return [logs[name] for name in self.metrics_names if name in logs]

    def _check_loss(self):
        """Refuses a loss that is none for this head, and what `compile` cannot do beside it.

        Raises:
            InputError: If it is another loss, or was made for another head; if `compile` was given
                metrics, which would take the truths for one tensor, or weights of losses, which
                nothing would heed.
        """
        loss = getattr(self, "loss", None)
        if isinstance(loss, type) or not hasattr(loss, "check_head"):
            raise InputError(
                f"a detector was compiled with the loss {loss!r}",
                expected="YOLOv2Loss(model.head.anchors)",
            )
        loss.check_head(self.head)
        asked = self._compile_config.config
        if asked["metrics"] or asked["weighted_metrics"]:
            raise InputError(
                "a detector was compiled with metrics",
                expected="none: parts of the loss, average_iou, recall, … are always told",
                hint="yolov2_tf.evaluate for mAP",
            )
        if asked["loss_weights"] is not None:
            raise InputError(
                "a detector was compiled with loss_weights",
                expected="none: the loss has weights of its parts",
                hint="YOLOv2Loss(model.head.anchors, coord_scale=…, class_scale=…)",
            )

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self._check_loss()  # here once for a graph
        if sample_weight is not None:
            raise InputError("a detector's loss has no sample weights", expected="none")
        losses, statistics = self.loss.terms(y, y_pred, self._images_seen(y_pred, training))
        if self._teacher is not None and training:
            losses["teacher"] = self._teacher.loss(x, y_pred)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        for name, value in losses.items():
            self._means[f"loss_{name}"].update_state(value)  # each picture counts once, as in loss
        for name, (value, weight) in statistics.items():
            self._means[name].update_state(value, weight)
        total = tf.reduce_mean(tf.add_n(list(losses.values())))
        if self.losses:  # weight decay, of weights that may be of several types
            total += tf.add_n([tf.cast(loss, total.dtype) for loss in self.losses])
        return total / replicas  # Keras adds up the gradients of the replicas

    def train_step(self, data):
        """Keras' own step, and the norm of its gradient."""
        images, truths, weights = keras.utils.unpack_x_y_sample_weight(data)
        take_step(self, images, truths, weights)
        return self.get_metrics_result()

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()

    def get_metrics_result(self):
        """As Keras has it; of a test without what only a step of a training has."""
        result = super().get_metrics_result()
        left_out = OF_STEPS if self._tests else ()
        return {name: value for name, value in result.items() if name not in left_out}

    @contextlib.contextmanager
    def _testing(self):
        """Not within `test_step`: devices trace that in threads of their own."""
        before, self._tests = self._tests, True
        try:
            yield
        finally:
            self._tests = before

    def _images_seen(self, y_pred, training):
        """From the optimizer's step count, which a checkpoint keeps: a resume goes on warming."""
        if not training:
            return None
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        batch = tf.shape(y_pred)[0] * replicas
        return tf.cast(batches_seen(self.optimizer), tf.int64) * tf.cast(batch, tf.int64)


def _refuse_endless(data, options, steps):
    """Batches that go on for ever, as those of `training_batches`, need a number of steps."""
    endless = isinstance(data, tf.data.Dataset) and (
        int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    )
    if endless and options.get(steps) is None:
        raise InputError("batches without an end", expected=f"{steps}=…, a number of batches")
