"""Pictures of one thing each, and the data sets that hold them: what classifiers train on."""

import dataclasses
from collections.abc import Callable, Sequence

from yolov2_tf.data.dataset import check_records
from yolov2_tf.data.names import listed_names
from yolov2_tf.errors import InputError


@dataclasses.dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture of one thing, for classification.

    Attributes:
        image: As `yolov2_tf.data.records.Record.image`.
        label: Index into the data set's `class_names`.
        image_id: A name for reports, unique in the data set.
        orientation: As `yolov2_tf.data.records.Record.orientation`.
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

    Raises:
        InputError: If the names are one text.
    """

    name: str
    class_names: tuple[str, ...]
    records: Sequence[LabelledImage]
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "class_names", listed_names(self.class_names, self.name))

    def __len__(self):
        return len(self.records)


def check_labelled(dataset):
    """Refuses what is no data set of pictures with a label each, or one without pictures.

    Args:
        dataset: What is to be a `ClassificationDataset`.

    Raises:
        InputError: If it is not.
    """
    check_records(dataset)
    if not hasattr(dataset.records[0], "label"):
        raise InputError(
            f"a {type(dataset).__name__} of boxes",
            where=dataset.name,
            expected="a ClassificationDataset, as yolov2_tf.data.labels.open_classification gives",
        )
