"""What a detector found, kept for others: as annotations to correct, and cut out."""

import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.writers.conversion import convert
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.files import replacing

FORMS = ("voc", "yolo", "coco")
"""Forms of `predict --save`."""


class Annotations:
    """Collects detections, and writes them as a data set with the pictures.

    Nodes of a label tree that share a name are told apart by their numbers.

    Args:
        folder: Folder to write, new or empty.
        form: One of `FORMS`.
        class_names: Classes of the detector; a dict of a server's by label may still grow.

    Raises:
        InputError: If the form is unknown or the folder is not empty.
    """

    def __init__(self, folder, form, class_names):
        if form not in FORMS:
            raise InputError(f"--save {form!r}", expected=", ".join(FORMS))
        self.folder, self._form, self._names = Path(folder), form, class_names
        if self.folder.exists() and (self.folder.is_file() or any(self.folder.iterdir())):
            raise InputError("is there and not empty", where=self.folder, hint="another --out")
        self._records = []

    def add(self, source, image, found):
        """Adds a picture; one in which nothing was found too.

        Args:
            source: Its `Source`.
            image: `(H, W, 3)` uint8, upright.
            found: Dict of `boxes` and `labels`.
        """
        boxes = np.clip(np.asarray(found["boxes"], np.float32).reshape(-1, 4), 0, 1)
        keep = ((boxes[:, 2:] - boxes[:, :2]) > 1e-6).all(axis=1)
        path = source.opened if "://" not in source.opened else _encoded(image)
        labels = np.asarray(found["labels"], np.int32)[keep]
        height, width = image.shape[:2]
        self._records.append(
            Record(path, str(source.place), boxes[keep], labels, ~keep[keep], width, height)
        )

    def write(self):
        """Writes the data set.

        Returns:
            Notes for the user, one line each.
        """
        names = self._names
        if isinstance(names, Mapping):  # a label that no picture has is called by its number
            names = [names[label] for label in range(max(names, default=-1) + 1)]
        dataset = Dataset("detections", tuple(distinct_names(names)), self._records)
        return convert(dataset, self.folder, self._form)


def _encoded(image):
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "PNG")
    return encoded.getvalue()


class Crops:
    """Writes each detection as a picture of its own: `CLASS/NAME-1.png`.

    Args:
        folder: Where.
        class_names: What labels index; a dict of a server's by label may still grow.
    """

    def __init__(self, folder, class_names):
        self._folder, self._names, self._stems = Path(folder), class_names, {}

    def stem(self, place):
        """How the crops of a picture begin; the first of one stem has it, whatever is cut out.

        Args:
            place: Relative path that the picture is called by.
        """
        first = self._stems.setdefault(str(place.with_suffix("")), place.suffix)
        return place.stem if first == place.suffix else place.name  # a.png beside a.jpg

    def add(self, place, image, found):
        """Cuts the detections out of a picture, the surest first.

        Args:
            place: Relative path that the picture is called by.
            image: `(H, W, 3)` uint8.
            found: Dict of `boxes` and `labels`.
        """
        height, width = image.shape[:2]
        stem = self.stem(place)
        numbers = {}  # by folder: classes `a/b` and `a:b` share one
        boxes = np.clip(np.asarray(found["boxes"], float).reshape(-1, 4), 0, 1)
        for box, label in zip(boxes, np.asarray(found["labels"], int).tolist(), strict=True):
            y_min, x_min = np.floor(box[:2] * (height, width)).astype(int)
            y_max, x_max = np.ceil(box[2:] * (height, width)).astype(int)
            part = image[y_min:y_max, x_min:x_max]
            if not part.size:
                continue
            folder = self._folder / _folder_name(self._names[label]) / place.parent
            numbers[folder] = numbers.get(folder, 0) + 1
            out = folder / f"{stem}-{numbers[folder]}.png"
            with replacing(out) as path:
                Image.fromarray(np.ascontiguousarray(part)).save(path)


def _folder_name(name):
    return re.sub(r"[^\w .-]", "_", name).strip(". ") or "_"
