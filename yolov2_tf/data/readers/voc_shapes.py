"""Objects of VOC's XML that have another shape in place of a `<bndbox>`: the upright box around it.

roLabelImg and labelImg2 write a turned box (`<robndbox>` with `cx cy w h angle`, radians), DIOR-R
its corners (`x_left_top y_left_top …`), LabelMe, and CVAT for it, an outline (`<polygon>` with
`<pt><x/><y/></pt>`). Roboflow's `<polygon>` with `x1 y1 x2 y2 …` stands beside a `<bndbox>`; an
object that has it alone lost its box.
"""

import math

from yolov2_tf.data.annotations import finite


def box_around(element):
    """The upright box around the shape of an object.

    Args:
        element: `<object>`.

    Returns:
        `[y_min, x_min, y_max, x_max]` in the units of the file; None if it has no such shape.

    Raises:
        ValueError: If something is no number.
    """
    shape = element.find("robndbox")
    if shape is not None and shape.find("cx") is not None:
        return _box_around_turned(shape)
    parts = element.iterfind("polygon/pt/*") if shape is None else shape
    numbers = [(part.tag, finite(part.text)) for part in parts if part.tag[:1] in ("x", "y")]
    xs, ys = ([number for tag, number in numbers if tag[0] == axis] for axis in "xy")
    if len(xs) != len(ys) or len(xs) < 2:
        return None
    return [min(ys), min(xs), max(ys), max(xs)]


def _box_around_turned(shape):
    try:
        x, y, width, height, angle = (
            finite(shape.findtext(tag)) for tag in ("cx", "cy", "w", "h", "angle")
        )
    except ValueError as error:
        raise ValueError(f"<robndbox> {error}") from None
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    half_width = (width * cosine + height * sine) / 2
    half_height = (width * sine + height * cosine) / 2
    return [y - half_height, x - half_width, y + half_height, x + half_width]
