"""A data set: annotated images with the names of their classes."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from yolov2_tf.boxes import can_be_fractions
from yolov2_tf.data.names import listed_names
from yolov2_tf.data.records import Record, RecordColumns
from yolov2_tf.errors import InputError
from yolov2_tf.html_table import html_table


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Annotated images with the names of their classes.

    Attributes:
        name: What it is, for messages and tables, e.g. `"VOC2007 test"`.
        class_names: The names that the labels index.
        records: The annotated images, in a fixed order. Whatever sequence is given, they are kept
            as `RecordColumns`, which holds a million of them.
        notes: What the reader had to skip or mend, one line each, for the user to see.
        counts: The same as numbers, for programs: what was skipped, mended or ignored, e.g.
            `{"duplicate boxes dropped": 3, "boxes ignored (difficult)": 260}`.

    Raises:
        InputError: If records are given whose boxes, labels and `ignore` do not belong together,
            with a label that is none of the classes, or with boxes that are no fractions or have
            their corners swapped.
    """

    name: str
    class_names: tuple[str, ...]
    records: Sequence[Record]
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "class_names", listed_names(self.class_names, self.name))
        if not isinstance(self.records, RecordColumns):  # readers make them, of what they checked
            object.__setattr__(self, "records", RecordColumns(self.records))
            _check_boxes(self)

    def __len__(self):
        return len(self.records)

    @property
    def num_boxes(self):
        """Number of boxes that train and count (`ignore` ones left out)."""
        return int((~self.records.ignore).sum())

    def _repr_html_(self):
        """Boxes that count and pictures of each class for notebooks; notes below."""
        records, classes = self.records, len(self.class_names)
        picture = np.arange(len(records)).repeat(records.counts)
        picture, label = picture[~records.ignore], records.labels[~records.ignore]
        boxes = np.bincount(label, minlength=classes)
        pictures = np.bincount(np.unique(picture * classes + label) % classes, minlength=classes)
        rows = [
            [name, f"{count:,}", f"{seen:,}"]
            for name, count, seen in zip(self.class_names, boxes, pictures, strict=True)
        ]
        footer = ["all", f"{self.num_boxes:,}", f"{len(self):,}"]
        note = "; ".join(self.notes)
        return html_table(self.name, ["Class", "Boxes", "Pictures"], rows, footer, note)


def check_records(dataset):
    """Refuses what is no data set, or one without pictures.

    Args:
        dataset: What is to be a `Dataset` or a `ClassificationDataset`.

    Raises:
        InputError: If it is not.
    """
    if not hasattr(dataset, "records"):
        raise InputError(
            f"a {type(dataset).__name__} is no data set",
            expected="a Dataset, as yolov2_tf.open_dataset gives",
            hint="data, skipped = check_images(…)" if isinstance(dataset, tuple) else None,
        )
    if not len(dataset.records):
        raise InputError("there are no pictures", where=dataset.name, expected="at least one")


def box_shapes(dataset, *, ignored=False):
    """Shapes of the boxes of a data set, as clustering takes them.

    Args:
        dataset: `Dataset`.
        ignored: Whether boxes that do not train (difficult, crowd) are among them.

    Returns:
        `(n, 2)` float64 `[width, height]` as fractions of the image.
    """
    records = dataset.records
    boxes = (records.boxes if ignored else records.boxes[~records.ignore]).astype(np.float64)
    return np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], axis=1)


def box_picture_sizes(dataset, *, ignored=False):
    """Sizes of the pictures that the boxes of `box_shapes` are in.

    Returns:
        `(n, 2)` float64 `[width, height]` in pixels, 0 where unknown.
    """
    records = dataset.records
    sizes = records.sizes.repeat(records.counts, axis=0).astype(np.float64)
    return sizes if ignored else sizes[~records.ignore]


def _check_boxes(dataset):
    """Refuses labels that are none of the classes, boxes that are no fractions or swapped."""
    records, classes = dataset.records, len(dataset.class_names)
    known = (records.labels >= 0) & (records.labels < classes)
    ordered = (records.boxes[:, :2] <= records.boxes[:, 2:]).all(axis=-1)
    good = known & can_be_fractions(records.boxes) & ordered
    if not good.all():
        wrong = int(np.argmin(good))
        record = records[int(np.searchsorted(records.ends, wrong, "right"))]
        raise InputError(
            f"label {records.labels[wrong]}, box {records.boxes[wrong].round(3).tolist()}",
            where=record.image_id,
            expected=f"labels 0 to {classes - 1}, and boxes [y_min, x_min, y_max, x_max] as "
            "fractions of the picture",
        )
