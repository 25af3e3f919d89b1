"""A data set with some of its classes alone."""

import dataclasses
import difflib

import numpy as np

from yolov2_tf.data.annotations import listing
from yolov2_tf.errors import InputError


def only_classes(dataset, names):
    """Leaves the boxes of all other classes out; their pictures stay, as background.

    Args:
        dataset: `Dataset`.
        names: Of the classes to keep, in the order that they are to have.

    Returns:
        `(dataset, note)`; the note tells how many boxes were left out.

    Raises:
        InputError: If the data set has no such class, or a name is there twice.
    """
    names, known = tuple(names), dataset.class_names
    if unknown := [name for name in names if name not in known]:
        similar = difflib.get_close_matches(unknown[0], known, n=1)
        raise InputError(
            f"no class {unknown[0]!r}",
            where=dataset.name,
            expected=listing(known, shown=100),
            hint=f"{similar[0]!r}, if that is meant" if similar else None,
        )
    if len(set(names)) < len(names):
        raise InputError(f"a class twice in {', '.join(names)}", where=dataset.name)
    label_of = np.array([names.index(n) if n in names else -1 for n in known], np.int32)
    records = [_kept(record, label_of[record.labels]) for record in dataset.records]
    left_out = len(dataset.records.labels) - sum(len(record.labels) for record in records)
    note = f"boxes of other classes, left out: {left_out:,}"
    return dataclasses.replace(dataset, class_names=names, records=records), note


def _kept(record, labels):
    keep = labels >= 0
    return dataclasses.replace(
        record, boxes=record.boxes[keep], labels=labels[keep], ignore=record.ignore[keep]
    )
