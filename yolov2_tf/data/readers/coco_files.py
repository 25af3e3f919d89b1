"""Finds and loads COCO annotation files."""

import os
import re
from pathlib import Path

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.readers.coco_categories import read_categories
from yolov2_tf.data.readers.coco_values import box_of_outlines
from yolov2_tf.data.readers.json_files import kind_of_json, load_json
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import folders_in, visible
from yolov2_tf.errors import InputError

LISTS = ("images", "annotations", "categories")
"""The lists that an annotation file holds."""

_KEPT = {
    *("id", "file_name", "width", "height", "name", "supercategory"),
    *("image_id", "category_id", "bbox", "area", "iscrowd", "ignore", "score"),
}
OF_OUTLINES = "of outlines"
"""Key of the box around the outlines of an annotation that has no `bbox`."""

_CACHE_KIND = "coco/2"
_WORTH_CACHING = 1 << 22  # bytes: smaller files are read as fast as the cache
_HEAD = 1 << 16
_ONE = "leave one of them there, or give one"


def find_coco_files(path):
    """Lists COCO annotation files.

    Args:
        path: A file, or a folder: with `instances_*.json` in it or in its `annotations/`, with
            Roboflow's `train/_annotations.coco.json`, or with other files that hold the lists.

    Returns:
        A dict from image set to path, sorted; empty if there are none.

    Raises:
        InputError: If several in a folder that is an image set could be meant.
    """
    path = Path(path)
    if path.is_file():
        return {split_name(path): path}
    places = (path, path / "annotations")
    for pattern in ("instances_*.json", "*.coco.json"):
        for folder in places:
            if files := visible(folder, pattern):
                return {split_name(file): file for file in files}
    folders = folders_in(path)
    roboflow = {sub.name: sub / "_annotations.coco.json" for sub in folders}
    if files := {name: file for name, file in roboflow.items() if file.is_file()}:
        return files
    for folder in places:
        if files := [file for file in visible(folder, "*.json") if _looks_like_coco(file)]:
            return {split_name(file): file for file in files}
    sets = {sub: _of_one_set(sub) for sub in folders if role(sub.name)}
    return {sub.name: file for sub, file in sets.items() if file}


def _of_one_set(folder):
    """The annotation file of a folder that is an image set, None where it has none."""
    for place in (folder, folder / "annotations"):
        files = visible(place, "instances_*.json") or visible(place, "*.json")
        if len(files := [*filter(_looks_like_coco, files)]) > 1:
            names = listing([file.name for file in files])
            raise InputError(
                f"several COCO files of one image set: {names}", where=place, hint=_ONE
            )
        if files:
            return files[0]
    return None


def is_without_pictures(path):
    """Whether an annotation file is of an image set that nobody put a picture into."""
    if os.path.getsize(path) > _HEAD:  # it holds more than categories
        return False
    return re.search(r'"images"\s*:\s*\[\s*\]', read_text(path)) is not None


def category_ids(data, split=None):
    """The category id of each class of a COCO data set.

    Args:
        data: File or folder, see `find_coco_files`.
        split: Image set; None: the first.

    Returns:
        Dict from name to id, in the order of the data set's classes.

    Raises:
        InputError: If it is no COCO data set.
    """
    files = find_coco_files(data) if Path(data).exists() else {}
    file = files.get(split) or next(iter(files.values()), None)
    if file is None or file.suffix != ".json":
        raise InputError(
            "COCO's results have its category ids", where=data, expected="a COCO data set"
        )
    names, _ = read_categories(load_coco(file), file)
    ids = {}
    for number, name in names.items():
        ids.setdefault(name, number)
    return ids


def split_name(path):
    """The image set that a file is about: `val2017` for `instances_val2017.json`."""
    if path.stem.startswith("_annotations"):
        return path.resolve().parent.name
    return re.sub("^instances_", "", path.stem)


def load_coco(path):
    """Loads an annotation file without the outlines.

    Args:
        path: The file.

    Returns:
        Dict from the names of `LISTS` to lists of dicts.

    Raises:
        InputError: If it is no COCO file.
    """
    path = os.path.abspath(path)
    stamps = {path: stamp(path)}
    large = stamps[path] is not None and stamps[path][0] > _WORTH_CACHING
    if large and (known := recall(_CACHE_KIND, stamps)):
        return known[path]
    content = _parse(path)
    for key in LISTS:
        entries = content.get(key) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"no list of objects {key!r}", where=path, expected="a COCO file")
    content = {key: content[key] for key in LISTS}
    if large:
        remember(_CACHE_KIND, stamps, {path: content})
    return content


def _parse(path):
    def slim(entry):  # most of a COCO file is outlines: gigabytes that nobody asked for
        if len(entry.keys() & {*LISTS}) > 1:
            return entry
        if "id" in entry or "image_id" in entry:
            kept = {key: value for key, value in entry.items() if key in _KEPT}
            if not kept.get("bbox") and (box := box_of_outlines(entry.get("segmentation"))):
                kept[OF_OUTLINES] = box
            return kept
        return entry if entry.keys() & {*LISTS} else {}

    content = load_json(path, slim)
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict) and {"image_id", "category_id", "score"} <= first.keys():
        raise InputError(
            "COCO results: detections, without pictures and names of classes",
            where=path,
            expected="annotations: images, annotations and categories",
        )
    return content


def _looks_like_coco(path):
    """Whether the first or last bytes of a file name two of the lists, and no other tool's keys."""
    try:
        with open(path, "rb") as file:
            ends = file.read(_HEAD)
            file.seek(max(os.path.getsize(path) - _HEAD, 0))
            ends += file.read(_HEAD)
    except OSError:
        return False
    ends = ends.replace(b"\0", b"")  # of UTF-16
    named = sum(f'"{key}"'.encode() in ends for key in LISTS)
    return named >= 2 and kind_of_json(path) == "coco"
