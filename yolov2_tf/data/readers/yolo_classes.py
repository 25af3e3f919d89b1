"""Classes of a YOLO data set: what their numbers are called, and which of them a row means."""

import os
import re
from pathlib import Path

from yolov2_tf.data.annotations import finite, listing
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import visible, walk_files
from yolov2_tf.errors import InputError

NAMES_FILES = re.compile(
    r"((predefined_)?classes|labels?|names)\.txt|.+\.(names|labels)", re.IGNORECASE
)
"""Files that name classes, one a line."""

MOST_CLASSES = 100_000
"""More, where nothing names them, are an id that was no class: each would be an output."""


def find_names_file(folder):
    """The file that names the classes of a folder of labels: e.g. `classes.txt`."""
    found = [
        path
        for place in (folder, Path(folder) / "labels", Path(folder) / "images")
        for path in visible(place)
        if NAMES_FILES.fullmatch(path.name) and path.is_file()
    ]
    found = found or [
        Path(path) for path in walk_files(folder) if NAMES_FILES.fullmatch(os.path.basename(path))
    ]
    contents = {tuple(read_names(path).values()) for path in found}
    if len(contents) > 1:
        raise InputError(
            f"files of class names differ: {listing([str(path) for path in found])}",
            where=folder,
            hint="leave one of them, or write a data.yaml",
        )
    return found[0] if found else None


def read_names(path):
    """Class names from a text file, one a line: a dict from 0, 1, … to name."""
    names = [line.strip() for line in read_text(path, "cp1252").splitlines()]
    while names and not names[-1]:
        names.pop()
    return dict(enumerate(names))


def numbered(count, path):
    """Names of classes that are only counted: a dict from 0, 1, … to their numbers as text.

    Args:
        count: How many, as text of digits.
        path: Where it stands.

    Raises:
        InputError: If they are too many.
    """
    if len(count) > 9 or int(count) > MOST_CLASSES:
        raise InputError(
            f"{count[:40]} classes", where=path, expected=f"at most {MOST_CLASSES:,}, by number"
        )
    return {number: str(number) for number in range(int(count))}


def class_id(label):
    """The number that a row has for its class, also as `0.0`; None for anything else."""
    try:
        number = finite(label)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def class_names_by_id(names, places, where):
    """Decides what the classes are called.

    Args:
        names: Names by class id as described, None where nothing names them.
        places: All rows, as pairs of file and `Row`.
        where: The description, for messages.

    Returns:
        A dict from class id to name, as the rows use them, and notes.

    Raises:
        InputError: If there is no class, or a number without a name is too large for one.
    """
    labels = {row.label for _, row in places}
    ids = {number for label in labels if (number := class_id(label)) is not None and number >= 0}
    if names is None:
        if max(ids, default=0) >= MOST_CLASSES:
            _refuse_large_id(places)
        return {number: str(number) for number in range(1 + max(ids, default=0))}, []
    if not names:
        raise InputError(
            "no classes: none is named or counted", where=where, expected="names, or nc above 0"
        )
    notes = []
    if by_name := {label for label in labels & {*names.values()} if class_id(label) is None}:
        count = sum(row.label in by_name for _, row in places)
        notes = [f"rows that name their class instead of numbering it: {count:,}"]
    if list(names) == list(range(1, len(names) + 1)) and 0 in ids and max(ids) < len(names):
        notes += ["'names' counts from 1, the label files from 0: the first name is class 0"]
        names = dict(enumerate(names.values()))
    return names, notes


def _refuse_large_id(places):
    file, row = next(
        (file, row) for file, row in places if (class_id(row.label) or 0) >= MOST_CLASSES
    )
    raise InputError(
        f"class id {row.label[:40]} is out of range",
        where=f"{file}:{row.line}",
        expected=f"0 to {MOST_CLASSES - 1:,} where nothing names the classes",
    )


class Labels:
    """Names of classes by what rows call them: a number, or a name that is no number."""

    def __init__(self, names):
        self._names, self._known = names, {}

    def of(self, row, file):
        """The class of a row."""
        if row.label not in self._known:
            self._known[row.label] = _label(row, file, self._names)
        return self._known[row.label]


def _label(row, file, names):
    """The class of a row, by its number, or by a name that is no number."""
    try:
        number = float(row.label)
    except ValueError:
        if row.label in names.values():
            return row.label
        number = None
    if number in names:
        return names[int(number)]
    what = "class id" if number is not None else "class"
    ids = list(names)
    expected = f"0 to {len(ids) - 1}" if ids == list(range(len(ids))) else listing(ids, shown=20)
    raise InputError(
        f"{what} {row.label[:40]} is out of range"
        if number is not None
        else f"{row.label[:40]!r} is no number and no class",
        where=f"{file}:{row.line}",
        expected=expected,
    )
