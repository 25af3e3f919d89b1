"""Reads boxes from a CSV file, one per line, in 0-based pixels.

Two forms: with a header that names the columns, as in the CSV files of TensorFlow's Object
Detection API (`filename,width,height,class,xmin,ymin,xmax,ymax`); and without one, as in
keras-retinanet (`path,x1,y1,x2,y2,class`). A line with an image but no box is background.
"""

import csv
import io
from pathlib import Path

from yolov2_tf.data.annotations import (
    Annotation,
    build_dataset,
    find_pictures,
    finite,
    listing,
)
from yolov2_tf.data.images import picture_size
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

_COLUMNS = {
    "image": ("image", "filename", "file_name", "file", "path", "image_path"),
    "xmin": ("xmin", "x_min", "x1"),
    "ymin": ("ymin", "y_min", "y1"),
    "xmax": ("xmax", "x_max", "x2"),
    "ymax": ("ymax", "y_max", "y2"),
    "label": ("label", "class", "class_name", "name"),
    "width": ("width", "image_width"),
    "height": ("height", "image_height"),
}
_WITHOUT_HEADER = ("image", "xmin", "ymin", "xmax", "ymax", "label")
_BOX = ("xmin", "ymin", "xmax", "ymax", "label")


def read_csv(path, *, images=None, class_names=None):
    """Reads boxes from a CSV file.

    Args:
        path: The file.
        images: Folder that the picture names are relative to. Default: the file's folder, or
            `images/` in it.
        class_names: Names that the labels shall index. Default: the names found, sorted.

    Returns:
        A `Dataset`. Sizes come from the columns `width` and `height` or else from the pictures;
        an image with neither is left out, with a note.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    lines_of = {}
    for line, row in _rows(path):
        lines_of.setdefault(row["image"], []).append((line, row))
    folders = [images] if images else [path.parent, path.parent / "images"]
    pictures = find_pictures(list(lines_of), folders)

    annotations, without_size = [], []
    for name, lines in lines_of.items():
        picture = pictures.get(name)
        width, height = _size(*lines[0], picture, path)
        if width:
            annotations.append(_annotation(name, lines, width, height, picture, path))
        else:
            without_size.append(name)
    if without_size and not annotations:
        raise InputError(
            f"no picture can be read, and no size is given; the first: {without_size[0]}",
            where=path,
            hint="columns width and height, or the folder of the pictures",
        )
    _refuse_fractions(annotations, path)
    what = "images without a size or a readable picture, left out"
    notes = [f"{what}: {len(without_size):,} ({listing(without_size)})"] if without_size else []
    if class_names is None:
        class_names = sorted({name for annotation in annotations for name in annotation.names})
    return build_dataset(path.stem, annotations, class_names, notes)


def _rows(path):
    """Yields line number and a dict from column (the keys of `_COLUMNS`) to text."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    columns = None
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            where = f"{path}:{reader.line_num}"
            if columns is None:
                columns = _header(fields, where)
                if columns:
                    continue
                columns = _WITHOUT_HEADER
            if len(fields) != len(columns):
                raise InputError(
                    f"{len(fields)} columns",
                    where=where,
                    expected=f"{len(columns)}: {','.join(map(str, columns))}",
                )
            row = dict(zip(columns, fields, strict=True))
            if not row["image"]:
                raise InputError("no image is named", where=where)
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"malformed CSV: {error}", where=f"{path}:{reader.line_num}") from None


def _header(fields, where):
    """Returns what the columns mean (unknown names stay as they are), or None for no header."""
    meaning = {alias: column for column, aliases in _COLUMNS.items() for alias in aliases}
    columns = tuple(meaning.get(field.lower(), field) for field in fields)
    if "xmin" not in columns:
        return None
    missing = [column for column in _WITHOUT_HEADER if columns.count(column) != 1]
    if missing:
        raise InputError(f"the header must name once: {', '.join(missing)}", where=where)
    return columns


def _size(line, row, picture, path):
    """Returns (width, height), (0, 0) if nothing tells it."""
    stated = [row.get("width"), row.get("height")]
    if all(stated):
        try:
            width, height = map(finite, stated)
        except ValueError as error:
            raise InputError(f"size: {error}", where=f"{path}:{line}") from None
        if width >= 1 and height >= 1:
            return int(width), int(height)
    return picture_size(picture) if picture else (0, 0)


def _annotation(name, lines, width, height, picture, path):
    boxes, names, places = [], [], []
    for line, row in lines:
        fields = [row[column] for column in _BOX]
        if not any(fields):
            continue
        where = f"{path}:{line}"
        if not all(fields):
            raise InputError("the box or its label is incomplete", where=where)
        try:
            x_min, y_min, x_max, y_max = map(finite, fields[:4])
        except ValueError as error:
            raise InputError(str(error), where=where) from None
        boxes.append((y_min / height, x_min / width, y_max / height, x_max / width))
        names.append(fields[4])
        places.append(where)
    ignore = [False] * len(names)
    return Annotation(picture, name, boxes, names, ignore, places.__getitem__, width, height)


def _refuse_fractions(annotations, path):
    """Boxes in fractions would pass as specks in the corner."""
    corners = [
        (x * annotation.width, y * annotation.height)
        for annotation in annotations
        for _, _, y, x in annotation.boxes
    ]
    if corners and max(map(max, corners)) <= 1:
        raise InputError("all coordinates are fractions", where=path, expected="pixels")
