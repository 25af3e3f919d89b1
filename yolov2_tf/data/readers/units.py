"""Decides over a whole set in which form boxes are written, since a single box does not tell."""

import numpy as np

from yolov2_tf.errors import InputError

FRACTION_LIMIT = 1.5
"""No corner of a box in fractions lies beyond, however untidy."""

MOST = 0.9
"""What so many boxes say holds for the set."""


FRACTIONS = "coordinates are fractions of the picture"
"""The note that says so."""


def like_fractions(corners):
    """Tells which boxes look like fractions of the picture.

    Args:
        corners: `(n, 4)` the four numbers of each box as written.

    Returns:
        `(n,)` bool. Of whole numbers only the whole picture, `0 0 1 1`: others are pixels.
    """
    corners = np.reshape(corners, (-1, 4))
    small = (np.abs(corners) <= FRACTION_LIMIT).all(axis=1)
    whole_picture = (corners == (0, 0, 1, 1)).all(axis=1)
    return small & ((corners != np.round(corners)).any(axis=1) | whole_picture)


def are_fractions(corners, name):
    """Tells a set in fractions of the picture from one in pixels.

    Args:
        corners: `(n, 4)` the four numbers of each box as written.
        name: The data set, for the message.

    Returns:
        True for fractions; False for pixels, also where there are no boxes. Boxes for which
        `like_fractions` says otherwise are few then, and wrong.

    Raises:
        InputError: If the set holds many of both.
    """
    found = like_fractions(corners)
    if not len(found) or found.mean() <= 1 - MOST:
        return False
    if found.mean() >= MOST:
        return True
    raise InputError(
        f"{found.sum():,} of {len(found):,} boxes look like fractions, the others like pixels",
        where=name,
        expected="one of both in the whole set",
    )


def to_fractions(annotations, name):
    """Turns the boxes of a set, in pixels or fractions, whichever it is, into fractions.

    Args:
        annotations: `Annotation` with width, height, and corners as written in place of its boxes,
            `x_min, y_min, x_max, y_max`; the boxes are put in their place.
        name: The data set, for messages.

    Returns:
        Notes.

    Raises:
        InputError: If the set holds many of both.
    """
    fractions = are_fractions([box for a in annotations for box in a.boxes], name)
    for annotation in annotations:
        width, height = (1, 1) if fractions else (annotation.width, annotation.height)
        annotation.boxes = [
            (y_min / height, x_min / width, y_max / height, x_max / width)
            for x_min, y_min, x_max, y_max in annotation.boxes
        ]
    return (FRACTIONS,) if fractions else ()


def start_at_zero(corners):
    """Tells pixels counted from 0 from VOC's, which are counted from 1.

    Args:
        corners: `(n, 4)` `[y_min, x_min, y_max, x_max]` in pixels as written.

    Returns:
        True if more boxes touch the border at 0 than at 1.
    """
    low = np.reshape(corners, (-1, 4))[:, :2]
    return bool(((low >= 0) & (low < 1)).sum() > (low == 1).sum())


def are_corners(boxes, sizes, areas=None):
    """Tells `x y x y` from COCO's `x y width height`.

    Args:
        boxes: `(n, 4)` as written.
        sizes: `(n, 2)` `[width, height]` of their pictures, in the same units.
        areas: `(n,)` areas as stated, NaN where they are not; they decide where they can.

    Returns:
        True if the last two numbers are a corner.
    """
    boxes, sizes = np.reshape(boxes, (-1, 4)), np.reshape(sizes, (-1, 2))
    start, end = boxes[:, :2], boxes[:, 2:]
    ordered = (end > start).all(axis=1)
    if not len(boxes) or ordered.mean() < MOST:
        return False
    if areas is not None:
        as_sides, as_corners = end.prod(axis=1), (end - start).prod(axis=1)
        by_sides = np.isclose(areas, as_sides, rtol=0.02)
        by_corners = np.isclose(areas, as_corners, rtol=0.02)
        told = by_sides != by_corners
        if told.mean() >= 0.5:
            return bool(by_corners[told].mean() > 0.5)
    slack = 0.05 * sizes
    fits_as_corners = (end <= sizes + slack).all(axis=1) & ordered
    fits_as_sides = (start + end <= sizes + slack).all(axis=1)
    return bool(fits_as_corners.mean() >= MOST and fits_as_sides.mean() < MOST)
