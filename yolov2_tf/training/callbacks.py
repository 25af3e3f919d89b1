"""Keras callbacks of the training recipe: scores, files and progress of a run.

They share Keras' `logs` dict: what scores the model (`MeanAveragePrecision`, a classifier's
`ValidationAccuracy`) comes first and adds its score, which the others then keep, write and show.
"""

import csv
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.data.images import load_image
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
from yolov2_tf.drawing.plots import plot_history
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.files import replacing
from yolov2_tf.training.optimizer import iterations


class MeanAveragePrecision(keras.callbacks.Callback):
    """Scores the detector on a validation set and adds `val_map` to the logs.

    Args:
        dataset: Validation `Dataset`.
        every: Epochs between two scorings; the last epoch is always scored.
        batch_size: Pictures a batch.
        metric: Metric of `yolov2_tf.evaluation.detections.evaluate`.
    """

    def __init__(self, dataset, *, every=1, batch_size=8, metric="voc07"):
        super().__init__()
        self.dataset = dataset
        self.every = every
        self.batch_size = batch_size
        self.metric = metric
        self.evaluation = None

    def set_model(self, model):
        super().set_model(model)
        # Built once: it shares the weights, and a new graph for each epoch would leak.
        self._detector = detector(model, EVALUATION.score, EVALUATION.iou, EVALUATION.detections)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every and epoch + 1 < self.params["epochs"]:
            return
        pictures = (load_image(record.image) for record in self.dataset.records)
        found = list(detect(self._detector, pictures, batch_size=self.batch_size))
        self.evaluation = evaluate(self.dataset, found, self.metric, tree=self.model.head.tree)
        logs["val_map"] = self.evaluation.map


class Checkpoints(keras.callbacks.Callback):
    """Keeps `last.keras` to resume from, with the optimizer, and the best as `model.keras`.

    Without a score in the logs the last model counts as the best.

    Args:
        run: `yolov2_tf.training.run.Run`.
        plan: `yolov2_tf.training.plan.Plan` that is carried out.
        best: Best score so far, for a resumed run.
        score: Name of the score, the higher the better.
        mean: `WeightMean`, whose weights the best has, or None.
    """

    def __init__(self, run, plan, best=float("-inf"), score="val_map", mean=None):
        super().__init__()
        self.mean = mean
        self.run = run
        self.plan = plan
        self.best = best
        self.score = score
        self.scored = np.isfinite(best)

    def on_epoch_end(self, epoch, logs=None):
        score = logs.get(self.score)
        if score is not None and not self.best >= score:
            self.best, self.scored = score, True
            self._save(self.run.best)
        if self.mean is not None:
            self.mean.take_out()
            self.mean.save()
        # Last: a process that is killed before repeats the epoch, and with it what came first.
        self.run.note(self.plan.position(epoch + 1, iterations(self.model)))
        self._save(self.run.last)

    def forget(self):
        """Seeks the best anew: from now on scores mean something else."""
        self.best, self.scored = float("-inf"), False

    def on_train_end(self, logs=None):
        if not self.scored:
            if self.mean is not None:
                self.mean.put_in()
            self._save(self.run.best)
            if self.mean is not None:
                self.mean.take_out()

    def _save(self, place):
        with replacing(place) as path:
            self.model.save(path)


class History(keras.callbacks.Callback):
    """Writes one row an epoch to `history.csv`, draws `history.png`, feeds TensorBoard.

    Args:
        run: `yolov2_tf.training.run.Run`.
        rows: Rows of the run so far, for a resumed run.
        samples: `Dataset` whose first pictures TensorBoard shows with their detections, or None.
    """

    def __init__(self, run, rows=(), samples=None):
        super().__init__()
        self.run = run
        self.rows = list(rows)
        self.samples = samples

    def set_model(self, model):
        super().set_model(model)
        self._writer = tf.summary.create_file_writer(str(self.run.folder / "tensorboard"))
        if self.samples is not None:
            self._pictures = [load_image(record.image) for record in self.samples.records[:8]]
            self._detector = detector(model)

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
        self._write_csv()
        plot_history(self.rows, self.run.folder / "history.png")
        self._write_summaries(epoch + 1, row)

    def _write_csv(self):
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with replacing(self.run.history) as path, path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)

    def _write_summaries(self, epoch, row):
        with self._writer.as_default(step=epoch):
            for name, value in row.items():
                tf.summary.scalar(name, value)
            if self.samples is not None and "val_map" in row:
                tf.summary.image("detections", self._sample_sheet()[None])
        self._writer.flush()

    def _sample_sheet(self):
        names = self.model.head.class_names
        found = detect(self._detector, self._pictures)
        return contact_sheet(
            [
                draw_detections(image, d["boxes"], d["labels"], d["scores"], names)
                for image, d in zip(self._pictures, found, strict=True)
            ]
        )


class Figures(NamedTuple):
    """Which logs `Progress` shows. Each is `(name shown, key in the logs)`.

    Attributes:
        live: Beside the loss in the bar.
        parts: Behind the loss of an epoch.
        scores: At the end of an epoch's line, where they were measured.
    """

    live: tuple[str, str]
    parts: tuple[tuple[str, str], ...]
    scores: tuple[tuple[str, str], ...]


DETECTION_FIGURES = Figures(
    live=("IoU", "average_iou"),
    parts=(
        ("box", "loss_box"),
        ("obj", "loss_objectness"),
        ("noobj", "loss_no_objectness"),
        ("class", "loss_class"),
        ("IoU", "average_iou"),
        ("recall", "recall"),
    ),
    scores=(("mAP", "val_map"),),
)


class Progress(keras.callbacks.Callback):
    """A progress bar for the epoch and one line for each that is over.

    Args:
        batch_size: For the figure of images per second.
        console: `rich.console.Console`.
        figures: `Figures` to show.
    """

    def __init__(self, batch_size, console, figures=DETECTION_FIGURES):
        super().__init__()
        self.batch_size = batch_size
        self.console = console
        self.figures = figures

    def on_train_begin(self, logs=None):
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[figures]}"),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._bar.start()
        self._task = None

    def on_epoch_begin(self, epoch, logs=None):
        epochs = self.params["epochs"]
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(
            "", total=self.params["steps"], epoch=f"{epoch + 1}/{epochs}", figures=""
        )
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        rate = (batch + 1) * self.batch_size / (time.perf_counter() - self._start)
        name, key = self.figures.live
        self._bar.update(
            self._task,
            completed=batch + 1,
            figures=f"{rate:.1f} img/s  loss {logs['loss']:.2f}  {name} {logs[key]:.2f}",
        )

    def on_epoch_end(self, epoch, logs=None):
        parts = "  ".join(f"{name} {logs[key]:.3f}" for name, key in self.figures.parts)
        score = "".join(
            f"  [bold]{name} {logs[key]:.3f}[/bold]"
            for name, key in self.figures.scores
            if key in logs
        )
        self.console.print(
            f"epoch {epoch + 1:>3}/{self.params['epochs']}  {logs['images_per_second']:.1f} img/s  "
            f"loss {logs['loss']:.3f} ({parts}){score}",
            highlight=False,
            soft_wrap=True,
        )

    def on_train_end(self, logs=None):
        self._bar.stop()


class Throughput(keras.callbacks.Callback):
    """Adds `images_per_second` of the training steps to the logs, before anything is scored.

    Args:
        images_per_epoch: How many images an epoch trains on.
    """

    def __init__(self, images_per_epoch):
        super().__init__()
        self.images_per_epoch = images_per_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs["images_per_second"] = self.images_per_epoch / (time.perf_counter() - self._start)
