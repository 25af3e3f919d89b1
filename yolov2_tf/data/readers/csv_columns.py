"""Tells what the columns of a CSV file of boxes mean, with or without a header.

Separated by comma, semicolon or tab; in UTF-8, UTF-16 or an old Windows encoding.
"""

import csv
import dataclasses
import io
import math
import re

from yolov2_tf.data.annotations import finite
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

# In the order of preference: a path tells more than a name, and `name` may be either.
_COLUMNS = {
    "image": (
        *("path", "image_path", "img_path", "file_path", "filename", "file_name", "image", "file"),
        *("image_id", "image_name", "img_name", "img", "image_uri"),
    ),
    "xmin": ("xmin", "x1", "left", "bbox_xmin", "bbox_x"),
    "ymin": ("ymin", "y1", "top", "bbox_ymin", "bbox_y"),
    "xmax": ("xmax", "x2", "right", "bbox_xmax"),
    "ymax": ("ymax", "y2", "bottom", "bbox_ymax"),
    "label": ("class", "label", "class_name", "label_name", "category", "name"),
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "box_width": ("bbox_width", "bbox_w", "box_width"),
    "box_height": ("bbox_height", "bbox_h", "box_height"),
    "set": ("set", "split", "subset", "ml_use"),
    "group": ("is_group_of",),
}
BOX = ("xmin", "ymin", "xmax", "ymax", "label")
NEEDED = ("image", *BOX)
_TFOD = ("image", "width", "height", "label", "xmin", "ymin", "xmax", "ymax")
_LABEL_SECOND = ("image", "label", "xmin", "ymin", "xmax", "ymax")
_MAKESENSE = ("label", "xmin", "ymin", "box_width", "box_height", "image", "width", "height")
_AUTOML_SETS = {
    **{"train": "train", "training": "train", "test": "test", "unassigned": ""},
    **{"validation": "validation", "validate": "validation", "val": "validation"},
}


@dataclasses.dataclass(slots=True)
class CsvRow:
    """A line of the file: its number, and the text of its columns by meaning."""

    line: int
    cells: dict[str, str]
    _corners: list[float] | None = None

    def corners(self):
        """The numbers of its box, `x_min, y_min, x_max, y_max`.

        Raises:
            ValueError: If one is none.
        """
        if self._corners is None:
            texts = [self.cells[column] for column in BOX[:4]]
            self._corners = _plain_numbers(texts) or [*map(number, texts)]
        return self._corners


def read_rows(path):
    """Reads a CSV file of boxes; yields its rows.

    Args:
        path: The file.

    Returns:
        Iterator of `CsvRow` with the keys `image`, `xmin`, `ymin`, `xmax`, `ymax`, `label`, and
        `width`, `height`, `set`, `group` and unknown columns where they are there.

    Raises:
        InputError: If the columns have no known meaning or their number changes.
    """
    columns, name = None, str(path)
    for line, fields in read_cells(path):
        where = f"{name}:{line}"
        if columns is None:
            columns = _header(fields, where)
            if columns:
                continue
            columns = _without_header(fields)
        if columns == "automl":
            yield CsvRow(line, _automl(fields, where))
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
        if "box_width" in cells:
            _add_corner(cells, where)
        yield CsvRow(line, cells)


def _add_corner(cells, where):
    """Gives a box of corner and size its other corner."""
    for corner, start, side in (("xmax", "xmin", "box_width"), ("ymax", "ymin", "box_height")):
        if cells[start] or cells[side]:
            try:
                cells[corner] = repr(number(cells[start]) + number(cells[side]))
            except ValueError as error:
                raise InputError(str(error), where=where) from None
        else:
            cells[corner] = ""


def read_cells(path):
    """Yields line number and cells, without blanks around them, of the lines that are not blank.

    Raises:
        InputError: If it is malformed.
    """
    text = read_text(path, "cp1252")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if any(fields):
                yield reader.line_num, fields
    except csv.Error as error:
        raise InputError(f"malformed CSV: {error}", where=f"{path}:{reader.line_num}") from None


def _plain_numbers(cells):
    """The numbers of nearly all cells, in one go; None where one needs a closer look."""
    try:
        numbers = [*map(float, cells)]
    except ValueError:
        return None
    return numbers if math.isfinite(sum(numbers)) else None


def number(cell):
    """A number, also with a decimal comma.

    Raises:
        ValueError: If it is none.
    """
    try:
        return finite(cell)
    except ValueError:
        if not re.fullmatch(r"-?\d+,\d+", cell):
            raise
    return finite(cell.replace(",", "."))


def _header(fields, where):
    """Returns what the columns mean (others stay as they are), or None for no header."""
    keys = [_key(field) for field in fields]
    columns = [f"{field} (unused)" if field in _COLUMNS else field for field in fields]
    for column, aliases in _COLUMNS.items():
        for alias in aliases:
            if keys.count(_key(alias)) == 1:
                columns[keys.index(_key(alias))] = column
                break
    if "image" not in columns and "name" in keys and columns[keys.index("name")] != "label":
        columns[keys.index("name")] = "image"
    if "bbox" in keys and "xmin" not in columns:
        raise InputError(
            "a column 'bbox' of lists", where=where, expected="columns xmin, ymin, xmax, ymax"
        )
    if not {"xmin", "ymin", "xmax", "ymax"} & set(columns):
        return None
    sized = {"xmin", "ymin", "box_width", "box_height"} <= set(columns) and "xmax" not in columns
    if sized:
        columns_needed = [column for column in NEEDED if column not in ("xmax", "ymax")]
    else:
        columns_needed = NEEDED
        columns = [f"{c} (unused)" if c in ("box_width", "box_height") else c for c in columns]
    missing = [column for column in columns_needed if columns.count(column) != 1]
    if missing:
        raise InputError(f"the header must name once: {', '.join(missing)}", where=where)
    return columns


def _key(name):
    return re.sub(r"[\s_-]+", "", name.lower())


def _without_header(fields):
    """Returns the columns of a file without a header, by what its first line holds."""

    def numbers(start, end):
        return len(fields) >= end and all(map(_is_number, fields[start:end]))

    if fields[0].lower() in _AUTOML_SETS or (len(fields) == 10 and not numbers(1, 5)):
        return "automl"
    if len(fields) == 8 and numbers(1, 3) and numbers(4, 8):
        return _TFOD
    if len(fields) == 8 and numbers(1, 5) and numbers(6, 8) and not _is_number(fields[5]):
        return _MAKESENSE
    if len(fields) == 6 and numbers(2, 6) and not _is_number(fields[1]):
        return _LABEL_SECOND
    return NEEDED


def _is_number(cell):
    try:
        number(cell)
    except ValueError:
        return False
    return True


def _automl(fields, where):
    """A line of Vertex AI: `[SET,]path,label,x,y,,,x,y,,`, two or four corners in fractions."""
    name = ""
    if fields[0].lower() in _AUTOML_SETS:
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
    cells = {**dict(zip(BOX, (*box, label), strict=True)), "image": image, "set": name}
    return cells if xs else {**cells, "label": ""}
