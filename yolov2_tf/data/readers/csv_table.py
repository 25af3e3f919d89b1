"""Reads boxes from CSV files, one per line, in pixels counted from 0 or in fractions.

With a header that names the columns, as in the files of TensorFlow's Object Detection API
(`filename,width,height,class,xmin,ymin,xmax,ymax`), VoTT or OpenImages; or without one, as in
keras-retinanet (`path,x1,y1,x2,y2,class`) and AutoML. A line with an image and no box is
background, whatever its class (VinBigData's `No finding`).
"""

import functools
import itertools
import re
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits, listing
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.images import unreadable
from yolov2_tf.data.picture_finder import PictureFinder
from yolov2_tf.data.picture_folders import folders_of_set
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.csv_cells import number, read_cells
from yolov2_tf.data.readers.csv_columns import BOX, read_rows
from yolov2_tf.data.readers.csv_header import PLACE
from yolov2_tf.data.readers.units import FRACTIONS, are_fractions
from yolov2_tf.data.readers.via_regions import is_via_csv, read_via
from yolov2_tf.data.visible_files import visible
from yolov2_tf.errors import InputError

FOLDERS = ("annotations", "labels", "data")
"""Folders of these names hold tables alone; the pictures lie beside them."""

_ENOUGH = 1000  # rows of a file that tell whether it is one of boxes
_FITS = 0.02  # a box may stick out this far before it speaks against a reading
_MANY = 0.25  # so many boxes that stick out do


def read_csv(path, *, split=None, images=None, class_names=None):
    """Reads boxes from a CSV file, or from a folder with one or with one for each image set.

    Args:
        path: The file or folder.
        split: Image set to read, where a column or the names of files in a folder
            (`train_labels.csv`) tell sets. Default: the only one, else all. Files of a folder that
            are called anything are sets, too, where in each a column names one of its own.
        images: Folder that the picture names are relative to. Default: the file's folder, or
            `images/` in it.
        class_names: Names that the labels shall index. Default: the names found, sorted.

    Returns:
        A `Dataset`. Sizes come from the columns `width` and `height` or else from the pictures;
        an image whose boxes are in pixels and that has neither is left out, with a note.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    files = find_csv_files(path) if path.is_dir() else {"": path}
    if any(is_via_csv(file) for file in files.values()):
        return _read_via_files(path, files, split, images, class_names)
    told = []
    tables = {name: list(read_rows(file, told)) for name, file in files.items()}
    if path.is_dir() and len(files) == 1:
        files, tables = _named_by_file(files, tables)
    tables, chosen, notes = _choose(path, tables, split)
    notes += (*dict.fromkeys(told), *_background_notes(tables, files))
    fractions = are_fractions(
        [box for rows in tables.values() for row in rows if (box := _numbers(row))], path
    )
    if fractions:
        notes += (FRACTIONS,)
    annotations, without_size = [], []
    for name, rows in tables.items():
        prefix = f"{name}/" if name and len(chosen) > 1 else ""
        finder = _finder(files[name], name, images)
        found, left = _annotations(rows, files[name], finder, fractions, prefix, name)
        if rows and rows[0].cells.keys() >= {*PLACE}:
            _refuse_centres(found, files[name])
        annotations += found
        without_size += left
    notes += _size_notes(path, annotations, without_size)
    names = _spoken_names(path if path.is_dir() else path.parent)
    for annotation in annotations:
        annotation.names = [names.get(label, label) for label in annotation.names]
    if class_names is None:
        class_names = sorted({name for annotation in annotations for name in annotation.names})
    place = path.resolve()
    title = path.stem if path.is_file() else place.name
    title = place.parent.name if title.lower() in FOLDERS else title
    return build_dataset(title, annotations, class_names, notes)


def _named_by_file(files, tables):
    """Both, with the name of a folder's only file where that says what the image set is for."""
    ((name, file),) = files.items()
    if not role(file.stem) or any(row.cells.get("set") for row in tables[name]):
        return files, tables
    return {file.stem: file}, {file.stem: tables[name]}


