"""A task that takes no time to learn, and what tests of runs ask of one.

Its network is a line: what a run does beside its steps does not depend on what it learns.
"""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.training.progress import Figures
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.training.task import Task

SCORES = []
"""What the scorer of `Line` finds next; 0 once it is used up."""

SEEN = []
"""Numbers of the first picture of each batch that `Line` was fed with."""


def pictures(count, name="lines", classes=("a", "b")):
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool)
    records = [Record(None, str(i), *none) for i in range(count)]
    return Dataset(name, classes, records)


class Scorer(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = SCORES.pop(0) if SCORES else 0.0


class Line(Task):
    """Learns a straight line from the numbers of its pictures."""

    NAME = "detection"
    RECIPE = DetectionRecipe
    SCORE = "score"
    FIGURES = Figures(live=("loss", "loss"), parts=(), scores=())

    def build(self, recipe):
        keras.utils.set_random_seed(recipe.seed)
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])

    def schedule(self, recipe, plan):
        from yolov2_tf.training.detection import detection_schedule

        return detection_schedule(recipe.schedule, recipe.learning_rate, plan.total_steps)

    def compile(self, model, recipe, plan, optimizer):
        model.compile(optimizer, loss="mse")

    def batches(self, recipe, plan, **feed):
        def seen(x):
            SEEN.append(int(x[0]))
            return x

        stream = tf.data.Dataset.range(plan.first_batch * recipe.batch_size, tf.int64.max)
        stream = stream.batch(recipe.batch_size, drop_remainder=True)
        stream = stream.map(
            lambda x: tf.ensure_shape(tf.numpy_function(seen, [x], x.dtype), [None])
        )
        return stream.map(lambda x: (tf.cast(x % 7, tf.float32)[:, None] / 7, x % 3))

    def scorer(self, every, left_out=None):
        return Scorer()


RECIPE = DetectionRecipe(
    epochs=2, batch_size=4, learning_rate=0.01, schedule="cosine", size=64, anchors=2
)
TASK = Line(pictures(8))


def changed(**values):
    return dataclasses.replace(RECIPE, **values)


def record(folder):
    return json.loads((folder / "config.json").read_text())


def as_before(folder):
    """Makes `last.keras` one of the versions that wrote the network alone."""
    with zipfile.ZipFile(folder / "last.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    del members["training.json"]
    with zipfile.ZipFile(folder / "last.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def contents(folder):
    """Every file under a folder with its bytes and the time of its last change."""
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


class Stop(Exception):
    """What stops a training, as a power cut does."""


class StopAt(keras.callbacks.Callback):
    """Stops before an epoch, counted from 1."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch + 1 == self.epoch:
            raise Stop


class At(keras.callbacks.Callback):
    """Does something behind a step, counted from 1 over all epochs."""

    def __init__(self, step, action):
        super().__init__()
        self.left = step
        self.action = action

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.action()
