"""Opens pictures with one class each: folders by class, TFDS sets, the embedded digits."""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import choose_splits, listing
from yolov2_tf.data.image_sets import check_split, role
from yolov2_tf.data.images import PICTURE_SUFFIXES
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.names import check_names, checked_spec, listed_names
from yolov2_tf.data.remote import address, fetched_shards
from yolov2_tf.data.visible_files import folders_in, visible, walk_files
from yolov2_tf.errors import InputError
from yolov2_tf.trees.class_maps import match_classes

_ORDER = {"train": 0, "trainval": 1, "val": 2, "test": 3}

DIGIT_COUNTS = {"train": 2000, "val": 400, "test": 400}


def open_classification(spec, split=None, *, class_names=None):
    """Opens pictures with one class each.

    Args:
        spec: One of

            - a folder with one folder of pictures for each class, `root/cat/1.jpg`, or with one
              of these for each image set, `root/train/cat/1.jpg`, which may lie in one of the same
              name, `root/train/train/cat/1.jpg`, as archives unpack;
            - a folder of pictures whose names begin with ImageNet's ids, `n02084071_1.jpg`: the
              ids are the classes;
            - `tfds:NAME`, e.g. `tfds:cifar10`, or the folder of a prepared TFDS data set;
            - `digits`, the embedded one.
        split: Image set to read, e.g. `"train"`, or what else `choose_splits` takes. Default: the
            only one there is, else all of them, which a note tells; `"train"` of `digits`.
        class_names: Names that the labels shall index, e.g. those of a model. Default: those of
            the data set, of folders in order of name.

    Returns:
        A `ClassificationDataset`.

    Raises:
        InputError: If it is none of these, holds no pictures, or a class that is not among
            `class_names`, or if split or class names are of another kind.
    """
    check_split(split)
    spec, class_names = checked_spec(spec), listed_names(class_names)
    if (url := address(spec)) is not None:
        folder, note = fetched_shards(url)
        dataset = open_classification(folder, split, class_names=class_names)
        return dataclasses.replace(dataset, notes=(note, *dataset.notes))
    if spec == "digits":
        dataset = _open_digits(split)
    elif spec.startswith("tfds:") or (Path(spec) / "dataset_info.json").is_file():
        from yolov2_tf.data.readers.tfds_sets import read_tfds_labels

        dataset = read_tfds_labels(spec.removeprefix("tfds:"), split=split)
    elif Path(spec).expanduser().is_dir():
        dataset = _open_folder(Path(spec).expanduser(), split)
    else:
        raise InputError(
            "no such data set",
            where=spec,
            expected="a folder with a folder for each class, tfds:NAME or digits",
        )
    check_names(dataset)
    return dataset if class_names is None else with_classes(dataset, class_names)


def map_onto_tree(dataset, tree, node_names=None):
    """Makes the labels of a data set nodes of a tree, found by the names of its classes.

    Args:
        dataset: `ClassificationDataset`.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        node_names: What people call the nodes, one per node, or None.

    Returns:
        `ClassificationDataset` whose classes are the nodes, under their `node_names` if given.

    Raises:
        InputError: If a class has no node, or several nodes have its name.
    """
    nodes = match_classes(dataset.class_names, tree, node_names)
    return _relabel(dataset, tuple(node_names or tree.names), nodes)


def _open_digits(split):
    from yolov2_tf.data.digits.scenes import CLASS_NAMES, SPLITS, digit_pictures

    notes = ()
    if callable(split):
        (split,), notes = choose_splits("digits", SPLITS, split)
    if split is None:  # all would mix what digits keeps apart
        split = "train"
        notes = (f"image sets {', '.join(SPLITS)} found: train is used (the split picks another)",)
    pictures = digit_pictures(split, count=DIGIT_COUNTS.get(split, 1))
    records = [
        LabelledImage(picture.image, picture.label, f"digits-{split}-{index:05d}")
        for index, picture in enumerate(pictures)
    ]
    return ClassificationDataset(f"digits {split}", CLASS_NAMES, records, notes)


# === Folders ===