def _choose(path, tables, split):
    """Returns the rows of the chosen image sets by file, the sets, and notes."""
    sets = [row.cells.get("set", "") for row in tables[""]] if "" in tables else list(tables)
    named = [name for name in dict.fromkeys(sets) if name]
    if isinstance(split, str) and not named:
        raise InputError(f"no image set {split!r}: a CSV file has none", where=path)
    chosen, notes = choose_splits(path, named, split)
    if named and split is not None:
        tables = {
            name: [row for row in rows if (name or row.cells.get("set", "")) in chosen]
            for name, rows in tables.items()
            if not name or name in chosen
        }
    return tables, chosen, notes


def _background_notes(tables, files):
    places = [
        f"{files[name]}:{row.line}"
        for name, rows in tables.items()
        for row in rows
        if row.cells["label"] and not row.has_box()
    ]
    what = "rows with a class and no box, taken as background"
    return (f"{what}: {len(places):,} ({listing(places)})",) if places else ()


def _size_notes(path, annotations, without_size):
    if not without_size:
        return ()
    if not annotations:
        raise InputError(
            f"no picture can be read, and no size is given; the first: {without_size[0]}",
            where=path,
            hint="columns width and height, or --images with the folder of the pictures",
        )
    what = "images without a size or a readable picture, left out"
    return (f"{what}: {len(without_size):,} ({listing(without_size)})",)


def find_csv_files(folder):
    """Finds the CSV files of boxes in a folder: a dict from image set, `""` if there is one only.

    Raises:
        InputError: If several could be meant.
    """
    files = [
        path
        for path in visible(folder)
        if path.suffix.lower() in (".csv", ".tsv") and path.is_file() and _holds_boxes(path)
    ]
    if len(files) < 2:
        return dict.fromkeys([""], *files) if files else {}
    named = {name: file for file in files if (name := _only_set(file))}
    if len(named) == len(files):  # a copy of a table names the same set
        return named
    roles = [role(file.stem) for file in files]
    if None in roles or len(set(roles)) < len(roles):
        names = listing([file.name for file in files], shown=5)
        raise InputError(f"several CSV files: {names}", where=folder, hint="give one of them")
    return {file.stem: file for file in files}


def _holds_boxes(path):
    if is_via_csv(path):
        return True
    try:
        rows = list(itertools.islice(read_rows(path), _ENOUGH))
    except InputError:
        return False
    return any(_numbers(row) or row.cells.get("set") for row in rows)


def _only_set(path):
    """The image set that a column of a file names in every row; None where there are others."""
    if is_via_csv(path):
        return None
    rows = read_rows(path)
    first = next((row.cells.get("set") for row in rows), None)
    return first if first and all(row.cells["set"] == first for row in rows) else None


def _read_via_files(path, files, split, images, class_names):
    if len(files) > 1:
        raise InputError("several CSV files of VIA", where=path, hint="give one of them")
    if split is not None and not callable(split):
        raise InputError(f"no image set {split!r}: a CSV file has none", where=path)
    (file,) = files.values()
    return read_via(file, images=images, class_names=class_names)


def _finder(file, name, images):
    if images:
        return PictureFinder([*folders_of_set(name, [images]), images], [images])
    folder = file.parent
    bases = [folder, folder.parent] if folder.name.lower() in FOLDERS else [folder]
    places = [place for base in bases for place in (base, base / "images")]
    own = folders_of_set(name, [place for base in bases for place in (base / "images", base)])
    return PictureFinder([*own, *places], [folder, *places[3:]])


