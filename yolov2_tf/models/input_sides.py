"""The pixels that an input's side may have. No import of NumPy: `yolov2 --help` reads this, too."""

import numbers

from yolov2_tf.errors import InputError

STRIDE = 32
"""Pixels of the input under one grid cell."""

MAX_SIDE = 1 << 13
"""Pixels of an input's side: a picture is brought to this size before the network sees it."""

SIDES = f"a multiple of {STRIDE}, at most {MAX_SIDE:,}"
"""What a side can be, in words."""


def is_side(pixels):
    """Whether a network's input can have this side, a whole number."""
    whole = isinstance(pixels, numbers.Integral) and pixels % STRIDE == 0
    return whole and STRIDE <= pixels <= MAX_SIDE


def check_side(size):
    """Refuses a side of the input, in pixels, that no network can have.

    Raises:
        InputError: If it is no multiple of 32, or pictures of that size fill any memory.
    """
    if not is_side(size):
        raise InputError(f"input size {size}", expected=SIDES)
