"""The loop over epochs and steps. Keras' `fit` begins epochs only at their first step."""

import keras
import tensorflow as tf

from yolov2_tf.models.gradients import add_up
from yolov2_tf.training.divergence import Figures


class Loop:
    """Trains a model as a `Plan` says, with Keras' callbacks.

    Args:
        model: Compiled Keras model.
        plan: `yolov2_tf.training.plan.Plan`.
        batches: Function from a `Plan` to the batches from where that starts.
        parts: In how many parts, one after another, the gradient of a batch is computed.
        mend: Function of a `Plan` and the error that its first batch failed with. It returns if
            another try at that batch makes sense, and raises if not.
        diverged: Function of epoch, step, batch and `Figures` that raises what ends the run.
        wishes: `yolov2_tf.training.wishes.Wishes` that all processes are to agree on, or None.
    """

    def __init__(self, model, plan, batches, *, parts=1, mend=None, diverged=None, wishes=None):
        self.model, self.plan, self.parts = model, plan, parts
        self.batches, self.mend, self.diverged, self.wishes = batches, mend, diverged, wishes
        self.scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)

    def run(self, callbacks, metrics=()):
        """Goes from where the plan starts to its end.

        Args:
            callbacks: Keras callbacks.
            metrics: Values of the metrics' variables where a plan starts within an epoch.
        """
        model, plan = self.model, self.plan
        calls = keras.callbacks.CallbackList(
            callbacks, add_history=False, add_progbar=False, model=model, verbose=0,
            epochs=plan.epochs, steps=plan.steps,
        )  # fmt: skip
        model.stop_training = False
        self._open()
        calls.on_train_begin()
        for epoch in range(plan.start.epoch, plan.epochs):
            model.reset_metrics()
            first = plan.start.step if epoch == plan.start.epoch else 0
            if first:
                set_metrics(model, metrics)
            calls.on_epoch_begin(epoch)
            for step in range(first, plan.steps):
                calls.on_train_batch_begin(step)
                logs = self._step(epoch, step)
                calls.on_train_batch_end(step, logs)
                if model.stop_training:
                    break
            calls.on_epoch_end(epoch, _numbers(model.get_metrics_result()))
            if model.stop_training:
                break
        calls.on_train_end()

    def _open(self):
        dataset = self.batches(self.plan)
        prepare(self.model, dataset.element_spec[1])
        self._train = _train_step(self.model, dataset.element_spec, self.parts)
        self._stream = iter(dataset)

    def _step(self, epoch, step):
        batch = self._next_batch(epoch, step)
        agree = (
            self.wishes is not None
            and self.model.distribute_strategy.extended._in_multi_worker_mode()
        )
        mine = self.wishes.mine() if agree else [0]
        figures, logs, wished = self._train(batch, tf.constant(mine, tf.int32))
        figures = Figures(*map(float, figures))
        if figures.wrong(scaled=self.scaled) and self.diverged is not None:
            self.diverged(epoch, step, batch, figures)
        if self.wishes is not None:
            self.wishes.agreed = wished.numpy().tolist() if agree else self.wishes.mine()
        return _numbers(logs)

    def _next_batch(self, epoch, step):
        while True:
            try:
                return next(self._stream)
            except tf.errors.OpError as error:
                if self.mend is None:
                    raise
                here = self.plan.from_here(self.plan.position(epoch, 0, step))
                self.mend(here, error)
                self._stream = iter(self.batches(here))


def _train_step(model, spec, parts):
    """Function of a batch: one step of the optimizer on all devices."""
    strategy = model.distribute_strategy

    @tf.function(input_signature=[spec, tf.TensorSpec([None], tf.int32)], autograph=False)
    def train(batch, wishes):
        def on_replica(batch, wishes):
            return _replica_step(model, *batch, wishes, parts)

        results = strategy.run(on_replica, args=(batch, wishes))
        return tf.nest.map_structure(
            lambda one: strategy.experimental_local_results(one)[0], results
        )

    return train


def _replica_step(model, x, y, wishes, parts):
    """What each device does with its share of a batch.

    Returns:
        `((loss, norm of the gradient, sum of the weights), logs, wishes of all)`.
    """
    optimizer, variables = model.optimizer, model.trainable_variables
    replicas = model.distribute_strategy.num_replicas_in_sync
    loss, gradients = _gradients(model, x, y, parts)
    model._loss_tracker.update_state(loss * replicas, sample_weight=tf.shape(x)[0])
    gradients, norm, (loss, wishes) = add_up(gradients, optimizer, [loss, wishes])
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    norm_metric(model).update_state(tf.where(tf.math.is_finite(norm), norm, 0.0))
    # One pass over them, and finite if all of them are.
    weights = tf.add_n([tf.reduce_sum(tf.cast(w.value, tf.float32)) for w in model.weights])
    return (loss, norm, weights), model.get_metrics_result(), wishes


def _gradients(model, x, y, parts):
    """Loss of a batch and its gradients, computed in one go or part by part."""
    variables = model.trainable_variables

    def of(x, y):
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = model.compute_loss(x=x, y=y, y_pred=y_pred)
            scaled = model.optimizer.scale_loss(loss)
        model.compute_metrics(x, y, y_pred)
        return loss, tape.gradient(scaled, variables)

    if parts == 1:
        return of(x, y)
    size = tf.shape(x)[0] // parts
    missing = []  # held layers, as the first trace of a part tells

    def add_part(i, loss, sums):
        piece = tf.nest.map_structure(lambda t: t[i * size : (i + 1) * size], (x, y))
        part, gradients = of(*piece)
        missing[:] = [gradient is None for gradient in gradients]
        sums = [
            total if gradient is None else total + gradient / parts
            for total, gradient in zip(sums, gradients, strict=True)
        ]
        return i + 1, loss + part / parts, sums

    start = [tf.zeros(v.shape, v.value.dtype) for v in variables]
    _, loss, sums = tf.while_loop(
        lambda i, *_: i < parts, add_part, (0, tf.zeros([]), start), parallel_iterations=1
    )
    return loss, [None if no else total for no, total in zip(missing, sums, strict=True)]


def prepare(model, spec):
    """Makes the variables that a graph cannot make: of metrics and of the optimizer.

    Args:
        model: Compiled Keras model.
        spec: `tf.TensorSpec`s of a batch's ground truth.
    """
    with model.distribute_strategy.scope():
        compiled = model._compile_metrics
        if compiled is not None and not compiled.built:
            truth = tf.nest.map_structure(lambda s: tf.zeros([1, *s.shape[1:]], s.dtype), spec)
            compiled.build(truth, tf.zeros([1, *model.output_shape[1:]], model.output.dtype))
        if norm_metric(model) is None:
            model.gradient_norm = keras.metrics.Mean("gradient_norm")
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)


def norm_metric(model):
    """The metric of the norm of the gradient, or None."""
    return next((metric for metric in model.metrics if metric.name == "gradient_norm"), None)


def metric_values(model):
    """The values of the metrics' variables as nested lists, for `set_metrics`."""
    return [
        keras.ops.convert_to_numpy(variable).tolist()
        for metric in model.metrics
        for variable in metric.variables
    ]


def set_metrics(model, values):
    """Gives the metrics' variables the values of `metric_values`."""
    variables = [variable for metric in model.metrics for variable in metric.variables]
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _numbers(logs):
    return {name: float(value) for name, value in logs.items()}
