"""The training recipe (paper, section 2, "Training"), around Keras' `fit`."""

import csv
import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.records import box_shapes
from yolov2_tf.detection.loss import WARMUP_IMAGES, YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing
from yolov2_tf.models.anchors import cluster, to_cells
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.transfer import transfer_weights, with_new_head
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2
from yolov2_tf.schedules import detection_schedule
from yolov2_tf.training.callbacks import (
    Checkpoints,
    History,
    MeanAveragePrecision,
    Progress,
    Throughput,
)
from yolov2_tf.training.class_weights import balanced, classes_with_boxes

GRADIENT_NORM = 10.0
"""Limit of the gradient's norm. The loss is a sum over boxes: a dozen of them in a picture, at a
rate that is right for one, once drove t_w and t_h to infinity within five epochs."""

BUILDERS = {"yolov2": YOLOv2, "tiny": TinyYOLOv2}


def build_model(recipe, dataset, tree=None):
    """A network for the classes of a data set: a new one, or that of a file.

    A new one has anchors that are clustered on the boxes of the data set.

    Args:
        recipe: `Recipe`.
        dataset: Training `Dataset`.
        tree: `WordTree` whose nodes are the classes of the data set, or None.

    Returns:
        `DetectionModel`.

    Raises:
        InputError: If the data set has fewer distinct box shapes than anchors are wanted.
    """
    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy(recipe.precision)
    if recipe.continues:
        return _continue_network(recipe, dataset, tree)
    shapes = box_shapes(dataset)
    distinct = len(np.unique(shapes, axis=0))
    if distinct < recipe.anchors:
        raise InputError(
            f"{distinct} distinct box shapes",
            where=dataset.name,
            expected=f"at least {recipe.anchors}, one for each anchor",
            hint="fewer --anchors, or more annotated images",
        )
    centers, _ = cluster(shapes, recipe.anchors, seed=recipe.seed)
    return BUILDERS[recipe.model](
        dataset.class_names,
        anchors=to_cells(centers, recipe.size),
        input_size=recipe.size,
        resize=recipe.resize,
        width=recipe.width,
        tree=tree,
        weight_decay=recipe.weight_decay,
    )


