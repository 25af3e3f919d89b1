"""What the values of `yolov2.json` may be. TensorFlow is not needed."""

import math
import re
import types

from yolov2_tf.models.input_sides import MAX_SIDE
from yolov2_tf.trees.wordtree import WordTree

VERSION = 2
"""Version of the description. Version 1, of yolov2_tf 0.1, had neither `version` nor `outputs`."""

QUANTIZATIONS = ("none", "fp16", "dynamic", "int8")
"""`none`: float32. `fp16`: half the size. `dynamic`: int8 weights, a quarter of the size. `int8`:
int8 arithmetic, a quarter of the size and the fastest on phones; needs pictures to calibrate."""

_MODES = ("stretch", "letterbox")  # yolov2_tf.resize, which states them, loads TensorFlow


class LayoutError(Exception):
    """A description that cannot be. Where we made it ourselves, that is a fault of this package."""


def check_value(name, value):
    """Refuses a value that a key cannot have.

    Args:
        name: The key, an attribute of `yolov2_tf.export.layout.Layout`.
        value: As that has it.

    Raises:
        LayoutError: With the name, the value and what is expected.
    """
    fits, expected = _CHECKS[name]
    if not fits(value):
        raise LayoutError(f"{name} is {shown(value)}, expected {expected}")


def shown(value):
    """A value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_number(value):
    return type(value) in (int, float) and abs(value) < math.inf


def _is_fraction(value):
    return _is_number(value) and 0 <= value <= 1


def _is_count(value):
    return type(value) is int and value > 0


def _is_side(value):
    return _is_count(value) and value <= MAX_SIDE


def _is_names(value):
    # Half of a surrogate pair, which JSON can hold, can be neither printed nor written.
    return type(value) is tuple and all(
        isinstance(name, str) and not re.search("[\ud800-\udfff]", name) for name in value
    )


def _is_anchors(value):
    return (
        type(value) is tuple
        and len(value) > 0
        and all(
            type(anchor) is tuple
            and len(anchor) == 2
            and all(_is_number(x) and x > 0 for x in anchor)
            for anchor in value
        )
    )


def _is_one_of(*values):
    return lambda value: any(value is one or value == one for one in values)


_CHECKS = types.MappingProxyType(
    {
        "class_names": (lambda value: _is_names(value) and len(value) > 0, "a list of names"),
        "anchors": (_is_anchors, "a list of [width, height] in cells"),
        "input_size": (_is_side, f"a number of pixels, at most {MAX_SIDE}"),
        "resize": (_is_one_of(*_MODES), " or ".join(_MODES)),
        "nms": (lambda value: type(value) is bool, "true or false"),
        "score_threshold": (_is_fraction, "0 to 1"),
        "iou_threshold": (_is_fraction, "0 to 1"),
        "max_detections": (_is_count, "1 or more"),
        "per_class": (lambda value: type(value) is bool, "true or false"),
        "tree": (lambda value: value is None or isinstance(value, WordTree), "a tree or null"),
        "tree_threshold": (lambda value: value is None or _is_fraction(value), "0 to 1"),
        "quantization": (_is_one_of(*QUANTIZATIONS), ", ".join(QUANTIZATIONS)),
        "outputs": (_is_names, "a list of names"),
        "writer": (lambda value: isinstance(value, str), "a text"),
        "version": (_is_count, f"1 to {VERSION}"),
    }
)
