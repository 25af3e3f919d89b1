"""Joint training: scenes with boxes and pictures with a label, on one tree."""

import dataclasses
import json
from unittest import mock

import keras
import numpy as np
import pytest

from tests.training.small import DIGITS, SMALL, train_and_copy
from yolov2_tf.data.images import load_image
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.models.loading import load_model
from yolov2_tf.training import loop
from yolov2_tf.training.callbacks import MeanAveragePrecision
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train

JOINT = dataclasses.replace(SMALL, ratio=(2, 5), multi_scale=(64, 96), resize_every=1, mosaic=0.5)


def test_a_joint_run_is_resumed_as_if_it_was_never_stopped(tmp_path, on_nodes):
    """It runs at several sizes, traces its step once, and its model knows the tree."""
    boxes, labels = on_nodes
    folder, stopped = tmp_path / "whole", tmp_path / "stopped"
    task = DetectionTask(boxes, boxes, tree=DIGITS, classification=labels)
    with mock.patch.object(loop, "_step_on", wraps=loop._step_on) as step:
        whole = train_and_copy(task, JOINT, folder, stopped)
    assert step.call_count == 1
    config = json.loads((folder / "config.json").read_text())
    assert config["classification"]["images"] == 12
    assert config["ratio"] == [2, 5]
    model = load_model(folder / "last.keras")
    assert model.head.tree == DIGITS
    assert int(model.optimizer.iterations) == 2 * 4  # 8 views of scenes and 8 with labels, by fours

    resumed = train(task, JOINT, stopped, resume=True)
    for name in ("loss", "loss_class", "loss_objectness"):
        assert float(resumed[1][name]) == pytest.approx(float(whole[1][name]), rel=1e-3)


def test_labels_reach_the_loss(on_nodes):
    """What only labels say is learnt: pictures with a label, and one scene."""
    boxes, labels = on_nodes
    recipe = dataclasses.replace(SMALL, multi_scale=None)
    model = DetectionTask(boxes, tree=DIGITS).build(recipe)
    model.compile(keras.optimizers.Adam(3e-3), loss=YOLOv2Loss(model.head.anchors, tree=DIGITS))
    batches = training_batches(
        boxes, classification=labels, ratio=(1, 3), batch_size=16, size=64, jitter=0.0, flip=False
    )
    history = model.fit(batches, steps_per_epoch=10, epochs=6, verbose=0, shuffle=False).history
    assert history["loss_class"][-1] < 0.8 * history["loss_class"][0]
    assert np.isfinite(history["loss"]).all()


def test_a_training_with_a_tree_is_scored_by_every_class_of_its_boxes(on_nodes):
    """A network that is unsure of all names still ranks boxes: it says more than `digit`."""
    boxes, _ = on_nodes
    model = DetectionTask(boxes, tree=DIGITS).build(dataclasses.replace(SMALL, multi_scale=None))
    model.compile(keras.optimizers.Adam(3e-3), loss=YOLOv2Loss(model.head.anchors, tree=DIGITS))
    model.fit(training_batches(boxes, batch_size=8, size=64), steps_per_epoch=40, verbose=0)
    scorer = MeanAveragePrecision(boxes)
    scorer.set_params({"epochs": 1})
    scorer.set_model(model)
    logs = {}
    scorer.on_epoch_end(0, logs)

    pictures = [load_image(record.image) for record in boxes.records]
    of_labels = KerasDetector(model, EVALUATION)
    of_nodes = of_labels.scoring(np.unique(np.concatenate([r.labels for r in boxes.records])))
    expected = evaluate(boxes, list(of_nodes.detect(pictures)), tree=DIGITS, every_node=True).map
    assert logs["val_map"] == pytest.approx(expected, abs=1e-3)
    assert logs["val_map"] > evaluate(boxes, list(of_labels.detect(pictures)), tree=DIGITS).map


def test_classes_of_joint_data_sets_must_be_the_same(tmp_path, scenes, on_nodes):
    with pytest.raises(InputError, match="11 classes are not the 10"):
        train(DetectionTask(scenes, classification=on_nodes[1]), SMALL, tmp_path)
    assert not list(tmp_path.iterdir())
