"""A batch is looked at before it trains: what is wrong would train all the same, silently."""

import itertools
import types

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.errors import InputError

FEW = 16
"""So many pictures tell the range of pixels."""

FARTHEST = 1.0
"""How far a box may stick out of its picture, as a fraction of it: what nobody clipped does."""


def checked_first_batch(x, y, num_classes):
    """Checks what `fit` gets, or its first batch where it comes in batches.

    Args:
        x: What `keras.Model.fit` takes.
        y: Likewise.
        num_classes: C.

    Returns:
        What to give to `fit` for `x`: itself, or for a generator one that yields the same.

    Raises:
        InputError: If `check_pixels` or `check_truths` refuses it.
    """
    if y is not None:
        check_pixels(x)
        check_truths(y, num_classes)
        return x
    batch = None
    if isinstance(x, tf.data.Dataset):
        batch = next(iter(x.take(1)), None)
    elif isinstance(x, keras.utils.PyDataset):
        batch = x[0]
    elif isinstance(x, types.GeneratorType):
        batch = next(x, None)
        x = (one for one in itertools.chain([] if batch is None else [batch], x))
    if batch is not None:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise InputError(
                f"a batch is {type(batch).__name__}",
                expected='(images, {"boxes": (B, M, 4), "labels": (B, M)})',
            )
        check_pixels(batch[0])
        check_truths(batch[1], num_classes)
    return x


def check_pixels(images):
    """Refuses pictures whose pixels were divided by 255: the network does that itself.

    Args:
        images: `(B, H, W, 3)`; of many the first few are looked at.

    Raises:
        InputError: If they are floats of which none is above 1, and not all are 0.
    """
    if not hasattr(images, "dtype"):
        return
    first = np.asarray(images[:FEW])
    if np.issubdtype(first.dtype, np.floating) and 0 < np.max(first, initial=0) <= 1:
        raise InputError(
            f"pixels are {np.max(first):g} at most",
            expected="0 to 255: the network divides them itself",
        )


def check_truths(truths, num_classes):
    """Refuses ground truth that cannot be meant.

    Args:
        truths: `{"boxes": (B, M, 4), "labels": (B, M)}`, maybe with `"image_labels"`, `(B,)`, or
            `(B, L)` and `"image_regions"`, `(B, L, 4)`. Boxes of label -1 are padding and may hold
            anything.
        num_classes: C; labels are 0 to C - 1.

    Raises:
        InputError: If names or shapes are others, a label is none of the classes, or a box is not
            finite, in pixels, or has its corners swapped; with the place of the first.
    """
    if not isinstance(truths, dict) or not {"boxes", "labels"} <= set(truths):
        raise InputError(
            f"ground truth is {_described(truths)}",
            expected='{"boxes": (B, M, 4), "labels": (B, M)}',
        )
    if any(isinstance(truths[name], tf.RaggedTensor) for name in ("boxes", "labels")):
        raise InputError(
            "ground truth is ragged",
            expected="boxes (B, M, 4) and labels (B, M), padded with the label -1",
            hint="boxes.to_tensor() and labels.to_tensor(-1)",
        )
    boxes, labels = np.asarray(truths["boxes"]), np.asarray(truths["labels"])
    check_shapes(boxes.shape, labels.shape)
    _check_labels("label", labels, num_classes)
    if "image_labels" in truths:
        image_labels = np.asarray(truths["image_labels"])
        regions = truths.get("image_regions")
        check_image_shapes(image_labels.shape, None if regions is None else np.shape(regions))
        _check_labels("image label", image_labels, num_classes)
    real = labels >= 0
    low, high = boxes[..., :2], boxes[..., 2:]
    # Comparisons with NaN are false, so each is put in such a way that NaN is refused first.
    _refuse_first(boxes, real & ~np.isfinite(boxes).all(-1), "is not finite", "numbers")
    far = (np.abs(boxes - 0.5) > 0.5 + FARTHEST).any(-1)
    _refuse_first(
        boxes,
        real & far,
        "is far outside of its picture",
        "fractions of the picture, 0 to 1, not pixels",
    )
    _refuse_first(
        boxes,
        real & (high < low).any(-1),
        "has its corners swapped",
        "[y_min, x_min, y_max, x_max]",
    )


def check_shapes(boxes, labels):
    """Refuses shapes of boxes and labels that do not belong together.

    Args:
        boxes: Shape of the boxes, None where a side is not known.
        labels: Shape of the labels, likewise.

    Raises:
        InputError: If they are not `(B, M, 4)` and `(B, M)`.
    """
    if not _belong_together(boxes, labels):
        raise InputError(
            f"boxes are {tuple(boxes)}, labels are {tuple(labels)}",
            expected="(B, M, 4) and (B, M), padded with the label -1",
        )


def check_image_shapes(labels, regions):
    """Refuses shapes of labels of images, and of the regions that these are for.

    Args:
        labels: Shape of `image_labels`, None where a side is not known.
        regions: Shape of `image_regions`, likewise, or None if there are none.

    Raises:
        InputError: If they are not `(B,)` without regions, or `(B, L)` and `(B, L, 4)`.
    """
    if len(labels) != 1 if regions is None else not _belong_together(regions, labels):
        of_regions = "missing" if regions is None else tuple(regions)
        raise InputError(
            f"image_labels are {tuple(labels)}, image_regions are {of_regions}",
            expected="(B,) without regions, or (B, L) and (B, L, 4), padded with the label -1",
        )


def _belong_together(boxes, labels):
    right = len(boxes) == 3 and len(labels) == 2 and boxes[2] in (4, None)
    pairs = zip(boxes, labels, strict=False)
    return right and not any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _check_labels(name, labels, num_classes):
    wrong = np.argwhere((labels < -1) | (labels >= num_classes) | (labels != np.floor(labels)))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise InputError(
            f"{name} {labels[place]:g} at {place}",
            expected=f"0 to {num_classes - 1}, for {num_classes} classes, or -1 for padding",
        )


def _refuse_first(boxes, wrong, what, expected):
    places = np.argwhere(wrong)
    if len(places):
        place = tuple(places[0].tolist())
        box = ", ".join(f"{side:g}" for side in boxes[place])
        raise InputError(f"box [{box}] at {place} {what}", expected=expected)


def _described(truths):
    if isinstance(truths, dict):
        return f"a dict of {', '.join(map(repr, truths)) or 'nothing'}"
    shape = getattr(truths, "shape", None)
    return type(truths).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
