"""From annotations as a file states them to a checked data set: one policy for every format.

What cannot be understood (no number, unknown class, the same image twice) raises `InputError`
with file and line. What is merely untidy is mended, counted and told in `Dataset.notes`: boxes
that stick out of their picture are clipped, swapped corners are swapped back, boxes without an area
and exact duplicates are dropped.
"""

import collections
import dataclasses
import difflib
import math
import re
import reprlib
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_sets import choose_splits as choose_splits
from yolov2_tf.data.picture_finder import find_pictures as find_pictures
from yolov2_tf.data.records import RecordColumns
from yolov2_tf.errors import InputError

ROUNDING = 1e-4
"""Boxes may stick out this far, as a fraction of the picture, before a note says so."""

MIN_SIDE = 1e-6
"""A box narrower than this fraction of the picture has no area."""

TOLERATED = 20
"""So many boxes may lie outside their pictures; more, if most do, mean that they are misread."""

ONE_CLASS = "object"
"""The class of boxes that are all of one, where nothing names it."""

_ONLY = "yolov2 convert DATA OUT --only A,B makes a set with some of the classes alone"
"""What to try where a data set has more classes than are wanted."""


@dataclasses.dataclass(slots=True)
class Annotation:
    """One image as its annotation file describes it; nothing about its boxes is checked yet.

    Attributes:
        image: As `Record.image`.
        image_id: As `Record.image_id`.
        boxes: `n` rows `[y_min, x_min, y_max, x_max]`, fractions of the image.
        names: `n` class names.
        ignore: `n` truth values, as `Record.ignore`; a text says why, e.g. `"difficult"`.
        locate: Says where the i-th box stands, e.g. `"labels/a.txt:3"`; called only for messages.
        width: Width in pixels, 0 where unknown.
        height: Height in pixels, 0 where unknown.
        image_sets: As `Record.image_sets`.
    """

    image: str | bytes | Callable[[], bytes] | None
    image_id: str
    boxes: Sequence[Sequence[float]]
    names: Sequence[str]
    ignore: Sequence[bool | str]
    locate: Callable[[int], str]
    width: int = 0
    height: int = 0
    image_sets: tuple[str, ...] = ()
    orientation: ClassVar[int] = 1  # nobody has looked at the picture yet


def build_dataset(name, annotations, class_names, notes=(), counts=None):
    """Checks annotations and packs them into a data set.

    Args:
        name: Name of the data set.
        annotations: A sequence of `Annotation`.
        class_names: The names that labels shall index. Every name that occurs must be among them.
        notes: What the reader has to tell already.
        counts: What the reader left out already, as `Dataset.counts`.

    Returns:
        A `Dataset` with one record per annotation, in the same order.

    Raises:
        InputError: If there is no image, no class, a class twice, an image id twice, an unknown
            class, a coordinate that is not finite, or most boxes lie outside their pictures.
    """
    if not annotations:
        raise InputError("the data set has no images", where=name)
    class_names = tuple(class_names)
    _check_class_names(name, class_names)
    _check_image_ids(name, annotations)

    owner = np.repeat(np.arange(len(annotations)), [len(a.names) for a in annotations])
    labels = _labels(annotations, class_names)
    reasons = [flag for annotation in annotations for flag in annotation.ignore]
    ignore = np.fromiter(map(bool, reasons), bool, len(reasons))
    boxes, keep, mended = _check_boxes(name, annotations, owner, labels, ignore)

    counts = collections.Counter(counts or {})
    counts.update({f"boxes {what}": number for what, number, _ in mended})
    for i in np.flatnonzero(ignore & keep).tolist():
        reason = reasons[i]
        counts[f"boxes ignored ({reason})" if isinstance(reason, str) else "boxes ignored"] += 1
    owner, boxes, labels, ignore = owner[keep], boxes[keep], labels[keep], ignore[keep]
    ends = np.cumsum(np.bincount(owner, minlength=len(annotations)))
    records = RecordColumns.of(annotations, boxes, labels, ignore, ends)
    notes = (
        *notes,
        *_missing_pictures(annotations),
        *(f"boxes {what}: {number:,} ({places})" for what, number, places in mended),
        *_similar_class_names(class_names),
    )
    return Dataset(name, class_names, records, notes, dict(counts))


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
            hint=_ONLY,
        )
    labels = np.array([class_names.index(name) for name in dataset.class_names], np.int32)
    records = dataset.records.relabelled(labels[dataset.records.labels])
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
        hint=f"{similar[0]!r}, if that is meant" if similar else _ONLY,
    )