def _annotations(rows, path, finder, fractions, prefix, set_name):
    """Returns annotations, one per image, and the images without a size."""
    rows_of = {}
    for row in rows:
        rows_of.setdefault(row.cells["image"], []).append(row)
    pictures = _join_spellings(rows_of, finder.find_all(rows_of))
    sizes = {name: _stated_size(rows[0], path) for name, rows in rows_of.items()}
    of_pictures = picture_sizes(pictures[name] for name in pictures if not sizes[name])
    annotations, without_size = [], []
    for name, rows in rows_of.items():
        picture = pictures.get(name)
        width, height = sizes[name] or of_pictures.get(picture, (0, 0))
        if not width and not fractions:
            without_size.append(unreadable(name, picture))
            continue
        scale = (1, 1) if fractions else (width, height)
        boxes, names, ignore, lines = _boxes(rows, scale, path)
        sets = {set_name or row.cells.get("set", "") for row in rows} - {""}
        annotations.append(
            Annotation(
                *(picture, prefix + name, boxes, names, ignore),
                functools.partial(_locate, path, lines),
                *(width, height, tuple(sorted(sets))),
            )
        )
    return annotations, without_size


def _join_spellings(rows_of, pictures):
    """Gives the rows of `./a.jpg` to `a.jpg`, whose picture it is; returns the pictures left."""
    first = {}
    for name, picture in pictures.items():
        owner = first.setdefault(picture, name)
        if owner != name:
            rows_of[owner] += rows_of.pop(name)
    return {name: picture for picture, name in first.items()}


def _refuse_centres(annotations, path):
    """Refuses columns `x` and `y` where only centres would let the boxes fit into their pictures.

    Raises:
        InputError: If they are.
    """
    boxes = np.array([box for annotation in annotations for box in annotation.boxes])
    if not len(boxes):
        return
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    as_corners = _leaves_picture(boxes)
    as_centres = _leaves_picture(np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1))
    if as_corners.mean() >= _MANY and not as_centres.any():
        raise InputError(
            f"with x and y as the upper left corner, {as_corners.sum():,} of {len(boxes):,} boxes "
            "stick out of their picture; as the centre all fit",
            where=path,
            hint="columns x_center and y_center, or left and top, whichever is meant",
        )


def _leaves_picture(boxes):
    return ((boxes < -_FITS) | (boxes > 1 + _FITS)).any(axis=1)


def _locate(path, lines, index):
    return f"{path}:{lines[index]}"


def _stated_size(row, path):
    """Returns (width, height), None if the row does not tell it."""
    stated = [row.cells.get("width"), row.cells.get("height")]
    if all(stated):
        try:
            width, height = map(number, stated)
        except ValueError as error:
            raise InputError(f"size: {error}", where=f"{path}:{row.line}") from None
        if width >= 1 and height >= 1:
            return int(width), int(height)
    return None


def _boxes(rows, scale, path):
    """Returns boxes, their labels, why they are ignored, and the lines that they stand in."""
    boxes, names, ignore, lines = [], [], [], []
    width, height = scale
    for row in rows:
        if not row.has_box():
            continue
        if not all(row.cells[column] for column in BOX):
            raise InputError("the box or its label is incomplete", where=f"{path}:{row.line}")
        try:
            x_min, y_min, x_max, y_max = row.corners()
        except ValueError as error:
            raise InputError(str(error), where=f"{path}:{row.line}") from None
        boxes.append((y_min / height, x_min / width, y_max / height, x_max / width))
        names.append(row.cells["label"])
        ignore.append("group" if _is_set(row.cells.get("group", "0")) else "")
        lines.append(row.line)
    return boxes, names, ignore, lines


def _is_set(flag):
    """Whether a flag is set: `1`, or as pandas writes it, `1.0` or `True`."""
    try:
        return number(flag) == 1
    except ValueError:
        return flag.lower() == "true"


def _numbers(row):
    """The numbers of a box, None for an empty or a malformed one."""
    try:
        return row.corners()
    except ValueError:
        return None


def _spoken_names(folder):
    """OpenImages' names of classes, where they are there: a dict from `/m/01g317` to `Person`."""
    for path in visible(folder, "*class*descriptions*.csv"):
        cells = (fields for _, fields in read_cells(path))
        return {row[0]: row[1] for row in cells if len(row) == 2 and re.match("/[mgt]/", row[0])}
    return {}
