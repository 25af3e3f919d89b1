"""From annotations as a file states them to a checked data set: one policy for every format.

What cannot be understood (no number, unknown class, the same image twice) raises `InputError`
with file and line. What is merely untidy is mended, counted and told in `Dataset.notes`: boxes
that stick out of their picture are clipped, boxes that are swapped or have no area are dropped.
"""

import collections
import dataclasses
import difflib
import math
import os
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from yolov2_tf.data.records import Dataset, Record
from yolov2_tf.errors import InputError

ROUNDING = 1e-4
"""Boxes may stick out this far, as a fraction of the picture, before a note says so."""

MIN_SIDE = 1e-6
"""A box narrower than this fraction of the picture has no area."""


@dataclasses.dataclass(slots=True)
class Annotation:
    """One image as its annotation file describes it; nothing about its boxes is checked yet.

    Attributes:
        image: As `Record.image`.
        image_id: As `Record.image_id`.
        boxes: `n` rows `[y_min, x_min, y_max, x_max]`, fractions of the image.
        names: `n` class names.
        ignore: `n` truth values, as `Record.ignore`.
        locate: Says where the i-th box stands, e.g. `"labels/a.txt:3"`; called only for messages.
        width: Width in pixels, 0 where unknown.
        height: Height in pixels, 0 where unknown.
    """

    image: str | bytes | Callable[[], bytes] | None
    image_id: str
    boxes: Sequence[Sequence[float]]
    names: Sequence[str]
    ignore: Sequence[bool]
    locate: Callable[[int], str]
    width: int = 0
    height: int = 0


def build_dataset(name, annotations, class_names, notes=()):
    """Checks annotations and packs them into a data set.

    Args:
        name: Name of the data set.
        annotations: A sequence of `Annotation`.
        class_names: The names that labels shall index. Every name that occurs must be among them.
        notes: What the reader has to tell already.

    Returns:
        A `Dataset` with one record per annotation, in the same order.

    Raises:
        InputError: If there is no image, no class, a class twice, an image id twice, an unknown
            class, a coordinate that is not finite, or not a single box lies in its picture.
    """
    if not annotations:
        raise InputError("the data set has no images", where=name)
    class_names = tuple(class_names)
    _check_class_names(name, class_names)
    _check_image_ids(name, annotations)

    counts = np.array([len(annotation.names) for annotation in annotations])
    labels = _labels(annotations, class_names)
    ignore = np.array([flag for annotation in annotations for flag in annotation.ignore], bool)
    boxes, keep, mended = _check_boxes(name, annotations, counts)

    owner = np.repeat(np.arange(len(annotations)), counts)[keep]
    ends = np.cumsum(np.bincount(owner, minlength=len(annotations)))
    boxes, labels, ignore = boxes[keep], labels[keep], ignore[keep]
    records = [
        Record(
            annotation.image,
            annotation.image_id,
            boxes[start:end],
            labels[start:end],
            ignore[start:end],
            annotation.width,
            annotation.height,
        )
        for annotation, start, end in zip(
            annotations, [0, *ends[:-1].tolist()], ends.tolist(), strict=True
        )
    ]
    return Dataset(name, class_names, records, (*notes, *_missing_pictures(annotations), *mended))


def rename_classes(dataset, class_names):
    """Maps the labels of a data set onto other class names.

    Args:
        dataset: A `Dataset`.
        class_names: The names that the labels shall index, or None to leave all as it is.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If a class of the data set is not among `class_names`.
    """
    if class_names is None:
        return dataset
    class_names = tuple(class_names)
    _check_class_names(dataset.name, class_names)
    unknown = [name for name in dataset.class_names if name not in class_names]
    if unknown:
        raise InputError(
            f"unknown class {unknown[0]!r}",
            where=dataset.name,
            expected=listing(class_names, shown=100),
        )
    labels = np.array([class_names.index(name) for name in dataset.class_names], np.int32)
    records = [dataclasses.replace(r, labels=labels[r.labels]) for r in dataset.records]
    return dataclasses.replace(dataset, class_names=class_names, records=records)


def finite(value):
    """Reads a number from text or JSON.

    Args:
        value: Anything; text may have blanks around it.

    Returns:
        A finite float.

    Raises:
        ValueError: If it is not a number, or infinite, or NaN.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{reprlib.repr(value)} is not a finite number")
    return number


def read_text(path):
    """Reads a text file of annotations.

    Args:
        path: The file, UTF-8 with or without a byte order mark.

    Returns:
        Its text.

    Raises:
        InputError: If it cannot be opened or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8 text", where=f"{path}:{line}") from None
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=path) from None


