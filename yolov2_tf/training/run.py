"""What every training shares, whatever it trains: its devices, its optimizer, its folder."""

import csv
import dataclasses
import json
from pathlib import Path

import keras
import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

GRADIENT_NORM = 10.0
"""Limit of the gradient's norm. The detector's loss is a sum over boxes: a dozen of them in a
picture, at a rate that is right for one, once drove t_w and t_h to infinity within five epochs."""


def strategy():
    """All GPUs where there are several, else the one device that there is."""
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def make_optimizer(kind, schedule, precision):
    """The optimizer of a training.

    Args:
        kind: `sgd` with momentum 0.9 or `adam`.
        schedule: Keras `LearningRateSchedule`.
        precision: Keras' dtype policy; `mixed_float16` needs its loss scaled.

    Returns:
        Keras optimizer.
    """
    if kind == "adam":
        optimizer = keras.optimizers.Adam(schedule, global_clipnorm=GRADIENT_NORM)
    else:
        optimizer = keras.optimizers.SGD(schedule, momentum=0.9, global_clipnorm=GRADIENT_NORM)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def checked_last(folder):
    """Path of `last.keras` of a run.

    Raises:
        InputError: If there is none.
    """
    last = Path(folder) / "last.keras"
    if not last.is_file():
        raise InputError(
            "nothing to resume", where=folder, expected="last.keras of an earlier training"
        )
    return last


def read_history(folder, epochs):
    """Rows of a run's `history.csv` up to an epoch, as dicts of str."""
    path = Path(folder) / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]


def write_config(folder, recipe, **facts):
    """Writes what was set, and facts about the data, to a run's `config.json`."""
    config = {**dataclasses.asdict(recipe), **facts}
    with replacing(Path(folder) / "config.json") as path:
        path.write_text(json.dumps(config, indent=2) + "\n")
