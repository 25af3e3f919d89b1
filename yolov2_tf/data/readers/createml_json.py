"""Reads Create ML's JSON: centres and sizes, a list of boxes for each picture.

In pixels, or in fractions, which is said.
"""

import functools
import reprlib
from pathlib import Path

from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits, finite, listing
from yolov2_tf.data.images import unreadable
from yolov2_tf.data.picture_finder import PictureFinder
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.json_files import load_json
from yolov2_tf.data.readers.units import to_fractions
from yolov2_tf.data.visible_files import is_hidden
from yolov2_tf.errors import InputError

FILE_NAME = "_annotations.createml.json"


def read_createml(path, *, split=None, images=None, class_names=None):
    """Reads Create ML's JSON.

    Args:
        path: The file, or a folder with `_annotations.createml.json` in it or, as Roboflow exports
            it, in its folders `train`, `valid` and `test`.
        split: Image set to read, where there are such folders. Default: the only one, else all.
        images: Folder of the pictures. Default: that of the file.
        class_names: Names that the labels shall index. Default: the names found, sorted.

    Returns:
        A `Dataset`. A picture that cannot be read is left out, since no sizes are stated.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    files = find_createml_files(path)
    named = [name for name in files if name]
    chosen, notes = choose_splits(path, named, split)
    annotations, left_out = [], []
    for name in chosen or files:
        file = files[name]
        prefix = f"{name}/" if len(chosen) > 1 else ""
        folders = [images] if images else [file.parent, file.parent / "images"]
        found, left = _read_file(file, PictureFinder(folders, folders[:1]), prefix, name)
        annotations += found
        left_out += left
    if left_out and not annotations:
        raise InputError(
            f"no picture can be read; the first: {left_out[0]}",
            where=path,
            hint="--images with the folder of the pictures",
        )
    notes += to_fractions(annotations, path)
    if left_out:
        what = "images without a readable picture, left out"
        notes += (f"{what}: {len(left_out):,} ({listing(left_out)})",)
    if class_names is None:
        class_names = sorted({name for annotation in annotations for name in annotation.names})
    title = path.stem if path.is_file() else path.resolve().name
    return build_dataset(title, annotations, class_names, notes)


def find_createml_files(path):
    """Lists Create ML's files: a dict from image set (`""` for none) to path."""
    if path.is_file():
        return {"": path}
    if (path / FILE_NAME).is_file():
        return {"": path / FILE_NAME}
    files = sorted(path.glob(f"*/{FILE_NAME}"))
    return {file.parent.name: file for file in files if not is_hidden(file.parent.name)}


def is_createml(content):
    """Whether a JSON value is what Create ML reads."""
    first = content[0] if isinstance(content, list) and content else None
    return (
        isinstance(first, dict)
        and any(key in first for key in ("image", "imagefilename"))
        and isinstance(first.get("annotations", first.get("annotation")), list)
    )


def _read_file(path, finder, prefix, set_name):
    content = load_json(path)
    if not is_createml(content):
        raise InputError("no list of pictures with 'annotations'", where=path)
    annotations, left_out, entries = [], [], []
    for i, entry in enumerate(content):
        where = f"{path}: [{i}]"
        name = entry.get("image", entry.get("imagefilename")) if isinstance(entry, dict) else None
        boxes = entry.get("annotations", entry.get("annotation")) if name else None
        if not isinstance(name, str) or not isinstance(boxes, list):
            raise InputError("no 'image', or no 'annotations'", where=where)
        entries.append((where, name, boxes))
    pictures = finder.find_all(name for _, name, _ in entries)
    sizes = picture_sizes(pictures.values())
    for where, name, boxes in entries:
        picture = pictures.get(name)
        width, height = sizes.get(picture, (0, 0))
        if not width:
            left_out.append(unreadable(prefix + name, picture))
            continue
        annotations.append(
            Annotation(
                picture,
                prefix + name,
                [_corners(box, f"{where}: annotations[{j}]") for j, box in enumerate(boxes)],
                [_label(box, f"{where}: annotations[{j}]") for j, box in enumerate(boxes)],
                [False] * len(boxes),
                functools.partial("{}: annotations[{}]".format, where),
                width,
                height,
                (set_name,) if set_name else (),
            )
        )
    return annotations, left_out


def _label(box, where):
    label = box.get("label")
    if not isinstance(label, str) or not label.strip():
        raise InputError(f"'label' is {reprlib.repr(label)}", where=where)
    return label.strip()


def _corners(box, where):
    """The corners of a box, `x_min, y_min, x_max, y_max`, in the units that it has."""
    place = box.get("coordinates") if isinstance(box, dict) else None
    if not isinstance(place, dict):
        raise InputError("no 'coordinates'", where=where, expected="x, y, width, height")
    try:
        x, y, w, h = (finite(place.get(key)) for key in ("x", "y", "width", "height"))
    except ValueError as error:
        raise InputError(f"'coordinates': {error}", where=where) from None
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2
