"""Sides of a network's input that can be asked for."""

from yolov2_tf.errors import InputError
from yolov2_tf.models.input_sides import MAX_SIDE, STRIDE, is_side


def check_side(size):
    """Refuses a side of the input that no network can have.

    Args:
        size: Pixels.

    Raises:
        InputError: If it is no multiple of 32, or pictures of that size fill any memory.
    """
    if not is_side(size):
        raise InputError(
            f"input size {size}", expected=f"a multiple of {STRIDE}, at most {MAX_SIDE:,}"
        )
