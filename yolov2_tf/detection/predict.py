"""From pictures to detections: network, decoding and suppression as one functional Keras model."""

import itertools
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.data.pixels import is_picture, pixels_of
from yolov2_tf.detection.decoding import decoder
from yolov2_tf.detection.non_max_suppression import NonMaxSuppression, gives_detections
from yolov2_tf.detection.thresholds import (
    DEFAULT,
    IOU,
    MAX_DETECTIONS,
    SCORE,
    TREE,
    Thresholds,
)
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.input_sides import check_side
from yolov2_tf.resize import box_transform, resize_image


def detector(
    model,
    score_threshold=SCORE,
    iou_threshold=IOU,
    max_detections=MAX_DETECTIONS,
    tree_threshold=TREE,
    nodes=None,
) -> keras.Model:
    """Appends box decoding and non-maximum suppression to a trained network.

    Args:
        model: `DetectionModel`, images `(B, H, W, 3)` 0..255 to the raw head tensor.
        score_threshold: Detections score above this, 0..1. Evaluate with `EVALUATION`'s, 0.005.
        iou_threshold: Boxes of one class overlapping more than this become one, 0..1.
        max_detections: N, the most detections of one image.
        tree_threshold: For networks with a label tree: Pr(node | object) of a label is above
            this, 0..1, see `yolov2_tf.detection.decoding.DecodeTree`.
        nodes: For networks with a label tree: score every box by each of these nodes, see
            `yolov2_tf.detection.decoding.DecodeNodes`. Labels are then indices into `nodes`.

    Returns:
        Functional `keras.Model` that shares the network's weights: images `(B, H, W, 3)` to
        `{"boxes": (B, N, 4), "labels": (B, N), "scores": (B, N), "num_detections": (B,)}`,
        sorted by score, boxes as fractions of the input, unused places 0 and label -1.

    Raises:
        InputError: If a threshold is out of its range, or the model gives detections already.
        ValueError: If the model is no detector.
    """
    limits = Thresholds(score_threshold, iou_threshold, max_detections, tree_threshold)
    limits = limits.over(DEFAULT)
    head = find_head(model)
    if gives_detections(model):
        raise InputError(
            f"decoding and suppression are in model {model.name!r} already",
            expected="the network alone",
            hint="yolov2_tf.detect(model, pictures)",
        )
    decoded = decoder(head, limits.tree, nodes)(model.output)
    detections = NonMaxSuppression(
        limits.score, limits.iou, limits.detections, name="non_max_suppression"
    )(*decoded)
    return keras.Model(model.input, detections, name=f"{model.name}_detector")


def detect(detector, images, *, size=None, batch_size=8) -> Iterator[dict[str, np.ndarray]]:
    """Runs a detector on pictures of any size.

    Args:
        detector: Model made by `detector(...)`.
        images: Iterable of pictures, `(H, W, 3)` uint8 RGB arrays or whatever else
            `yolov2_tf.data.pixels.pixels_of` takes; sizes may differ.
        size: Side of the input in pixels, a multiple of 32; None for the model's own.
        batch_size: How many go through the network at once.

    Yields:
        For each picture a dict of `boxes` `(n, 4)` float32 as fractions of that picture, `labels`
        `(n,)` int32 and `scores` `(n,)` float32, sorted by score.

    Raises:
        InputError: If it is one picture, a picture cannot be read, an array is not one of RGB
            pixels 0..255, the model gives no detections, or size or batch size cannot be had.
    """
    head = find_head(detector)
    if not gives_detections(detector):
        raise InputError(
            f"model {detector.name!r} gives no detections",
            expected="a model made by yolov2_tf.detector",
            hint="yolov2_tf.detect(yolov2_tf.detector(model), pictures)",
        )
    if not (isinstance(batch_size, int | np.integer) and batch_size >= 1):
        raise InputError(f"batch_size is {batch_size!r}", expected="a whole number, 1 or more")
    if is_picture(images):  # of which rows or letters would be taken for pictures
        raise InputError(
            f"a single {type(images).__name__}",
            expected="an iterable of pictures",
            hint="yolov2_tf.detect(detector, [picture])",
        )
    if size is not None:
        check_side(size)
    size = head.input_size if size is None else size
    taken = 0
    for batch in _batched(map(pixels_of, images), batch_size):
        inputs, shapes = prepare(batch, size, head.resize)
        if len(batch) < taken:  # the last ones: to trace another shape would take longer
            inputs = tf.pad(inputs, [[0, taken - len(batch)], [0, 0], [0, 0], [0, 0]])
        taken = len(inputs)
        outputs = detector.predict_on_batch(inputs)
        boxes = to_pictures(outputs["boxes"][: len(batch)], shapes, size, head.resize)
        for i, count in enumerate(outputs["num_detections"][: len(batch)]):
            yield {
                "boxes": boxes[i, :count],
                "labels": outputs["labels"][i, :count],
                "scores": outputs["scores"][i, :count],
            }


def prepare(images, size, mode):
    """Pictures of any size as one input batch.

    Args:
        images: Sequence of `(H, W, 3)` arrays, values 0..255.
        size: Side of the input in pixels.
        mode: `stretch` or `letterbox`.

    Returns:
        `(batch, shapes)`: `(B, size, size, 3)` float32 and `(B, 2)` int32 `[height, width]`.
    """
    batch = tf.stack([resize_image(image, size, mode) for image in images])
    return batch, np.array([image.shape[:2] for image in images], np.int32)


def to_pictures(boxes, shapes, size, mode):
    """Boxes `(B, N, 4)` on the input to boxes on the pictures, clipped, as NumPy."""
    scale, offset = box_transform(tf.constant(shapes), size, mode)
    return np.clip((boxes - offset.numpy()[:, None]) / scale.numpy()[:, None], 0.0, 1.0)


def _batched(items, size):
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
