"""The optimizer of a training."""

import keras

GRADIENT_NORM = 10.0
"""Limit of the gradient's norm. The detector's loss is a sum over boxes: a dozen of them in a
picture, at a rate that is right for one, once drove t_w and t_h to infinity within five epochs."""


def make_optimizer(kind, schedule, precision):
    """The optimizer of a training.

    Args:
        kind: `sgd` with momentum 0.9 or `adam`.
        schedule: Keras `LearningRateSchedule`.
        precision: Keras' dtype policy; `mixed_float16` needs its loss scaled.

    Returns:
        Keras optimizer.
    """
    if kind == "adam":
        optimizer = keras.optimizers.Adam(schedule, global_clipnorm=GRADIENT_NORM)
    else:
        optimizer = keras.optimizers.SGD(schedule, momentum=0.9, global_clipnorm=GRADIENT_NORM)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def iterations(model):
    """Steps that the optimizer of a model counts, under any `tf.distribute` strategy."""
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))
