"""JSON files of annotations: loads them, and knows by their content which tool wrote them."""

import codecs
import json

from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError


def load_json(path):
    """Loads a JSON file.

    Raises:
        InputError: If it cannot be opened or is malformed.
    """
    text = read_text(path)
    try:
        return json.loads(text)
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
    "coco-results": (
        "COCO results: what a model found, no annotations",
        "the instances_*.json that they were made for",
    ),
}
"""JSON that no reader takes: what it is, and what to do instead."""


def kind_of_json(path):
    """Tells by the keys of a JSON file who wrote it, without loading it.

    Args:
        path: The file.

    Returns:
        `"coco"`, `"createml"`, `"via"`, a key of `REFUSED`, or None.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(1 << 16)
            rest = head if len(head) < 1 << 16 else head + file.read()
    except OSError:
        return None
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = rest = rest.decode("utf-16", "replace").encode()

    def has(*keys):
        return all(b'"%s"' % key.encode() in rest for key in keys)

    if head.lstrip(codecs.BOM_UTF8).lstrip()[:1] == b"[":
        kinds = (
            ("createml", ("coordinates", "label")),
            ("coco-results", ("image_id", "bbox")),
            ("label-studio", ("annotations", "result")),
            ("label-studio", ("completions", "result")),
        )
    else:
        kinds = (
            ("via", ("regions", "shape_attributes", "filename")),
            ("labelme", ("shapes", "imagePath")),
            ("vott", ("assets", "regions")),
            ("vott", ("asset", "regions")),
            ("supervisely", ("objects", "classTitle")),
            ("coco", ("images", "annotations")),
        )
    return next((kind for kind, keys in kinds if has(*keys)), None)
