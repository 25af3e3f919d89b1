"""The pixels that an input's side may have. No import of NumPy: `yolov2 --help` reads this, too."""

STRIDE = 32
"""Pixels of the input under one grid cell."""

MAX_SIDE = 1 << 13
"""Pixels of an input's side: a picture is brought to this size before the network sees it."""
