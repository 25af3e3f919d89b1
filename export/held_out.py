"""Judges a quantised file by what it detects in pictures that it was not calibrated on.

A file looks perfect on the very pictures whose ranges it has, be they black. So a fifth of the
calibration pictures is held out for the comparison, and the calibration is looked at by itself: a
bad one is told as such and not blamed on the file.
"""

import warnings
from typing import NamedTuple

import numpy as np

from yolov2_tf.boxes import iou
from yolov2_tf.data.pixels import pixels_of
from yolov2_tf.detection.thresholds import SCORE, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.numpy_resize import resize

EVERY = 5
"""Every so many pictures one is held out."""

LEAST = 20
"""Pictures that differ from one another, below which a calibration is called small."""

FLAT = 3.0
"""Standard deviation of the grey values, 0..255, below which a picture shows next to nothing."""

DARK = 30.0
"""Mean grey value below which a picture is dark; photos have 110 on average."""

SAME = 3.0
"""Mean distance of grey values below which two small pictures are the same."""

THUMBNAIL = 16

LOOKED_AT = 200
"""So many pictures, evenly spread, are compared with one another at most."""


class HeldOut(NamedTuple):
    """Calibration pictures, apart from those that the file is judged by.

    Attributes:
        calibration: Pictures whose ranges the file gets, `(H, W, 3)` uint8.
        pictures: Those that are held out, none of fewer than `EVERY`.
        faults: What is wrong with the calibration, one phrase each.
    """

    calibration: list
    pictures: list
    faults: tuple = ()


class Agreement(NamedTuple):
    """How far a file and its model detect the same, above `SCORE`.

    Attributes:
        same: Detections of the file that the model has too: the class, and more than half of the
            area in common.
        expected: Detections of the model.
        found: Detections of the file.
        held_out: Whether the pictures were no part of the calibration but like it.
    """

    same: int
    expected: int
    found: int
    held_out: bool

    @property
    def share(self):
        """The lower of recall and precision, 0..1; 1 where neither detects anything."""
        most = max(self.expected, self.found)
        return self.same / most if most else 1.0

    def __str__(self):
        if not self.expected and not self.found:
            return "nothing to detect in them"
        return f"{self.same} of the model's {self.expected} detections, {self.found} in all"


def hold_out(pictures, quantization="int8"):
    """Splits calibration pictures, and warns of what is wrong with them.

    Args:
        pictures: Iterable of pictures, or None.
        quantization: Only `int8` is calibrated: of others nothing is said.

    Returns:
        `HeldOut`.

    Raises:
        InputError: If one is no picture, or most of them show next to nothing.
    """
    pictures = [_checked(number, picture) for number, picture in enumerate(pictures or ())]
    if quantization != "int8":
        return HeldOut([], pictures)
    faults = calibration_faults(pictures)
    for fault in faults:
        warnings.warn(
            f"calibration: {fault}. Try: a hundred different pictures like those that the network "
            "will see",
            stacklevel=3,
        )
    apart = [], []
    for i, picture in enumerate(pictures):
        apart[is_held_out(i, len(pictures))].append(picture)
    return HeldOut(*apart, faults)


def is_held_out(index, count):
    """Whether the picture of this index, of so many, is held out; of fewer than `EVERY` none is."""
    return count >= EVERY and index % EVERY == EVERY // 2


def calibration_faults(pictures):
    """What is wrong with calibration pictures, one phrase each.

    Raises:
        InputError: If most of them show next to nothing.
    """
    small = np.stack([_thumbnail(picture) for picture in pictures])
    flat = int((small.std(axis=1) < FLAT).sum())
    dark = int((small.mean(axis=1) < DARK).sum())
    if 2 * flat > len(small):
        raise InputError(
            f"{flat} of {len(small)} calibration pictures show next to nothing (one colour, mean "
            f"grey {small.mean():.0f})",
            expected="pictures like those that the network will see",
        )
    different = _different(small)
    faults = []
    if flat:
        faults.append(f"{flat} of {len(small)} pictures show next to nothing")
    if 2 * dark > len(small):
        faults.append(f"{dark} of {len(small)} pictures are dark (mean grey {small.mean():.0f})")
    if different < LEAST:
        many = (
            f"only {different} of {len(small)} pictures differ"
            if len(small) >= LEAST
            else (f"only {len(small)} picture{'s' if len(small) > 1 else ''}")
        )
        faults.append(many)
    return tuple(faults)


