"""Reads the VGG Image Annotator's regions: its CSV, its JSON and its project files (VIA 2).

Rectangles are taken as they are; of other shapes the upright bounding box.
"""

import json
import math
import reprlib
from pathlib import Path

from yolov2_tf.data.annotations import ONE_CLASS, Annotation, build_dataset, finite, listing
from yolov2_tf.data.images import unreadable
from yolov2_tf.data.picture_finder import PictureFinder
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.csv_cells import read_cells
from yolov2_tf.data.readers.json_files import load_json
from yolov2_tf.data.readers.units import to_fractions
from yolov2_tf.errors import InputError

_LABELS = ("class", "label", "type", "name", "category", "object")
"""Attributes that name the class, where a region has several."""


def read_via(path, *, images=None, class_names=None):
    """Reads regions from a file of VIA.

    Args:
        path: `via_region_data.json`, a project, or a CSV file.
        images: Folder of the pictures. Default: the file's folder, or `images/` in it.
        class_names: Names that the labels shall index. Default: the names found, sorted.

    Returns:
        A `Dataset`. A picture that cannot be read is left out, since VIA states no sizes.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    regions_of = _from_csv(path) if path.suffix.lower() in (".csv", ".tsv") else _from_json(path)
    label = _label_attribute(regions_of, path)
    folders = [images] if images else [path.parent, path.parent / "images"]
    finder = PictureFinder(folders, folders[:1])
    annotations, left_out = [], []
    pictures = finder.find_all(regions_of)
    sizes = picture_sizes(pictures.values())
    for name, regions in regions_of.items():
        picture = pictures.get(name)
        width, height = sizes.get(picture, (0, 0))
        if not width:
            left_out.append(unreadable(name, picture))
            continue
        boxes = [_corners(shape, where) for shape, _, where in regions]
        names = [
            ONE_CLASS if label is None else _value(attributes, label, where)
            for _, attributes, where in regions
        ]
        places = [where for _, _, where in regions]
        annotations.append(
            Annotation(
                *(picture, name, boxes, names, [False] * len(names), places.__getitem__),
                *(width, height),
            )
        )
    if left_out and not annotations:
        raise InputError(
            f"no picture can be read; the first: {left_out[0]}",
            where=path,
            hint="--images with the folder of the pictures",
        )
    what = "images without a readable picture, left out"
    notes = [f"{what}: {len(left_out):,} ({listing(left_out)})"] if left_out else []
    notes += to_fractions(annotations, path)
    if label is None and any(regions_of.values()):
        notes.append(f"no region names a class: every box is one of {ONE_CLASS!r}")
    if class_names is None:
        class_names = sorted({name for annotation in annotations for name in annotation.names})
    return build_dataset(path.stem, annotations, class_names, notes)


def is_via_csv(path):
    """Whether a CSV file is one of VIA."""
    try:
        _, fields = next(read_cells(path), (0, []))
    except InputError:
        return False
    return "region_shape_attributes" in fields


def is_via_json(content):
    """Whether a JSON value is what VIA writes."""
    if not isinstance(content, dict):
        return False
    entries = content.get("_via_img_metadata", content)
    first = next(iter(entries.values()), None) if isinstance(entries, dict) else None
    return isinstance(first, dict) and "regions" in first and "filename" in first


def _from_json(path):
    content = load_json(path)
    if not is_via_json(content):
        raise InputError("no regions of VIA", where=path)
    regions_of = {}
    for key, entry in content.get("_via_img_metadata", content).items():
        where = f"{path}: {key[:80]}"
        if not isinstance(entry, dict) or not isinstance(entry.get("filename"), str):
            raise InputError("no 'filename'", where=where)
        regions = entry.get("regions") or []
        regions = list(regions.values()) if isinstance(regions, dict) else regions  # VIA 1
        if not isinstance(regions, list):
            raise InputError("'regions' is no list", where=where, expected="a list of objects")
        found = regions_of.setdefault(entry["filename"], [])
        for i, region in enumerate(regions):
            if not isinstance(region, dict):
                raise InputError("a region is no object", where=f"{where} regions[{i}]")
            shape, attributes = region.get("shape_attributes"), region.get("region_attributes")
            found.append((shape, attributes, f"{where} regions[{i}]"))
    return regions_of


def _from_csv(path):
    regions_of, columns = {}, None
    for line, fields in read_cells(path):
        if columns is None:
            columns = ["filename" if field == "#filename" else field for field in fields]
            needed = {"filename", "region_shape_attributes", "region_attributes"}
            if missing := sorted(needed - set(columns)):
                raise InputError(f"no column {missing[0]!r}", where=f"{path}:{line}")
            continue
        cells = dict(zip(columns, fields, strict=False))
        where = f"{path}:{line}"
        try:
            shape = json.loads(cells.get("region_shape_attributes") or "{}")
            attributes = json.loads(cells.get("region_attributes") or "{}")
        except (ValueError, RecursionError) as error:
            raise InputError(f"malformed JSON in a cell: {error}", where=where) from None
        found = regions_of.setdefault(cells["filename"], [])
        if shape:
            found.append((shape, attributes, where))
    return regions_of


def _label_attribute(regions_of, path):
    """The attribute that names the class: the only one, or the one that is called so.

    None where no region has any.
    """
    used = {}
    for regions in regions_of.values():
        for _, attributes, _ in regions:
            used.update(dict.fromkeys(attributes if isinstance(attributes, dict) else ()))
    known = [name for name in used if str(name).lower() in _LABELS]
    found = known if len(used) > 1 else list(used)
    if len(found) == 1 or not used:
        return next(iter(found), None)
    raise InputError(
        f"which attribute of the regions names the class? There are: {listing(list(used))}",
        where=path,
        hint="one attribute that is called class",
    )


def _value(attributes, label, where):
    value = attributes.get(label) if isinstance(attributes, dict) else None
    if isinstance(value, dict):  # of a checkbox: {"fish": true}
        ticked = [key for key, on in value.items() if on]
        value = ticked[0] if len(ticked) == 1 else None
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"the region has no {label!r}, or several", where=where)
    return value.strip()


def _corners(shape, where):
    """The corners of a region, `x_min, y_min, x_max, y_max`, in the units that it has."""
    if not isinstance(shape, dict):
        raise InputError("the region's shape is missing", where=where, expected="shape_attributes")
    try:
        return _corners_of(shape)
    except KeyError as error:
        raise InputError(f"the region's shape has no {error}", where=where) from None
    except (TypeError, ValueError) as error:
        raise InputError(f"the region's shape: {error}", where=where) from None


def _corners_of(shape):
    match shape["name"]:
        case "rect":
            x, y, width, height = (finite(shape[key]) for key in ("x", "y", "width", "height"))
            return x, y, x + width, y + height
        case "circle" | "ellipse":
            return _ellipse(shape)
        case "polygon" | "polyline":
            xs, ys = (_numbers(shape, key) for key in ("all_points_x", "all_points_y"))
            return min(xs), min(ys), max(xs), max(ys)
        case other:
            raise ValueError(f"{str(other)[:40]!r} has no box")


def _ellipse(shape):
    x, y = finite(shape["cx"]), finite(shape["cy"])
    rx, ry = (finite(shape[key] if key in shape else shape["r"]) for key in ("rx", "ry"))
    turn = finite(shape.get("theta") or 0)  # radians
    half_width = math.hypot(rx * math.cos(turn), ry * math.sin(turn))
    half_height = math.hypot(rx * math.sin(turn), ry * math.cos(turn))
    return x - half_width, y - half_height, x + half_width, y + half_height


def _numbers(shape, key):
    values = shape[key]
    if not isinstance(values, list) or not values:
        raise ValueError(f"{key!r} is {reprlib.repr(values)}, no list of numbers")
    return [finite(value) for value in values]
