"""A step of the optimizer on a batch of which each device has a share."""

import tensorflow as tf


def take_step(model, x, y, sample_weight=None):
    """Moves a model along the gradient of its loss; called within a replica of `tf.distribute`.

    Keras' own step, with a norm that is limited behind the sum over the devices, see `add_up`. The
    model's `gradient_norm`, a `keras.metrics.Mean`, takes the norm in where it is finite.

    Args:
        model: Compiled Keras model, whose loss is that of this device's share over the number of
            devices.
        x: Inputs of this device.
        y: Their ground truth.
        sample_weight: As `compute_loss` takes it.

    Returns:
        `(loss, norm of the gradient)` of the whole batch.
    """
    optimizer, variables = model.optimizer, model.trainable_variables
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

    Keras limits the norm on each device, before it adds the gradients up, which would be another
    step than that of one device. Here they are added up and limited, and each device hands on its
    part of that.

    Args:
        gradients: Of the scaled loss, for all variables; None where there is none.
        optimizer: Keras optimizer that they are for.

    Returns:
        `(gradients for apply_gradients, norm of their sum before its limit)`.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    there = [i for i, gradient in enumerate(gradients) if gradient is not None]
    some = [gradients[i] for i in there]
    if replicas > 1:
        some = context.all_reduce("SUM", some)
    norm = tf.linalg.global_norm(some) / optimizer.scale_loss(tf.ones([]))  # 1 but for float16
    if replicas > 1:
        limit = getattr(optimizer, "inner_optimizer", optimizer).global_clipnorm
        factor = 1.0 if limit is None else limit / tf.maximum(norm, limit)
        some = [gradient * tf.cast(factor / replicas, gradient.dtype) for gradient in some]
    result = list(gradients)
    for i, gradient in zip(there, some, strict=True):
        result[i] = gradient
    return result, norm
