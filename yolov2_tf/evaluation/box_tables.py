"""The boxes of all images as columns: the ground truth of a data set, and what was detected.

Detections may come from anywhere, so they are checked here.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import can_be_fractions
from yolov2_tf.errors import InputError


class Truths(NamedTuple):
    """The truths of all images, a row each.

    Attributes:
        image: `(m,)` int64, which image it is of, from 0.
        boxes: `(m, 4)` `[y_min, x_min, y_max, x_max]` as fractions of the image.
        labels: `(m,)` int64.
        ignore: `(m,)` bool.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray


class Found(NamedTuple):
    """The detections of all images, a row each.

    Attributes:
        image: `(n,)` int64, which image it is in, from 0.
        boxes: `(n, 4)` as in `Truths`.
        labels: `(n,)` int64.
        scores: `(n,)`.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


def truth_table(dataset):
    """The ground truth of all images of a data set as `Truths`."""
    rows = [(record.boxes, record.labels, record.ignore) for record in dataset.records]
    return Truths(*_stack(rows, (np.float64, np.int64, bool)))


def found_table(dataset, detections):
    """The detections of all images as `Found`, checked.

    Args:
        dataset: A `yolov2_tf.data.dataset.Dataset`.
        detections: As for `yolov2_tf.evaluation.detections.evaluate`.

    Raises:
        InputError: If they do not fit the data set.
    """
    if isinstance(detections, Mapping) or not isinstance(detections, Iterable):
        raise InputError(
            f"detections are a {type(detections).__name__}",
            where=dataset.name,
            expected="one entry for each picture, without padding",
            hint="yolov2_tf.detect, or the detect of open_model, on the pictures",
        )
    rows = [_found_in_one(found, index) for index, found in enumerate(detections)]
    if len(rows) != len(dataset.records):
        raise InputError(
            f"detections for {len(rows)} images",
            where=dataset.name,
            expected=f"one entry for each of the {len(dataset.records)}",
        )
    for index, (boxes, labels, scores) in enumerate(rows):
        fits = boxes.size == 4 * labels.size == 4 * scores.size
        if not fits or (boxes.size and boxes.shape[-1] != 4):
            raise InputError(
                f"shapes {boxes.shape}, {labels.shape}, {scores.shape} of boxes, labels, scores",
                where=dataset.records[index].image_id,
                expected="(n, 4), (n,), (n,)",
            )
    found = Found(*_stack(rows, (np.float64, np.float64, np.float64)))
    # Any of these would be counted, silently wrong.
    known = (found.labels >= 0) & (found.labels < len(dataset.class_names))
    known &= found.labels == np.floor(found.labels)
    good = known & can_be_fractions(found.boxes) & np.isfinite(found.scores)
    if not good.all():
        image, box, label, score = (column[np.argmin(good)] for column in found)
        raise InputError(
            f"detection with label {label:g}, score {score}, box {box.tolist()}",
            where=dataset.records[image].image_id,
            expected=f"labels 0 to {len(dataset.class_names) - 1}, finite scores, and boxes as "
            "fractions of the picture",
        )
    return found._replace(labels=found.labels.astype(np.int64))


def _found_in_one(found, index):
    """Boxes, labels and scores of a picture as arrays of numbers."""
    names = ("boxes", "labels", "scores")
    try:
        return tuple(np.asarray(found[name]).astype(np.float64) for name in names)
    except (TypeError, ValueError, LookupError) as error:
        what = type(error).__name__ if isinstance(error, LookupError) else "not numbers"
        raise InputError(
            f"detections of picture {index} are no boxes, labels and scores: {what} {error}",
            expected='a dict of "boxes" (n, 4), "labels" (n,) and "scores" (n,)',
        ) from None


def _stack(rows, dtypes):
    """Rows of `(boxes, labels, third)`, one for each image, as columns with the image's index."""
    counts = [np.size(labels) for _, labels, _ in rows]
    shapes = (-1, 4), (-1,), (-1,)
    columns = [
        np.concatenate(
            [np.empty(0, dtype).reshape(shape), *(np.reshape(row[i], shape) for row in rows)]
        ).astype(dtype)
        for i, (dtype, shape) in enumerate(zip(dtypes, shapes, strict=True))
    ]
    return np.repeat(np.arange(len(rows)), counts), *columns
