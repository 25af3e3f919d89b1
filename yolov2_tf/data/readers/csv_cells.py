"""Reads the cells of CSV files, and numbers as office programs write them.

Separated by comma, semicolon or tab; in UTF-8, UTF-16 or an old Windows encoding.
"""

import csv
import io
import re

from yolov2_tf.data.annotations import finite
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

_SEPARATOR_LINE = re.compile(r'\s*"?sep=([,;\t])"?\s*', re.IGNORECASE)
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")


def read_cells(path):
    """Yields line number and cells, without blanks around them, of the lines that are not blank.

    Raises:
        InputError: If it is malformed.
    """
    return separated_cells(path)[1]


def separated_cells(path):
    """Returns the separator of a CSV file, and what `read_cells` yields.

    Excel's first line `sep=;` names the separator and is left out.

    Raises:
        InputError: If it cannot be read.
    """
    text, skipped = read_text(path, "cp1252"), 0
    first, _, rest = text.partition("\n")
    if told := _SEPARATOR_LINE.fullmatch(first):
        text, skipped = rest, 1
    separator = told[1] if told else _separator(text)
    return separator, _cells(text, separator, path, skipped)


def _cells(text, separator, path, skipped):
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if any(fields):
                yield reader.line_num + skipped, fields
    except csv.Error as error:
        where = f"{path}:{reader.line_num + skipped}"
        raise InputError(f"malformed CSV: {error}", where=where) from None


def _separator(text):
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def number(cell):
    """A number, also with a decimal comma.

    Raises:
        ValueError: If it is none, or may be two.
    """
    try:
        return finite(cell)
    except ValueError:
        if _GROUPED.fullmatch(cell) and (cell.count(",") > 1 or "." in cell):
            raise ValueError(f"{cell!r} has commas between its thousands") from None
        if not re.fullmatch(r"-?\d*,\d+", cell):
            raise
    return finite(cell.replace(",", "."))


def is_number(cell):
    """Whether `number` reads it."""
    try:
        number(cell)
    except ValueError:
        return False
    return True


def is_grouped(cell):
    """Whether a number may have commas between its thousands: `1,024`."""
    return _GROUPED.fullmatch(cell) is not None
