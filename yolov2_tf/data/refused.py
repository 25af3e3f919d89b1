"""Forms of annotations that are known and not read: what they are, and what converts them."""

import collections
import itertools
import re

from yolov2_tf.data.picture_finder import is_picture
from yolov2_tf.data.readers.json_files import REFUSED, kind_of_json
from yolov2_tf.data.visible_files import walk_files
from yolov2_tf.errors import InputError

_LOOKED_AT = 300  # files of a folder that are no pictures
_PASSED = 100_000  # files, pictures too
_FEW = 5  # JSON files of one folder: the first may be of a picture without an object

_HEAD = 4096  # bytes of a text file

_KERAS_YOLO = re.compile(rb"\s*\S.*\.\w{3,4}(\s+\d+,\d+,\d+,\d+,\d+)+\s*$", re.MULTILINE)
"""A line of keras-yolo3's lists: a picture and its boxes, `a.jpg 10,20,60,70,0 …`."""

_DATUMARO = "Datumaro, which writes COCO (coco_instances)"
_BY_NAME = (
    (r"\.ndjson", "NDJSON of Labelbox or Ultralytics", "export as COCO or YOLO there"),
    (
        r"\.manifest",
        "a manifest of SageMaker Ground Truth or Rekognition",
        "a CSV with image,xmin,ymin,xmax,ymax,label",
    ),
    (
        r"(^|/)metadata\.jsonl",
        "metadata.jsonl of Hugging Face",
        "a CSV with image,xmin,ymin,xmax,ymax,label",
    ),
    (r"\.vott", "VoTT's project", "in VoTT: Export Settings, then CSV or Pascal VOC"),
    (
        r"(^|/)labelTxt[^/]*/[^/]+\.txt",
        "DOTA's oriented boxes",
        "Ultralytics' convert_dota_to_yolo_obb, whose labels are read",
    ),
    (
        r"(^|/)Label/[^/]+\.txt",
        "labels of the OIDv4 ToolKit",
        "the CSV of OpenImages itself, with --images",
    ),
    (r"(^|/)(gt/gt|det/det)\.txt", "tracks of the MOT challenge", _DATUMARO),
    (r"(^|/)wider_face_[^/]*_bbx_gt\.txt", "WIDER FACE's list of boxes", _DATUMARO),
    (
        r"(^|/)_annotations\.txt",
        "lists of keras-yolo3 (Roboflow's 'YOLO Keras')",
        "in Roboflow: export as YOLOv8 or COCO",
    ),
)


def refuse_by_name(folder):
    """Raises for a folder of annotations in a form that is known and not read.

    Args:
        folder: `pathlib.Path`.

    Raises:
        InputError: If it is one; says what it is and what to do.
    """
    looked_into = collections.Counter()
    files = itertools.islice(walk_files(folder), _PASSED)
    for path in itertools.islice(itertools.filterfalse(is_picture, files), _LOOKED_AT):
        refuse_file(path)
        place = path.rpartition("/")[0]
        if path.lower().endswith(".json") and looked_into[place] < _FEW:
            looked_into[place] += 1
            refuse_json(path)


def refuse_file(path):
    """Raises for a file that is known by its name, or CVAT's or VOC's XML.

    Args:
        path: The file.

    Raises:
        InputError: If it is one.
    """
    for pattern, what, instead in _BY_NAME:
        if re.search(pattern + "$", str(path), re.IGNORECASE):
            raise InputError(what, where=path, expected="a form that is read", hint=instead)
    if str(path).lower().endswith(".txt") and _KERAS_YOLO.match(_head(path)):
        raise InputError(
            "a list of keras-yolo3: pictures with their boxes behind them",
            where=path,
            expected="a form that is read",
            hint="a CSV with image,xmin,ymin,xmax,ymax,label",
        )
    if str(path).lower().endswith(".xml") and is_cvat(path):
        raise InputError(
            "CVAT's own XML",
            where=path,
            hint="in CVAT: Export task dataset, then COCO 1.0, YOLO 1.1 or PASCAL VOC 1.1",
        )


def refuse_json(path):
    """Returns the kind of a JSON file, as `kind_of_json`; raises for those that are not read.

    Raises:
        InputError: If it is one; says what it is and what to do.
    """
    kind = kind_of_json(path)
    if kind in REFUSED:
        what, instead = REFUSED[kind]
        raise InputError(what, where=path, expected="a form that is read", hint=instead)
    return kind


def is_cvat(path):
    """Whether a file is CVAT's own XML."""
    return b"<annotations" in _head(path)[:1024]


def _head(path):
    """The first bytes of a file, none where it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
