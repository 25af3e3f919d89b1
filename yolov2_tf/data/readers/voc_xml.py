"""Reads PASCAL VOC: one XML file per image, 1-based pixels, lists of image sets.

A data set is a folder with `Annotations/` (and `JPEGImages/`, `ImageSets/Main/*.txt`), a devkit
that holds several such folders, folders `train/`, `valid/` and `test/` of XML beside pictures, or
a folder of nothing but XML files; `yolov2_tf.data.readers.voc_layout` says more.

Corners become fractions as in Darknet's scripts/voc_label.py: `x_min - 1` to `x_max - 1`, over the
width. The paper's anchors were clustered on these, and tools such as LabelImg, which write this
format with corners between pixels, mean `x_max - x_min` as the width. Tools that count from 0 are
told by boxes that touch the border, tools that write fractions by all of them.
"""

import array
import dataclasses
import functools
import os
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import Annotation, build_dataset, listing
from yolov2_tf.data.image_sets import choose_splits, without_pictures
from yolov2_tf.data.picture_finder import lies_in
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.faults import Faults
from yolov2_tf.data.readers.units import (
    FRACTION_LIMIT,
    are_fractions,
    like_fractions,
    start_at_zero,
)
from yolov2_tf.data.readers.voc_file import VocFile, locate_object, read_voc_files
from yolov2_tf.data.readers.voc_layout import find_parts
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
    used = [name for name in available if not all(part.is_empty(name) for part in parts)]
    chosen, notes = choose_splits(folder, used, split)
    notes += without_pictures([name for name in available if name not in used])

    images_of_sets, told = _read_images(folder, parts, chosen, images)
    del parts  # with a million images every dict counts
    objects = Faults(folder)
    annotations, units = _annotations(folder, images_of_sets, objects)
    del images_of_sets
    notes += (*told, *units, *objects.notes())

    if class_names is None:
        found = {name for annotation in annotations for name in annotation.names}
        class_names = CLASS_NAMES if found == set(CLASS_NAMES) else sorted(found)
    name = " ".join([folder.resolve().name, *([chosen[0]] if len(chosen) == 1 else [])])
    return build_dataset(name, annotations, class_names, notes)


@dataclasses.dataclass(slots=True)
class _Image:
    """An image whose XML file could be read."""

    path: str
    image_id: str
    picture: str | None
    width: int
    height: int
    file: VocFile
    image_sets: tuple[str, ...]


def _read_images(folder, parts, chosen, images):
    """Reads the XML files of image sets.

    Returns:
        List of `_Image`, and notes.
    """
    lists, files, notes = Faults(folder), Faults(folder), ()
    members, unlisted = [], []
    for part in parts:
        ids, twice = part.members(chosen, lists)
        members.append(ids)
        if twice:
            notes += (f"images listed twice, read once: {len(twice):,} ({listing(twice)})",)
        every = {*part.sets} <= {*chosen}  # lists of a million are not read twice
        listed = ids if every else part.members(part.sets, Faults(folder))[0]
        unlisted += [stem for stem in part.files if stem not in listed]
    if unlisted:
        what = "XML files that no image set lists, not used"
        notes += (f"{what}: {len(unlisted):,} ({listing(unlisted)})",)
    paths = [part.files[stem] for part, ids in zip(parts, members, strict=True) for stem in ids]
    found, told = _images(folder, parts, members, read_voc_files(paths), images, files)
    return found, (*notes, *told, *lists.notes(), *files.notes())


