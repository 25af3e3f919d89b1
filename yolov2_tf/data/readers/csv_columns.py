"""Reads the rows of a CSV file of boxes by the meaning of their columns."""

import dataclasses
import itertools
import math

from yolov2_tf.data.annotations import ONE_CLASS
from yolov2_tf.data.readers.csv_cells import is_grouped, is_number, number, separated_cells
from yolov2_tf.data.readers.csv_header import (
    CENTRE,
    CORNER,
    CORNERS,
    LIST,
    PLACE,
    SIZE,
    header,
    refuse_unknown_header,
)
from yolov2_tf.data.readers.csv_headless import (
    AUTOML,
    LABEL_SECOND,
    automl_cells,
    columns_of,
    names_a_set,
    side_of_label,
)
from yolov2_tf.data.readers.csv_lists import split_lists
from yolov2_tf.errors import InputError

BOX = (*CORNERS, "label")
_NUMBERS = {*CORNERS, *CENTRE, *PLACE, *SIZE, "width", "height"}
_MISSING = ("", "nan", "none", "null")  # pandas and databases write such for nothing
_AHEAD = 1000  # rows without a box before the first with one


@dataclasses.dataclass(slots=True)
class CsvRow:
    """A line of the file: its number, and the text of its columns by meaning."""

    line: int
    cells: dict[str, str]
    _corners: list[float] | None = None

    def has_box(self):
        """Whether anything stands in the columns of its box."""
        return any(self.cells[column] for column in CORNERS)

    def corners(self):
        """The numbers of its box, `x_min, y_min, x_max, y_max`.

        Raises:
            ValueError: If one is none.
        """
        if self._corners is None:
            texts = [self.cells[column] for column in CORNERS]
            self._corners = _plain_numbers(texts) or [*map(number, texts)]
        return self._corners


def read_rows(path, told=None):
    """Reads a CSV file of boxes; yields its rows.

    Args:
        path: The file.
        told: A list of notes, which is added to: what was assumed of the columns.

    Returns:
        Iterator of `CsvRow` with the keys `image`, `xmin`, `ymin`, `xmax`, `ymax`, `label`, and
        `width`, `height`, `set`, `group` and unknown columns where they are there; `x` and `y`
        where these were taken as a corner.

    Raises:
        InputError: If the columns have no known meaning or their number changes.
    """
    name, told = str(path), [] if told is None else told
    separator, lines = separated_cells(path)
    columns, lines = _columns(lines, name, told)
    if {*LIST} <= {*columns}:
        columns, lines = split_lists(columns, lines, name, told)
    of_one_class = bool(columns) and columns != AUTOML and "label" not in columns
    if of_one_class:
        told.append(f"no column names a class: every box is one of {ONE_CLASS!r}")
    start = next((place for place in (CORNER, CENTRE, PLACE) if _is_sized(columns, place)), None)
    box = (*start, *SIZE) if start else CORNERS
    for line, fields in lines:
        where = f"{name}:{line}"
        if columns == AUTOML:
            yield CsvRow(line, automl_cells(fields, where))
            continue
        if len(fields) != len(columns):
            raise InputError(
                f"{len(fields)} columns",
                where=where,
                expected=f"{len(columns)}: {','.join(map(str, columns))}",
            )
        cells = dict(zip(columns, fields, strict=True))
        if not cells["image"]:
            raise InputError("no image is named", where=where)
        if of_one_class:
            cells["label"] = ONE_CLASS
        if all(cells[column].lower() in _MISSING for column in box):
            cells |= {key: "" for key in (*box, "label") if cells[key].lower() in _MISSING}
            cells["label"] = "" if of_one_class else cells["label"]
        if separator == "," and "," in "".join(fields):
            _refuse_grouped(cells, where)
        if start:
            _add_corners(cells, start, where)
        yield CsvRow(line, cells)


def _columns(lines, name, told):
    """What the columns mean, and the pairs of line and cells that hold boxes."""
    first = next(lines, None)
    if first is None:
        return (), ()
    line, fields = first
    if columns := header(fields, f"{name}:{line}"):
        if _is_sized(columns, PLACE):
            told.append("columns x and y are taken as the upper left corner of the box")
        return columns, _without_header(lines, fields, told)
    if not names_a_set(fields):
        refuse_unknown_header(fields, f"{name}:{line}")
    seen = [first]  # images without a box do not tell
    while not _holds_numbers(seen[-1]) and len(seen) < _AHEAD and (row := next(lines, None)):
        seen.append(row)
    if columns := columns_of(seen[-1][1] if _holds_numbers(seen[-1]) else fields):
        return columns, itertools.chain(seen, lines)
    seen += lines
    columns = side_of_label(seen, name)
    if columns == LABEL_SECOND:
        told.append("the first number of a row is taken as its label, the others as its box")
    return columns, seen


def _without_header(lines, names, told):
    """The lines without the header again, which is there where files were joined."""
    for line, fields in lines:
        if fields == names:
            told.append("lines that are the header again are passed over")  # told once
        else:
            yield line, fields


def _holds_numbers(row):
    return any(map(is_number, row[1][1:]))


def _is_sized(columns, start):
    return {*start, *SIZE} <= {*columns}


def _refuse_grouped(cells, where):
    """Refuses `"1,024"`, which is 1024 to some and 1.024 to others."""
    for column, cell in cells.items():
        if column in _NUMBERS and is_grouped(cell):
            raise InputError(
                f"{cell!r} may have a comma between its thousands, or a decimal comma",
                where=where,
                expected="numbers such as 1024 or 1.024",
            )


def _add_corners(cells, start, where):
    """Gives a box that is a place and a size its corners."""
    for place, side, low, high in zip(start, SIZE, CORNERS[:2], CORNERS[2:], strict=True):
        if not (cells[place] or cells[side]):
            cells[low] = cells[high] = ""
            continue
        try:
            begin, length = number(cells[place]), number(cells[side])
        except ValueError as error:
            raise InputError(str(error), where=where) from None
        begin -= length / 2 if start == CENTRE else 0
        cells[low], cells[high] = repr(begin), repr(begin + length)


def _plain_numbers(cells):
    """The numbers of nearly all cells, in one go; None where one needs a closer look."""
    try:
        numbers = [*map(float, cells)]
    except ValueError:
        return None
    return numbers if math.isfinite(sum(numbers)) else None
