"""What every reader yields: annotated images, a million of them in columns."""

import array
import copy
import dataclasses
import os
from collections.abc import Callable, Sequence

import numpy as np

from yolov2_tf.data.picture_column import PictureColumn
from yolov2_tf.data.text_column import TextColumn
from yolov2_tf.errors import InputError

MAX_SIDE = 1_000_000
"""No picture is larger, in pixels, whatever an annotation says."""


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One annotated image.

    Attributes:
        image: Where the encoded picture is: a path, its bytes, or a function that returns its
            bytes (for sources with random access such as TFDS). None where a data set has
            annotations only.
        image_id: A name that is unique in the data set, for reports and COCO results.
        boxes: `(n, 4)` float32, `[y_min, x_min, y_max, x_max]` as fractions of the image as
            people see it (EXIF orientation applied).
        labels: `(n,)` int32, indices into the data set's `class_names`.
        ignore: `(n,)` bool, boxes that neither train nor count in evaluation: VOC's `difficult`,
            COCO's `iscrowd`.
        width: Width in pixels as annotated, 0 where unknown.
        height: Height in pixels as annotated, 0 where unknown.
        orientation: The EXIF orientation, 1 to 8, that turns the stored picture into the one
            people see. Readers leave it at 1; `yolov2_tf.data.image_check.check_images` sets it.
        image_sets: Names of the image sets it belongs to, e.g. `("train",)`; `()` where there is
            none.
    """

    image: str | bytes | Callable[[], bytes] | None
    image_id: str
    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray
    width: int = 0
    height: int = 0
    orientation: int = 1
    image_sets: tuple[str, ...] = ()


class RecordColumns(Sequence):
    """A sequence of `Record`, kept as columns: a million in a few hundred megabytes.

    A `Record` of Python objects costs about a kilobyte before its first box. Here it costs its
    boxes, its names and some forty bytes; it becomes an object when it is asked for.

    Args:
        records: Any iterable of records; it is gone through once.

    Attributes:
        boxes: `(N, 4)` float32, the boxes of all records, one record's after another's.
        labels: `(N,)` int32, likewise.
        ignore: `(N,)` bool, likewise.
        ends: `(n,)` int64, where the boxes of each record end.
    """

    def __init__(self, records):
        boxes, labels, ignore, ends = bytearray(), bytearray(), bytearray(), array.array("q")

        def pictures():
            nonlocal boxes, labels, ignore
            count = 0
            for record in records:
                own_boxes = np.asarray(record.boxes, np.float32)
                own_labels = _whole(record)
                own_ignore = np.asarray(record.ignore, bool)
                fits = own_boxes.size == 4 * own_labels.size == 4 * own_ignore.size
                if not fits or (own_boxes.size and own_boxes.shape[-1] != 4):
                    shapes = f"{own_boxes.shape}, {own_labels.shape}, {own_ignore.shape}"
                    raise InputError(
                        f"shapes {shapes} of boxes, labels, ignore",
                        where=record.image_id,
                        expected="(n, 4), (n,), (n,)",
                    )
                boxes += own_boxes.tobytes()
                labels += own_labels.tobytes()
                ignore += own_ignore.tobytes()
                count += own_labels.size
                ends.append(count)
                yield record

        self._set_pictures(pictures())
        self._set_boxes(
            np.frombuffer(bytes(boxes), np.float32).reshape(-1, 4),
            np.frombuffer(bytes(labels), np.int32),
            np.frombuffer(bytes(ignore), bool),
            np.array(ends, np.int64),
        )

    @classmethod
    def of(cls, pictures, boxes, labels, ignore, ends):
        """Makes them of boxes that are columns already.

        Args:
            pictures: Iterable of what has all attributes of a `Record` but those of its boxes.
            boxes: `(N, 4)`, as the attribute.
            labels: `(N,)`, likewise.
            ignore: `(N,)`, likewise.
            ends: `(n,)`, likewise.
        """
        self = cls.__new__(cls)
        self._set_pictures(pictures)
        self._set_boxes(boxes, labels, ignore, ends)
        return self

    def _set_pictures(self, pictures):
        numbers, sets = array.array("i"), {}
        images, ids = PictureColumn(), TextColumn()
        for one in pictures:
            if not isinstance(one.image_id, str) or isinstance(one.image_sets, str):
                raise InputError(
                    f"image_id {one.image_id!r}, image_sets {one.image_sets!r}",
                    expected='a text, and a tuple of names, such as ("train",)',
                )
            image_set = sets.setdefault(tuple(one.image_sets), len(sets))
            if one.width > MAX_SIDE or one.height > MAX_SIDE:
                raise InputError(
                    f"a picture of {one.width} × {one.height} pixels", where=one.image_id
                )
            numbers.extend((one.width, one.height, one.orientation, image_set))
            images.append(_picture(one))
            ids.append(one.image_id)
        self._sets = list(sets)
        self._numbers = np.array(numbers, np.int32).reshape(-1, 4)
        self._images, self._ids = images.packed(), ids.packed()

    def _set_boxes(self, boxes, labels, ignore, ends):
        self.boxes, self.labels = np.asarray(boxes, np.float32), np.asarray(labels, np.int32)
        self.ignore, self.ends = np.asarray(ignore, bool), np.asarray(ends, np.int64)

    def __len__(self):
        return len(self.ends)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError("record index out of range")
        end = self.ends[index]
        start = self.ends[index - 1] if index else 0
        width, height, orientation, image_set = self._numbers[index].tolist()
        return Record(
            self._images[index],
            self._ids[index],
            self.boxes[start:end],
            self.labels[start:end],
            self.ignore[start:end],
            width,
            height,
            orientation,
            self._sets[image_set],
        )

    @property
    def sizes(self):
        """`(n, 2)` int32 `[width, height]` of the pictures in pixels, 0 where unknown."""
        return self._numbers[:, :2]

    @property
    def orientations(self):
        """`(n,)` int32, as `Record.orientation`."""
        return self._numbers[:, 2]

    @property
    def counts(self):
        """`(n,)` int64, how many boxes each record has."""
        return np.diff(self.ends, prepend=0)

    @property
    def images(self):
        """List of what `Record.image` is, of all records."""
        return self._images.all()

    def image(self, index):
        """What `Record.image` is, of one."""
        return self._images[index]

    @property
    def image_ids(self):
        """List of what `Record.image_id` is, of all records."""
        return self._ids.texts()

    def first_not_utf8(self):
        """The first name of a picture or an image set that UTF-8 cannot write, or None."""
        sets = TextColumn()
        for name in (name for names in self._sets for name in names):
            sets.append(name)
        columns = self._images, self._ids, sets.packed()
        return next(filter(None, (column.first_not_utf8() for column in columns)), None)

    @property
    def image_sets(self):
        """Dict from image sets, as `Record.image_sets`, to the indices `(k,)` of their records."""
        _, first, of = np.unique(self._numbers[:, 3], return_index=True, return_inverse=True)
        return {
            self._sets[self._numbers[first[i], 3]]: np.flatnonzero(of == i)
            for i in np.argsort(first).tolist()
        }

    def take(self, indices):
        """The records at some places, in that order, as `RecordColumns`."""
        indices = np.asarray(indices, np.int64)
        counts = self.counts[indices]
        ends = np.cumsum(counts)
        # Where the boxes of each begin here, and there.
        boxes = np.arange(counts.sum()) + np.repeat(self.ends[indices] - ends, counts)
        taken = copy.copy(self)
        taken._set_boxes(self.boxes[boxes], self.labels[boxes], self.ignore[boxes], ends)
        taken._numbers = self._numbers[indices]
        taken._images, taken._ids = self._images.take(indices), self._ids.take(indices)
        return taken

    def relabelled(self, labels):
        """The same records whose boxes have other labels `(N,)`."""
        same = copy.copy(self)
        same.labels = np.asarray(labels, np.int32)
        return same

    def as_seen(self, sizes, orientations, boxes):
        """The same records of pictures that were looked at.

        Args:
            sizes: `(n, 2)` `[width, height]` in pixels.
            orientations: `(n,)`, as `Record.orientation`.
            boxes: `(N, 4)`.
        """
        same = copy.copy(self)
        same._numbers = self._numbers.copy()
        same._numbers[:, :2], same._numbers[:, 2] = sizes, orientations
        same.boxes = np.asarray(boxes, np.float32)
        return same

    def with_images(self, images):
        """The same records, of which some have other images, upright ones.

        Args:
            images: Dict from index to a function, as `Record.image`.
        """
        if not images:
            return self
        same = copy.copy(self)
        same._numbers, same._images = self._numbers.copy(), self._images.changed(images)
        same._numbers[list(images), 2] = 1
        return same

    def __repr__(self):
        return f"RecordColumns of {len(self):,} records, {len(self.labels):,} boxes"


def images_of(records):
    """List of what `Record.image` is, of all records.

    Args:
        records: `RecordColumns`, or a sequence of `Record` or `LabelledImage`.
    """
    if isinstance(records, RecordColumns):
        return records.images
    return [record.image for record in records]


def _whole(record):
    """`Record.labels` as int32; a part of a number would be lost."""
    labels = np.asarray(record.labels)
    whole = labels.astype(np.int32)
    if labels.dtype.kind == "f" and not np.array_equal(whole, labels):
        raise InputError(f"labels {labels}", where=record.image_id, expected="whole numbers")
    return whole


def _picture(record):
    """`Record.image` as columns keep it."""
    image = record.image
    if isinstance(image, os.PathLike):
        return os.fspath(image)
    if image is None or isinstance(image, str | bytes) or callable(image):
        return image
    raise InputError(
        f"a {type(image).__name__} is no picture of a record",
        where=record.image_id,
        expected="a path, the bytes of a file, or a function that returns these",
    )
