"""Annotations as columns: a reader meets a million, and no object of each stays."""

import array
import functools
from collections.abc import Sequence

import numpy as np

from yolov2_tf.data.annotations import Annotation
from yolov2_tf.data.picture_column import PictureColumn
from yolov2_tf.data.text_column import TextColumn


class AnnotationColumns(Sequence):
    """A sequence of `Annotation`, each of which is an object only while somebody looks at it."""

    def __init__(self):
        self._images, self._ids, self._places = PictureColumn(), TextColumn(), TextColumn()
        self._boxes, self._ends = array.array("d"), array.array("q", [0])
        self._names, self._ignore = array.array("i"), array.array("i")
        self._known_names, self._known_reasons, self._known_sets = {}, {}, {}
        self._numbers = array.array("i")

    def append(self, annotation, where):
        """Adds an annotation at the end.

        Args:
            annotation: `Annotation`; its `locate` is not kept.
            where: Where it stands, e.g. `"a.tfrecord: example 3"`, for messages on its boxes.
        """
        self._images.append(annotation.image)
        self._ids.append(annotation.image_id)
        self._places.append(where)
        self._boxes.extend(np.asarray(annotation.boxes, np.float64).ravel())
        self._names.extend(_numbered(annotation.names, self._known_names))
        self._ignore.extend(_numbered(annotation.ignore, self._known_reasons))
        self._ends.append(len(self._names))
        (image_set,) = _numbered([annotation.image_sets], self._known_sets)
        self._numbers.extend((annotation.width, annotation.height, image_set))

    def packed(self):
        """Ends them; nothing may be appended any more."""
        self._images.packed(), self._ids.packed(), self._places.packed()
        self._boxes = np.array(self._boxes).reshape(-1, 4)
        for known in ("_known_names", "_known_reasons", "_known_sets"):
            setattr(self, known, list(getattr(self, known)))
        return self

    def __len__(self):
        return len(self._ends) - 1

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError("annotation index out of range")
        boxes = slice(self._ends[index], self._ends[index + 1])
        width, height, image_set = self._numbers[3 * index : 3 * index + 3]
        return Annotation(
            self._images[index],
            self._ids[index],
            self._boxes[boxes],
            [self._known_names[i] for i in self._names[boxes]],
            [self._known_reasons[i] for i in self._ignore[boxes]],
            functools.partial(self._box, index),
            width,
            height,
            self._known_sets[image_set],
        )

    def _box(self, index, box):
        return f"{self._places[index]}, box {box}"


def _numbered(values, known):
    """Numbers of values by when they came first."""
    return [known.setdefault(value, len(known)) for value in values]
