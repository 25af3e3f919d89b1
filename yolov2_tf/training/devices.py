"""The devices that train together: of a machine, or of all that `TF_CONFIG` names."""

import functools

import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.training.cluster import worker, workers


@functools.cache
def strategy():
    """What shares the work out; the first call decides.

    The devices of all processes where `TF_CONFIG` names several: it then returns when all have
    called it. Else all GPUs where there are several, else the one device. A CPU is one, unless
    `tf.config.set_logical_device_configuration` makes it several.

    Raises:
        InputError: If processes are to find one another and TensorFlow has run anything before.
    """
    if workers() > 1:
        return _strategy_of_processes()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def _strategy_of_processes():
    worker()  # refuses a task that is not of the cluster, which TensorFlow would wait for
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise InputError(
            f"the processes cannot find one another: {error}",
            where="$TF_CONFIG",
            hint="in Python, call yolov2_tf.training.devices.strategy() before anything else that "
            "uses TensorFlow",
        ) from error


def devices_here(strategy):
    """How many devices of this process train."""
    return strategy.num_replicas_in_sync // workers()


def own_share(batch, strategy):
    """What a device gets of the batch of its process; called on that device.

    Args:
        batch: `(images (B, S, S, 3), truths)`, nested tensors whose first axis is B.
        strategy: `strategy()`; B is a multiple of its number of devices here.

    Returns:
        The same with B divided by that number.
    """
    count = devices_here(strategy)
    if count == 1:
        return batch
    place = tf.distribute.get_replica_context().replica_id_in_sync_group % count
    with tf.device("CPU:0"):  # else all of it would be copied to each device
        size = tf.shape(batch[0])[0] // count
        return tf.nest.map_structure(lambda x: x[place * size : (place + 1) * size], batch)


def precision(fastest):
    """The precision to train with where one device would use `fastest`."""
    alone = strategy().num_replicas_in_sync == 1 or fastest != "mixed_float16"
    return fastest if alone else "float32"


def check_recipe(recipe):
    """Refuses a recipe that the devices cannot follow together.

    Raises:
        InputError: If they cannot each have as many pictures of a batch, or the recipe has what
            only one device can do.
    """
    count = strategy().num_replicas_in_sync
    if count == 1:
        return
    hint = "or fewer devices: CUDA_VISIBLE_DEVICES chooses GPUs"
    if recipe.batch_size % count:
        raise InputError(
            f"batch_size is {recipe.batch_size}, on {count} devices",
            expected=f"a multiple of {count}",
            field="batch_size",
            hint=hint,
        )
    if workers() > 1 and recipe.minutes is not None:
        raise InputError(
            f"minutes is {recipe.minutes:g}, in {workers()} processes, each with its own clock",
            expected="a number of epochs",
            field="minutes",
        )
    if recipe.precision == "mixed_float16":
        raise InputError(
            f"precision is mixed_float16, on {count} devices",
            expected="mixed_bfloat16 or float32",
            field="precision",
            hint=hint,
        )
