"""Whether the labels of a data set mean what something else takes them for."""

from yolov2_tf.data.annotations import listing
from yolov2_tf.errors import InputError


def check_classes(dataset, class_names, of):
    """Refuses a data set whose labels mean other classes: scores would be of wrong ones, silently.

    Args:
        dataset: `Dataset` or `ClassificationDataset`.
        class_names: The names that its labels are to index, in their order.
        of: What these are of, for the message.

    Raises:
        InputError: If its names are others, or in another order.
    """
    names, wanted = tuple(dataset.class_names), tuple(class_names)
    if names == wanted:
        return
    missing = [name for name in wanted if name not in names]
    extra = [name for name in names if name not in wanted]
    faults = [f"it has no {listing(missing)}"] if missing else []
    faults += [f"only it has {listing(extra)}"] if extra else []
    raise InputError(
        f"its classes are not those of {of}: {', '.join(faults) or 'their order is another'}",
        where=dataset.name,
        expected=f"the {len(wanted):,} of {of}, in their order",
        hint=f"open it with class_names=, those of {of}",
    )
