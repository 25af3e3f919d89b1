"""Folders called train, valid and test, each with annotations of its own, as one data set.

For forms whose files know no image sets: Roboflow's CSV and TFRecord, VIA's balloons, KITTI as
DIGITS wants it.
"""

import collections
import dataclasses
import os

from yolov2_tf.data.annotations import rename_classes
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_sets import choose_splits


def read_set_folders(where, folders, read, *, split=None, images=None, class_names=None):
    """Reads folders as image sets.

    Args:
        where: The folder that holds them.
        folders: Their paths; the name of each is that of its image set.
        read: Function of a folder, and of `images` and `class_names`, that returns a `Dataset`.
        split: Image set to read. Default: the only one, else all.
        images: Folder of the pictures, or of folders of pictures that are called as the sets.
        class_names: Names that the labels shall index. Default: those of all folders, sorted.

    Returns:
        A `Dataset`; image ids are `"train/a.jpg"` if there are several sets.

    Raises:
        InputError: If a folder cannot be read, or there is no such set.
    """
    by_name = {folder.name: folder for folder in folders}
    chosen, notes = choose_splits(where, by_name, split)
    found = {
        name: read(by_name[name], images=_of_set(images, name), class_names=class_names)
        for name in chosen
    }
    if class_names is None:
        class_names = sorted({c for dataset in found.values() for c in dataset.class_names})
    records, counts = [], collections.Counter()
    for name, dataset in found.items():
        prefix = f"{name}/" if len(found) > 1 else ""
        notes += tuple(prefix + note for note in dataset.notes)
        counts.update(dataset.counts)
        records += [
            dataclasses.replace(record, image_id=prefix + record.image_id, image_sets=(name,))
            for record in rename_classes(dataset, class_names).records
        ]
    return Dataset(where.resolve().name, tuple(class_names), records, notes, dict(counts))


def _of_set(images, name):
    inner = None if images is None else os.path.join(images, name)
    return inner if inner is not None and os.path.isdir(inner) else images