def _open_folder(root, split):
    image_sets = _image_sets(root)
    chosen, notes = ("",), ()
    is_asked_for = split is not None and not callable(split)
    by_name = {} if image_sets or is_asked_for else _named_by_wnid(root)
    if by_name:
        records = [
            LabelledImage(str(path), label, path.name)
            for label, paths in enumerate(by_name.values())
            for path in paths
        ]
        return ClassificationDataset(root.name, tuple(by_name), records, notes)
    if image_sets or is_asked_for:
        chosen, notes = choose_splits(root, image_sets, split)
    else:
        image_sets = {"": root}
    found = {name: folders_in(folder) for name, folder in image_sets.items()}
    class_names = _classes(found, chosen)
    label = {name: index for index, name in enumerate(class_names)}
    records, empty = [], []
    for name in chosen:
        for folder in found[name]:
            paths = sorted(_pictures(folder))
            records += [
                LabelledImage(path, label[folder.name], os.path.relpath(path, root))
                for path in paths
            ]
            if not paths:
                empty.append(folder.name)
    if not records:
        raise InputError(
            "no pictures in folders of classes", where=root, expected="such as cat/1.jpg, dog/1.jpg"
        )
    if beside := _beside(root, image_sets):
        notes = (*notes, f"folders beside the image sets, not used: {listing(beside)}")
    if empty:
        notes = (*notes, f"classes without a picture: {len(empty):,} ({listing(empty)})")
    title = " ".join(filter(None, [root.name, chosen[0] if len(chosen) == 1 else ""]))
    return ClassificationDataset(title, tuple(class_names), records, notes)


def _image_sets(root):
    """`{name: folder}` of the folders that are called like an image set and hold classes."""
    found = {}
    for folder in sorted(folders_in(root), key=lambda folder: _ORDER.get(role(folder.name), 9)):
        if role(folder.name) is None:
            continue
        inside = folders_in(folder)
        if [place.name for place in inside] == [folder.name]:
            inside = folders_in(inside[0])
        if any(map(_has_pictures, inside)):
            found[folder.name] = inside[0].parent
    return found


def _classes(folders, chosen):
    """The classes of image sets, in order of name.

    They are those of all image sets that share some, so that labels mean the same in each. What
    shares none holds something else: `test/unknown/1.jpg`, of pictures that nobody has sorted.

    Args:
        folders: `{name: folders}` of all image sets.
        chosen: Names of those that are read.
    """
    by_set = {name: {folder.name for folder in those} for name, those in folders.items()}
    class_names = set().union(*(by_set[name] for name in chosen))
    for _ in by_set:  # each may bring in others
        class_names.update(*(names for names in by_set.values() if names & class_names))
    return sorted(class_names)


def _beside(root, image_sets):
    """Names of the folders with pictures beside image sets that are none themselves.

    They may be classes, of which one is called `train`, or a `val` whose pictures lie in no folders
    of classes, as ImageNet's do.
    """
    others = [] if "" in image_sets else folders_in(root)
    others = [folder for folder in others if folder.name not in image_sets]
    return [folder.name for folder in others if _has_pictures(folder)]


def _named_by_wnid(folder):
    """`{wnid: paths}` of a folder of pictures that are named after ImageNet's ids; else empty."""
    paths = [p for p in visible(folder) if p.name.lower().endswith(PICTURE_SUFFIXES)]
    if any(map(_has_pictures, folders_in(folder))):
        return {}
    if not paths or not all(re.match(r"n\d{8}[_.-]", path.name) for path in paths):
        return {}
    found = {}
    for path in paths:
        found.setdefault(path.name[:9], []).append(path)
    return found


def _has_pictures(folder):
    return next(_pictures(folder), None) is not None


def _pictures(folder):
    """Yields the paths of the pictures in a folder and in the folders inside."""
    return (path for path in walk_files(folder) if path.lower().endswith(PICTURE_SUFFIXES))


# === Labels ===


def with_classes(dataset, class_names, hint=None):
    """The data set with labels that index other names: its own among more, or in another order.

    Args:
        dataset: `ClassificationDataset`.
        class_names: Tuple of names.
        hint: What helps where a class is not among them, for the message.

    Returns:
        `ClassificationDataset`.

    Raises:
        InputError: If it has a class that is not among them.
    """
    unknown = [name for name in dataset.class_names if name not in class_names]
    if unknown:
        raise InputError(
            f"unknown class {unknown[0]!r}",
            where=dataset.name,
            expected=listing(class_names, shown=100),
            hint=hint,
        )
    labels = np.array([class_names.index(name) for name in dataset.class_names])
    return _relabel(dataset, class_names, labels)


def _relabel(dataset, class_names, labels):
    """`labels` are the new ones by the old."""
    records = [dataclasses.replace(r, label=int(labels[r.label])) for r in dataset.records]
    return dataclasses.replace(dataset, class_names=class_names, records=records)
