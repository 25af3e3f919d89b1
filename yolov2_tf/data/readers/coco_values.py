"""What single values of COCO's annotation files mean, in whatever way tools write them."""

import math
import reprlib

from yolov2_tf.data.annotations import finite


def as_id(value):
    """An id, whether it is written as a number, a float or text; None if it is none of these."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def order_of_ids(number):
    """Sort key of ids: numbers before text."""
    return isinstance(number, str), number


def wrong_value(entry, key):
    """What is wrong with the value of a key, in a message."""
    return f"{key!r} is {reprlib.repr(entry[key])}" if key in entry else f"{key!r} is missing"


def as_number(value, default):
    """A finite number as float, however it is written; else the default."""
    try:
        return finite(value)
    except ValueError:
        return default


def box_numbers(entry):
    """The four numbers of a box, None if it has not got them."""
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        return None
    if all(type(value) is float or type(value) is int for value in box):
        numbers = box  # nearly always; the rest of this is slow
    else:
        numbers = [as_number(value, math.nan) for value in box]
    try:
        return numbers if all(map(math.isfinite, numbers)) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def box_of_outlines(outlines):
    """The box around polygons, as four numbers.

    Args:
        outlines: Value of `segmentation`.

    Returns:
        `[x, y, width, height]`, or None if it is no list of polygons, as of a mask in run lengths.
    """
    if not isinstance(outlines, list) or not outlines:
        return None
    numbers = []
    for outline in outlines:
        if not isinstance(outline, list) or len(outline) < 6 or len(outline) % 2:
            return None
        numbers += [as_number(value, math.nan) for value in outline]
    xs, ys = numbers[0::2], numbers[1::2]
    if not all(map(math.isfinite, numbers)):
        return None
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def why_ignored(entry):
    """Why a box neither trains nor counts; `""` if it does."""
    for key in ("iscrowd", "ignore"):
        value = entry.get(key)
        if value and (value is True or as_number(value, 0) != 0):
            return "crowd" if key == "iscrowd" else key
    return ""
