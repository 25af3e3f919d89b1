"""Truths and detections that go wrong in every way."""

import numpy as np

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record


def scenes(seed, images=25, classes=3, ignore=0.1):
    """Truths, and detections that go wrong in every way."""
    random = np.random.default_rng(seed)
    records, detections = [], []
    for i in range(images):
        n = random.integers(0, 6)
        corner, side = random.uniform(0, 0.7, (n, 2)), random.uniform(0.05, 0.3, (n, 2))
        boxes = np.concatenate([corner, corner + side], axis=1).astype(np.float32)
        labels = random.integers(0, classes, n).astype(np.int32)
        records.append(Record(None, str(i), boxes, labels, random.random(n) < ignore, 640, 480))
        often = random.integers(0, 4, n)
        near = np.repeat(boxes, often, axis=0) + random.normal(0, 0.02, (often.sum(), 4))
        noise = random.uniform(0, 0.6, (random.integers(0, 4), 2))
        noise = np.concatenate([noise, noise + random.uniform(0.05, 0.3, noise.shape)], axis=1)
        found = np.concatenate([near, noise])
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 0.01)
        of = np.concatenate([np.repeat(labels, often), random.integers(0, classes, len(noise))])
        of = np.where(random.random(len(of)) < 0.2, random.integers(0, classes, len(of)), of)
        scores = random.uniform(0.01, 1, len(of))
        detections.append({"boxes": found, "labels": of, "scores": scores})
    return Dataset("scenes", tuple("abcdefgh"[:classes]), records), detections
