"""What people should know about the GPUs of their machine before they wait for a training."""

import collections
import os
from pathlib import Path

import tensorflow as tf

DRIVERS = tuple(map(Path, ("/dev/nvidia0", "/dev/nvidiactl", "/usr/lib/wsl/lib/libcuda.so.1")))
"""What Linux has where there is an NVIDIA GPU; the last is Windows' own Linux, whose `/dev/dxg` may
be anybody's GPU."""

PACKAGE = "tensorflow[and-cuda]"
"""TensorFlow with NVIDIA's libraries, without which it silently computes on the CPU."""


def told_of_gpus():
    """A line that names the GPUs which train; or says that there is one which does not.

    Returns:
        Text for people; None on a machine without a GPU, or where `CUDA_VISIBLE_DEVICES` hides
        them.
    """
    names = collections.Counter(map(_name, tf.config.list_physical_devices("GPU")))
    if names:
        counted = (f"{count} × {name}" if count > 1 else name for name, count in names.items())
        return f"on {', '.join(counted)}"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not any(
        driver.exists() for driver in DRIVERS
    ):
        return None
    return (
        "on the CPU: TensorFlow does not use this machine's NVIDIA GPU "
        f"(try: pip install '{PACKAGE}=={tf.__version__}')"
    )


def _name(gpu):
    return tf.config.experimental.get_device_details(gpu).get("device_name", "a GPU")
