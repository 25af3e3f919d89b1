"""What of a machine, or of several, a training can use: one device."""

import json
import os

import tensorflow as tf

from yolov2_tf.errors import InputError


def check_devices():
    """Looks at what there is beside the one device that trains.

    Returns:
        Notes for people.

    Raises:
        InputError: If `TF_CONFIG` names several processes: each would train all of it by itself.
    """
    jobs = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
    processes = sum(len(addresses) for job, addresses in jobs.items() if job in ("chief", "worker"))
    if processes > 1:
        raise InputError(
            f"{processes} processes that train together",
            where="$TF_CONFIG",
            expected="one",
            hint="unset TF_CONFIG and train on one machine",
        )
    count = len(tf.config.list_physical_devices("GPU"))
    return () if count < 2 else (f"one of {count} GPUs is used; CUDA_VISIBLE_DEVICES chooses it",)
