"""Looks at every picture of a data set before anything relies on it.

A training would meet a broken picture after hours. So each is decoded once, in parallel; what was
found is remembered until the file changes, and the next start takes seconds.
"""

import dataclasses
import functools
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.images import (
    TRANSPOSED,
    ImageInfo,
    decode_image,
    inspect_image,
    load_image,
    orient_boxes,
    read_bytes,
    to_png_bytes,
)
from yolov2_tf.data.picture_formats import decoders
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError

_TURNED = "pictures whose boxes were drawn as stored, turned upright with them (EXIF)"
_CHUNK = 64  # pictures a thread looks at, at a time


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
        InputError: If not a single picture can be read.
    """
    seen = _look_at(dataset.records, progress, decode)
    faults = [
        (record.image_id, info)
        for record, info in zip(dataset.records, seen, strict=True)
        if isinstance(info, str)
    ]
    left_out = [f"{image_id}: {reason}" for image_id, reason in faults]
    if len(faults) == len(seen):
        raise InputError(
            f"not one of {len(dataset):,} pictures can be read; the first: {listing(left_out, 1)}",
            where=dataset.name,
        )
    found: dict[str, list[str]] = {"converted": [], "turned": [], "other size": []}

    def records():
        for record, info in zip(dataset.records, seen, strict=True):
            if not isinstance(info, str):
                if info.needs_conversion:
                    found["converted"].append(record.image_id)
                if not _same_size(record, info):
                    found["other size"].append(record.image_id)
                yield _as_training_needs_it(record, info, found["turned"])

    dataset = dataclasses.replace(dataset, records=list(records()))
    notes = [
        f"{what}: {len(ids):,} ({listing(ids)})"
        for what, ids in (
            ("pictures that cannot be read, left out", left_out),
            (
                "pictures converted each time they are read; PNG or JPEG would be faster",
                found["converted"],
            ),
            (_TURNED, found["turned"]),
            ("pictures of another size than annotated", found["other size"]),
        )
        if ids
    ]
    return dataclasses.replace(dataset, notes=(*dataset.notes, *notes)), faults


def turn_upright(dataset, progress=None):
    """Turns boxes that were drawn on stored pictures, as `check_images`; reads headers only.

    For what needs box shapes and no pixels. Records without a readable picture stay as they are.

    Args:
        dataset: A `Dataset`.
        progress: As for `check_images`.

    Returns:
        The data set, with a note if boxes were turned.
    """
    if all(record.image is None for record in dataset.records):
        return dataset
    seen = _look_at(dataset.records, progress, decode=False)
    turned = []
    records = [
        record if isinstance(info, str) else _seen_upright(record, info, turned)
        for record, info in zip(dataset.records, seen, strict=True)
    ]
    notes = (f"{_TURNED}: {len(turned):,} ({listing(turned)})",) if turned else ()
    return dataclasses.replace(dataset, records=records, notes=(*dataset.notes, *notes))


def _look_at(records, progress, decode):
    """Returns `ImageInfo` of every picture, or the reason why it cannot be read."""
    kind = f"{'pixels' if decode else 'header'}/1 {decoders()}"
    paths = (record.image for record in records)
    stamps = {path: stamp(path) for path in map(_absolute, paths) if path is not None}
    known = recall(kind, stamps)

    def look(start):
        images = [records[i].image for i in range(start, min(start + _CHUNK, len(records)))]
        return [known.get(_absolute(image)) or _look(image, decode) for image in images]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = pool.map(look, range(0, len(records), _CHUNK))
        found = itertools.chain.from_iterable(chunks)
        found = list(progress(found, len(records)) if progress else found)
    fresh = {
        path: value
        for record, value in zip(records, found, strict=True)
        if (path := _absolute(record.image)) is not None and path not in known
    }
    remember(kind, stamps, fresh)
    return [value if isinstance(value, str) else ImageInfo(*value) for value in found]


def _absolute(image):
    return os.path.abspath(image) if isinstance(image, str) else None


def _look(image, decode):
    """Returns the fields of `ImageInfo`, or the reason why the picture cannot be read."""
    if image is None:
        return "picture not found"
    try:
        if not decode:
            return dataclasses.astuple(inspect_image(image))
        source = read_bytes(image)
        info = inspect_image(source)
        if info.needs_conversion:
            load_image(source)
        else:
            _decode_as_training_does(source)
    except InputError as error:
        return error.what
    return dataclasses.astuple(info)


def _as_training_needs_it(record, info, turned):
    image, orientation = record.image, info.orientation
    if isinstance(record, Record):
        record = _seen_upright(record, info, turned)
    if info.needs_conversion:
        image, orientation = functools.partial(to_png_bytes, image), 1
    return dataclasses.replace(record, image=image, orientation=orientation)


def _seen_upright(record, info, turned):
    """The record with boxes and size of the picture as people see it."""
    boxes, upright = record.boxes, (info.width, info.height)
    orientation = info.orientation
    stored = upright[::-1] if orientation in TRANSPOSED else upright
    if (record.width, record.height) == stored != upright:
        boxes = orient_boxes(boxes, orientation)
        turned.append(record.image_id)
    return dataclasses.replace(
        record, boxes=boxes, width=info.width, height=info.height, orientation=orientation
    )


def _same_size(annotated, actual):
    if not getattr(annotated, "width", 0):
        return True  # nothing was said about it
    # As sets: a turned picture is no other size.
    return {annotated.width, annotated.height} == {actual.width, actual.height}


def _decode_as_training_does(encoded):
    import tensorflow as tf

    try:
        with tf.device("CPU"):
            _graph_decoder()(encoded)
    except tf.errors.InvalidArgumentError as error:
        raise InputError("damaged or truncated") from error


@functools.cache
def _graph_decoder():
    """The decoder as a graph: op by op, Python would be what takes the time, and one at a time."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def decode(encoded):
        return tf.shape(decode_image(encoded))

    return decode
