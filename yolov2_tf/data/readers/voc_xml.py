"""Reads PASCAL VOC: one XML file per image, 1-based pixels, lists of image sets.

A data set is a folder with `Annotations/` (and `JPEGImages/`, `ImageSets/Main/*.txt`), a devkit
that holds several such folders, folders `train/`, `valid/` and `test/` of XML beside pictures, or
a folder of nothing but XML files; `yolov2_tf.data.readers.voc_layout` says more.

Corners become fractions as in Darknet's scripts/voc_label.py: `x_min - 1` to `x_max - 1`, over the
width. The paper's anchors were clustered on these, and tools such as LabelImg, which write this
format with corners between pixels, mean `x_max - x_min` as the width. Tools that count from 0 are
told by boxes that touch the border, tools that write fractions by all of them.
"""

import dataclasses
import functools
import itertools
import os
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import Annotation, build_dataset, listing
from yolov2_tf.data.image_sets import choose_splits
from yolov2_tf.data.images import picture_size
from yolov2_tf.data.readers.faults import Faults
from yolov2_tf.data.readers.units import (
    FRACTION_LIMIT,
    are_fractions,
    like_fractions,
    start_at_zero,
)
from yolov2_tf.data.readers.voc_file import locate_object, read_voc_files
from yolov2_tf.data.readers.voc_layout import find_parts, has_voc
from yolov2_tf.data.readers.voc_pictures import VocPictures, name_key, picture_places
from yolov2_tf.errors import InputError

CLASS_NAMES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
"""The 20 classes of VOC 2007 to 2012, in the order of every published network."""

_MIXED = "a box in another unit than the others"


def read_voc(folder, *, split=None, images=None, class_names=None):
    """Reads a VOC folder, a devkit of several, or a folder of XML files.

    The size of a picture comes from its XML, so pictures may be absent. In a devkit the image ids
    are `"VOC2007/000005"`, so that they are unique. An object or a file that cannot be used is left
    out, which a note tells.

    Args:
        folder: The folder.
        split: Image set to read, e.g. `"trainval"`. Default: the only one, else all.
        images: Folder of the pictures, if they are not in `JPEGImages/`, in `images/` or beside
            the XML files.
        class_names: Names that the labels shall index, e.g. `CLASS_NAMES`. Default: the names
            found, sorted; VOC's 20 if all of these are found, in their order.

    Returns:
        A `Dataset`; `difficult` objects are marked `ignore`.

    Raises:
        InputError: If something is missing, many entries are malformed, or a class is unknown. XML
            with a DTD is refused.
    """
    folder = Path(folder)
    parts = find_parts(folder)
    if not parts:
        raise InputError("no VOC annotations", where=folder, expected="Annotations/*.xml")
    available = sorted({name for part in parts for name in part.sets})
    chosen, notes = choose_splits(folder, available, split)

    lists, files, objects = (Faults(folder) for _ in range(3))
    members = []
    for part in parts:
        ids, twice = part.members(chosen, lists)
        members.append(ids)
        if twice:
            notes += (f"images listed twice, read once: {len(twice):,} ({listing(twice)})",)
    paths = [part.files[stem] for part, ids in zip(parts, members, strict=True) for stem in ids]
    found, told = _images(parts, members, read_voc_files(paths), images, files)
    annotations, units = _annotations(folder, found, objects)
    notes += (*told, *units, *lists.notes(), *files.notes(), *objects.notes())

    if class_names is None:
        found = {name for annotation in annotations for name in annotation.names}
        class_names = CLASS_NAMES if found == set(CLASS_NAMES) else sorted(found)
    name = " ".join([folder.resolve().name, *([chosen[0]] if len(chosen) == 1 else [])])
    return build_dataset(name, annotations, class_names, notes)


def find_voc_folders(folder):
    """Lists the folders that hold annotations, sorted; empty if this is no VOC data set."""
    return [part.folder for part in find_parts(folder)] if has_voc(folder) else []


