"""What TensorBoard shows of a run."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
from yolov2_tf.drawing.plots import plot_anchors
from yolov2_tf.models.input_sides import STRIDE
from yolov2_tf.training.writing import writing

SAMPLES = 8
"""Pictures that are shown with their detections."""

SHAPES = 2_000
"""Shapes of boxes that are drawn beside the anchors at most."""

CURVES = 20
"""Classes that have a curve at most: those with the most truths."""

THRESHOLDS = 201
"""Points of a curve, at scores from 0 to 1."""

ALL = "precision and recall/all classes"
"""Tag of the curve of all classes together. TensorBoard sorts tags: it stands before `EACH`."""

EACH = "precision and recall by class"
"""Group of the tags of single classes."""


class TensorBoard(keras.callbacks.Callback):
    """Writes figures, pictures, anchors and curves into `tensorboard/` of a run.

    Comes behind `History`, whose rows it writes.

    Args:
        run: `yolov2_tf.training.run.Run`.
        history: `yolov2_tf.training.callbacks.History`.
        samples: `Dataset` whose first pictures are shown with their detections, or None.
        shapes: `(n, 2)` shapes of the boxes that are learnt, as fractions, or None.
        scorer: `yolov2_tf.training.callbacks.MeanAveragePrecision`, whose curves are shown, or
            None.
    """

    def __init__(self, run, history, *, samples=None, shapes=None, scorer=None):
        super().__init__()
        self.run, self.history = run, history
        self.samples, self.shapes, self.scorer = samples, shapes, scorer

    def set_model(self, model):
        """Keras' hook."""
        super().set_model(model)
        with writing(self.run):
            self._writer = tf.summary.create_file_writer(str(self.run.folder / "tensorboard"))
        if self.samples is not None:
            self._pictures = [load_image(r.image) for r in self.samples.records[:SAMPLES]]
            # Built once: it shares the weights, and a new graph for each epoch would leak.
            self._detector = detector(model)
        self._anchors_shown = self.shapes is None

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        row = self.history.rows[-1]
        with writing(self.run), self._writer.as_default(step=row["epoch"]):
            for name, value in row.items():
                if name != "epoch":  # the axis of all others
                    tf.summary.scalar(name, value)
            if not self._anchors_shown:
                tf.summary.image("anchors", self._anchors()[None])
                self._anchors_shown = True
            if "val_map" in row:
                self._write_scored()
            self._writer.flush()

    def _write_scored(self):
        if self.samples is not None:
            tf.summary.image("detections", self._sample_sheet()[None])
        if self.scorer is not None and self.scorer.evaluation is not None:
            for tag, counts in curves(self.scorer.evaluation).items():
                tf.summary.experimental.write_raw_pb(_summary(tag, *counts))

    def _sample_sheet(self):
        names = self.model.head.class_names
        found = detect(self._detector, self._pictures)
        return contact_sheet(
            [
                draw_detections(image, d["boxes"], d["labels"], d["scores"], names)
                for image, d in zip(self._pictures, found, strict=True)
            ]
        )

    def _anchors(self):
        """They stand still in a training: one picture, with the boxes that they are for."""
        shapes, head = self.shapes, self.model.head
        if len(shapes) > SHAPES:
            shapes = np.random.default_rng(0).choice(shapes, SHAPES, replace=False)
        with tempfile.TemporaryDirectory() as folder:
            png = Path(folder) / "anchors.png"
            plot_anchors(shapes, head.anchors * STRIDE / head.input_size, png)
            with Image.open(png) as picture:
                return np.asarray(picture.convert("RGB"))


def curves(evaluation):
    """What TensorBoard makes its curves of precision and recall of.

    Args:
        evaluation: `yolov2_tf.evaluation.detections.Evaluation` by a metric of VOC.

    Returns:
        Dict of tags to `(hits, detections, truths)`: the first two `(THRESHOLDS,)` counts of what
        scores at least as much as evenly spaced thresholds. All classes together come first, then
        those of the most truths.
    """
    thresholds = np.linspace(0, 1, THRESHOLDS)
    found, together = {}, [np.zeros(THRESHOLDS), np.zeros(THRESHOLDS), 0]
    order = sorted(evaluation.curves, key=lambda name: -evaluation.counts[name].truths)
    for name in order:
        curve, truths = evaluation.curves[name], evaluation.counts[name].truths
        # A point for each detection, the surest first.
        detections = np.searchsorted(-curve.scores, -thresholds, side="right")
        hits = np.concatenate([[0], np.round(curve.recall * truths)])[detections]
        found[name] = hits, detections, truths
        together = [a + b for a, b in zip(together, (hits, detections, truths), strict=True)]
    return {ALL: tuple(together), **{f"{EACH}/{name}": found[name] for name in order[:CURVES]}}


def _summary(tag, hits, detections, truths):
    """Protocol buffer of a curve, as TensorBoard's plugin takes it."""
    from tensorboard.plugins.pr_curve.summary import raw_data_pb

    summary = raw_data_pb(
        tag,
        true_positive_counts=hits,
        false_positive_counts=detections - hits,
        true_negative_counts=np.zeros(THRESHOLDS),  # boxes that are not there cannot be counted
        false_negative_counts=truths - hits,
        precision=hits / np.maximum(detections, 1),
        recall=hits / max(truths, 1),
        num_thresholds=THRESHOLDS,
    )
    return summary.SerializeToString()
