"""The loop over epochs and steps. Keras' `fit` begins epochs only at their first step."""

import functools

import keras
import tensorflow as tf

from yolov2_tf.models.gradients import norm_metric, take_step
from yolov2_tf.training.devices import own_share
from yolov2_tf.training.divergence import Figures
from yolov2_tf.training.optimizer import completes_step


class Loop:
    """Trains a model as a `Plan` says, with Keras' callbacks.

    Args:
        model: Compiled Keras model.
        plan: `yolov2_tf.training.plan.Plan`.
        batches: Function from a `Plan` to the batches from where that starts.
        mend: Function of a `Plan` and the error that its first batch failed with. It returns if
            another try at that batch makes sense, and raises if not.
        diverged: Function of epoch, step, batch and `Figures` that raises what ends the run.
        agree: Function of whether the training is to stop that tells whether all of the processes
            that train together stop.
    """

    def __init__(self, model, plan, batches, *, mend=None, diverged=None, agree=bool):
        self.model, self.plan, self.batches = model, plan, batches
        self.mend, self.diverged, self.agree = mend, diverged, agree
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
                model.stop_training = self.agree(model.stop_training)
                if model.stop_training:
                    break
            calls.on_epoch_end(epoch, _numbers(model.get_metrics_result()))
            model.stop_training = self.agree(model.stop_training)
            if model.stop_training:
                break
        calls.on_train_end()

    def _open(self):
        dataset = self.batches(self.plan)
        prepare(self.model, dataset.element_spec[1])
        self._train = functools.cache(
            functools.partial(_train_step, self.model, dataset.element_spec)
        )
        self._stream = iter(dataset)

    def _step(self, epoch, step):
        batch = self._next_batch(epoch, step)
        figures, logs = self._train(self._whole())(batch)
        figures = Figures(*map(float, figures))
        if figures.wrong(scaled=self.scaled) and self.diverged is not None:
            self.diverged(epoch, step, batch, figures)
        return _numbers(logs)

    def _whole(self):
        """Whether this batch completes a step; one device finds out within the graph."""
        alone = self.model.distribute_strategy.num_replicas_in_sync == 1
        return None if alone else completes_step(self.model)

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


def _train_step(model, spec, whole):
    """Function of a batch: one step of the optimizer, or a part of one, on all devices."""
    strategy = model.distribute_strategy

    @tf.function(input_signature=[spec], autograph=False)
    def train(batch):
        results = strategy.run(lambda: _step_on(model, *own_share(batch, strategy), whole))
        return tf.nest.map_structure(lambda x: strategy.experimental_local_results(x)[0], results)

    return train


def _step_on(model, x, y, whole):
    """What a device does with its share of a batch; `whole` is for `take_step`.

    Returns:
        `((loss, norm of the gradient, sum of the weights), logs)`: the first two of the whole
        batch, the logs of this device's share.
    """
    loss, norm = take_step(model, x, y, whole=whole)
    # One pass over them, and finite if all of them are.
    weights = tf.add_n([tf.reduce_sum(tf.cast(w.value, tf.float32)) for w in model.weights])
    return (loss, norm, weights), model.get_metrics_result()


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
