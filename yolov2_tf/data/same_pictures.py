"""Finds pictures that are there twice, by their content."""

import hashlib
import os

from yolov2_tf.data.annotations import listing


def same_pictures(records):
    """Groups records whose pictures have the same content, to the byte.

    Only pictures of the same size in bytes are read. Pictures inside other files (TFDS, TFRecord)
    are not compared.

    Args:
        records: A sequence of `Record`.

    Returns:
        A list of lists of indices, each of two or more.
    """
    by_size = _group((i, _size(record.image)) for i, record in enumerate(records))
    return [
        group
        for same_size in by_size
        for group in _group((i, _digest(records[i].image)) for i in same_size)
    ]


def shared_note(training, validation):
    """Says which pictures are both in training and in validation.

    Args:
        training: `Dataset`.
        validation: `Dataset`.

    Returns:
        A tuple of no or one note.
    """
    records = [*training.records, *validation.records]
    first = len(training.records)
    shared = [
        i for group in same_pictures(records) if group[0] < first for i in group if i >= first
    ]
    if not shared:
        return ()
    names = listing([records[i].image_id for i in sorted(shared)[:3]], len(shared))
    what = "pictures both in training and in validation, which makes the score too good"
    return (f"{what}: {len(shared):,} ({names})",)


def _group(pairs):
    groups = {}
    for i, key in pairs:
        if key is not None:
            groups.setdefault(key, []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _size(image):
    if isinstance(image, bytes):
        return len(image)
    try:
        return None if image is None or callable(image) else os.path.getsize(image)
    except OSError:
        return None


def _digest(image):
    if isinstance(image, bytes):
        return hashlib.blake2b(image).digest()
    try:
        with open(image, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None
