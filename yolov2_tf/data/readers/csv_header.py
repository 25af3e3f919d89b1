"""Tells what the columns of a CSV file of boxes mean by the names in its first line.

A box is two corners (`xmin ymin xmax ymax`), a corner and a size (`x y w h`), or a centre and a
size (`cx cy w h`). `width` and `height` are the picture's beside two corners, else the box's.
"""

import re

from yolov2_tf.data.readers.csv_cells import is_number
from yolov2_tf.errors import InputError

CORNERS = ("xmin", "ymin", "xmax", "ymax")
SIZE = ("box_width", "box_height")
CORNER, CENTRE = ("xmin", "ymin"), ("x_center", "y_center")
PLACE = ("x", "y")
"""A corner by all that is usual, though the names do not say so."""
LIST = ("box",)
"""One column with four numbers: `"[834.0, 222.0, 56.0, 36.0]"`."""

EXPECTED = (
    "columns for the image, the label and the box, e.g. image,xmin,ymin,xmax,ymax,label; "
    "x,y,width,height or x_center,y_center,width,height for the box"
)

# In the order of preference: a path tells more than a name, and `name` may be either.
_COLUMNS = {
    "image": (
        *("path", "image_path", "img_path", "file_path", "filename", "file_name", "image", "file"),
        *("image_id", "image_name", "img_name", "img", "image_uri", "image_file", "image_filename"),
        *("img_id", "picture", "photo", "fname", "frame"),
    ),
    "xmin": (
        *("xmin", "x1", "left", "bbox_xmin", "bbox_x1", "bbox_left", "bbox_x", "bbox_x_min"),
        *("min_x", "x_left", "x_top_left", "top_left_x", "upper_left_corner_x", "roi_x1", "xtl"),
    ),
    "ymin": (
        *("ymin", "y1", "top", "bbox_ymin", "bbox_y1", "bbox_top", "bbox_y", "bbox_y_min"),
        *("min_y", "y_top", "y_top_left", "top_left_y", "upper_left_corner_y", "roi_y1", "ytl"),
    ),
    "xmax": (
        *("xmax", "x2", "right", "bbox_xmax", "bbox_x2", "bbox_right", "bbox_x_max", "max_x"),
        *("x_right", "x_bottom_right", "bottom_right_x", "lower_right_corner_x", "roi_x2", "xbr"),
    ),
    "ymax": (
        *("ymax", "y2", "bottom", "bbox_ymax", "bbox_y2", "bbox_bottom", "bbox_y_max", "max_y"),
        *("y_bottom", "y_bottom_right", "bottom_right_y", "lower_right_corner_y", "roi_y2", "ybr"),
    ),
    "box": ("bbox", "bounding_box"),
    "x": ("x",),
    "y": ("y",),
    "x_center": ("x_center", "x_centre", "center_x", "centre_x", "cx", "xc", "bbox_x_center"),
    "y_center": ("y_center", "y_centre", "center_y", "centre_y", "cy", "yc", "bbox_y_center"),
    "label": (
        # Names before what may be their numbers.
        *("class_name", "label_name", "category_name", "class_label", "class", "label", "category"),
        *("name", "cls", "class_id", "label_id", "category_id", "annotation_tag"),
    ),
    "width": ("image_width", "img_width", "width"),
    "height": ("image_height", "img_height", "height"),
    "box_width": ("bbox_width", "bbox_w", "box_width", "box_w", "bw", "w"),
    "box_height": ("bbox_height", "bbox_h", "box_height", "box_h", "bh", "h"),
    "set": ("set", "split", "subset", "ml_use"),
    "group": ("is_group_of",),
}
_FROM_ZERO = {"x0": "xmin", "y0": "ymin", "x1": "xmax", "y1": "ymax"}
_NO_CLASS = {
    *("", "unnamed:0", "id", "index", "source", "domain", "url", "confidence", "score", "area"),
    *("iscrowd", "difficult", "truncated", "occluded", "depth", "imagedepth"),
}
_ALWAYS = ("image", "label", "width", "height", "set", "group")