def agreement(expected, found, held_out):
    """Compares detections of several pictures: `Agreement`.

    Args:
        expected: For each picture a dict of `boxes`, `labels` and `scores`: the model's.
        found: The same of the file.
        held_out: See `Agreement`.
    """
    expected, found = ([_sure(one) for one in many] for many in (expected, found))
    return Agreement(
        same=sum(len(matches(one, other)) for one, other in zip(expected, found, strict=True)),
        expected=sum(len(one["labels"]) for one in expected),
        found=sum(len(one["labels"]) for one in found),
        held_out=held_out,
    )


def matches(expected, found):
    """Pairs of detections of one class that share more than half of their area.

    Returns:
        List of `(index in expected, index in found)`, each index once.
    """
    overlap = iou(expected["boxes"][:, None], found["boxes"][None])
    overlap = overlap * (expected["labels"][:, None] == found["labels"][None])
    pairs = []
    for i in range(len(overlap)):
        j = int(overlap[i].argmax()) if overlap.shape[1] else 0
        if overlap.shape[1] and overlap[i, j] > 0.5:
            pairs.append((i, j))
            overlap[:, j] = 0
    return pairs


def check_quantized(model, written, held_out, pictures, where):
    """Compares a quantised file with the model by what the two detect, and warns.

    Args:
        model: `DetectionModel`.
        written: `Detector` over the file.
        held_out: `HeldOut`.
        pictures: Pictures to compare on, or None: those held out.
        where: The file, for the message.

    Returns:
        `Difference`, with the `Agreement`.
    """
    from yolov2_tf.detection.predict import detect, detector
    from yolov2_tf.export.check import Difference

    pictures, own = compared(held_out, pictures)
    limits = Thresholds(SCORE).over(written.thresholds)
    network = detector(model, limits.score, limits.iou, limits.detections, limits.tree)
    expected = list(detect(network, pictures))
    found = list(written.detect(pictures))
    scores, boxes = largest_gaps(expected, found)
    difference = Difference(scores, boxes, len(pictures), agreement(expected, found, own))
    warn_of(difference, written.layout.quantization, held_out.faults, where)
    return difference


def compared(held_out, pictures):
    """Pictures to compare a quantised file on, and whether they are held-out ones.

    Where the calibration is at fault, photos that come with scikit-learn join those held out.
    """
    from yolov2_tf.export.check import sample_pictures

    chosen = list(pictures or held_out.pictures)
    if chosen and not held_out.faults:
        return chosen, pictures is None
    return [*chosen, *sample_pictures()], False


def largest_gaps(expected, found):
    """The largest differences of score and coordinate between detections that match."""
    scores, boxes = [0.0], [0.0]
    for one, other in zip(expected, found, strict=True):
        for i, j in matches(one, other):
            scores.append(float(abs(one["scores"][i] - other["scores"][j])))
            boxes.append(float(np.abs(one["boxes"][i] - other["boxes"][j]).max()))
    return max(scores), max(boxes)


EXPECTED_SHARE = 0.8
"""Least `share` of a sound quantised file."""


def warn_of(difference, quantization, faults, where):
    """Warns if a quantised file detects something else; a bad calibration is blamed first."""
    if difference.agreement.share >= EXPECTED_SHARE:
        return
    if faults:
        advice = f"The calibration is at fault: {'; '.join(faults)}"
    else:
        others = " or ".join(q for q in ("dynamic", "fp16") if q != quantization)
        advice = f"Try: evaluate it; more pictures for calibration; quantisation {others}"
    warnings.warn(
        f"{where}: the {quantization} file differs: {difference} (usually "
        f"{100 * EXPECTED_SHARE:.0f} % agree). {advice}",
        stacklevel=4,
    )


def _checked(number, picture):
    try:
        return pixels_of(picture)
    except InputError as error:
        raise InputError(f"calibration picture {number} cannot be used: {error}") from error


def _thumbnail(picture):
    return resize(picture, THUMBNAIL, "stretch")[0].mean(axis=2).ravel()


def _different(small):
    """How many pictures are like none before them."""
    chosen = np.linspace(0, len(small) - 1, min(len(small), LOOKED_AT)).astype(int)
    kept = []
    for picture in small[chosen]:
        if all(np.abs(picture - other).mean() > SAME for other in kept):
            kept.append(picture)
    return len(kept)


def _sure(detections):
    keep = detections["scores"] > SCORE
    return {name: values[keep] for name, values in detections.items()}
