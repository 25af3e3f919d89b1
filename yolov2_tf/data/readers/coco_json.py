"""Reads COCO's annotation files: boxes `[x, y, width, height]` in 0-based pixels.

Tools write them in other ways too: boxes as fractions or as `x y x y`, which is decided over the
whole file, ids as text or floats, file names with the folders of another computer.
"""

import array
import dataclasses
import functools
import math
import reprlib
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import Annotation, build_dataset, finite, listing
from yolov2_tf.data.image_sets import choose_splits, without_pictures
from yolov2_tf.data.picture_finder import as_posix, find_pictures
from yolov2_tf.data.picture_folders import folders_of_set
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.coco_categories import read_categories
from yolov2_tf.data.readers.coco_files import OF_OUTLINES, is_without_pictures, load_coco
from yolov2_tf.data.readers.coco_files import find_coco_files as find_coco_files
from yolov2_tf.data.readers.coco_values import (
    as_id,
    as_number,
    box_numbers,
    why_ignored,
    wrong_value,
)
from yolov2_tf.data.readers.faults import Faults
from yolov2_tf.data.readers.units import (
    FRACTION_LIMIT,
    are_corners,
    are_fractions,
    like_fractions,
)
from yolov2_tf.errors import InputError


def read_coco(path, *, split=None, images=None, class_names=None):
    """Reads a COCO annotation file, or a folder of them.

    An entry that cannot be used is left out, which a note tells.

    Args:
        path: A JSON file, or a folder with `instances_*.json` in it or in its `annotations/`, or
            with others, see `yolov2_tf.data.readers.coco_files.find_coco_files`.
        split: What stands for `*`, e.g. `"val2017"`. Default: the only one, else all. If several
            files are read, image ids are `"val2017/139"`, so that they are unique.
        images: Folder of the pictures. Default: a folder named like the split beside the file or
            its folder, or `images/`.
        class_names: Names that the labels shall index. Default: all categories by category id
            (ids with gaps become labels without), without Roboflow's root category.

    Returns:
        A `Dataset`; boxes with `iscrowd` are marked `ignore`.

    Raises:
        InputError: If something is missing, many entries are malformed, or a class is unknown.
    """
    path = Path(path)
    files = find_coco_files(path)
    if not files:
        raise InputError("no COCO annotations", where=path, expected="instances_*.json")
    empty = [name for name in files if is_without_pictures(files[name])]
    used = [name for name in files if name not in empty] or list(files)
    chosen, notes = choose_splits(path, used, split)
    notes += without_pictures(empty) if len(used) < len(files) else ()

    annotations, found_names = [], {}
    for name in chosen:
        prefix = f"{name}/" if len(chosen) > 1 else ""
        content = _Content(files[name], images, name, path)
        found_names.update(dict.fromkeys(content.categories.values()))
        annotations += content.annotations(prefix, name)
        notes += content.notes
    notes = (*dict.fromkeys(notes), *_crowds_only(annotations))
    names = found_names if class_names is None else class_names
    return build_dataset(_name(path, files, chosen), annotations, names, notes)


def _name(path, files, chosen):
    if len(chosen) != 1:
        return path.resolve().name
    if files[chosen[0]].name.startswith("_annotations"):
        folder = files[chosen[0]].resolve().parent
        return f"{folder.parent.name} {folder.name}"
    return files[chosen[0]].stem


def _crowds_only(annotations):
    reasons = [reason for annotation in annotations for reason in annotation.ignore]
    if not reasons or not all(reasons):
        return ()
    return (
        f"all {len(reasons):,} boxes are crowds ('iscrowd': 1), which neither train nor count: "
        "some tools (CVAT) mark every mask so; write 'iscrowd': 0 where each is one thing",
    )


@dataclasses.dataclass(slots=True)
class _Boxes:
    """The boxes of one picture, as written."""

    numbers: array.array = dataclasses.field(default_factory=lambda: array.array("d"))
    categories: list = dataclasses.field(default_factory=list)
    ignore: list = dataclasses.field(default_factory=list)
    areas: array.array = dataclasses.field(default_factory=lambda: array.array("d"))
    ids: list = dataclasses.field(default_factory=list)


