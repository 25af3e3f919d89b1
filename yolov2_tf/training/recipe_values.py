"""What the fields of a recipe may be; each check names its field.

All raise `yolov2_tf.errors.InputError`.
"""

import math
import numbers

from yolov2_tf.errors import InputError
from yolov2_tf.models.input_sides import SIDES, is_side
from yolov2_tf.trees.tree_logits import TREE_LOGITS

CHOICES = {
    "model": ("yolov2", "tiny", "yolo9000"),
    "resize": ("stretch", "letterbox"),
    "optimizer": ("sgd", "adam"),
    "schedule": ("steps", "polynomial", "cosine"),
    "image_rule": ("paper", "darknet", "object"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16", "auto"),
    "tree_logits": TREE_LOGITS,
    "passthrough": ("squeezed", "full", "none"),
}
"""The values that these fields may have."""

LIMITS = {
    "width": (0.01, 4),
    "resize_every": (1, math.inf),
    "anchors": (1, math.inf),
    "epochs": (1, math.inf),
    "batch_size": (1, math.inf),
    "learning_rate": (0, math.inf),
    "weight_decay": (0, math.inf),
    "clip_norm": (1e-9, math.inf),
    "accumulate": (1, math.inf),
    "rotation": (0, 45),
    "saturation": (1, 10),
    "exposure": (1, 10),
    "jitter": (0, 0.45),  # a border on each side, and something must be left between
    "mosaic": (0, 1),
    "box_mosaic": (0, 1),
    "mean": (0, 0.99999),
    "checkpoint_minutes": (0, math.inf),
    "minutes": (0.1, math.inf),
    "passes": (1, math.inf),
    "seed": (0, 2**31 - 1),  # TensorFlow's stateless random numbers take int32
}
"""The smallest and the largest value of these fields."""

OPTIONAL = {"clip_norm", "minutes", "resize"}
"""Those that may be None as well."""


def check_zoom(field, zoom):
    """Refuses what is no range of magnifications within 0.1 to 10."""
    low, high = checked_pair(field, zoom, "two numbers")
    numbers_ = all(isinstance(limit, numbers.Real) for limit in (low, high))
    if not (numbers_ and 0.1 <= low <= high <= 10):
        raise InputError(f"{field} {low}-{high}", expected="a range within 0.1-10", field=field)


def checked_side(field, side):
    """The side of an input in pixels as int.

    Raises:
        InputError: If it is not a multiple of 32 from 32 to `MAX_SIDE`.
    """
    if not (is_whole(side) and is_side(int(side))):
        expected = f"{SIDES}, e.g. 224, 320 or 416"
        raise InputError(f"size {side}", expected=expected, field=field)
    return int(side)


def is_whole(value):
    """Whether it is a whole number, and not True or False."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_choice(field, value):
    """Refuses what is not among `CHOICES`."""
    if value not in CHOICES[field]:
        expected = "one of " + ", ".join(CHOICES[field])
        if field == "model":
            expected += ", or a .keras file"
        raise InputError(f"{field} is {value!r}", expected=expected, field=field)


def check_flag(field, value):
    """Refuses what is neither True nor False."""
    if not isinstance(value, bool):
        raise InputError(f"{field} is {value!r}", expected="True or False", field=field)


def checked_number(field, value, kind):
    """The value as `kind`, int or float, if it lies within `LIMITS`."""
    low, high = LIMITS[field]
    right = is_whole(value) if kind is int else isinstance(value, numbers.Real)
    right = right and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
    if field == "learning_rate":
        right = right and value > 0
    if not right:
        expected = "a whole number" if kind is int else "a number"
        if field == "learning_rate":
            expected += " above 0"
        else:
            expected += f" from {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")
        raise InputError(f"{field} is {value!r}", expected=expected, field=field)
    return kind(value)


def checked_pair(field, value, expected):
    """The value, if it is a tuple of two; `expected` says of what."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InputError(f"{field} is {value!r}", expected=expected, field=field)
    return value
