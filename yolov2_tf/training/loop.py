"""The loop over epochs and steps. Keras' `fit` begins epochs only at their first step."""

import keras
import tensorflow as tf


class Loop:
    """Trains a model as a `Plan` says, with Keras' callbacks.

    Args:
        model: Compiled Keras model.
        plan: `yolov2_tf.training.plan.Plan`.
        batches: Function from a `Plan` to the batches from where that starts.
        parts: In how many parts, one after another, the gradient of a batch is computed.
    """

    def __init__(self, model, plan, batches, *, parts=1):
        self.model = model
        self.plan = plan
        self.batches = batches
        self.parts = parts
        self._stream = None

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
        self._open(plan)
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
            calls.on_epoch_end(epoch, _numbers(model.get_metrics_result()))
            if model.stop_training:
                break
        calls.on_train_end()

    def _open(self, plan):
        dataset = self.batches(plan)
        if self._stream is None:
            _build_metrics(self.model, dataset.element_spec[1])
            self._train = _train_step(self.model, dataset.element_spec, self.parts)
        self._stream = iter(dataset)

    def _step(self, epoch, step):
        batch = next(self._stream)
        _, logs = self._train(*batch)
        return _numbers(logs)


def _train_step(model, spec, parts):
    """Function of a batch: one step of the optimizer."""
    optimizer = model.optimizer

    @tf.function(input_signature=spec, autograph=False)
    def train(x, y):
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = model.compute_loss(x=x, y=y, y_pred=y_pred)
            scaled = optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, variables)
        model._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, model.compute_metrics(x, y, y_pred)

    return train


def _build_metrics(model, spec):
    """Makes the variables of compiled metrics, which a graph cannot."""
    compiled = model._compile_metrics
    if compiled is not None and not compiled.built:
        with model.distribute_strategy.scope():
            shape = [1, *model.output_shape[1:]]
            truth = tf.nest.map_structure(lambda s: tf.zeros([1, *s.shape[1:]], s.dtype), spec)
            compiled.build(truth, tf.zeros(shape, model.output.dtype))


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