class _Content:
    """What one annotation file holds.

    Attributes:
        categories: Dict from id to name, by id.
        notes: What there is to tell.
    """

    def __init__(self, path, images, image_set, data):
        self.path, self._image_set, self._data = path, image_set, data
        content = load_coco(path)
        self._image_faults, self._box_faults = Faults(path), Faults(path)
        self.categories, notes = read_categories(content, path)
        self._boxes = {}
        self._images, same = self._read_images(content["images"])
        entries, around = _with_boxes(content["annotations"])
        self._read_boxes(entries, same)
        self._sizes, self._pictures = self._find_pictures(images)
        joined = [image for image, first in same.items() if image != first]
        if joined:
            what = "pictures listed under several ids, joined"
            notes += (f"{what}: {len(joined):,} (ids {listing(joined)})",)
        self.notes = notes + around

    def annotations(self, prefix, image_set):
        """Returns `Annotation` of all images; adds to the notes."""
        numbers, areas = array.array("d"), array.array("d")
        for i in self._images:
            numbers.extend(self._boxes[i].numbers)
            areas.extend(self._boxes[i].areas)
        sizes = np.reshape([self._sizes[i] for i in self._images], (-1, 2))
        sizes = np.repeat(sizes, [len(self._boxes[i].ids) for i in self._images], axis=0)
        corners, wrong, units = _corners(self.path, numbers, sizes, np.array(areas))
        found, start = [], 0
        for i, name in self._images.items():
            boxes = self._boxes[i]
            rows = range(start, start + len(boxes.ids))
            start = rows.stop
            places = [row - rows.start for row in rows if not wrong[row]]
            for row in rows:
                if wrong[row]:
                    where = _where(self.path, boxes.ids[row - rows.start])
                    what = "a box in another unit than the others"
                    self._box_faults.add("boxes in another unit", what, where)
            ids = tuple(boxes.ids[k] for k in places)
            found.append(
                Annotation(
                    self._pictures.get(name),
                    f"{prefix}{i}",
                    corners[rows.start : rows.stop][places],
                    [self.categories[boxes.categories[k]] for k in places],
                    [boxes.ignore[k] for k in places],
                    functools.partial(_locate, self.path, ids),
                    *self._sizes[i],
                    (image_set,),
                )
            )
        self.notes += (*units, *self._image_faults.notes(), *self._box_faults.notes())
        return found

    def _read_images(self, entries):
        """Returns a dict from image id to file name, and one from every id to the first such."""
        images, same, by_name, ambiguous = {}, {}, {}, set()
        faults = self._image_faults
        self._stated, self._left_out = {}, {}
        for k, entry in enumerate(entries):
            where = f"{self.path}: images[{k}]"
            faults.entries += 1
            number, name = as_id(entry.get("id")), entry.get("file_name")
            if number is None:
                faults.add("images without an id", wrong_value(entry, "id"), where)
            elif number in same:
                what = f"image id {reprlib.repr(number)} occurs twice"
                faults.add("images whose id occurs twice", what, where)
                # Of two files it is not known whose the boxes are.
                if images.get(same[number]) != name:
                    ambiguous.add(number)
            elif not isinstance(name, str) or not name.strip():
                faults.add("images without a file name", wrong_value(entry, "file_name"), where)
            elif _differ(size := _stated_size(entry), self._stated.get(by_name.get(name))):
                what = f"{reprlib.repr(name)} was listed with another size before"
                faults.add("images listed again with another size", what, where)
                self._left_out[number] = "was listed with another size before"
            else:
                same[number] = by_name.setdefault(name, number)
                if same[number] == number:
                    images[number] = name
                    self._boxes[number] = _Boxes()
                    self._stated[number] = size
        for number in {k for k, owner in same.items() if k in ambiguous or owner in ambiguous}:
            self._left_out[number] = "has the id of another"
            images.pop(number, None)
            del same[number]
        return images, same

    def _read_boxes(self, entries, same):
        faults = self._box_faults
        faults.entries = len(entries)
        for entry in entries:
            image, category = as_id(entry.get("image_id")), as_id(entry.get("category_id"))
            numbers = box_numbers(entry)
            if image in same and category in self.categories and numbers is not None:
                boxes = self._boxes[same[image]]
                boxes.numbers.extend(numbers)
                boxes.categories.append(category)
                boxes.ignore.append(why_ignored(entry))
                boxes.areas.append(as_number(entry.get("area"), math.nan))
                boxes.ids.append(entry.get("id"))
            else:
                kind, what = self._fault(entry, image, category, same)
                faults.add(kind, what, _where(self.path, entry.get("id")))

    def _fault(self, entry, image, category, same):
        """What such entries are, and what is wrong with this one."""
        if image is None:
            return "boxes without an image", wrong_value(entry, "image_id")
        if image in self._left_out:
            what = f"its image {reprlib.repr(image)} {self._left_out[image]}"
            return "boxes of images that are left out", what
        if image not in same:
            what = f"no image has the id {reprlib.repr(image)}"
            return "boxes of pictures that are not listed", what
        if category is None:
            return "boxes without a category", wrong_value(entry, "category_id")
        if category not in self.categories:
            there = listing(list(self.categories), shown=100)
            what = f"unknown category id {reprlib.repr(category)}, there are {there}"
            return "boxes of an unknown category", what
        box, what = entry.get("bbox"), wrong_value(entry, "bbox")
        if isinstance(box, list) and len(box) == 4:
            broken = next(value for value in box if as_number(value, None) is None)
            what = f"'bbox': {reprlib.repr(broken)} is not a finite number"
        return "annotations without a box", what

    def _find_pictures(self, images):
        """Returns sizes by image id and paths by file name; drops images of unknown size."""
        names = list(self._images.values())
        folders = _picture_folders(self.path, images, self._image_set)
        pictures = find_pictures(names, folders, [images] if images else ())
        if not pictures and not images:
            pictures = _find_anywhere(names, self._image_set, self._data)
        sizes, unsaid = {}, {}
        for i in self._images:
            try:
                sizes[i] = tuple(int(finite(side or 0)) for side in self._stated[i])
                what = "neither the size of the picture nor the picture itself"
            except ValueError as error:
                sizes[i], what = (0, 0), f"size: {error}"
            if min(sizes[i]) <= 0:
                unsaid[i] = what
        of_pictures = picture_sizes(filter(None, (pictures.get(self._images[i]) for i in unsaid)))
        for i, what in unsaid.items():
            sizes[i] = of_pictures.get(pictures.get(self._images[i]), (0, 0))
            if min(sizes[i]) <= 0:
                where = f"{self.path}: image {reprlib.repr(i)}"
                self._image_faults.add("images of unknown size", what, where)
                del self._images[i]
        return sizes, pictures


