"""The processes that train together, as `TF_CONFIG` names them."""

import functools
import json
import os

from yolov2_tf.errors import InputError

JOBS = ("chief", "worker")
"""Jobs whose processes train; the first process of the first job is the chief."""


def workers():
    """How many processes train together.

    Raises:
        InputError: If `TF_CONFIG` cannot be read.
    """
    return max(1, len(addresses()))


def worker():
    """Number of this process among them; 0 is the chief, which alone writes the run.

    Raises:
        InputError: If `TF_CONFIG` does not say, or cannot be read.
    """
    known = addresses()
    if len(known) < 2:
        return 0
    task = _config().get("task")
    try:
        return list(known).index((task["type"], int(task["index"])))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"the task is {json.dumps(task)}",
            where="$TF_CONFIG",
            expected=f"one of {', '.join(f'{job} {i}' for job, i in known)}",
            hint='"task": {"type": "worker", "index": 0} beside "cluster"',
        ) from None


def addresses():
    """`(job, number)` of each process to its `host:port`, the chief's first."""
    try:
        cluster = _config().get("cluster", {})
        jobs = {job: list(cluster.get(job) or ()) for job in JOBS}
        others = set(cluster) - set(JOBS)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"cannot be read: {error}",
            where="$TF_CONFIG",
            expected='JSON such as {"cluster": {"worker": ["host:port"]}}',
            hint="unset TF_CONFIG",
        ) from error
    found = {(job, i): one for job, ones in jobs.items() for i, one in enumerate(ones)}
    if others and len(found) > 1:
        raise InputError(
            f"the cluster has a job {sorted(others)[0]!r}",
            where="$TF_CONFIG",
            expected=f"{' and '.join(JOBS)}, which train",
        )
    return found


def name_of(job, number):
    """What people call a process: its job, number and address."""
    return f"{job} {number} ({addresses().get((job, number), 'address unknown')})"


def _config():
    return _parsed(os.environ.get("TF_CONFIG") or "{}")


@functools.lru_cache(maxsize=1)  # it is asked for behind every step
def _parsed(text):
    return json.loads(text)
