"""One set of weights at several input sizes: the paper's table 3 and figure 4."""

import dataclasses
import time

import numpy as np

from yolov2_tf.data.images import load_image
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.models.loading import load_model

PAPER = {288: (69.0, 91), 352: (73.7, 81), 416: (76.8, 67), 480: (77.8, 59), 544: (78.6, 40)}
"""The paper's table 3: mAP in % on VOC 2007 test and pictures a second on a GeForce GTX Titan X."""


@dataclasses.dataclass(frozen=True)
class SizeRow:
    """What a network does at one input size.

    Attributes:
        size: Side of the input in pixels.
        map: Mean AP, a fraction.
        median_ms: Milliseconds for one picture of this size, the median: network, decoding and
            suppression.
    """

    size: int
    map: float
    median_ms: float


def score_sizes(path, dataset, sizes, metric, thresholds, *, batch_size=8, runs=20, watch=iter):
    """Scores and times a `.keras` file at several input sizes.

    Args:
        path: The file.
        dataset: `Dataset` whose labels are the network's.
        sizes: Sides in pixels, multiples of 32.
        metric: See `yolov2_tf.evaluation.detections.evaluate`.
        thresholds: `Thresholds` of the scores.
        batch_size: Pictures at once for the scores; times are those of single ones.
        runs: How many pictures are timed. Each is run twice, the second time counts.
        watch: Called with the pictures of a size, and iterated in their place.

    Returns:
        List of `SizeRow`.
    """
    network = load_model(path)
    detectors, scores = [], []
    for size in sizes:
        detectors.append(KerasDetector(network, thresholds, size=size, batch_size=batch_size))
        found = detectors[-1].detect(watch([record.image for record in dataset.records]))
        scores.append(evaluate(dataset, list(found), metric, tree=detectors[-1].tree).map)
    times = _median_ms(detectors, dataset, runs)
    return [SizeRow(*row) for row in zip(sizes, scores, times, strict=True)]


def plot(rows, path, title, paper=False):
    """Draws mAP over pictures a second, a point a size (the paper's figure 4).

    Args:
        rows: List of `SizeRow`.
        path: PNG to write.
        title: What was measured.
        paper: Whether to draw the paper's points too, in an axis of their own speed.
    """
    from yolov2_tf.drawing.plots import plot_speed_and_accuracy

    curves = {"here": [(1e3 / row.median_ms, 100 * row.map, str(row.size)) for row in rows]}
    if paper:
        curves["paper, Titan X"] = [(fps, score, str(size)) for size, (score, fps) in PAPER.items()]
    plot_speed_and_accuracy(curves, title, path)


def _median_ms(detectors, dataset, runs):
    """Milliseconds of each detector for a picture, in turn: all meet what else the machine does."""
    taken = [[] for _ in detectors]
    for i in range(runs + 1):  # the first warms up
        picture = load_image(dataset.records[i % len(dataset)].image)
        for detector, mine in zip(detectors, taken, strict=True):
            resized, *_ = resize(picture, detector.input_size, detector.layout.resize)
            detector.run(resized)
            start = time.perf_counter()
            detector.run(resized)
            mine.append(1e3 * (time.perf_counter() - start))
    return [float(np.median(mine[1:])) for mine in taken]
