"""Keras callbacks of the training recipe: scores and files of a run.

They share Keras' `logs` dict: what scores the model (`MeanAveragePrecision`, a classifier's
`ValidationAccuracy`) comes first and adds its score, which the others then keep, write and show.
"""

import csv
import math
import os
import time

import keras
import numpy as np

from yolov2_tf.data.ahead import ahead
from yolov2_tf.data.images import load_image
from yolov2_tf.data.same_classes import check_classes
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.drawing.plots import plot_history
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.files import replacing
from yolov2_tf.training.checkpoint import State, save
from yolov2_tf.training.loop import metric_values
from yolov2_tf.training.optimizer import iterations
from yolov2_tf.training.scored import ScoredPictures, is_due
from yolov2_tf.training.writing import writing

DECODED = 16
"""Pictures that are decoded ahead of the scoring, at most; one may have 36 MB."""


class MeanAveragePrecision(keras.callbacks.Callback):
    """Scores the detector on a validation set and adds `val_map` to the logs.

    Of several processes each detects on its part of the pictures, and all have the score. With a
    label tree every box has a score of each node that labels a truth, as Darknet scores: with one
    label a box, what a score says would change with how deep the labels become.

    Args:
        dataset: Validation `Dataset`.
        every: See `yolov2_tf.training.scored.is_due`.
        batch_size: Pictures a batch.
        metric: Metric of `yolov2_tf.evaluation.detections.evaluate`.
        left_out: For `ScoredPictures`.
    """

    def __init__(self, dataset, *, every=1, batch_size=8, metric="voc07", left_out=None):
        super().__init__()
        self.pictures = ScoredPictures(dataset, left_out)
        self.every = every
        self.batch_size = batch_size
        self.metric = metric
        self.evaluation = None
        self._nodes = None

    def set_model(self, model):
        """Keras' hook.

        Raises:
            InputError: If the data set has other classes than the model.
        """
        super().set_model(model)
        check_classes(self.pictures.dataset, model.head.class_names, "the network")
        if model.head.tree is not None:
            self._nodes = np.unique(
                np.concatenate([record.labels for record in self.pictures.dataset.records])
            )
        # Built once: it shares the weights, and a new graph for each epoch would leak.
        limits = EVALUATION.score, EVALUATION.iou, EVALUATION.detections
        self._detector = detector(model, *limits, nodes=self._nodes)

    def on_epoch_end(self, epoch, logs=None):
        if not is_due(self.every, epoch, self.params):
            return
        rows = self.pictures.found(self._find, self.batch_size)
        dataset = self.pictures.dataset
        found = _detections(rows, len(dataset))
        tree = self.model.head.tree
        self.evaluation = evaluate(dataset, found, self.metric, tree=tree, every_node=True)
        logs["val_map"] = self.evaluation.map

    def _find(self, dataset):
        """A row for each detection: the picture's place, the box, label and score."""
        threads = min(os.cpu_count() or 1, DECODED)
        pictures = ahead(_pixels, dataset.records, threads=threads)
        rows = [np.empty([0, 7])]
        for place, one in enumerate(detect(self._detector, pictures, batch_size=self.batch_size)):
            places = np.full(len(one["scores"]), place)
            labels = one["labels"] if self._nodes is None else self._nodes[one["labels"]]
            rows.append(np.column_stack([places, one["boxes"], labels, one["scores"]]))
        return np.concatenate(rows)


def _pixels(record):
    return load_image(record.image)


def _detections(rows, count):
    """Such rows of so many pictures as `evaluate` takes them."""
    ends = np.searchsorted(rows[:, 0], np.arange(count), side="right")
    parts = np.split(rows, ends[:-1])
    return [{"boxes": p[:, 1:5], "labels": p[:, 5].astype(int), "scores": p[:, 6]} for p in parts]


