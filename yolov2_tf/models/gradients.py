"""A step of the optimizer on a batch of which each device has a share."""

import tensorflow as tf

from yolov2_tf.errors import InputError


def take_step(model, x, y, sample_weight=None, *, whole=None):
    """Moves a model along the gradient of its loss; called within a replica of `tf.distribute`.

    Keras' own step, with a norm that is limited behind the sum over the devices. The
    model's `gradient_norm`, a `keras.metrics.Mean`, takes the norm in where it is finite.

    Args:
        model: Compiled Keras model, whose loss is that of this device's share over the number of
            devices.
        x: Inputs of this device.
        y: Their ground truth.
        sample_weight: As `compute_loss` takes it.
        whole: Whether this batch completes a step, bool. One device finds out by itself.

    Returns:
        `(loss, norm of the gradient)` of the whole batch.

    Raises:
        InputError: If several batches make a step, on several devices, and nobody says where it is
            complete: Keras' `fit` does not. If no layer trains.
    """
    optimizer, variables = model.optimizer, model.trainable_variables
    if not variables:
        raise InputError(
            f"all layers of {model.name!r} are held",
            expected="one that trains",
            hint="model.trainable = True, then compile",
        )
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        scaled = optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, variables)
    model.compute_metrics(x, y, y_pred, sample_weight)
    model._loss_tracker.update_state(loss * replicas, sample_weight=tf.shape(x)[0])
    if replicas > 1:
        loss = context.all_reduce("SUM", loss)
    gradients, norm = add_up(gradients, optimizer)
    if replicas > 1:
        _apply_together(optimizer, gradients, variables, whole)
    else:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    finite = tf.cast(tf.math.is_finite(norm), norm.dtype)
    # All devices take it in, yet a step counts once: a run may go on with another number of them.
    norm_metric(model).update_state(tf.where(finite > 0, norm, 0.0), finite / replicas)
    return loss, norm


def norm_metric(model):
    """The metric of the norm of the gradient, or None."""
    return next((metric for metric in model.metrics if metric.name == "gradient_norm"), None)


def add_up(gradients, optimizer):
    """Adds up what the devices have, within a replica of `tf.distribute`.

    Args:
        gradients: Of the scaled loss, for all variables; None where there is none.
        optimizer: Keras optimizer that they are for.

    Returns:
        `(their sums, the norm of these)`.
    """
    context = tf.distribute.get_replica_context()
    there = [i for i, gradient in enumerate(gradients) if gradient is not None]
    some = [gradients[i] for i in there]
    if context.num_replicas_in_sync > 1:
        some = context.all_reduce("SUM", some)
    result = list(gradients)
    for i, gradient in zip(there, some, strict=True):
        result[i] = gradient
    return result, _norm(some, optimizer)


def batches_a_step(optimizer):
    """How many batches' mean gradient is a step of a Keras optimizer."""
    return getattr(optimizer, "inner_optimizer", optimizer).gradient_accumulation_steps or 1


def batches_seen(optimizer):
    """Batches that a Keras optimizer counts, scalar variable.

    Its `iterations` are steps: fewer, where the gradients of several batches make one step.
    """
    # Keras hands this count to schedules, too, and has no public name for it.
    return getattr(optimizer, "inner_optimizer", optimizer)._iterations


def _apply_together(optimizer, gradients, variables, whole):
    """What `apply_gradients` does on one device, with sums that all devices have.

    Keras limits gradients on each device, before it adds the gradients up, which would be another
    step than that of one device; here each device hands on its part of the limited sum. And it
    finds out within the graph whether the step is complete, where devices cannot meet; here that
    is known before.
    """
    steps = batches_a_step(optimizer)
    if steps > 1 and whole is None:
        raise InputError(
            f"{steps} batches make a step, on several devices",
            expected="1",
            field="gradient_accumulation_steps",
            hint="yolov2_tf.training.fit.train can do that, Keras' fit cannot",
        )
    there = [i for i, gradient in enumerate(gradients) if gradient is not None]
    some, variables = [gradients[i] for i in there], [variables[i] for i in there]
    if steps == 1:
        optimizer.apply_gradients(zip(_parts(some, optimizer), variables, strict=True))
        return
    held = [optimizer._accumulated_gradients[i] for i in there]
    if whole:
        mean = [(new + old) / steps for new, old in zip(some, held, strict=True)]
        rate = optimizer.learning_rate
        optimizer._apply_weight_decay(variables)
        optimizer._backend_update_step(_parts(mean, optimizer), variables, rate)
        optimizer._backend_reset_gradient_accumulators()
    else:
        optimizer._backend_increment_gradient_accumulators(some, held)
    optimizer._iterations.assign_add(1)


def _norm(gradients, optimizer):
    # Weights may be of several types: a head's are float32 under every policy.
    gradients = [tf.cast(gradient, tf.float32) for gradient in gradients]
    return tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.ones([]))  # 1 but for float16


def _parts(gradients, optimizer):
    """What each device hands on of gradients that all have, limited."""
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    scale = optimizer.scale_loss(tf.ones([]))  # 1 but for float16
    limited = getattr(optimizer, "inner_optimizer", optimizer)._clip_gradients(
        [gradient / tf.cast(scale, gradient.dtype) for gradient in gradients]
    )
    return [gradient * tf.cast(scale / replicas, gradient.dtype) for gradient in limited]
