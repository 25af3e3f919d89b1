"""The gradient of a batch of which each device has a share."""

import tensorflow as tf


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
