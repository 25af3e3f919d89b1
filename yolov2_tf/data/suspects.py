"""Labels that look wrong by themselves, before any network has seen them."""

from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou
from yolov2_tf.data.hold_out import groups_of_copies

LEAST_PIXELS = 3
"""A box with a side of fewer pixels of its picture is suspicious."""

LEAST_FRACTION = 0.003
"""The same where the size of the picture is not known, as a fraction of it."""

WHOLE = 0.98
"""A box whose sides both reach this share of the picture's is suspicious."""

SAME = 0.85
"""Two boxes of one class that overlap more than this are probably one object."""

LONGEST = 12
"""A box this many times longer than wide (or wider than long) is suspicious."""

KINDS = {
    "twice": "two boxes of one class on nearly the same place",
    "two classes": "two classes on nearly the same place",
    "tiny": f"a side of less than {LEAST_PIXELS} pixels",
    "whole": "covers the whole picture",
    "thin": f"more than {LONGEST} times longer than wide",
}
"""What each kind of suspicion is called, and what it means."""


class Suspect(NamedTuple):
    """A label to look at.

    Attributes:
        kind: One of `KINDS`.
        record: Index of its record.
        boxes: Indices of the one or two boxes of the record that are meant.
    """

    kind: str
    record: int
    boxes: tuple[int, ...]


def find_suspects(dataset):
    """Lists labels that look wrong.

    Boxes that are ignored anyway (difficult, crowd) are not looked at.

    Args:
        dataset: `Dataset`.

    Returns:
        A list of `Suspect`, by kind and then in the order of the data set.
    """
    found = [
        suspect
        for i, record in enumerate(dataset.records)
        for suspect in (*_alone(i, record), *_pairs(i, record))
    ]
    order = list(KINDS)
    return sorted(found, key=lambda suspect: order.index(suspect.kind))


def _alone(i, record):
    sides = record.boxes[:, 2:].astype(np.float64) - record.boxes[:, :2]
    known = record.width and record.height
    pixels = sides * (record.height, record.width) if known else sides
    least = LEAST_PIXELS if known else LEAST_FRACTION
    long, short = pixels.max(axis=1, initial=0), pixels.min(axis=1, initial=np.inf)
    tiny = short < least
    tests = {
        "tiny": tiny,
        "whole": (sides >= WHOLE).all(axis=1),
        "thin": (long > LONGEST * short) & ~tiny,
    }
    for kind, which in tests.items():
        for box in np.flatnonzero(which & ~record.ignore).tolist():
            yield Suspect(kind, i, (box,))


def _pairs(i, record):
    count = np.flatnonzero(~record.ignore)
    boxes = record.boxes[count].astype(np.float64)
    overlap = iou(boxes[:, None], boxes[None]) if len(count) < 2000 else np.zeros((0, 0))
    for a, b in np.argwhere(np.triu(overlap, 1) > SAME).tolist():
        pair = int(count[a]), int(count[b])
        same = record.labels[pair[0]] == record.labels[pair[1]]
        yield Suspect("twice" if same else "two classes", i, pair)


def copies_of_pictures(dataset):
    """Groups of records that show one picture, see `yolov2_tf.data.hold_out.groups_of_copies`.

    Args:
        dataset: `Dataset`.

    Returns:
        `(groups, across)`: lists of two or more indices, and those of the groups of which no
        image set holds all: training and testing would see the same picture.
    """
    groups = [group for group in groups_of_copies(dataset.records) if len(group) > 1]
    across = []
    for group in groups:
        sets = [set(dataset.records[i].image_sets) for i in group]
        if any(sets) and not set.intersection(*sets):
            across.append(group)
    return groups, across


def shared_by_sets(dataset):
    """Pictures that are in two image sets, neither of which holds all of the other.

    A set that is the union of others, as VOC's `trainval`, is meant to share.

    Args:
        dataset: `Dataset`.

    Returns:
        Dict from `(set, other)` to the indices of the records that both hold.
    """
    members = {}
    for i, record in enumerate(dataset.records):
        for name in record.image_sets:
            members.setdefault(name, set()).add(i)
    names = list(members)
    pairs = {(a, b): members[a] & members[b] for k, a in enumerate(names) for b in names[k + 1 :]}
    return {
        (a, b): sorted(both)
        for (a, b), both in pairs.items()
        if both and both not in (members[a], members[b])
    }
