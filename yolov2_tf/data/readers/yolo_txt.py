"""Reads YOLO txt: a `data.yaml` and one text file of normalised boxes per image.

A line is `class cx cy width height`, or `class x1 y1 x2 y2 x3 y3 …`, an outline of which the
bounding box is taken.
"""

import functools
import os
import reprlib
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import (
    Annotation,
    build_dataset,
    choose_splits,
    finite,
    listing,
)
from yolov2_tf.data.images import PICTURE_SUFFIXES, picture_size
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

SPLITS = ("train", "val", "test")


def read_yolo(path, *, split=None, images=None, class_names=None):
    """Reads a YOLO data set.

    The label file of `…/images/a/b.jpg` is `…/labels/a/b.txt`; without one the picture is
    background.

    Args:
        path: The `data.yaml`: `path` (root, default its own folder), `train`, `val`, `test`
            (folders, lists of pictures in a text file, or several of these), `names`, `nc`.
        split: `"train"`, `"val"` or `"test"`. Default: the only one, else all.
        images: Root folder, in place of `path` in the file.
        class_names: Names that the labels shall index. Default: `names`, in their order.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If something is missing, malformed or out of range.
    """
    path = Path(path)
    content = _load(path)
    names = _names(content, path)
    available = [key for key in SPLITS if content.get(key)]
    if not available:
        raise InputError("no image sets", where=path, expected="train, val or test")
    chosen, notes = choose_splits(path, available, split)
    root = _root(content, path, images)

    pictures = {}  # a dict, since splits may overlap
    for key in chosen:
        entries = content[key] if isinstance(content[key], list) else [content[key]]
        for entry in entries:
            pictures.update(dict.fromkeys(_list_pictures(entry, key, root, path)))
    background = [p for p in pictures if not os.path.isfile(label_path(p))]
    if background and len(background) == len(pictures):
        raise InputError(
            f"not one picture has a label file; the first should be {label_path(background[0])}",
            where=path,
        )
    if background:
        shown = listing([os.path.relpath(p, root) for p in background[:3]], len(background))
        notes += (
            f"pictures without a label file, taken as background: {len(background):,} ({shown})",
        )

    annotations = [_annotation(picture, root, names) for picture in pictures]
    name = " ".join([path.resolve().parent.name, *([chosen[0]] if len(chosen) == 1 else [])])
    return build_dataset(name, annotations, names if class_names is None else class_names, notes)


def label_path(picture):
    """Where the labels of a picture stand: the last folder `images` of its path reads `labels`."""
    head, images, tail = os.path.splitext(picture)[0].rpartition("/images/")
    return f"{head}/labels/{tail}.txt" if images else f"{tail}.txt"


def _load(path):
    import yaml

    try:
        # The base loader keeps every scalar as text: a class may be called `no` or `1e3`.
        content = yaml.load(read_text(path), yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"malformed YAML: {error.problem}", where=f"{path}{line}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"malformed YAML: {error}", where=path) from None
    if not isinstance(content, dict):
        raise InputError("no keys", where=path, expected="train, val, names")
    return content


def _names(content, path):
    names = content.get("names")
    if isinstance(names, dict):
        if set(names) != {str(i) for i in range(len(names))}:
            raise InputError(
                f"the keys of 'names' are {listing(list(names))}",
                where=path,
                expected=f"0 to {len(names) - 1}",
            )
        names = [names[str(i)] for i in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("'names' is missing, or no list of names", where=path)
    if content.get("nc", str(len(names))) != str(len(names)):
        raise InputError(f"'nc' is {content['nc']}, but there are {len(names)} names", where=path)
    return names


def _root(content, path, images):
    root = os.path.join(path.parent, str(content.get("path", "")))
    if not os.path.isdir(root):
        root = path.parent  # files made elsewhere often state a folder of that machine
    return os.path.abspath(images or root)


def _list_pictures(entry, key, root, path):
    entry = str(entry)
    place = os.path.join(root, entry)
    if not os.path.exists(place) and entry.startswith("../"):
        place = os.path.join(root, entry[3:])  # as in Roboflow's exports
    if os.path.isdir(place):
        found = [
            os.path.normpath(os.path.join(folder, file))
            for folder, _, files in sorted(os.walk(place))
            for file in sorted(files)
            if os.path.splitext(file)[1].lower() in PICTURE_SUFFIXES and not file.startswith(".")
        ]
        if not found:
            raise InputError(f"no pictures in {place} ({key!r})", where=path)
        return found
    if place.endswith(".txt") and os.path.isfile(place):
        lines = (line.strip() for line in read_text(place).splitlines())
        return [_listed(line, os.path.dirname(place), root) for line in lines if line]
    raise InputError(
        f"{key!r} is {reprlib.repr(entry)}: neither a folder nor a list of pictures",
        where=path,
        hint=f"a path relative to {root}",
    )


def _listed(line, folder, root):
    candidates = [os.path.normpath(os.path.join(base, line)) for base in (folder, root)]
    return next((c for c in candidates if os.path.isfile(c)), candidates[0])


def _annotation(picture, root, names):
    boxes, labels = _read_labels(label_path(picture), len(names))
    width, height = picture_size(picture)
    return Annotation(
        picture if os.path.isfile(picture) else None,
        os.path.relpath(picture, root),
        boxes,
        [names[label] for label in labels],
        [False] * len(labels),
        functools.partial(_locate, label_path(picture)),
        width,
        height,
    )


def _read_labels(path, num_classes):
    if not os.path.isfile(path):
        return [], []
    boxes, labels = [], []
    for number, fields in _lines(path):
        where = f"{path}:{number}"
        try:
            label, *values = map(finite, fields)
        except ValueError as error:
            raise InputError(str(error), where=where) from None
        if label not in range(num_classes):
            raise InputError(
                f"class id {fields[0]} is out of range",
                where=where,
                expected=f"0 to {num_classes - 1}",
            )
        boxes.append(_corners(values, where))
        labels.append(int(label))
    return boxes, labels


def _lines(path):
    """Yields line number and fields of the lines that are not blank."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if fields := line.split():
            yield number, fields


def _locate(path, index):
    return f"{path}:{[number for number, _ in _lines(path)][index]}"


def _corners(values, where):
    if len(values) == 4:
        x, y, width, height = values
        return y - height / 2, x - width / 2, y + height / 2, x + width / 2
    if len(values) >= 6 and len(values) % 2 == 0:
        outline = np.reshape(values, (-1, 2))
        (x_min, y_min), (x_max, y_max) = outline.min(axis=0), outline.max(axis=0)
        return y_min, x_min, y_max, x_max
    raise InputError(
        f"{len(values)} numbers after the class",
        where=where,
        expected="4 (cx cy width height) or at least 3 pairs (an outline)",
    )
