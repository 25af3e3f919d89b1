"""Looks at every picture of a data set before anything relies on it.

A training would meet a broken picture after hours. So each is decoded once, in parallel; what was
found is remembered until the file changes, and the next start takes seconds.
"""

import dataclasses
import functools
from typing import Any

import numpy as np

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.dataset import check_records
from yolov2_tf.data.images import TRANSPOSED, ImageInfo, orient_boxes, to_png_bytes
from yolov2_tf.data.picture_infos import look_at
from yolov2_tf.data.records import RecordColumns, images_of
from yolov2_tf.errors import InputError

_TURNED = "pictures whose boxes were drawn as stored, turned upright with them (EXIF)"
_OTHER_SIZE = "pictures of another size than annotated"
_NEEDS_CONVERSION = [field.name for field in dataclasses.fields(ImageInfo)].index(
    "needs_conversion"
)


def check_images(dataset, progress=None, *, decode=True) -> tuple[Any, list[tuple[str, str]]]:
    """Decodes every picture once, exactly as training will, and leaves out what cannot be read.

    Records get their EXIF orientation. Where the annotated size is that of the stored picture and
    not of the upright one, the boxes were drawn on the stored picture: they are turned with it.
    Pictures that TensorFlow cannot read are converted whenever they are asked for. What is found
    in a file is remembered until the file changes, see `yolov2_tf.data.cache`.

    Args:
        dataset: A `Dataset` or a `ClassificationDataset`.
        progress: Shows how far it is: called as `progress(items, total)`, it returns `items` to
            iterate over, as `rich.progress.track` or `tqdm` do.
        decode: False reads the headers only, and trusts the pixels.

    Returns:
        The data set without unreadable pictures, with notes, and a list of `(image_id, reason)`
        of those left out.

    Raises:
        InputError: If not a single picture can be read, or this is no data set.
    """
    check_records(dataset)
    records = dataset.records
    seen = look_at(images_of(records), decode=decode, progress=progress)
    bad = [i for i, info in enumerate(seen) if isinstance(info, str)]
    faults = [(records[i].image_id, seen[i]) for i in bad]
    left_out = [f"{image_id}: {reason}" for image_id, reason in faults]
    if len(bad) == len(seen):
        absent = all(record.image is None for record in records)
        raise InputError(
            f"not one of {len(dataset):,} pictures can be read; the first: {listing(left_out, 1)}",
            where=dataset.name,
            hint="--images with the folder of the pictures" if absent else None,
        )
    if bad:
        kept = sorted({*range(len(seen))} - {*bad})
        seen = [seen[i] for i in kept]
        taken = isinstance(records, RecordColumns)
        records = records.take(kept) if taken else [records[i] for i in kept]
    converted = [i for i, info in enumerate(seen) if info[_NEEDS_CONVERSION]]
    told = [
        ("pictures that cannot be read, left out", left_out),
        (
            "pictures converted each time they are read; PNG or JPEG would be faster",
            [records[i].image_id for i in converted],
        ),
    ]
    if isinstance(records, RecordColumns):
        records, seen_upright = _seen_upright(records, seen)
        records = records.with_images({i: _to_png(records[i].image) for i in converted})
        told += seen_upright
    else:
        records = [_labelled(record, info) for record, info in zip(records, seen, strict=True)]
    notes = (*dataset.notes, *_notes(told))
    return dataclasses.replace(dataset, records=records, notes=notes), faults


def turn_upright(dataset, progress=None):
    """Turns boxes that were drawn on stored pictures, as `check_images`; reads headers only.

    For what needs box shapes and no pixels. Records without a readable picture stay as they are.

    Args:
        dataset: A `Dataset`.
        progress: As for `check_images`.

    Returns:
        The data set, with a note if boxes were turned or pictures are of another size.
    """
    images = dataset.records.images
    if all(image is None for image in images):
        return dataset
    seen = look_at(images, decode=False, progress=progress)
    records, told = _seen_upright(dataset.records, seen)
    return dataclasses.replace(dataset, records=records, notes=(*dataset.notes, *_notes(told)))


def _notes(told):
    """Notes of `(what, pictures)`, where there are some."""
    return [f"{what}: {len(some):,} ({listing(some)})" for what, some in told if some]


def _seen_upright(records, seen):
    """Gives records the sizes of the pictures as people see them, and turns boxes with these.

    Args:
        records: `RecordColumns`.
        seen: What `look_at` says of their pictures; those that it cannot read stay as they are.

    Returns:
        `RecordColumns`, and what is to tell of which, as for `_notes`: those that were turned, and
        those of another size than annotated.
    """
    readable = np.array([not isinstance(info, str) for info in seen], bool)
    infos = np.array([info[:3] for info in seen if not isinstance(info, str)], np.int64)
    sizes, orientations = records.sizes.astype(np.int64), records.orientations.copy()
    annotated = sizes.copy()
    sizes[readable] = infos.reshape(-1, 3)[:, :2]
    orientations[readable] = infos.reshape(-1, 3)[:, 2]
    transposed = np.isin(orientations, TRANSPOSED) & readable
    stored = np.where(transposed[:, None], sizes[:, ::-1], sizes)
    turned = (annotated == stored).all(axis=1) & (stored != sizes).any(axis=1)
    # A picture that EXIF turns may be annotated as stored. Of some nothing was said.
    same = ((annotated == sizes) | (annotated == 0)).all(axis=1) | (annotated == stored).all(axis=1)
    boxes = records.boxes
    if turned.any():
        boxes = boxes.copy()
    for i in np.flatnonzero(turned).tolist():
        own = slice(records.ends[i] - records.counts[i], records.ends[i])
        boxes[own] = orient_boxes(boxes[own], int(orientations[i]))
    turned = [records[i].image_id for i in np.flatnonzero(turned).tolist()]
    other_size = [
        "{}: {}×{} instead of {}×{}".format(records[i].image_id, *sizes[i], *annotated[i])
        for i in np.flatnonzero(~same).tolist()
    ]
    told = [(_TURNED, turned), (_OTHER_SIZE, other_size)]
    return records.as_seen(sizes, orientations, boxes), told


def _labelled(record, info):
    """A `LabelledImage` as training needs it."""
    if info[_NEEDS_CONVERSION]:
        return dataclasses.replace(record, image=_to_png(record.image), orientation=1)
    return dataclasses.replace(record, orientation=info[2])


def _to_png(image):
    return functools.partial(to_png_bytes, image)
