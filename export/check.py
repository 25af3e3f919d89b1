"""Compares an exported form with the Keras model it came from, on real pictures.

Two things are compared. The raw head tensor shows what quantisation cost, whether or not anything
is detected. The detections of the file must be those that decoding and suppressing *its own* head
tensor gives, so that an error there cannot hide behind quantisation.
"""

from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import clip
from yolov2_tf.detection.decoding import DecodeBoxes, decoder
from yolov2_tf.detection.non_max_suppression import NonMaxSuppression
from yolov2_tf.detection.predict import detect, detector, prepare, to_pictures
from yolov2_tf.errors import InputError
from yolov2_tf.export.held_out import largest_gaps
from yolov2_tf.export.layout import PREDICTION_OUTPUTS
from yolov2_tf.models.heads import find_head

BEST = 10
"""How many predictions of each picture are compared box by box: those with the highest scores."""

TOLERANCE = 1e-3
"""Largest difference of a score or coordinate in a float file; quantised ones are judged by what
they detect, see `yolov2_tf.export.held_out`."""

PICTURES = 4


class ExportError(RuntimeError):
    """An exported file that does not do what its model does: a fault of the export."""


class Difference(NamedTuple):
    """How far an exported form is from its source.

    Attributes:
        scores: Largest difference of a score, over all predictions.
        boxes: Largest difference of a coordinate, as a fraction of the input, over the `BEST`
            predictions of each picture.
        pictures: How many pictures were compared.
        agreement: `Agreement` of the detections, of quantised files.
    """

    scores: float
    boxes: float
    pictures: int
    agreement: tuple | None = None

    def __str__(self):
        text = (
            f"scores within {self.scores:.2g}, boxes within {self.boxes:.2g} of the Keras model "
            f"on {self.pictures} pictures"
        )
        if self.agreement is None:
            return text
        apart = " that calibrated nothing" if self.agreement.held_out else ""
        return f"{text}{apart}: {self.agreement}"


def sample_pictures():
    """Real photos that come with scikit-learn, for want of the user's own: `(H, W, 3)` uint8."""
    from sklearn.datasets import load_sample_images

    photos = [np.asarray(photo) for photo in load_sample_images().images]
    return [*photos, *(np.ascontiguousarray(photo[80:400, 320:]) for photo in photos)]


def compare(model, raw, pictures):
    """Compares head tensors.

    Args:
        model: The `DetectionModel`.
        raw: Its head tensor as the exported form computes it, `(n, S, S, k · (5 + C))`.
        pictures: The n pictures, `(H, W, 3)` uint8.

    Returns:
        `Difference`.

    Raises:
        InputError: If the model itself computes NaN or infinity.
        ExportError: If the exported form does, or gives another shape.
    """
    return compare_predictions(model, *_decoded(find_head(model), raw), pictures)


def compare_predictions(model, boxes, scores, pictures):
    """Compares boxes `(n, M, 4)` and scores `(n, M, C)` before suppression; see `compare`."""
    head = find_head(model)
    images, _ = prepare(pictures, head.input_size, head.resize)
    true_boxes, true_scores = _decoded(head, model.predict_on_batch(images))
    if not (np.isfinite(true_boxes).all() and np.isfinite(true_scores).all()):
        raise InputError(
            "the model computes infinite values or NaN",
            hint="an earlier checkpoint: the training diverged",
        )
    if scores.shape != true_scores.shape or boxes.shape != true_boxes.shape:
        raise ExportError(f"the exported scores are {scores.shape}, not {true_scores.shape}")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ExportError("the exported network computes infinite values or NaN")
    best = np.argsort(-true_scores.max(axis=2), axis=1)[:, :BEST, None]
    pairs = (np.take_along_axis(clip(b), best, axis=1) for b in (boxes, true_boxes))
    return Difference(
        scores=float(np.abs(scores - true_scores).max()),
        boxes=float(np.abs(np.subtract(*pairs)).max()),
        pictures=len(pictures),
    )


