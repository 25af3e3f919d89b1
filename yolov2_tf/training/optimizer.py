"""The optimizer of a training."""

import keras

from yolov2_tf.models.gradients import batches_a_step, batches_seen
from yolov2_tf.optimizers import FusedAdam, FusedSGD


def make_optimizer(recipe, schedule):
    """The optimizer of a training.

    Its gradient has a limit, unless the recipe wants none. The detector's loss is a sum over
    boxes: a dozen of them in a picture, at a rate that is right for one, once drove t_w and t_h to
    infinity within five epochs.

    Args:
        recipe: `yolov2_tf.training.recipes.Recipe`; `mixed_float16` needs its loss scaled.
        schedule: Keras `LearningRateSchedule` over batches.

    Returns:
        Keras optimizer.
    """
    options = {
        "global_clipnorm": recipe.clip_norm,
        "gradient_accumulation_steps": recipe.accumulate if recipe.accumulate > 1 else None,
    }
    if recipe.optimizer == "adam":
        optimizer = FusedAdam(schedule, **options)
    else:
        optimizer = FusedSGD(schedule, momentum=0.9, **options)
    if recipe.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def iterations(model):
    """Batches that the optimizer of a model counts, under any `tf.distribute` strategy."""
    return int(keras.ops.convert_to_numpy(batches_seen(model.optimizer)))


def completes_step(model):
    """Whether the next batch completes a step of the optimizer of a model."""
    return (iterations(model) + 1) % batches_a_step(model.optimizer) == 0