def _images(folder, parts, members, read, images, faults):
    """Joins XML files with their pictures.

    Returns:
        List of `_Image`, and notes on the pictures.
    """
    found, several, unused, beside = [], [], set(), {}
    for part, ids in zip(parts, members, strict=True):
        prefix = f"{part.folder.name}/" if len(parts) > 1 else ""
        pictures = VocPictures(part.files, picture_places(part.folder, part.xml_folder, images))
        if not images and pictures.place and not lies_in(pictures.place, [os.path.abspath(folder)]):
            beside[pictures.place] = None
        for stem, image_sets in ids.items():
            path = part.files[stem]
            file = read[path]
            faults.entries += 1
            if file.fault:
                what, line = file.fault
                faults.add("XML files that cannot be used", what, f"{path}:{line}")
                continue
            picture = pictures.find(stem, file.filename)
            size = file.width, file.height
            found.append(_Image(path, prefix + stem, picture, *size, file, image_sets))
        several += [prefix + stem for stem in pictures.several]
        unused.update(pictures.unused())
    notes = [f"pictures taken from beside the data set: {place}" for place in beside]
    return _sized(found, faults), (*notes, *_picture_notes(parts, several, unused))


def _sized(images, faults):
    """Gives images whose XML does not say their size that of the picture; leaves others out."""
    unsaid = [image for image in images if not image.width]
    sizes = picture_sizes(image.picture for image in unsaid if image.picture)
    for image in unsaid:
        image.width, image.height = sizes.get(image.picture, (0, 0))
        if not image.width:
            what, line = image.file.size_fault or (
                "neither a <size> of the picture nor the picture itself",
                1,
            )
            faults.add("images of unknown size", what, f"{image.path}:{line}")
    return [image for image in images if image.width]


def _picture_notes(parts, several, unused):
    notes = []
    if several:
        what = "images with pictures of several suffixes, the first taken"
        notes.append(f"{what}: {len(several):,} ({listing(several)})")
    if not unused:
        return tuple(notes)
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
    corners = array.array("d")
    for image in images:
        corners.extend(image.file.corners)
        faults.entries += len(image.file.names) + len(image.file.faults)
        for kind, what, line in image.file.faults:
            faults.add(kind, what, f"{image.path}:{line}")
    corners = np.array(corners).reshape(-1, 4)
    counts = [len(image.file.names) for image in images]
    sizes = [(image.height, image.width) * 2 for image in images]
    sizes = np.repeat(np.reshape(sizes, (-1, 4)), counts, axis=0)

    fractions = are_fractions(corners, name)
    if fractions:
        notes = ("boxes are fractions of their pictures, not pixels",)
        boxes, wrong = corners, (np.abs(corners) > FRACTION_LIMIT).any(axis=1)
    else:
        zero = start_at_zero(corners)
        notes = ("boxes are counted from pixel 0, not from VOC's 1",) if zero else ()
        boxes, wrong = (corners if zero else corners - 1) / sizes, like_fractions(corners)
    if shapes := sum(image.file.shapes for image in images):
        notes += (f"turned boxes and outlines, of which the upright box is taken: {shapes:,}",)

    annotations, start = [], 0
    some_wrong = wrong.any()  # to ask for every picture takes a microsecond each
    for image, count in zip(images, counts, strict=True):
        end = start + count
        places = None  # all
        if some_wrong and wrong[start:end].any():
            kind = f"boxes in {'pixels' if fractions else 'fractions'}"
            for i in np.flatnonzero(wrong[start:end]).tolist():
                faults.add(kind, _MIXED, locate_object(image.path, i))
            places = np.flatnonzero(~wrong[start:end]).tolist()
        annotations.append(_annotation(image, boxes[start:end], places))
        start = end
    return annotations, notes


def _annotation(image, boxes, places):
    names, ignore = image.file.names, _reasons(image.file.difficult)
    if places is not None:
        boxes, names = boxes[places], [names[i] for i in places]
        ignore = [ignore[i] for i in places]
    return Annotation(
        image.picture,
        image.image_id,
        boxes,
        names,
        ignore,
        _Place(image.path, places),
        image.width,
        image.height,
        image.image_sets,
    )


@functools.cache
def _reasons(difficult):
    """The flags of a picture's boxes as reasons; one tuple for all pictures of the same flags."""
    return tuple("difficult" if flag else "" for flag in difficult)


@dataclasses.dataclass(slots=True)
class _Place:
    """Says where the boxes of a picture stand; smaller than a `functools.partial`."""

    path: str
    places: list[int] | None

    def __call__(self, index):
        return locate_object(self.path, index if self.places is None else self.places[index])