def header(fields, where):
    """Reads a header.

    Args:
        fields: The cells of the first line.
        where: The line, for messages.

    Returns:
        What the columns mean, others as they are called; None if the line is no header. Without
        `label` where none of them could be one.

    Raises:
        InputError: If it is one that does not say what is needed.
    """
    if sum(map(is_number, fields)) >= 4:
        return None  # a box, of a class called `left`, say
    keys = [_key(field) for field in fields]
    if _FROM_ZERO.keys() <= set(keys):
        keys = [_FROM_ZERO.get(key, key) for key in keys]
    found = _found(keys)
    form = _form(found)
    if form is None:
        return None
    if {"x3", "y3"} <= set(keys):
        raise InputError("columns of more than two corners", where=where, expected=EXPECTED)
    _tell_sides(found, keys, form)
    missing = [column for column in ("image", *form, "label") if column not in found]
    if missing == ["label"] and not _unknown(keys):
        missing = []
    if missing:
        what = f"the header must name once: {', '.join(missing)}"
        raise InputError(what, where=where, expected=EXPECTED)
    columns = [f"{field} (unused)" if field in _COLUMNS else field for field in fields]
    for column in (*_ALWAYS, *form):
        if column in found:
            columns[found[column]] = column
    return columns


def refuse_unknown_header(fields, where):
    """Refuses a first line that holds names where the numbers of a box would stand.

    Raises:
        InputError: If it does.
    """
    named = [field for field in fields if field]
    if len(named) >= 4 and not any(map(is_number, named)):
        what = f"no known header: {','.join(fields)[:200]}"
        raise InputError(what, where=where, expected=EXPECTED)


def _found(keys):
    """Where each column is that is there once: a dict from its meaning to its index."""
    found = {}
    for column, aliases in _COLUMNS.items():
        once = (_key(alias) for alias in aliases if keys.count(_key(alias)) == 1)
        if (key := next(once, None)) is not None:
            found[column] = keys.index(key)
    for place, low, high in zip(PLACE, CORNERS[:2], CORNERS[2:], strict=True):
        if high in found and low not in found and place in found:
            found[low] = found[place]
    name = keys.index("name") if keys.count("name") == 1 else None
    if "image" not in found and name is not None and found.get("label") != name:
        found["image"] = name
    return found


def _unknown(keys):
    """Columns of no known meaning, which may name the class."""
    known = {_key(alias) for aliases in _COLUMNS.values() for alias in aliases}
    return [key for key in keys if key not in known | _NO_CLASS]


def _form(found):
    """The columns that say where a box is, None where none does."""
    if found.keys() & {"xmax", "ymax"}:
        return CORNERS
    if found.keys() & {*CORNER}:
        return (*CORNER, *SIZE) if _has_sizes(found) else CORNERS
    if found.keys() & {*CENTRE}:
        return (*CENTRE, *SIZE)
    if found.keys() >= {*PLACE}:
        return (*PLACE, *SIZE)
    return LIST if found.keys() >= {*LIST} else None


def _has_sizes(found):
    return bool(found.keys() & {*SIZE, "width", "height"})


def _tell_sides(found, keys, form):
    """Decides whether `width` and `height` are the picture's or the box's."""
    for side, of_box in zip(("width", "height"), SIZE, strict=True):
        plain = keys.index(side) if keys.count(side) == 1 else None
        if of_box in form and of_box not in found and plain is not None:
            found[of_box] = plain
            if found.get(side) == plain:
                del found[side]
        elif found.get(side) == plain and found.keys() & {*CENTRE} and of_box not in found:
            found.pop(side, None)  # beside corners and centres it may be either


def _key(name):
    return re.sub(r"[\s._-]+", "", name.lower())