def _similar_class_names(class_names):
    """Notes of class names that differ by case, space, hyphen or underscore only."""
    alike = {}
    for name in class_names:
        alike.setdefault(re.sub(r"[\s_-]+", "", name.casefold()), []).append(name)
    alike = [" and ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    what = "classes that differ by case or space only, kept apart"
    return (f"{what}: {listing(alike)}",) if alike else ()


def _check_boxes(name, annotations, owner, labels, ignore):
    """Returns boxes (N, 4) float32, which to keep (N,), and what was mended, how often, where."""
    stated = np.concatenate(
        [np.asarray(annotation.boxes, np.float64).reshape(-1, 4) for annotation in annotations]
    )

    def where(box):
        first = np.searchsorted(owner, owner[box])
        return annotations[owner[box]].locate(int(box - first))

    broken = np.flatnonzero(~np.isfinite(stated).all(axis=1))
    if broken.size:
        raise InputError("a coordinate of the box is not a finite number", where=where(broken[0]))

    swapped = (stated[:, 2:] < stated[:, :2]).any(axis=1)
    stated = np.concatenate(
        [np.minimum(stated[:, :2], stated[:, 2:]), np.maximum(stated[:, :2], stated[:, 2:])], axis=1
    )
    boxes = np.clip(stated, 0, 1).astype(np.float32)
    empty = (boxes[:, 2:] - boxes[:, :2] < MIN_SIDE).any(axis=1)
    if (~empty).sum() < empty.sum() and (empty.sum() > TOLERATED or empty.all()):
        count = "none" if empty.all() else f"only {(~empty).sum():,}"
        raise InputError(
            f"{count} of the {len(boxes):,} boxes lies in its picture; the first that does not: "
            f"{where(np.flatnonzero(empty)[0])}",
            where=name,
            hint="check the order of the coordinates and whether they are pixels or fractions",
        )
    twice = _repeated(np.column_stack([owner, labels, stated]), ignore) & ~empty
    keep = ~(empty | twice)
    clipped = (np.abs(stated - boxes) > ROUNDING).any(axis=1) & keep
    kinds = (
        (swapped & keep, "with minimum and maximum swapped, swapped back"),
        (empty, "without any area in their picture dropped"),
        (twice, "that repeat another exactly dropped"),
        (clipped, "that stick out of their picture clipped"),
    )
    mended = [
        (what, len(found), listing([where(i) for i in found[:3]], len(found)))
        for mask, what in kinds
        if (found := np.flatnonzero(mask)).size
    ]
    return boxes, keep, mended


def _repeated(rows, ignore):
    """`(n,)` bool: which rows equal another: an earlier one, or one that counts where it does not.

    CVAT marks masks as crowds, and a box around one may be there, too.
    """
    order = np.lexsort([ignore, *rows.T])  # stable: of equal rows the first comes first
    equal = np.zeros(len(rows), bool)
    equal[order[1:]] = (rows[order[1:]] == rows[order[:-1]]).all(axis=1)
    return equal


def _missing_pictures(annotations):
    missing = [annotation.image_id for annotation in annotations if annotation.image is None]
    if len(missing) == len(annotations):
        return ("no pictures found: good for box shapes only",)
    if missing:
        return (f"pictures not found: {len(missing):,} ({listing(missing)})",)
    return ()
