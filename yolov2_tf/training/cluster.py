"""The devices and processes that train together."""

import functools
import json
import os

import tensorflow as tf


@functools.cache
def strategy():
    """All workers of `TF_CONFIG`, else all GPUs where there are several, else the one device.

    The first call decides. With `TF_CONFIG` it must come before TensorFlow has run anything: the
    processes find one another when it starts.
    """
    if workers() > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def workers():
    """How many processes train together, as `TF_CONFIG` says."""
    return len(_addresses())


def worker():
    """Number of this process among them; 0 is the chief, which alone writes."""
    task = _config().get("task", {})
    if workers() < 2:
        return 0
    return _addresses().index((task["type"], int(task["index"])))


def _addresses():
    cluster = _config().get("cluster", {})
    names = [(job, i) for job in ("chief", "worker") for i in range(len(cluster.get(job, ())))]
    return names or [("worker", 0)]


def _config():
    return json.loads(os.environ.get("TF_CONFIG") or "{}")
