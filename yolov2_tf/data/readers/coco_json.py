"""Reads COCO's `instances_*.json`: boxes `[x, y, width, height]` in 0-based pixels."""

import json
import re
import reprlib
from pathlib import Path

from yolov2_tf.data.annotations import (
    Annotation,
    build_dataset,
    choose_splits,
    find_pictures,
    finite,
    listing,
)
from yolov2_tf.data.images import inspect_image
from yolov2_tf.errors import InputError


def read_coco(path, *, split=None, images=None, class_names=None):
    """Reads a COCO annotation file, or a folder of them.

    Args:
        path: A JSON file, or a folder with `instances_*.json` in it or in its `annotations/`.
        split: What stands for `*`, e.g. `"val2017"`. Default: the only one, else all. If several
            files are read, image ids are `"val2017/139"`, so that they are unique.
        images: Folder of the pictures. Default: a folder named like the split beside the file or
            its folder, or `images/`.
        class_names: Names that the labels shall index. Default: all categories by category id
            (ids with gaps become labels without).

    Returns:
        A `Dataset`; boxes with `iscrowd` are marked `ignore`.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    files = find_coco_files(path)
    if not files:
        raise InputError("no COCO annotations", where=path, expected="instances_*.json")
    chosen, notes = choose_splits(path, files, split)

    annotations, found_names = [], {}
    for name in chosen:
        prefix = f"{name}/" if len(chosen) > 1 else ""
        content = _load(files[name])
        categories, repeated = _categories(content, files[name])
        found_names.update(dict.fromkeys(categories.values()))
        if repeated:
            notes += (f"categories of one name taken as one: {listing(repeated)}",)
        annotations += _annotations(content, categories, files[name], prefix, images)
    name = files[chosen[0]].stem if len(chosen) == 1 else path.resolve().name
    names = found_names if class_names is None else class_names
    return build_dataset(name, annotations, names, notes)


def find_coco_files(path):
    """Lists COCO annotation files: a dict from split to path, sorted; empty if there are none."""
    if path.is_file():
        return {_split_name(path): path}
    for folder in (path, path / "annotations"):
        if files := sorted(folder.glob("instances_*.json")):
            return {_split_name(file): file for file in files}
    return {}


def _split_name(path):
    return re.sub("^instances_", "", path.stem)


def _load(path):
    def without_outlines(entry):  # most of a COCO file is polygons: gigabytes that nobody asked for
        entry.pop("segmentation", None)
        return entry

    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file, object_hook=without_outlines)
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"JSON that cannot be read: {error}", where=path) from None
    for key in ("images", "annotations", "categories"):
        entries = content.get(key) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"no list of objects {key!r}", where=path, expected="a COCO file")
    return content


def _field(entry, key, kinds, where):
    value = entry.get(key)
    if not isinstance(value, kinds) or isinstance(value, bool):
        what = f"{key!r} is {reprlib.repr(value)}" if key in entry else f"{key!r} is missing"
        raise InputError(what, where=where)
    return value


def _categories(content, path):
    """Returns a dict from category id to name, by id, and names that occur more than once."""
    categories = {}
    for i, entry in enumerate(content["categories"]):
        where = f"{path}: categories[{i}]"
        number = _field(entry, "id", int, where)
        if number in categories:
            raise InputError(f"category id {number} occurs twice", where=where)
        categories[number] = _field(entry, "name", str, where)
    categories = dict(sorted(categories.items()))
    names = list(categories.values())
    return categories, sorted({name for name in names if names.count(name) > 1})


def _annotations(content, categories, path, prefix, images):
    entries = {}
    for i, entry in enumerate(content["images"]):
        where = f"{path}: images[{i}]"
        number = _field(entry, "id", (int, str), where)
        if number in entries:
            raise InputError(f"image id {reprlib.repr(number)} occurs twice", where=where)
        _field(entry, "file_name", str, where)
        entries[number] = entry

    boxes = {number: [] for number in entries}
    for entry in content["annotations"]:
        where = _where(path, entry)
        number = _field(entry, "image_id", (int, str), where)
        if number not in boxes:
            raise InputError(f"no image has the id {reprlib.repr(number)}", where=where)
        if _field(entry, "category_id", int, where) not in categories:
            raise InputError(
                f"unknown category id {entry['category_id']}",
                where=where,
                expected=listing(list(categories), shown=100),
            )
        boxes[number].append(entry)

    pictures = find_pictures(
        [entry["file_name"] for entry in entries.values()], _picture_folders(path, images)
    )
    return [
        _annotation(
            entry, boxes[number], categories, path, prefix, pictures.get(entry["file_name"])
        )
        for number, entry in entries.items()
    ]


def _annotation(image, boxes, categories, path, prefix, picture):
    width, height = _size(image, picture, path)
    return Annotation(
        picture,
        f"{prefix}{image['id']}",
        [_corners(entry, width, height, path) for entry in boxes],
        [categories[entry["category_id"]] for entry in boxes],
        [bool(entry.get("iscrowd")) for entry in boxes],
        lambda i: _where(path, boxes[i]),
        width,
        height,
    )


def _where(path, entry):
    return f"{path}: annotation {reprlib.repr(entry.get('id'))}"


def _size(image, picture, path):
    try:
        width, height = (int(finite(image.get(key, 0))) for key in ("width", "height"))
    except ValueError as error:
        raise InputError(f"size: {error}", where=f"{path}: image {image['id']}") from None
    if width > 0 and height > 0:
        return width, height
    if picture is None:
        raise InputError(
            "neither the size of the picture nor the picture itself",
            where=f"{path}: image {image['id']}",
        )
    info = inspect_image(picture)
    return info.width, info.height


def _corners(entry, width, height, path):
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise InputError(
            f"'bbox' is {reprlib.repr(box)}",
            where=_where(path, entry),
            expected="[x, y, width, height]",
        )
    try:
        x, y, w, h = map(finite, box)
    except ValueError as error:
        raise InputError(f"'bbox': {error}", where=_where(path, entry)) from None
    return y / height, x / width, (y + h) / height, (x + w) / width


def _picture_folders(path, images):
    if images:
        return [images]
    split = _split_name(path)
    bases = (path.parent, path.parent.parent)
    names = (split, f"images/{split}", "images", "")
    return [base / name for name in names for base in bases]