@dataclasses.dataclass(slots=True)
class _Image:
    """An image whose XML file could be read."""

    path: str
    image_id: str
    picture: str | None
    width: int
    height: int
    objects: list
    faults: list
    image_sets: tuple[str, ...]


def _images(parts, members, read, images, faults):
    """Joins XML files with their pictures.

    Returns:
        List of `_Image`, and notes on the pictures.
    """
    found, several, unused = [], [], set()
    for part, ids in zip(parts, members, strict=True):
        prefix = f"{part.folder.name}/" if len(parts) > 1 else ""
        places = picture_places(part.folder, part.xml_folder, images)
        pictures = VocPictures(part.files, places)
        for stem, image_sets in ids.items():
            path = part.files[stem]
            file = read[path]
            faults.entries += 1
            if file.fault:
                what, line = file.fault
                faults.add("XML files that cannot be used", what, f"{path}:{line}")
                continue
            picture = pictures.find(stem, file.filename)
            width, height = file.width, file.height
            if not width:
                width, height = picture_size(picture) if picture else (0, 0)
            if not width:
                what, line = file.size_fault or (
                    "neither a <size> of the picture nor the picture itself",
                    1,
                )
                faults.add("images of unknown size", what, f"{path}:{line}")
                continue
            found.append(
                _Image(
                    *(path, prefix + stem, picture, width, height),
                    *(file.objects, file.faults, image_sets),
                )
            )
        several += [prefix + stem for stem in pictures.several]
        unused.update(pictures.unused())
    return found, _picture_notes(parts, several, unused)


def _picture_notes(parts, several, unused):
    notes = []
    if several:
        what = "images with pictures of several suffixes, the first taken"
        notes.append(f"{what}: {len(several):,} ({listing(several)})")
    # A picture of an image set that was not asked for is no picture without annotations.
    annotated = {name_key(stem).rpartition("/")[2] for part in parts for stem in part.files}
    names = (os.path.basename(path) for path in sorted(unused))
    without = [name for name in names if name_key(os.path.splitext(name)[0]) not in annotated]
    if without:
        what = "pictures without an XML file, not used"
        notes.append(f"{what}: {len(without):,} ({listing(without)})")
    return tuple(notes)


def _annotations(name, images, faults):
    """Decides the units over the whole set; returns `Annotation` of the images, and notes."""
    corners = np.array([o[1:5] for image in images for o in image.objects]).reshape(-1, 4)
    fractions = are_fractions(corners, name)
    shift, notes = 1, ()
    if fractions:
        notes = ("boxes are fractions of their pictures, not pixels",)
    elif start_at_zero(corners):
        shift, notes = 0, ("boxes are counted from pixel 0, not from VOC's 1",)
    wrong = (np.abs(corners) > FRACTION_LIMIT).any(axis=1) if fractions else like_fractions(corners)
    wrong = iter(wrong.tolist())

    annotations = []
    for image in images:
        faults.entries += len(image.objects) + len(image.faults)
        for kind, what, line in image.faults:
            faults.add(kind, what, f"{image.path}:{line}")
        flags = list(itertools.islice(wrong, len(image.objects)))
        for i in (i for i, bad in enumerate(flags) if bad):
            kind = f"boxes in {'pixels' if fractions else 'fractions'}"
            faults.add(kind, _MIXED, locate_object(image.path, i))
        places = [i for i, bad in enumerate(flags) if not bad]
        high, wide, offset = (1, 1, 0) if fractions else (image.height, image.width, shift)
        objects = [image.objects[i] for i in places]
        annotations.append(
            Annotation(
                image.picture,
                image.image_id,
                [
                    (
                        (y_min - offset) / high,
                        (x_min - offset) / wide,
                        (y_max - offset) / high,
                        (x_max - offset) / wide,
                    )
                    for _, y_min, x_min, y_max, x_max, _ in objects
                ],
                [o[0] for o in objects],
                ["difficult" if o[5] else "" for o in objects],
                functools.partial(_locate, image.path, tuple(places)),
                image.width,
                image.height,
                image.image_sets,
            )
        )
    return annotations, notes


def _locate(path, places, index):
    return locate_object(path, places[index])
