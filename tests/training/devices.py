"""Trains each task on one device and on two logical ones: `python devices.py FOLDER`.

Prints the rows of the histories as JSON.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["YOLOV2_CACHE"] = ""

import keras
import tensorflow as tf

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.labels import open_classification
from yolov2_tf.training import devices
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
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


def break_at(step):
    """Callback that raises behind so many steps; 0 for none."""

    def look(_, logs=None):
        seen.append(0)
        if len(seen) == step:
            raise Broken

    seen = []
    return keras.callbacks.LambdaCallback(on_train_batch_end=look)


def task_of(name):
    """Sixteen pictures to train on, five to score."""
    if name == "detection":
        scenes = open_digits("train", count=16, size=64)
        return DetectionTask(scenes, validation=open_digits("test", count=5, size=64))
    digits = open_classification("digits", "train")
    few = [dataclasses.replace(digits, records=digits.records[a:b]) for a, b in ((0, 16), (16, 21))]
    return ClassificationTask(*few)


def work(name, folder, stop=0):
    """Trains, or goes on; the rows of the history."""
    resume = (folder / "last.keras").exists()
    watching = [break_at(stop)]
    try:
        return train(task_of(name), RECIPES[name], folder, resume=resume, callbacks=watching)
    except Broken:
        return None


def split_cpu():
    """Makes two devices of the CPU, which train as two GPUs would."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


def both(folder):
    """Each task on one device and on two; one of these is broken and goes on."""
    split_cpu()
    alone = mock.patch.object(devices, "strategy", tf.distribute.get_strategy)
    found = {}
    for name in RECIPES:
        with alone:
            found[f"{name} one"] = work(name, folder / f"{name} one")
        if name == "classification":
            work(name, folder / f"{name} two", stop=3)
        found[f"{name} two"] = work(name, folder / f"{name} two")
    return found


if __name__ == "__main__":
    print(json.dumps(both(Path(sys.argv[1]))))
