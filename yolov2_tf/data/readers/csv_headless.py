"""Tells what the columns of a CSV file of boxes mean where no header names them."""

import numpy as np

from yolov2_tf.data.picture_finder import is_picture
from yolov2_tf.data.readers.csv_cells import is_number, number
from yolov2_tf.data.readers.csv_header import CORNERS
from yolov2_tf.data.readers.units import MOST
from yolov2_tf.errors import InputError

AUTOML = "automl"
"""Rows of Vertex AI, which `automl_cells` reads."""

LABEL_LAST = ("image", *CORNERS, "label")
LABEL_SECOND = ("image", "label", *CORNERS)
_TFOD = ("image", "width", "height", "label", *CORNERS)
_MAKESENSE = ("label", "xmin", "ymin", "box_width", "box_height", "image", "width", "height")
_SKU110K = ("image", *CORNERS, "label", "width", "height")
_AUTOML_SETS = {
    **{"train": "train", "training": "train", "test": "test", "unassigned": ""},
    **{"validation": "validation", "validate": "validation", "val": "validation"},
}


def names_a_set(fields):
    """Whether a row begins as Vertex AI's do."""
    return fields[0].lower() in _AUTOML_SETS


def columns_of(fields):
    """The columns by what one row with a box holds; None where only all rows tell."""

    def numbers(start, end):
        return len(fields) >= end and all(map(is_number, fields[start:end]))

    if names_a_set(fields) or (len(fields) == 10 and not numbers(1, 5)):
        return AUTOML
    if len(fields) == 8 and numbers(1, 3) and numbers(4, 8):
        return _TFOD
    if len(fields) == 8 and numbers(1, 5) and numbers(6, 8):
        # Both have one text at either side of the box: the one that names a picture tells.
        if is_picture(fields[0]):
            return _SKU110K
        if is_picture(fields[5]):
            return _MAKESENSE
    if len(fields) == 6 and numbers(1, 5) and is_picture(fields[5]) and not is_picture(fields[0]):
        return ("label", *CORNERS, "image")
    if len(fields) == 6 and numbers(2, 6):
        return None if is_number(fields[1]) else LABEL_SECOND
    return LABEL_LAST


def side_of_label(lines, path):
    """Tells over all rows whether a label that is a number stands before the box or behind it.

    A box has its first corner before its second, and a label is a whole number. Where both
    readings are possible, the column with far fewer different values is the label.

    Args:
        lines: Pairs of line number and cells.
        path: The file, for messages.

    Returns:
        `LABEL_LAST` or `LABEL_SECOND`.

    Raises:
        InputError: If both are possible.
    """
    rows = [f[1:6] for _, f in lines if len(f) == 6 and all(map(is_number, f[1:6]))]
    values = np.array([[number(cell) for cell in row] for row in rows])
    if not _is_label_and_box(values[:, 0], values[:, 1:]):
        return LABEL_LAST
    if not _is_label_and_box(values[:, 4], values[:, :4]):
        return LABEL_SECOND
    first, last = (len(np.unique(values[:, column])) for column in (0, 4))
    if 2 * first <= last:
        return LABEL_SECOND
    if 2 * last <= first:
        return LABEL_LAST
    raise InputError(
        "the numbers may be label,x1,y1,x2,y2 or x1,y1,x2,y2,label",
        where=path,
        hint="a first line that names the columns: image,label,xmin,ymin,xmax,ymax",
    )


def _is_label_and_box(labels, corners):
    whole = (labels >= 0) & (labels == np.round(labels))
    ordered = (corners[:, :2] < corners[:, 2:]).all(axis=1)
    return (whole & ordered).mean() >= MOST


def automl_cells(fields, where):
    """A row of Vertex AI: `[SET,]path,label,x,y,,,x,y,,`, two or four corners in fractions.

    Returns:
        A dict of the cells by meaning.

    Raises:
        InputError: If it is malformed.
    """
    name = ""
    if names_a_set(fields):
        name, fields = _AUTOML_SETS[fields[0].lower()], fields[1:]
    if not fields or not fields[0]:
        raise InputError("no image is named", where=where)
    image, label, *corners = [*fields, ""]
    xs = [x for x in corners[0::2] if x]
    ys = [y for y in corners[1::2] if y]
    try:
        xs, ys = sorted(xs, key=number), sorted(ys, key=number)
    except ValueError as error:
        raise InputError(str(error), where=where) from None
    if len(xs) != len(ys) or len(xs) == 1:
        raise InputError("the box is incomplete", where=where, expected="x,y,,,x,y,,")
    box = (xs[0], ys[0], xs[-1], ys[-1]) if xs else ("",) * 4
    cells = {**dict(zip(CORNERS, box, strict=True)), "label": label if xs else ""}
    return {**cells, "image": image, "set": name}
