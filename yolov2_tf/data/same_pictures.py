"""Finds pictures that are there twice, by their content."""

import hashlib
import itertools
import os

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.records import images_of

_CACHE_KIND = "blake2b/1"


def same_pictures(records):
    """Groups records whose pictures have the same content, to the byte.

    Only pictures of the same size in bytes are read. Pictures inside other files (TFDS, TFRecord)
    are not compared.

    Args:
        records: A sequence of `Record`.

    Returns:
        A list of lists of indices, each of two or more.
    """
    return _same(images_of(records))


def _same(images):
    stamps = {path: stamp(path) for path in images if isinstance(path, str)}
    by_size = _group((i, _size(image, stamps)) for i, image in enumerate(images))
    paths = {images[i] for i in itertools.chain(*by_size) if isinstance(images[i], str)}
    asked = {path: stamps[path] for path in paths if os.path.isabs(path)}
    known = recall(_CACHE_KIND, asked)
    fresh = {path: _digest(path) for path in paths if path not in known}
    remember(_CACHE_KIND, asked, {p: digest for p, digest in fresh.items() if digest})
    digests = {**known, **fresh}
    return [
        group
        for same_size in by_size
        for group in _group((i, digests.get(images[i]) or _digest(images[i])) for i in same_size)
    ]


def shared_note(training, validation):
    """Says which pictures are both in training and in validation.

    Args:
        training: `Dataset`.
        validation: `Dataset`.

    Returns:
        A tuple of no or one note.
    """
    images = [*images_of(training.records), *images_of(validation.records)]
    first = len(training.records)
    shared = [i - first for group in _same(images) if group[0] < first for i in group if i >= first]
    if not shared:
        return ()
    records = validation.records
    names = listing([records[i].image_id for i in sorted(shared)[:3]], len(shared))
    what = "pictures both in training and in validation, which makes the score too good"
    return (f"{what}: {len(shared):,} ({names})",)


def _group(pairs):
    groups = {}
    for i, key in pairs:
        if key is not None:
            groups.setdefault(key, []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _size(image, stamps):
    if isinstance(image, bytes):
        return len(image)
    seen = stamps.get(image) if isinstance(image, str) else None
    return None if seen is None else seen[0]


def _digest(image):
    if isinstance(image, bytes):
        return hashlib.blake2b(image).hexdigest()
    try:
        with open(image, "rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError:
        return None
