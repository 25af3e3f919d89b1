"""The pixels that an input's side may have. No import of NumPy: `yolov2 --help` reads this, too."""

import numbers

STRIDE = 32
"""Pixels of the input under one grid cell."""

MAX_SIDE = 1 << 13
"""Pixels of an input's side: a picture is brought to this size before the network sees it."""


def is_side(pixels):
    """Whether a network's input can have this side, a whole number."""
    whole = isinstance(pixels, numbers.Integral) and pixels % STRIDE == 0
    return whole and STRIDE <= pixels <= MAX_SIDE