def check_predictions(model, runner, pictures, where):
    """Compares a float file without suppression with the model.

    Args:
        model: The `DetectionModel`.
        runner: `Detector` over the file.
        pictures: `(H, W, 3)` uint8 pictures, or None for `sample_pictures`.
        where: The file, for messages.

    Returns:
        `Difference`.

    Raises:
        ExportError: If they differ.
    """
    head = find_head(model)
    pictures = list(pictures or sample_pictures())[:PICTURES]
    images, _ = prepare(pictures, head.input_size, head.resize)
    outputs = [runner.run(image) for image in images.numpy()]
    found = [np.concatenate([output[name] for output in outputs]) for name in PREDICTION_OUTPUTS]
    difference = compare_predictions(model, *found, pictures)
    judge(difference, where)
    return difference


def check_float(model, runner, pictures, where):
    """Compares a float file with the model, whatever is inside.

    Args:
        model: `DetectionModel`.
        runner: `Detector` over the file, with the file's own thresholds.
        pictures: `(H, W, 3)` uint8 pictures, or None for `sample_pictures`.
        where: The file, for messages.

    Returns:
        `Difference`; of files that give labels or suppress, over the detections.

    Raises:
        ExportError: If they differ.
    """
    if not runner.layout.labelled:
        return check_predictions(model, runner, pictures, where)
    pictures = list(pictures or sample_pictures())[:PICTURES]
    limits = runner.thresholds
    network = detector(model, limits.score, limits.iou, limits.detections, limits.tree)
    expected, found = list(detect(network, pictures)), list(runner.detect(pictures))
    check_same_detections(expected, found, where)
    return Difference(*largest_gaps(expected, found), len(pictures))


def _decoded(head, raw):
    boxes, scores = DecodeBoxes(head.anchors, tree=head.tree)(raw)
    return np.asarray(boxes), np.asarray(scores)


def judge(difference, where):
    """Refuses a float export that differs too much.

    Args:
        difference: What `compare` found.
        where: The file, for the message.

    Raises:
        ExportError: If a score or a coordinate differs by more than `TOLERANCE`.
    """
    if max(difference.scores, difference.boxes) > TOLERANCE:
        raise ExportError(
            f"{where}: the exported network differs: {difference} (expected at most {TOLERANCE:g})"
        )


def suppressed(head, raw, shapes, thresholds):
    """Decodes head tensors and suppresses with Keras' layers.

    Args:
        head: The network's `DetectionHead`.
        raw: `(n, S, S, k · (5 + C))` head tensors.
        shapes: `(n, 2)` `[height, width]` of the pictures.
        thresholds: `Thresholds`, none of them None.

    Returns:
        For each picture a dict of `boxes`, `labels` and `scores`.
    """
    suppression = NonMaxSuppression(thresholds.score, thresholds.iou, thresholds.detections)
    outputs = suppression(*decoder(head, thresholds.tree)(raw))
    outputs = {name: np.asarray(tensor) for name, tensor in outputs.items()}
    outputs["boxes"] = to_pictures(outputs["boxes"], shapes, head.input_size, head.resize)
    return [
        {name: outputs[name][i, :count] for name in ("boxes", "labels", "scores")}
        for i, count in enumerate(outputs["num_detections"])
    ]


def check_same_detections(expected, found, where):
    """Refuses detections that are not those expected.

    One in fifty may be missing: those whose score or overlap is at the threshold.

    Args:
        expected: For each picture a dict of `boxes`, `labels` and `scores`.
        found: The same of the exported form.
        where: The file, for the message.

    Raises:
        ExportError: If they differ.
    """
    pairs = list(zip(expected, found, strict=True))
    total = sum(len(one["labels"]) + len(other["labels"]) for one, other in pairs)
    missing = sum(unmatched(one, other) + unmatched(other, one) for one, other in pairs)
    if missing > 0.02 * total + 1:
        raise ExportError(
            f"{where}: {missing} of {total} detections have no counterpart in decoding and "
            "suppressing the head tensor: the exported file is wrong"
        )


def unmatched(detections, others, *, score=0.01, distance=0.02):
    """How many detections have no other one of the same class, score and place.

    Args:
        detections: Dict of `boxes`, `labels` and `scores`.
        others: Likewise.
        score: How far scores may be apart.
        distance: How far each side of the boxes may be apart, as a fraction of the picture.
    """
    gaps = np.abs(detections["boxes"][:, None] - others["boxes"][None]).max(axis=2)
    same = (
        (detections["labels"][:, None] == others["labels"][None])
        & (np.abs(detections["scores"][:, None] - others["scores"][None]) <= score)
        & (gaps <= distance)
    )
    return int((~same.any(axis=1)).sum())
