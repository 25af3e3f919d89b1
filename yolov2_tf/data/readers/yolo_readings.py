"""Tells boxes `cx cy width height` of YOLO's label files from others that are written like them."""

import dataclasses

import numpy as np

FITS = 0.02
"""A box may stick out this far before it speaks against a reading."""

_SHARE = 0.25
"""So many boxes have to stick out of their pictures before another reading is thought of."""

_FEWEST = 3  # boxes of which anything can be told

_SEVERAL = 5
"""So many that stick out to the left or above, and none elsewhere, are no chance."""


@dataclasses.dataclass(frozen=True)
class OtherReading:
    """What boxes are that stick out of their pictures when they are read as centres and sizes.

    Attributes:
        first: Index of the first box that sticks out.
        count: How many do.
        form: As what all fit.
        hint: What to do then.
    """

    first: int
    count: int
    form: str
    hint: str


def other_reading(values):
    """Finds a form that fits boxes better than `cx cy width height`.

    Args:
        values: The numbers of each box, at least four, as fractions.

    Returns:
        `OtherReading`, or None where centres and sizes do well, or nothing does better.
    """
    if len(values) < _FEWEST:
        return None
    boxes = np.array([numbers[:4] for numbers in values])
    out = ~_fit(*_around(boxes))
    if out.mean() < _SHARE:
        return None
    found = _as_corners(boxes)
    if found is None and out.sum() >= _SEVERAL:
        found = _as_upper_left(boxes) or _behind_a_confidence(values)
    return found and OtherReading(int(out.argmax()), int(out.sum()), *found)


def _as_corners(boxes):
    start, end = np.hsplit(boxes, 2)
    if not ((end > start).all() and _fit(start, end).all()):
        return None
    return "x1 y1 x2 y2", "--format yolo-corners or yolo-centres, whichever is meant"


def _as_upper_left(boxes):
    start, sides = np.hsplit(boxes, 2)
    if not _fit(start, start + sides).all():
        return None
    hint = "add half of width and height to x and y, or --format yolo-centres, if it is so"
    return "x y width height of the upper left corner", hint


def _behind_a_confidence(values):
    if {*map(len, values)} != {5} or not _fit(*_around(np.array(values)[:, 1:])).all():
        return None
    hint = "write it behind the box, or --format yolo-centres, if it is so"
    return "a confidence before cx cy width height", hint


def _around(boxes):
    """Corners `(n, 2)` `[x, y]` of `cx cy width height`: the low ones and the high ones."""
    centres, sides = np.hsplit(boxes, 2)
    return centres - sides / 2, centres + sides / 2


def _fit(low, high):
    """`(n,)` bool: which boxes lie in their pictures, or nearly."""
    return ((low >= -FITS) & (high <= 1 + FITS)).all(axis=1)
