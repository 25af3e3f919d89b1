"""Random truths and detections in pixels of pictures of one size, as VOC and COCO write them."""

import numpy as np

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record

SIZE = np.array([480, 640, 480, 640])  # height, width, height, width of every picture


def random_scene(seed, images=12, classes=4, most=6):
    """Truths, and detections that are moved copies of some of them plus noise."""
    rng = np.random.default_rng(seed)
    records, detections = [], []
    for i in range(images):
        n = int(rng.integers(0, most))
        corner = rng.integers(1, 300, (n, 2))
        pixels = np.concatenate([corner, corner + rng.integers(5, 160, (n, 2))], axis=1)  # 1-based
        labels = rng.integers(0, classes, n)
        records.append(record(i, pixels, labels, rng.random(n) < 0.2))
        copies = pixels[rng.integers(0, n, 3 * n)] if n else pixels
        moved = copies + rng.normal(0, 8, copies.shape)
        noise = rng.uniform(1, 200, (4, 2))
        boxes = np.concatenate([moved, np.concatenate([noise, noise + 90], axis=1)])
        found = np.concatenate(
            [rng.choice(labels, len(moved)) if n else [], rng.integers(0, classes, 4)]
        )
        detections.append(detection(boxes, found, rng.random(len(boxes))))
    return dataset(records, classes), detections


def record(i, pixels, labels, ignore):
    return Record(
        None, f"image {i}", fractions(pixels).astype(np.float32), np.asarray(labels, np.int32),
        np.asarray(ignore, bool), width=640, height=480,
    )  # fmt: skip


def dataset(records, classes):
    return Dataset("scene", tuple(f"class {c}" for c in range(classes)), records)


def detection(pixels, labels, scores):
    return {
        "boxes": fractions(pixels),
        "labels": np.asarray(labels, np.int32),
        "scores": np.asarray(scores, np.float64),
    }


def fractions(pixels):
    """VOC's 1-based inclusive pixels to fractions that keep their extent."""
    return (np.reshape(pixels, (-1, 4)) - [1, 1, 0, 0]) / SIZE