def listing(items, total=None, shown=3):
    """Names the first few of many for a message: `"a, b, c and 9 more"`.

    Args:
        items: At least the first `shown` items.
        total: How many there are. Default: `len(items)`.
        shown: How many to name.
    """
    total = len(items) if total is None else total
    text = ", ".join(map(str, items[:shown]))
    return text if total <= shown else f"{text} and {total - shown:,} more"


def choose_splits(name, available, wanted):
    """Picks image sets: the one asked for, else the only one, else all.

    Args:
        name: What has these image sets, for the message.
        available: Names of the image sets.
        wanted: One of them, or None.

    Returns:
        A tuple of names and a tuple of notes.

    Raises:
        InputError: If the one asked for is not there.
    """
    available = tuple(available)
    if wanted is None:
        several = len(available) > 1
        note = f"image sets {', '.join(available)} found: all are used (the split picks one)"
        return available, (note,) if several else ()
    if wanted not in available:
        has = ", ".join(available) or "a data set without image sets"
        raise InputError(f"no image set {wanted!r}", where=name, expected=has)
    return (wanted,), ()


def find_pictures(names, folders):
    """Finds the folder that holds the pictures.

    Args:
        names: File names as the annotations state them.
        folders: Candidate folders, likeliest first.

    Returns:
        A dict from name to path, without those that were not found. The folder is the first that
        holds any of them.
    """
    for folder in folders:
        found = {name: path for name in names if os.path.isfile(path := os.path.join(folder, name))}
        if found:
            return found
    return {}


def _check_class_names(name, class_names):
    if not class_names:
        raise InputError("no classes: there is no box, and no class names are given", where=name)
    twice = [c for c, times in collections.Counter(class_names).items() if times > 1]
    if twice:
        raise InputError(f"class names occur twice: {listing(twice)}", where=name)


def _check_image_ids(name, annotations):
    seen = set()
    for annotation in annotations:
        if annotation.image_id in seen:
            raise InputError(f"image {annotation.image_id!r} occurs twice", where=name)
        seen.add(annotation.image_id)


def _labels(annotations, class_names):
    index = {name: label for label, name in enumerate(class_names)}
    try:
        labels = [index[name] for annotation in annotations for name in annotation.names]
    except KeyError:
        raise _unknown_class(annotations, index) from None
    return np.array(labels, np.int32)


def _unknown_class(annotations, index):
    annotation, i = next(
        (annotation, i)
        for annotation in annotations
        for i, name in enumerate(annotation.names)
        if name not in index
    )
    name = annotation.names[i]
    similar = difflib.get_close_matches(name, index, n=1)
    return InputError(
        f"unknown class {reprlib.repr(name)}",
        where=annotation.locate(i),
        expected=listing(list(index), shown=100),
        hint=f"{similar[0]!r}, if that is meant" if similar else None,
    )


def _check_boxes(name, annotations, counts):
    """Returns clipped boxes (N, 4) float32, which of them to keep (N,), and notes."""
    stated = np.array(
        [box for annotation in annotations for box in annotation.boxes], np.float64
    ).reshape(-1, 4)
    starts = np.cumsum(counts) - counts

    def where(box):
        image = np.searchsorted(starts, box, side="right") - 1
        return annotations[image].locate(int(box - starts[image]))

    broken = np.flatnonzero(~np.isfinite(stated).all(axis=1))
    if broken.size:
        raise InputError("a coordinate of the box is not a finite number", where=where(broken[0]))

    boxes = np.clip(stated, 0, 1).astype(np.float32)
    swapped = (stated[:, 2:] < stated[:, :2]).any(axis=1)
    empty = (boxes[:, 2:] - boxes[:, :2] < MIN_SIDE).any(axis=1) & ~swapped
    keep = ~(swapped | empty)
    clipped = (np.abs(stated - boxes) > ROUNDING).any(axis=1) & keep
    if stated.size and not keep.any():
        raise InputError(
            f"none of the {len(boxes):,} boxes lies in its picture; the first: {where(0)}",
            where=name,
            hint="check the order of the coordinates and whether they are pixels or fractions",
        )
    kinds = (
        (swapped, "with minimum and maximum swapped dropped"),
        (empty, "without any area in their picture dropped"),
        (clipped, "that stick out of their picture clipped"),
    )
    notes = [
        f"boxes {what}: {len(found):,} ({listing([where(i) for i in found[:3]], len(found))})"
        for mask, what in kinds
        if (found := np.flatnonzero(mask)).size
    ]
    return boxes, keep, notes


def _missing_pictures(annotations):
    missing = [annotation.image_id for annotation in annotations if annotation.image is None]
    if len(missing) == len(annotations):
        return ("no pictures found: good for box shapes only",)
    if missing:
        return (f"pictures not found: {len(missing):,} ({listing(missing)})",)
    return ()
