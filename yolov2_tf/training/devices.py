"""The devices of a machine that train together: all of its GPUs."""

import functools
import json
import os

import tensorflow as tf

from yolov2_tf.errors import InputError


@functools.cache
def strategy():
    """What shares the work out; the first call decides.

    All GPUs where there are several, else the one device. A CPU is one, unless
    `tf.config.set_logical_device_configuration` makes it several.
    """
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def own_share(batch, strategy):
    """What a device gets of a batch; called on that device.

    Args:
        batch: `(images (B, S, S, 3), truths)`, nested tensors whose first axis is B.
        strategy: `strategy()`; B is a multiple of its number of devices.

    Returns:
        The same with B divided by that number.
    """
    count = strategy.num_replicas_in_sync
    if count == 1:
        return batch
    place = tf.distribute.get_replica_context().replica_id_in_sync_group
    with tf.device("CPU:0"):  # else all of it would be copied to each device
        size = tf.shape(batch[0])[0] // count
        return tf.nest.map_structure(lambda x: x[place * size : (place + 1) * size], batch)


def check_devices():
    """Refuses several processes.

    Raises:
        InputError: If `TF_CONFIG` names several, each of which would train all of it by itself, or
            cannot be read.
    """
    try:
        jobs = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
        processes = sum(len(jobs.get(job, ())) for job in ("chief", "worker"))
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"cannot be read: {error}",
            where="$TF_CONFIG",
            expected='JSON such as {"cluster": {"worker": ["host:port"]}}',
            hint="unset TF_CONFIG",
        ) from error
    if processes > 1:
        raise InputError(
            f"{processes} processes that train together",
            where="$TF_CONFIG",
            expected="one",
            hint="unset TF_CONFIG and train on one machine",
        )


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
    if recipe.accumulate > 1:
        raise InputError(
            f"accumulate is {recipe.accumulate}, on {count} devices",
            expected="1, with the whole batch as batch_size",
            field="accumulate",
            hint=hint,
        )
    if recipe.precision == "mixed_float16":
        raise InputError(
            f"precision is mixed_float16, on {count} devices",
            expected="mixed_bfloat16 or float32",
            field="precision",
            hint=hint,
        )