def _with_boxes(entries):
    """Of a file of outlines alone the boxes around them; elsewhere one without is a bad entry.

    Returns:
        Annotations, and notes.
    """
    count = sum(OF_OUTLINES in entry for entry in entries)
    if not count or any(entry.get("bbox") for entry in entries):
        return entries, ()
    note = f"no annotation has a box; given the one around its outlines: {count:,}"
    return [entry | {"bbox": entry.get(OF_OUTLINES)} for entry in entries], (note,)


def _stated_size(entry):
    return entry.get("width"), entry.get("height")


def _differ(size, other):
    """Whether two sizes as stated are known and not the same."""
    if other is None or not (all(size) and all(other)):
        return False
    return [as_number(side, side) for side in size] != [as_number(side, side) for side in other]


def _corners(name, numbers, sizes, areas):
    """Decides what the numbers mean.

    Returns:
        Corners `(n, 4)` `[y_min, x_min, y_max, x_max]` as fractions, `(n,)` bool of boxes whose
        unit is not that of the others, and notes.
    """
    numbers, notes = np.reshape(numbers, (-1, 4)), ()
    sizes = sizes.astype(float)
    if fractions := are_fractions(numbers, name):
        sizes, notes = np.ones_like(sizes), ("boxes are fractions of their pictures, not pixels",)
    wrong = (np.abs(numbers) > FRACTION_LIMIT).any(axis=1) if fractions else like_fractions(numbers)
    start, end = numbers[:, :2], numbers[:, 2:]
    right = ~wrong
    if are_corners(numbers[right], sizes[right], areas[right]):
        notes += ("'bbox' holds x y x y, not x y width height",)
    else:
        end = start + end
    corners = np.concatenate([start / sizes, end / sizes], axis=1)
    return corners[:, [1, 0, 3, 2]], wrong.tolist(), notes


def _where(path, number):
    return f"{path}: annotation {reprlib.repr(number)}"


def _locate(path, ids, index):
    return _where(path, ids[index])


def _find_anywhere(names, image_set, data):
    """Pictures in whatever folder of the data set; none of `val/` for an image set to train on."""
    if not data.is_dir():
        return {}
    below = {f"{image_set}/{as_posix(name).lstrip('/')}": name for name in names}
    found = find_pictures(below, (), [data])
    return {below[spelling]: path for spelling, path in found.items()}


def _picture_folders(path, images, split):
    if images:
        return [*folders_of_set(split, [images]), images]
    bases = (path.parent, path.parent.parent)
    own = folders_of_set(split, [place for base in bases for place in (base, base / "images")])
    return [*own, *(base / name for name in ("images", "data", "") for base in bases)]