def train(
    recipe,
    dataset,
    folder,
    *,
    tree=None,
    classification=None,
    validation=None,
    weights=None,
    resume=False,
    console=None,
):
    """Trains a detector and leaves a run folder.

    The folder holds `model.keras` (the best by mAP), `last.keras` (to resume from),
    `config.json`, `history.csv`, `history.png` and `tensorboard/`. More than one GPU is used
    through `tf.distribute.MirroredStrategy`.

    Args:
        recipe: `Recipe`.
        dataset: Training `Dataset` whose images were checked.
        folder: Folder of the run.
        tree: `WordTree` whose nodes are the classes of the data sets, or None.
        classification: `ClassificationDataset` of the same classes whose images were checked, for
            joint training, or None. An epoch is a pass over `dataset`, whatever is mixed in.
        validation: `Dataset` that is scored about twenty times during the training, or None.
        weights: `.keras` file whose fitting weights the network starts with, or None.
        resume: Goes on with the run in `folder` from its last epoch.
        console: `rich.console.Console` for the progress; None for silence.

    Returns:
        The rows of `history.csv`.

    Raises:
        InputError: If there is nothing to train on or nothing to resume.
    """
    folder = Path(folder)
    if not dataset.num_boxes:
        raise InputError("no boxes to train on", where=dataset.name)
    pictures = len(dataset)
    if classification is not None:
        _check_classes(dataset, classification)
        pictures *= sum(recipe.ratio) / recipe.ratio[0]
    steps = max(1, round(pictures / recipe.batch_size))
    with _strategy().scope():
        if resume:
            model = load_model(_checked_last(folder))
        else:
            model = build_model(recipe, dataset, tree)
            if weights is not None:
                _fill(model, weights, recipe.freeze, console)
            loss_options = {}
            if recipe.balance:
                loss_options["class_weights"] = balanced(
                    dataset, classification, recipe.ratio, recipe.mosaic
                )
            if recipe.spare:
                loss_options["box_classes"] = classes_with_boxes(dataset, tree)
            _compile(model, recipe, steps * recipe.epochs, **loss_options)
    done = int(model.optimizer.iterations) // steps
    rows = _read_history(folder, done) if resume else []
    _write_config(folder, recipe, dataset, classification, validation)

    batches = training_batches(
        dataset,
        classification=classification,
        ratio=recipe.ratio,
        mosaic=recipe.mosaic,
        batch_size=recipe.batch_size,
        size=recipe.size,
        multi_scale=recipe.multi_scale,
        resize_every=recipe.resize_every,
        resize=recipe.resize,
        jitter=recipe.jitter,
        flip=recipe.flip,
        seed=recipe.seed,
        first_step=done * steps,
    )
    callbacks = [Throughput(steps * recipe.batch_size)]
    if validation is not None:
        every = max(1, recipe.epochs // 20)
        callbacks.append(MeanAveragePrecision(validation, every=every))
    scores = [float(row["val_map"]) for row in rows if row.get("val_map")]
    callbacks.append(Checkpoints(folder, max(scores, default=float("-inf"))))
    callbacks.append(History(folder, rows, samples=validation))
    if console is not None:
        callbacks.append(Progress(recipe.batch_size, console))
    model.fit(
        batches,
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=recipe.epochs,
        callbacks=callbacks,
        shuffle=False,  # the stream is in random order already
        verbose=0,
    )
    return _read_history(folder, recipe.epochs)


def _check_classes(dataset, classification):
    if dataset.class_names != classification.class_names:
        raise InputError(
            f"its {len(classification.class_names):,} classes are not the "
            f"{len(dataset.class_names):,} of {dataset.name}",
            where=classification.name,
            hint="map both onto the nodes of one tree",
        )


def _continue_network(recipe, dataset, tree):
    """The network of a file with a head for the classes at hand; its anchors stay."""
    trained = load_model(recipe.model)
    old = trained.head
    model = with_new_head(
        trained,
        class_names=dataset.class_names,
        tree=tree,
        input_size=recipe.size,
        resize=recipe.resize,
    )
    if old.class_names == dataset.class_names and old.tree == tree:
        model.head.set_weights(old.get_weights())
    if recipe.freeze:
        for layer in model.layers:
            layer.trainable = layer is model.head
    return model


def _fill(model, path, freeze, console):
    """Gives the network the weights of a file that fit it, by layer."""
    report = transfer_weights(model, load_model(path))
    if freeze:
        for name in report.loaded:
            model.get_layer(name).trainable = False
    if console is not None:
        console.print(str(report), highlight=False)


def _strategy():
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _compile(model, recipe, total_steps, **loss_options):
    schedule = detection_schedule(recipe.schedule, recipe.learning_rate, total_steps)
    if recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(schedule, global_clipnorm=GRADIENT_NORM)
    else:
        optimizer = keras.optimizers.SGD(schedule, momentum=0.9, global_clipnorm=GRADIENT_NORM)
    if recipe.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    head = model.head
    loss = YOLOv2Loss(
        head.anchors,
        tree=head.tree,
        image_rule=recipe.image_rule,
        warmup_images=_warmup_images(recipe, total_steps),
        **loss_options,
    )
    model.compile(optimizer, loss=loss)


def _warmup_images(recipe, total_steps):
    """For how many images unmatched predictions are pulled to their priors.

    Darknet's 12,800 are 1 % of its training on VOC, but half of one on a few hundred pictures:
    there a twentieth is enough. A network that goes on training knows its shapes already.
    """
    if recipe.continues:
        return 0
    return min(WARMUP_IMAGES, total_steps * recipe.batch_size // 20)


def _checked_last(folder):
    last = folder / "last.keras"
    if not last.is_file():
        raise InputError(
            "nothing to resume", where=folder, expected="last.keras of an earlier training"
        )
    return last


def _read_history(folder, epochs):
    path = Path(folder) / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]


def _write_config(folder, recipe, dataset, classification, validation):
    config = {
        **dataclasses.asdict(recipe),
        "data": {"name": dataset.name, "images": len(dataset), "boxes": dataset.num_boxes},
        "classification": _name_and_size(classification),
        "classes": list(dataset.class_names),
        "validation": _name_and_size(validation),
    }
    with replacing(folder / "config.json") as path:
        path.write_text(json.dumps(config, indent=2) + "\n")


def _name_and_size(dataset):
    return None if dataset is None else {"name": dataset.name, "images": len(dataset)}
