"""What training batches can be asked for: what cannot be meant would train all the same."""

import math
import numbers

from yolov2_tf.errors import InputError
from yolov2_tf.models.input_sides import SIDES, is_side
from yolov2_tf.resize import MODES

LIMITS = {
    "jitter": (0, 0.5),  # a border on each side, and nothing is left between from here on
    "saturation": (1, math.inf),
    "exposure": (1, math.inf),
    "mosaic": (0, 1),
    "box_mosaic": (0, 1),
}
"""The smallest and the largest value of these settings."""


def check_batch_settings(
    size, multi_scale, resize, batch_size, resize_every, seed=0, first_step=0, **others
):
    """Refuses settings of `yolov2_tf.data.pipeline.training_batches` that no batch can have.

    Args:
        size: Side in pixels.
        multi_scale: `(smallest, largest)` side, or None.
        resize: One of `MODES`.
        batch_size: Views a batch.
        resize_every: Batches that share a side.
        seed: Of the stream.
        first_step: Number of the first batch.
        **others: Values of `LIMITS`.

    Raises:
        InputError: With the name of the setting, its value and what can be.
    """
    for name, count in (("batch_size", batch_size), ("resize_every", resize_every)):
        if not (isinstance(count, numbers.Integral) and count >= 1):
            raise InputError(f"{name} is {count!r}", expected="a whole number, 1 or more")
    if not isinstance(seed, numbers.Integral):
        raise InputError(f"seed is {seed!r}", expected="a whole number")
    if not (isinstance(first_step, numbers.Integral) and first_step >= 0):
        raise InputError(f"first_step is {first_step!r}", expected="a whole number, 0 or more")
    if multi_scale is None and not is_side(size):
        raise InputError(f"size is {size!r}", expected=SIDES)
    if multi_scale is not None:
        pair = isinstance(multi_scale, tuple | list) and len(multi_scale) == 2
        if not (pair and all(map(is_side, multi_scale)) and multi_scale[0] <= multi_scale[1]):
            raise InputError(
                f"multi_scale is {multi_scale!r}", expected=f"(smallest, largest), each {SIDES}"
            )
    if resize not in MODES:
        raise InputError(f"resize is {resize!r}", expected=" or ".join(MODES))
    for name, value in others.items():
        low, high = LIMITS[name]
        if not (isinstance(value, numbers.Real) and low <= value <= high and value < math.inf):
            most = f" to {high:g}" if high < math.inf else " or more"
            raise InputError(f"{name} is {value!r}", expected=f"a number, {low:g}{most}")
