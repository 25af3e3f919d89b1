"""How processes that train together agree. One process alone agrees with itself at once."""

import contextlib
import hashlib
import json
import re

import numpy as np
import tensorflow as tf

from yolov2_tf.errors import InputError, Stopped
from yolov2_tf.training import devices
from yolov2_tf.training.cluster import addresses, name_of, worker, workers

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
    tf.errors.DeadlineExceededError,
)
"""What the operations of a process end with when another one is gone."""


def total(array):
    """The sum of an array over all processes, on each of them; all call this at the same time.

    Args:
        array: Numbers of float32's precision, of the same shape everywhere.

    Returns:
        Array of float32 of that shape.
    """
    if workers() == 1:
        return np.asarray(array, np.float32)
    sums = _add_up(tf.constant(array, tf.float32))
    return devices.strategy().experimental_local_results(sums)[0].numpy()


@tf.function(reduce_retracing=True)
def _add_up(array):
    count = devices.devices_here(devices.strategy())

    def add():
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group % count == 0  # one device speaks for a process
        return context.all_reduce("SUM", tf.where(first, array, tf.zeros_like(array)))

    return devices.strategy().run(add)


def stacked(rows):
    """The rows of all processes, on each of them; all call this at the same time.

    Args:
        rows: `(n, k)` numbers of float32's precision; n may differ.

    Returns:
        `(N, k)` float32, the rows of one process behind those of another, bit for bit.
    """
    rows = np.asarray(rows, np.float32)
    counts = np.zeros(workers())
    counts[worker()] = len(rows)
    counts = total(counts).astype(int)
    start = counts[: worker()].sum()
    every = np.zeros([counts.sum(), rows.shape[1]], np.float32)
    every[start : start + len(rows)] = rows
    return total(every) if len(every) else every  # the others have zeros here


def meet():
    """Returns when all processes have called this."""
    total([0.0])


def any_of(flag):
    """Whether a flag is set in any process."""
    return bool(total([float(flag)])[0])


def check_same(facts):
    """Refuses processes that do not do the same.

    Args:
        facts: Dict of what must be the same everywhere, JSON-ready.

    Raises:
        InputError: If it is not, in each process.
    """
    names = sorted(facts)
    digests = np.zeros([workers(), len(names), 16])
    for row, name in zip(digests[worker()], names, strict=True):
        text = json.dumps(facts[name], sort_keys=True, default=str)
        row[:] = list(hashlib.md5(text.encode(), usedforsecurity=False).digest())
    digests = total(digests)  # bytes, which float32 holds as they are
    for place, name in np.argwhere((digests != digests[0]).any(axis=-1)):
        processes = [name_of(*process) for process in addresses()]
        raise InputError(
            f"{names[name]} of {processes[place]} is not that of {processes[0]}",
            where="$TF_CONFIG",
            expected="the same command and data in every process",
        )


@contextlib.contextmanager
def together():
    """Context in which all processes are needed, and in whose end they meet.

    Raises:
        InputError: If one of them is gone, with its name.
    """
    if workers() == 1:
        yield
        return
    try:
        try:
            yield
        except Stopped:  # all of them do, each behind what it still had to write
            meet()
            raise
        meet()
    except LOST as error:
        raise _lost(error) from error


def _lost(error):
    others = re.findall(r"/job:(\w+)/replica:\d+/task:(\d+)", str(error))
    own = list(addresses())[worker()]
    found = next((pair for job, i in others if (pair := (job, int(i))) != own), None)
    return InputError(
        f"{'another process' if found is None else name_of(*found)} is gone, and all train "
        "together",
        where="$TF_CONFIG",
        expected="every process until the end",
        hint="its own message says why; then --resume, with as many processes as there are",
    )
