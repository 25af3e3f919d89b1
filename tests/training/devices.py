"""Trains on one device and on several: `python devices.py MODE FOLDER [CHANGES AS JSON]`.

MODE is the name of a task for that, begun or gone on with in FOLDER, as one of the processes of
`TF_CONFIG`. CHANGES are arguments of `work` or fields of the recipe. MODE `both` is the task that
CHANGES names on one device, and on two logical ones, broken off and gone on with on one; and on
either a network of few weights whose steps are two batches. MODE `keras` is Keras' own `fit`.
Prints the rows of the history, the scores that callbacks saw, and the pictures that were read to
train and to score.
"""

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["YOLOV2_CACHE"] = ""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.labels import open_classification
from yolov2_tf.errors import InputError, Stopped
from yolov2_tf.training import devices
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.loop import Loop
from yolov2_tf.training.plan import Plan
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe

COMMON = {"batch_size": 8, "checkpoint_minutes": 0, "mean": 0.5, "sync_batch_norm": True}
RECIPES = {
    "detection": DetectionRecipe(
        **{**COMMON, "model": "tiny", "width": 0.01, "size": 64, "anchors": 2, "epochs": 3},
        **{"multi_scale": (64, 96), "resize_every": 1, "learning_rate": 0.05, "clip_norm": 2.0},
    ),
    "classification": ClassificationRecipe(
        **{**COMMON, "epochs": 2, "high_resolution": (64, 1)},
        **{"width": 1 / 16, "size": 32, "learning_rate": 0.01},
    ),
}


class Broken(Exception):
    """A crash in mid-epoch."""


def break_at(step, pause, scores, score):
    """Callback that raises behind so many steps, 0 for none; each step takes so long at least.

    `scores` gets the score of each epoch.
    """

    def look(_, logs=None):
        time.sleep(pause)
        seen.append(0)
        print("step", len(seen), flush=True)
        if len(seen) == step:
            raise Broken

    def note(_, logs=None):
        scores.append(logs[score])

    seen = []
    return keras.callbacks.LambdaCallback(on_train_batch_end=look, on_epoch_end=note)


def lose_at(step):
    """Callback that makes weights of this process infinite behind so many steps, 0 for none."""

    def look(_, logs=None):
        seen.append(0)
        if len(seen) == step:
            weights = callback.model.trainable_variables[0]
            weights.assign(np.full(weights.shape, np.inf))

    seen = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    return callback


def counted(dataset, reads, pause=0):
    """The same data set; `reads` gets the index of each picture that is read, which takes long."""

    def with_count(record, index):
        source = record.image

        def read():
            reads.append(index)
            if pause:
                time.sleep(pause)
                print("scored", len(reads), flush=True)
            if callable(source):
                return source()
            return source if isinstance(source, bytes) else Path(source).read_bytes()

        return dataclasses.replace(record, image=read)

    records = [with_count(record, i) for i, record in enumerate(dataset.records)]
    return dataclasses.replace(dataset, records=records)


def task_of(name, reads=None, scored=None, pause=0):
    """Sixteen pictures to train on, and to score two and a half batches, or more than two."""
    reads, scored = ([] if given is None else given for given in (reads, scored))
    if name == "detection":
        scenes = counted(open_digits("train", count=16, size=64), reads)
        few = open_digits("test", count=20, size=64)
        return DetectionTask(scenes, validation=counted(few, scored, pause))
    digits = open_classification("digits", "train")
    few = [dataclasses.replace(digits, records=digits.records[a:b]) for a, b in ((0, 16), (16, 86))]
    return ClassificationTask(counted(few[0], reads), counted(few[1], scored, pause))


def work(name, folder, stop=0, pause=0, lose=0, scoring=0, fail=False, **changes):
    """Trains, or goes on; what there is to say about it."""
    reads, scored, scores, resume = [], [], [], (Path(folder) / "last.keras").exists()
    recipe = dataclasses.replace(RECIPES[name], **changes)
    task = task_of(name, reads, scored, scoring)
    callbacks = [break_at(stop, pause, scores, task.SCORE), lose_at(lose)]
    try:
        rows = train(task, recipe, folder, resume=resume, callbacks=callbacks)
    except Broken:
        if fail:
            raise
        rows = None
    return {"reads": reads, "rows": rows, "scored": scored, "scores": scores}


def keras_fit():
    """What Keras' own `fit` ends with where several processes train, or ""."""
    with devices.strategy().scope():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    batches = tf.data.Dataset.from_tensors(([[1.0]], [[1.0]])).repeat(4)
    try:
        model.fit(batches, verbose=0)
    except ValueError as error:
        return str(error)
    return ""


def split_cpu():
    """Makes two devices of the CPU, which train as two GPUs would."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


def both(folder, name, **changes):
    """A task on one device; and on two, until it breaks in the last of three epochs of two steps,
    and goes on on one.
    """
    split_cpu()
    with mock.patch.object(devices, "strategy", tf.distribute.get_strategy):
        one = work(name, folder / "one", **{"checkpoint_minutes": 10, **changes})
        held = [in_pairs()]
    assert devices.strategy().num_replicas_in_sync == 2
    broken = work(name, folder / "two", stop=5, **changes)
    assert broken["rows"] is None
    held.append(in_pairs())
    with mock.patch.object(devices, "strategy", tf.distribute.get_strategy):
        two = work(name, folder / "two", **changes)
    return {"one": one, "two": two, "pairs": held}


def in_pairs():
    """Norm and weights behind each of eight batches, of which two make a step."""
    keras.utils.set_random_seed(0)
    rate = keras.optimizers.schedules.PolynomialDecay(0.5, 8)
    with devices.strategy().scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="tanh")])
        optimizer = keras.optimizers.SGD(
            rate, momentum=0.9, global_clipnorm=0.3, gradient_accumulation_steps=2
        )
        model.compile(optimizer, "mse")
    values = np.random.default_rng(0).normal(size=(64, 5)).astype("f")
    data = tf.data.Dataset.from_tensor_slices((values[:, :3], values[:, 3:])).batch(8, True)

    def numbers(_, logs=None):
        kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in model.weights)
        seen.append([*kernel.ravel().tolist(), *bias.tolist(), logs["gradient_norm"]])

    seen = []
    Loop(model, Plan(8, 1, 8), lambda plan: data).run(
        [keras.callbacks.LambdaCallback(on_train_batch_end=numbers)]
    )
    return seen


def main(mode, folder, changes="{}"):
    """Prints what was trained; unusable input is a message and exit code 2."""
    if mode == "both":
        print(json.dumps(both(Path(folder), **json.loads(changes))))
        return
    devices.strategy()
    if mode == "keras":
        print(json.dumps(keras_fit()))
        return
    try:
        print(json.dumps(work(mode, **{"folder": folder, **json.loads(changes)})))
    except InputError as error:
        sys.exit(print(error, file=sys.stderr) or 2)
    except Stopped as error:
        sys.exit(print(error, file=sys.stderr) or 128 + error.number)


if __name__ == "__main__":
    main(*sys.argv[1:])
