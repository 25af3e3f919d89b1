"""Pictures in, detections out, one after the other: what is in memory does not grow."""

import collections
import dataclasses
import functools
import itertools
import os

import numpy as np

from yolov2_tf.data.ahead import ahead
from yolov2_tf.data.images import load_image
from yolov2_tf.data.records import Record
from yolov2_tf.drawing.media import read_media
from yolov2_tf.drawing.media_finder import Source
from yolov2_tf.errors import InputError

READ_AHEAD = 8
"""How many pictures wait decoded while the network is at work."""

RECORDS_AHEAD = 16
"""The same for those of a data set, which all processors read: two batches."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was seen in a picture or frame, or why nothing can be.

    Attributes:
        source: Its `Source`, or the record of a data set.
        name: Its name in results: that of the source, of a frame `NAME#INDEX`; of a record its
            `image_id`.
        picture: `(H, W, 3)` uint8, or None.
        found: Dict of `boxes`, `labels` and `scores` as every detector gives it, or None.
        error: `InputError` if it cannot be read, or None.
    """

    source: Source | Record
    name: str
    picture: np.ndarray | None = None
    found: dict | None = None
    error: InputError | None = None


def look_at(detector, sources, *, singly=False, tell=None):
    """Detects in pictures and frames, in their order.

    Pictures are read ahead by threads. They and the frames of films go through the network in
    batches, those of cameras one by one.

    Args:
        detector: A detector.
        sources: Iterable of `Source`, which is read as it is needed.
        singly: Whether each picture is wanted as soon as it can be had.
        tell: Function that takes notes, as for `yolov2_tf.drawing.media.read_media`.

    Yields:
        `Seen`, one for each picture that can be read or not, and each frame.

    Raises:
        ServerError: If a server does not answer.
    """
    read = functools.partial(read_media, tell=tell)
    for kind, some in itertools.groupby(sources, key=lambda source: source.kind):
        if kind == "picture" and not singly:
            yield from _batched(detector, ahead(_read, some, threads=_threads(), limit=READ_AHEAD))
            continue
        for source in some:
            frames = _frames(source, source.name, read)
            if kind == "video" and not singly:
                yield from _batched(detector, frames)
                continue
            for seen in frames:
                yield seen if seen.error else _with(seen, detector.detect(seen.picture))


def look_at_records(detector, records):
    """Detects in the pictures of a data set, in their order and in batches.

    Args:
        detector: A detector.
        records: Iterable of `Record`, read no further ahead than needed.

    Yields:
        `Seen`, one for each record.

    Raises:
        ServerError: If a server does not answer.
    """
    threads = os.cpu_count() or 1
    read = ahead(_read_record, records, threads=threads, limit=RECORDS_AHEAD)
    yield from _batched(detector, read)


def _threads():
    return min(4, os.cpu_count() or 1)


def _read(source):
    (seen,) = _frames(source, source.name, read_media)
    return seen


def _read_record(record):
    def read(record):
        yield record.image_id, load_image(record.image)

    (seen,) = _frames(record, record.image_id, read)
    return seen


def _frames(source, name, read):
    """Yields `Seen` of each `(name, picture)` that `read` yields, without detections."""
    try:
        for frame, picture in read(source):
            yield Seen(source, frame, picture)
    except InputError as error:
        yield Seen(source, name, error=error)


def _batched(detector, frames):
    """Yields what the detector sees, which takes as many at once as it likes."""
    waiting = collections.deque()  # read, but not yet answered

    def pictures():
        for seen in frames:
            waiting.append(seen)
            if seen.error is None:
                yield seen.picture

    for found in detector.detect(pictures()):
        while waiting[0].error:
            yield waiting.popleft()
        yield _with(waiting.popleft(), found)
    yield from waiting


def _with(seen, found):
    return dataclasses.replace(seen, found=found)
