"""JSON files of annotations: loads them, and knows by their content which tool wrote them."""

import codecs
import json

from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError


def load_json(path, object_hook=None):
    """Loads a JSON file.

    Args:
        path: The file: UTF-8, or UTF-16 with a byte order mark.
        object_hook: As for `json.loads`.

    Returns:
        What it holds.

    Raises:
        InputError: If it cannot be opened or is malformed.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_hook=object_hook)
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"JSON that cannot be read: {error}", where=path) from None


REFUSED = {
    "labelme": (
        "labelme's JSON, one file a picture",
        "labelme2coco, which makes one COCO file of them",
    ),
    "label-studio": (
        "Label Studio's own JSON",
        "in Label Studio: Export, then COCO or YOLO",
    ),
    "vott": ("VoTT's JSON", "in VoTT: Export Settings, then CSV or Pascal VOC"),
    "supervisely": ("Supervisely's JSON", "in Supervisely: Export to COCO or Pascal VOC"),
    "via3": ("VIA 3's project", "VIA 2, or in VIA 3: Export, then COCO"),
    "datumaro": ("Datumaro's own JSON", "in Datumaro: convert to coco_instances"),
    "bdd": ("JSON of BDD100K or Scalabel", "bdd100k.label.to_coco, which makes a COCO file of it"),
    "labelbox": ("Labelbox's own JSON", "export as COCO there"),
    "darwin": ("Darwin JSON of V7", "export as COCO there"),
    "superannotate": (
        "SuperAnnotate's own JSON",
        "export_annotation of its SDK, which writes COCO",
    ),
    "detectron2": (
        "Detectron2's list of pictures",
        "convert_to_coco_json of detectron2.data.datasets.coco",
    ),
    "mmdetection": (
        "MMDetection's own JSON",
        "the COCO file that it was made of, or a CSV with image,xmin,ymin,xmax,ymax,label",
    ),
    "fiftyone": ("FiftyOne's own JSON", "in FiftyOne: export as COCODetectionDataset"),
    "cityscapes": (
        "Cityscapes' outlines",
        "MMDetection's tools/dataset_converters/cityscapes.py, which makes COCO files of them",
    ),
    "coco-results": (
        "COCO results: what a model found, no annotations",
        "the instances_*.json that they were made for",
    ),
}
"""JSON that no reader takes: what it is, and what to do instead."""


_LISTS = (  # what a file holds that is a list, likeliest first
    ("createml", ("coordinates", "label")),
    ("detectron2", ("file_name", "annotations", "bbox_mode")),
    ("mmdetection", ("filename", "ann", "bboxes")),
    ("coco-results", ("image_id", "bbox")),
    ("label-studio", ("annotations", "result")),
    ("label-studio", ("completions", "result")),
    ("label-studio", ("rectanglelabels",)),
    ("bdd", ("box2d", "category")),
    ("labelbox", ("data_row", "projects")),
)
_COCO = ("images", "annotations", "categories")
_OBJECTS = (
    # All three together nobody else has; attributes in such a file may be called as keys below.
    ("coco", _COCO),
    ("via", ("regions", "shape_attributes", "filename")),
    ("labelme", ("shapes", "imagePath")),
    ("vott", ("assets", "regions")),
    ("vott", ("asset", "regions")),
    ("supervisely", ("objects", "classTitle")),
    ("via3", ("metadata", "vid", "xy")),
    ("datumaro", ("items", "label_id")),
    ("coco", ("images", "annotations")),
    ("darwin", ("item", "slots", "annotations")),
    ("superannotate", ("instances", "className")),
    ("mmdetection", ("data_list", "instances")),
    ("fiftyone", ("classes", "labels", "bounding_box")),
    ("fiftyone", ("samples", "filepath", "detections")),
    ("cityscapes", ("imgHeight", "objects", "polygon")),
)
_CHUNK = 1 << 20  # bytes: files of gigabytes are looked through piece by piece
_LONGEST = 32  # bytes: no key is longer


def kind_of_json(path):
    """Tells by the keys of a JSON file who wrote it, without loading it.

    Args:
        path: The file.

    Returns:
        `"coco"`, `"createml"`, `"via"`, a key of `REFUSED`, or None.
    """
    kinds, missing, found, end = None, set(), [], b""
    try:
        for text in _chunks(path):
            if kinds is None:
                kinds = _LISTS if text.lstrip()[:1] == b"[" else _OBJECTS
                missing = {key for _, keys in kinds for key in keys}
            text = end + text
            missing = {key for key in missing if b'"%s"' % key.encode() not in text}
            found = [kind for kind, keys in kinds if missing.isdisjoint(keys)]
            # An object with one of COCO's lists may have all of them, further on.
            some_of_coco = kinds is _OBJECTS and not missing.issuperset(_COCO)
            if found and (found[0] == "coco" or not some_of_coco):
                return found[0]
            end = text[-_LONGEST:]
    except OSError:
        return None
    return found[0] if found else None


def _chunks(path):
    """Yields the bytes of a file piece by piece, as UTF-8 without a byte order mark."""
    with open(path, "rb") as file:
        first = file.read(_CHUNK)
        if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            decoder = codecs.getincrementaldecoder("utf-16")("replace")
            yield decoder.decode(first).encode("utf-8", "replace")
            yield from (
                decoder.decode(chunk).encode("utf-8", "replace")
                for chunk in iter(lambda: file.read(_CHUNK), b"")
            )
            return
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from iter(lambda: file.read(_CHUNK), b"")
