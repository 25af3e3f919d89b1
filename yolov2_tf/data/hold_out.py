"""Parts a data set in two, so that both have their share of every class."""

import dataclasses
import os
import re

import numpy as np

from yolov2_tf.data.image_sets import HELD_OUT
from yolov2_tf.data.same_pictures import same_pictures
from yolov2_tf.errors import InputError

# Roboflow names the copies of one photo `photo_jpg.rf.0123abc.jpg`.
_COPY = re.compile(r"(.+)\.rf\.[0-9a-zA-Z]+\.\w+$")

_PART = ", held out"
"""What the name of the part ends with."""


def hold_out(dataset, fraction=HELD_OUT, seed=0, groups=None):
    """Holds a part of a data set out for validation, stratified by class.

    Pictures are given class by class, the rarest first, to the part that lacks most of the class:
    iterative stratification (Sechidis et al., "On the stratification of multi-label data", 2011).
    Copies of a picture, equal to the byte or of one photo by Roboflow's file names, stay together.

    Args:
        dataset: A `Dataset`.
        fraction: Share of the pictures to hold out, between 0 and 1.
        seed: Seed of the order in which pictures are given.
        groups: What `groups_of_copies` says, if that is known.

    Returns:
        Two data sets, the larger rest and the part that was held out. Every picture is in one.

    Raises:
        InputError: If `fraction` is not between 0 and 1, or there is only one picture.
    """
    if not 0 < fraction < 1:
        raise InputError(f"a part of {fraction:g} to hold out", expected="between 0 and 1")
    if groups is None:
        groups = groups_of_copies(dataset.records)
    if len(groups) < 2:
        raise InputError(
            "only one picture: none can be held out for validation",
            where=dataset.name,
            hint="another data set to score on",
        )
    held = _stratified(groups, dataset, fraction, np.random.default_rng(seed))
    return _parted(dataset, groups, held)


def hold_out_again(dataset, image_ids, groups=None):
    """Holds out the pictures that were held out before, of a data set that may have grown.

    What is new is left to train on: were all dealt anew, pictures that trained would score.

    Args:
        dataset: A `Dataset`.
        image_ids: `image_id` of those pictures, of which some may be gone.
        groups: As of `hold_out`.

    Returns:
        Two data sets as those of `hold_out`.

    Raises:
        InputError: If not one of them is there.
    """
    if groups is None:
        groups = groups_of_copies(dataset.records)
    wanted, names = frozenset(image_ids), dataset.records.image_ids
    held = [any(names[i] in wanted for i in group) for group in groups]
    if not any(held):
        raise InputError(
            f"not one of the {len(wanted):,} pictures that were held out is there",
            where=dataset.name,
            expected=f"such as {min(wanted)}",
            hint="another data set to score on",
        )
    return _parted(dataset, groups, held)


def was_held_out(dataset):
    """Whether a data set is a part that was held out."""
    return dataset is not None and dataset.name.endswith(_PART)


def _parted(dataset, groups, held):
    """The rest and what is held out, by whether each group is."""
    parts = []
    for wanted, suffix in ((False, ""), (True, _PART)):
        indices = sorted(
            i for group, out in zip(groups, held, strict=True) if out == wanted for i in group
        )
        records = dataset.records.take(indices)
        parts.append(dataclasses.replace(dataset, name=dataset.name + suffix, records=records))
    return tuple(parts)


def groups_of_copies(records):
    """Lists of indices of records that must stay together: copies of one picture.

    Args:
        records: `RecordColumns`.

    Returns:
        A list of lists; every index is in one, most lists have one.
    """
    root = list(range(len(records)))

    def find(i):
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    copies = {}
    for i, (image, image_id) in enumerate(zip(records.images, records.image_ids, strict=True)):
        name = image if isinstance(image, str) else image_id
        if ".rf." in name and (copy := _COPY.match(os.path.basename(name))):
            copies.setdefault(copy[1], []).append(i)
    for group in (*copies.values(), *same_pictures(records)):
        for i in group[1:]:
            root[find(i)] = find(group[0])
    groups = {}
    for i in range(len(records)):
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())


def _stratified(groups, dataset, fraction, random):
    """Returns for every group whether it is held out."""
    order = random.permutation(len(groups))
    background = len(dataset.class_names)  # a class of its own
    labels = np.split(dataset.records.labels, dataset.records.ends[:-1])
    labels = [set(found.tolist()) for found in labels]
    classes = [sorted(set().union(*(labels[i] for i in group))) or [background] for group in groups]
    holders = [[] for _ in range(background + 1)]
    for i in order:
        for label in classes[i]:
            holders[label].append(i)
    shares = np.array([1 - fraction, fraction])
    lacking = np.array([[len(found)] for found in holders]) * shares
    lacking_pictures = sum(map(len, groups)) * shares
    held = [None] * len(groups)
    for label in sorted(range(background + 1), key=lambda label: len(holders[label])):
        for i in holders[label]:
            if held[i] is None:
                # Of two parts that lack as much of the class, the one that lacks more pictures.
                part = int(lacking[label, 1] > lacking[label, 0] + 1e-9)
                if abs(lacking[label, 1] - lacking[label, 0]) <= 1e-9:
                    part = int(lacking_pictures[1] > lacking_pictures[0])
                held[i] = bool(part)
                lacking[classes[i], part] -= 1
                lacking_pictures[part] -= len(groups[i])
    if len(set(held)) == 1:  # very few pictures
        held[order[0]] = not held[order[0]]
    return held