class Checkpoints(keras.callbacks.Callback):
    """Keeps `last.keras` to resume from, see `yolov2_tf.training.checkpoint`, and `model.keras`.

    The latter is the best; without a score in the logs the last model counts as the best.

    Args:
        run: `yolov2_tf.training.run.Run`.
        plan: `yolov2_tf.training.plan.Plan` that is carried out.
        history: `History`, whose rows go into the checkpoint.
        best: Best score so far, for a resumed run.
        score: Name of the score, the higher the better.
        mean: `WeightMean`, whose weights the best has, or None.
        wishes: `yolov2_tf.training.wishes.Wishes` for checkpoints within an epoch, or None.
        clock: `yolov2_tf.training.clock.Clock` of a training for a time, or None.
    """

    def __init__(
        self,
        run,
        plan,
        history,
        *,
        best=-math.inf,
        score="val_map",
        mean=None,
        wishes=None,
        clock=None,
    ):
        super().__init__()
        self.run, self.plan, self.history = run, plan, history
        self.best, self.score = best, score
        self.mean = mean
        self.wishes = wishes
        self.clock = clock
        self.scored = math.isfinite(best)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.wishes is None:
            return
        self.wishes.look()
        if self.wishes.checkpoint:
            self._checkpoint(self._epoch, batch + 1)
            self._end(self._epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        score = logs.get(self.score)
        if score is not None and not self.best >= score:
            self.best, self.scored = score, True
            self._save_best()
        if not self.scored and epoch + 1 == self.plan.epochs:
            self._save_best()
        if self.mean is not None:
            self.mean.take_out()
        # Last: a process that is killed before repeats this, and with it what came first.
        self._checkpoint(epoch + 1, 0)
        if self.wishes is not None and epoch + 1 < self.plan.epochs:
            self.wishes.look()
            self._end(epoch + 1, 0)

    def _end(self, epoch, step):
        """Ends the training here if a signal asked for it: all is saved, and drawn then."""
        if self.wishes.signal is not None:
            self.history.draw()
        self.wishes.end(epoch, step)

    def forget(self):
        """Seeks the best anew: from now on scores mean something else."""
        self.best, self.scored = -math.inf, False

    def on_train_end(self, logs=None):
        if not self.scored and self._epoch + 1 < self.plan.epochs:  # a callback stopped it
            if self.mean is not None:
                self.mean.put_in()
            self._save_best()
            if self.mean is not None:
                self.mean.take_out()

    def _save_best(self):
        with writing(self.run), replacing(self.run.best, durable=True) as path:
            self.model.save(path)

    def _checkpoint(self, epoch, step):
        position = self.plan.position(epoch, iterations(self.model), step)
        state = State(
            run=self.run.record["run"],
            position=position,
            best=self.best,
            rows=self.history.rows,
            metrics=metric_values(self.model) if step else (),
            means=None if self.mean is None else self.mean.values(),
            seconds=0.0 if self.clock is None else self.clock.seconds,
        )
        with writing(self.run):
            save(self.run.last, self.model, state, keep=self.run.previous)
            self.run.mean.unlink(missing_ok=True)  # of an old run; it is in the checkpoint now
            self.run.note(position)
        if self.wishes is not None:
            self.wishes.saved()


class History(keras.callbacks.Callback):
    """Writes one row an epoch to `history.csv`, draws `history.png`.

    The picture is drawn after the first epoch and at the end. Between, where epochs are short, it
    may be some of them behind, so that drawing takes a twentieth of a run's time at most.

    Args:
        run: `yolov2_tf.training.run.Run`.
        rows: Rows of the run so far, for a resumed run.
    """

    SHARE = 1 / 20

    def __init__(self, run, rows=()):
        super().__init__()
        self.run = run
        self.rows = list(rows)
        self._drawn, self._due = len(self.rows), -math.inf

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": epoch + 1,
            "seconds": round(time.perf_counter() - self._start, 2),
            "learning_rate": float(self.model.optimizer.learning_rate),
            **{name: float(value) for name, value in logs.items()},
        }
        self.rows.append(row)
        with writing(self.run):
            self._write_csv()
        if time.monotonic() >= self._due or epoch + 1 >= self.params["epochs"]:
            self.draw()

    def on_train_end(self, logs=None):
        self.draw()

    def draw(self):
        """Draws the picture, where there are rows that are not in it."""
        if self._drawn == len(self.rows):
            return
        start = time.monotonic()
        with writing(self.run):
            plot_history(self.rows, self.run.folder / "history.png")
        end = time.monotonic()
        self._drawn, self._due = len(self.rows), end + (end - start) / self.SHARE

    def _write_csv(self):
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with replacing(self.run.history) as path, path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)


class Throughput(keras.callbacks.Callback):
    """Adds `images_per_second` of the training steps to the logs, before anything is scored.

    Args:
        batch_size: Pictures a step.
    """

    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size

    def on_epoch_begin(self, epoch, logs=None):
        self._start, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self._start
        # A run that was stopped behind the last step of an epoch has none left in it.
        logs["images_per_second"] = self._steps * self.batch_size / seconds
