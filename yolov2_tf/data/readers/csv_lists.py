"""Boxes that stand in one column of a CSV file, as lists: `"[834.0, 222.0, 56.0, 36.0]"`."""

import re

import numpy as np

from yolov2_tf.data.readers.csv_cells import is_number, number
from yolov2_tf.data.readers.csv_header import CORNER, CORNERS, LIST, SIZE
from yolov2_tf.data.readers.units import MOST, are_corners
from yolov2_tf.errors import InputError

_NOTHING = ("", "nan", "none", "null", "[]")


def split_lists(columns, lines, path, told):
    """Puts four columns in the place of one of lists, by what all of them hold together.

    Args:
        columns: What the columns mean, `LIST` among them.
        lines: Pairs of line number and cells.
        path: The file, for messages.
        told: A list of notes, which is added to.

    Returns:
        Columns and lines.

    Raises:
        InputError: If a cell is no list of four numbers, or they can be read in two ways.
    """
    place = columns.index(*LIST)
    split = []
    for line, fields in lines:
        if len(fields) != len(columns):
            raise InputError(
                f"{len(fields)} columns",
                where=f"{path}:{line}",
                expected=f"{len(columns)}: {','.join(columns)}",
            )
        box = _numbers(fields[place], f"{path}:{line}")
        split.append((line, [*fields[:place], *box, *fields[place + 1 :]]))
    form = _form(columns, split, place, path)
    told.append(f"the column of lists is read as {','.join(form)}")
    return (*columns[:place], *form, *columns[place + 1 :]), split


def _numbers(cell, where):
    """The four cells of a list, empty for none."""
    if cell.lower() in _NOTHING:
        return [""] * 4
    found = re.split(r"[\s,;]+", cell.strip("[](){} "))
    try:
        if len([*map(number, found)]) == 4:
            return found
    except ValueError:
        pass
    raise InputError(f"{cell[:80]!r} is no box", where=where, expected="a list of four numbers")


def _form(columns, lines, place, path):
    cells = [fields for _, fields in lines if fields[place]]
    boxes = np.reshape([[*map(number, c[place : place + 4])] for c in cells], (-1, 4))
    if not len(boxes) or (boxes[:, :2] < boxes[:, 2:]).all(axis=1).mean() < MOST:
        return *CORNER, *SIZE
    if {"width", "height"} <= {*columns}:
        columns = (*columns[:place], *CORNERS, *columns[place + 1 :])
        sides = [columns.index(side) for side in ("width", "height")]
        sizes = [[number(c[side]) if is_number(c[side]) else 0 for side in sides] for c in cells]
        if are_corners(boxes, sizes):
            return CORNERS
    raise InputError(
        "the lists of four numbers may be x,y,width,height or xmin,ymin,xmax,ymax",
        where=path,
        hint="four columns of these names in place of the lists",
    )
