"""Reads YOLO txt: one text file of normalised boxes per picture, `class cx cy width height`."""

import collections
import functools
import os
from pathlib import Path

from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits, listing
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.yolo_classes import Labels, class_names_by_id
from yolov2_tf.data.readers.yolo_files import LabelFinder, label_places
from yolov2_tf.data.readers.yolo_rows import RowLayout, read_files, read_rows
from yolov2_tf.data.readers.yolo_sets import (
    entries_of,
    from_darknet,
    from_folder,
    from_yaml,
    holds_labels,
)
from yolov2_tf.data.readers.yolo_yaml import load_yaml
from yolov2_tf.data.refused import refuse_by_name
from yolov2_tf.data.visible_files import folders_in, is_hidden, names_in
from yolov2_tf.errors import InputError

_DESCRIPTIONS = (".yaml", ".yml", ".data")  # suffixes of files that describe a data set


def read_yolo(path, *, split=None, images=None, class_names=None, layout=None):
    """Reads a YOLO data set.

    A picture without a label file is background.

    Args:
        path: A `data.yaml` (`path`, `train`, `val`, `test`, `names`, `nc`, `kpt_shape`), Darknet's
            `obj.data`, or a folder of pictures and label files, with or without `classes.txt`.
        split: Image set to read, as for `choose_splits`. Default: the only one, else all.
        images: Root folder of the pictures, in place of what the file says.
        class_names: Names that the labels shall index. Default: the data set's, in their order.
        layout: What a row holds, one of `yolo_rows.LAYOUTS`. Default: as all rows together tell.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If something is missing, malformed, out of range, or can be read in two ways.
    """
    path = Path(path)
    sets = _describe(path, images)
    _refuse_absent(sets, split)
    chosen, notes = choose_splits(path, [key for key in sets.pictures if key], split)
    notes = [*sets.notes, *notes]
    notes += [f"image set left out: {error.what}" for error in sets.absent.values()]
    in_sets = {}
    for key in chosen or [""]:
        for picture in sets.pictures.get(key, ()):
            in_sets.setdefault(picture, []).append(key)
    if not chosen and split is None:
        in_sets = {picture: [] for found in sets.pictures.values() for picture in found}
    if both := [picture for picture, names in in_sets.items() if len(names) > 1]:
        shown = listing([os.path.relpath(p, sets.root) for p in both[:3]], len(both))
        notes.append(f"pictures in several image sets, read once: {len(both):,} ({shown})")

    labels = LabelFinder()
    files = {picture: labels.find(picture) for picture in in_sets}
    notes += _match_notes(files, labels, sets)
    told = collections.Counter()
    read = read_files(filter(None, files.values()), told)
    rows = {picture: read[file] if file else [] for picture, file in files.items()}
    places = [(files[picture], row) for picture in rows for row in rows[picture]]
    row_layout = RowLayout(places, sets.keypoints, layout)
    notes += [f"{what}: {count:,}" for what, count in told.items()] + row_layout.notes
    names, named = class_names_by_id(sets.names, places, sets.where)
    notes += named
    sizes, meant = picture_sizes(in_sets), Labels(names)
    annotations = [
        Annotation(
            picture if any(sizes[picture]) or os.path.isfile(picture) else None,
            _below(sets.root, picture),
            [row_layout.corners(row.values) for row in rows[picture]],
            [meant.of(row, files[picture]) for row in rows[picture]],
            [False] * len(rows[picture]),
            functools.partial(_locate, files[picture]),
            *sizes[picture],
            tuple(in_set),
        )
        for picture, in_set in in_sets.items()
    ]
    title = path if path.is_dir() else path.parent
    name = " ".join([title.resolve().name, *([chosen[0]] if len(chosen) == 1 else [])])
    class_names = list(names.values()) if class_names is None else class_names
    return build_dataset(name, annotations, class_names, notes)


