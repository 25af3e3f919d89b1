"""What every reader yields: records of images, and the data sets that hold them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np


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
            people see. Readers leave it at 1; `yolov2_tf.data.images.check_images` sets it.
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


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Annotated images with the names of their classes.

    Attributes:
        name: What it is, for messages and tables, e.g. `"VOC2007 test"`.
        class_names: The names that the labels index.
        records: The annotated images, in a fixed order.
        notes: What the reader had to skip or mend, one line each, for the user to see.
        counts: The same as numbers, for programs: what was skipped, mended or ignored, e.g.
            `{"duplicate boxes dropped": 3, "boxes ignored (difficult)": 260}`.
    """

    name: str
    class_names: tuple[str, ...]
    records: Sequence[Record]
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self):
        return len(self.records)

    @property
    def num_boxes(self):
        """Number of boxes that train and count (`ignore` ones left out)."""
        return sum(int((~record.ignore).sum()) for record in self.records)


@dataclasses.dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture of one thing, for classification.

    Attributes:
        image: As `Record.image`.
        label: Index into the data set's `class_names`.
        image_id: A name for reports, unique in the data set.
        orientation: As `Record.orientation`.
    """

    image: str | bytes | Callable[[], bytes]
    label: int
    image_id: str = ""
    orientation: int = 1


@dataclasses.dataclass(frozen=True)
class ClassificationDataset:
    """Pictures with one class each.

    Attributes:
        name: What it is, for messages and tables, e.g. `"cifar10/3.0.2 test"`.
        class_names: The names that the labels index.
        records: The pictures, in a fixed order.
        notes: What the reader has to tell, one line each.
    """

    name: str
    class_names: tuple[str, ...]
    records: Sequence[LabelledImage]
    notes: tuple[str, ...] = ()

    def __len__(self):
        return len(self.records)


def box_shapes(dataset, *, ignored=False):
    """Shapes of the boxes of a data set, as clustering takes them.

    Args:
        dataset: `Dataset`.
        ignored: Whether boxes that do not train (difficult, crowd) are among them.

    Returns:
        `(n, 2)` float64 `[width, height]` as fractions of the image.
    """
    boxes = [
        record.boxes if ignored else record.boxes[~record.ignore] for record in dataset.records
    ]
    boxes = np.concatenate([np.zeros((0, 4)), *boxes])
    return np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], axis=1)