def _refuse_absent(sets, split):
    """Raises if an image set is asked for that cannot be read, or if none is left to train on.

    Where the pictures to train on are missing, those to score on are no others.
    """
    if isinstance(split, str):
        wanted = [split] if split in sets.absent else []
    elif callable(split) and sets.absent:
        wanted = split((*filter(None, sets.pictures), *sets.absent))
        to_train = any(role(name) in ("train", "trainval") for name in wanted)
        wanted = wanted if to_train and set(wanted) <= set(sets.absent) else []
    else:
        wanted = []
    for name in wanted:
        raise sets.absent[name]


def find_yolo(folder):
    """Finds what describes a YOLO data set in a folder.

    Args:
        folder: `pathlib.Path`.

    Returns:
        `data.yaml`, another YAML file with image sets and classes, or `obj.data`, in the folder or
        one of its folders; the folder itself if its pictures have label files; or None.

    Raises:
        InputError: If several files could be meant.
    """
    for folders in ([folder], folders_in(folder)):
        files = [path for place in folders for path in _descriptions(place)]
        found = [path for path in files if path.name in ("data.yaml", "data.yml")]
        found = found or [path for path in files if _describes_sets(path)]
        found = found or [path for path in files if _is_darknet(path)]
        if len(found) > 1:
            names = listing([str(path.relative_to(folder)) for path in found])
            raise InputError(
                f"several descriptions: {names}", where=folder, hint="give one of them"
            )
        if found:
            return found[0]
    return folder if holds_labels(folder) else None


def _descriptions(folder):
    """Files in a folder that may describe a data set, sorted. Of many others no path is made."""
    names = [name for name in names_in(folder) if name.lower().endswith(_DESCRIPTIONS)]
    return [folder / name for name in names if not is_hidden(name)]


def _describe(path, images):
    if path.is_dir():
        return from_folder(path, images)
    if path.suffix.lower() == ".data":
        return from_darknet(path, images)
    return from_yaml(path, images)


def _describes_sets(path):
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return False
    try:
        content, _ = load_yaml(path)
    except InputError:
        return False
    return bool({"names", "nc"} & set(content)) and bool(entries_of(content))


def _is_darknet(path):
    if path.suffix.lower() != ".data" or not path.is_file():
        return False
    try:
        from_darknet(path)
    except InputError:
        return False
    return True


def _match_notes(files, labels, sets):
    """What has no label file, and which label files belong to no picture."""
    bare = [picture for picture, file in files.items() if file is None]
    background = [picture for picture in bare if os.path.isfile(picture)]
    if bare and len(bare) == len(files):
        refuse_by_name(sets.root)  # Roboflow writes a data.yaml beside DOTA's labels, too
        raise InputError(
            f"not one picture has a label file; the first should be {label_places(bare[0])[0]}",
            where=sets.where,
        )
    notes = []
    if background:
        shown = listing([os.path.relpath(p, sets.root) for p in background[:3]], len(background))
        notes.append(
            f"pictures without a label file, taken as background: {len(background):,} ({shown})"
        )
    owners = collections.Counter(filter(None, files.values()))
    if shared := [picture for picture, file in files.items() if file and owners[file] > 1]:
        shown = listing([os.path.relpath(p, sets.root) for p in shared[:3]], len(shared))
        notes.append(
            f"pictures that share a label file, each with its boxes: {len(shared):,} ({shown})"
        )
    if labels.several:
        read = [os.path.relpath(file, sets.root) for file in labels.several.values()]
        notes.append(f"pictures with two label files, one read: {len(read):,} ({listing(read)})")
    everything = {p for found in sets.pictures.values() for p in found} == set(files)
    if everything and (left := labels.left_over()):
        shown = listing([os.path.relpath(p, sets.root) for p in left[:3]], len(left))
        notes.append(f"label files without a picture: {len(left):,} ({shown})")
    return notes


def _below(root, picture):
    """The path of a picture from the folder of the data set."""
    start = os.path.join(root, "")
    return picture[len(start) :] if picture.startswith(start) else os.path.relpath(picture, root)


def _locate(file, index):
    return f"{file}:{read_rows(file, collections.Counter())[index].line}"
