import csv
import dataclasses
import json
import shutil
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import load_image
from yolov2_tf.data.labels import map_onto_tree, open_classification
from yolov2_tf.data.nodes import map_boxes_onto_tree
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.records import Dataset
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.models.detection_model import batches_seen
from yolov2_tf.models.loading import load_model
from yolov2_tf.training import loop
from yolov2_tf.training.callbacks import MeanAveragePrecision
from yolov2_tf.training.class_weights import balanced, classes_with_boxes
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.optimizer import iterations, make_optimizer
from yolov2_tf.training.plan import Plan, Position
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.training.run import Run
from yolov2_tf.trees.wordtree import WordTree

SMALL = DetectionRecipe(
    model="tiny", width=0.125, size=64, epochs=2, batch_size=4, learning_rate=1e-3, anchors=2
)


@pytest.fixture(scope="module")
def scenes():
    dataset, unreadable = check_images(open_digits("train", count=8, size=64))
    assert not unreadable
    return dataset


def train_and_copy(task, recipe, folder, copy):
    """Trains in `folder`; `copy` is what a power cut would have left when the second epoch began.

    Returns:
        The rows of the whole run.
    """

    def cut(epoch, logs):
        if epoch == 1:
            shutil.copytree(folder, copy)

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=cut)
    rows = train(task, recipe, folder, callbacks=[callback])
    assert len(Run(copy).rows()) == 1
    return rows


@pytest.fixture(scope="module")
def run(scenes, tmp_path_factory):
    """A run of two epochs: its folder, its rows, and what a power cut in it would have left."""
    folder, copy = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("cut") / "run"
    return folder, train_and_copy(DetectionTask(scenes, scenes), SMALL, folder, copy), copy


def test_a_run_leaves_what_it_promises(run, scenes):
    folder, rows, _ = run
    assert {p.name for p in folder.iterdir()} == {
        *("model.keras", "last.keras", "previous.keras", "config.json"),
        *("history.csv", "history.png", "tensorboard"),
    }
    with (folder / "history.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert written == rows
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"loss", "loss_box", "average_iou", "val_map", "images_per_second"} <= set(rows[0])
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    config = json.loads((folder / "config.json").read_text())
    assert config["data"]["images"] == 8
    assert config["width"] == 0.125
    assert load_model(folder / "model.keras").head.class_names == scenes.class_names
    with Image.open(folder / "history.png") as plot:
        assert min(plot.size) > 200
    assert list((folder / "tensorboard").glob("events*"))


def test_a_resumed_run_equals_one_that_was_never_stopped(run, scenes):
    folder, whole, stopped = run
    resumed = train(DetectionTask(scenes, scenes), SMALL, stopped, resume=True)
    assert [row["epoch"] for row in resumed] == ["1", "2"]
    for name in ("loss", "loss_box", "average_iou", "learning_rate"):
        assert float(resumed[1][name]) == pytest.approx(float(whole[1][name]), rel=1e-4)
    pairs = zip(
        load_model(folder / "last.keras").get_weights(),
        load_model(stopped / "last.keras").get_weights(),
        strict=True,
    )
    for left, right in pairs:
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-5)


def test_nothing_to_train_on_or_to_resume_is_said(tmp_path, scenes):
    empty = dataclasses.replace(
        scenes,
        records=[
            dataclasses.replace(r, boxes=r.boxes[:0], labels=r.labels[:0], ignore=r.ignore[:0])
            for r in scenes.records
        ],
    )
    with pytest.raises(InputError, match="no boxes to train on"):
        train(DetectionTask(empty), SMALL, tmp_path)
    with pytest.raises(InputError, match="nothing to resume"):
        train(DetectionTask(scenes), SMALL, tmp_path, resume=True)
    with pytest.raises(InputError, match="distinct box shapes"):
        DetectionTask(scenes).build(dataclasses.replace(SMALL, anchors=500))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "yolov3"), ("size", 100), ("schedule", "linear"), ("multi_scale", (320, 600))],
)
def test_a_recipe_refuses_what_cannot_be(field, value):
    with pytest.raises(InputError):
        DetectionRecipe(**{field: value})


def test_weights_start_a_network_for_other_classes(run, tmp_path, scenes):
    fewer = Dataset("two", ("a", "b"), [
        dataclasses.replace(r, labels=r.labels % 2) for r in scenes.records
    ])  # fmt: skip
    weights = run[0] / "model.keras"
    recipe = dataclasses.replace(SMALL, weights=weights, freeze=True, epochs=1)
    train(DetectionTask(fewer), recipe, tmp_path)
    first, second = load_model(weights), load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        first.get_layer("conv3").get_weights()[0], second.get_layer("conv3").get_weights()[0]
    )
    assert second.head.class_names == ("a", "b")


@pytest.mark.slow
def test_eight_real_pictures_are_learnt_by_heart(shared_data):
    """Everything between a file and a detection must be right for this: 300 steps, mAP ≥ .99."""
    dataset = open_dataset(shared_data / "voc2007_sample")
    chosen = [record for record in dataset.records if (~record.ignore).any()][:8]
    dataset, _ = check_images(dataclasses.replace(dataset, records=chosen))
    recipe = DetectionRecipe(model="tiny", width=0.25, size=224, batch_size=8)
    model = DetectionTask(dataset).build(recipe)
    losses = _learn_by_heart(model, dataset, recipe)
    assert np.isfinite(losses).all()
    pictures = [load_image(record.image) for record in dataset.records]
    found = detect(detector(model, 0.005), pictures)
    assert evaluate(dataset, found).map >= 0.99


def _learn_by_heart(model, dataset, recipe, steps=300):
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, steps, alpha=0.01)
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.9, global_clipnorm=10.0),
        loss=YOLOv2Loss(model.head.anchors),
    )
    options = {"jitter": 0.0, "flip": False, "colours": False}
    batches = training_batches(dataset, batch_size=8, size=recipe.size, **options)
    return model.fit(
        batches, steps_per_epoch=100, epochs=steps // 100, verbose=0, shuffle=False
    ).history["loss"]


# === Gradients ===


def test_the_norm_of_the_gradient_is_logged_and_its_limit_can_be_off(tmp_path, scenes):
    free = dataclasses.replace(SMALL, clip_norm=None, epochs=1, batch_size=8, flip=False)
    rows = train(DetectionTask(scenes), free, tmp_path / "free")
    model = load_model(tmp_path / "free" / "last.keras")
    assert model.optimizer.global_clipnorm is None
    assert json.loads((tmp_path / "free" / "config.json").read_text())["clip_norm"] is None
    assert DetectionTask.RECIPE.of({}).clip_norm == 10

    # The one step of the run, by hand.
    task = DetectionTask(scenes)
    plan = Plan(1, 1, 8)
    model = task.build(free)
    task.compile(model, free, plan, make_optimizer(free, 1e-3))
    images, truths = next(iter(task.batches(free, plan)))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(images, truths, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    norm = np.sqrt(sum(float(tf.reduce_sum(g**2)) for g in gradients))
    assert norm > 1
    assert float(rows[0]["gradient_norm"]) == pytest.approx(norm, rel=1e-3)


def test_batches_that_make_one_step_change_no_weight_before_their_last(scenes):
    recipe = dataclasses.replace(SMALL, accumulate=2, clip_norm=None)
    task = DetectionTask(scenes)
    assert task.steps(recipe) == 2
    assert task.steps(dataclasses.replace(recipe, accumulate=3)) == 3
    model = task.build(recipe)
    task.compile(model, recipe, Plan(2, 1, 4), make_optimizer(recipe, 1e-2))
    batches = list(task.batches(recipe, Plan(2, 1, 4)).take(2))
    kernel = model.get_layer("head").kernel
    before, gradients = kernel.numpy(), []
    for batch in batches:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(*batch, model(batch[0], training=True))
        gradients.append(tape.gradient(loss, kernel.value))
    for number, batch in enumerate(batches):
        assert int(batches_seen(model.optimizer)) == number
        np.testing.assert_array_equal(kernel, before)
        model.train_on_batch(*batch)
    assert iterations(model) == 2
    assert int(model.optimizer.iterations) == 1
    expected = before - 1e-2 * (gradients[0] + gradients[1]) / 2
    np.testing.assert_allclose(kernel, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("passthrough", "layers"), [("squeezed", {"concat", "passthrough"}), ("none", set())]
)
def test_the_passthrough_is_what_the_recipe_says(scenes, passthrough, layers):
    recipe = dataclasses.replace(SMALL, model="yolov2", width=0.05, passthrough=passthrough)
    model = DetectionTask(scenes).build(recipe)
    assert {"concat", "passthrough"} & {layer.name for layer in model.layers} == layers
    assert model.output.shape[1:] == (None, None, 2 * 15)


def test_a_network_of_a_file_keeps_its_way_of_resizing(tmp_path, scenes):
    """Trained with bars around its pictures, it is worth little on stretched ones."""
    boxed = dataclasses.replace(SMALL, resize="letterbox", epochs=1)
    train(DetectionTask(scenes), boxed, tmp_path / "first")
    file = tmp_path / "first/model.keras"
    onward = DetectionRecipe(model=str(file), size=64, epochs=1, batch_size=4)
    train(DetectionTask(scenes), onward, tmp_path / "second")
    assert load_model(tmp_path / "second/model.keras").head.resize == "letterbox"
    assert json.loads((tmp_path / "second/config.json").read_text())["resize"] == "letterbox"
    with mock.patch("yolov2_tf.training.detection.training_batches") as made:
        DetectionTask(scenes).batches(onward, Plan(2, 1, 4))
    assert made.call_args.kwargs["resize"] == "letterbox"

    taught = DetectionRecipe(**{**vars(SMALL), "resize": None, "teacher": str(file)})
    assert DetectionTask(scenes).build(taught).head.resize == "letterbox"
    other = dataclasses.replace(taught, resize="stretch", epochs=1)
    with pytest.raises(InputError, match="sees pictures by letterbox"):
        train(DetectionTask(scenes), other, tmp_path / "third")


def test_a_warm_up_that_is_over_stays_so(scenes):
    """Steps may have had more pictures before: as many steps would be fewer pictures now."""
    task = DetectionTask(scenes)
    model = task.build(SMALL)
    task.compile(model, SMALL, Plan(100, 10, 4), make_optimizer(SMALL, 1e-3))
    length = model.loss.warmup_images
    assert length == 200
    before = Plan(100, 10, 4, Position(0, 20, 20, 80))
    task.go_on(model, before)
    assert model.loss.warmup_images == length
    task.go_on(model, Plan(100, 10, 2, Position(0, 60, 60, 240)))
    assert model.loss.warmup_images == 0


# === Joint training ===

TREE = WordTree(["digit", *"0123456789"], [-1, *[0] * 10])
JOINT = dataclasses.replace(SMALL, ratio=(2, 5), multi_scale=(64, 96), resize_every=1, mosaic=0.5)


@pytest.fixture(scope="module")
def on_nodes(scenes):
    """Scenes with boxes and pictures with a label, of the nodes of one tree."""
    pictures = dataclasses.replace(open_classification("digits", "train"), notes=())
    pictures = dataclasses.replace(pictures, records=pictures.records[:12])
    return map_boxes_onto_tree(scenes, TREE), map_onto_tree(pictures, TREE)


def test_a_joint_run_is_resumed_as_if_it_was_never_stopped(tmp_path, on_nodes):
    """It runs at several sizes, traces its step once, and its model knows the tree."""
    boxes, labels = on_nodes
    folder, stopped = tmp_path / "whole", tmp_path / "stopped"
    task = DetectionTask(boxes, boxes, tree=TREE, classification=labels)
    with mock.patch.object(loop, "_step_on", wraps=loop._step_on) as step:
        whole = train_and_copy(task, JOINT, folder, stopped)
    assert step.call_count == 1
    config = json.loads((folder / "config.json").read_text())
    assert config["classification"]["images"] == 12
    assert config["ratio"] == [2, 5]
    model = load_model(folder / "last.keras")
    assert model.head.tree == TREE
    assert int(model.optimizer.iterations) == 2 * 4  # 8 views of scenes and 8 with labels, by fours

    resumed = train(task, JOINT, stopped, resume=True)
    for name in ("loss", "loss_class", "loss_objectness"):
        assert float(resumed[1][name]) == pytest.approx(float(whole[1][name]), rel=1e-3)


def test_labels_reach_the_loss(on_nodes):
    """What only labels say is learnt: pictures with a label, and one scene."""
    boxes, labels = on_nodes
    recipe = dataclasses.replace(SMALL, multi_scale=None)
    model = DetectionTask(boxes, tree=TREE).build(recipe)
    model.compile(keras.optimizers.Adam(3e-3), loss=YOLOv2Loss(model.head.anchors, tree=TREE))
    batches = training_batches(
        boxes, classification=labels, ratio=(1, 3), batch_size=16, size=64, jitter=0.0, flip=False
    )
    history = model.fit(batches, steps_per_epoch=10, epochs=6, verbose=0, shuffle=False).history
    assert history["loss_class"][-1] < 0.8 * history["loss_class"][0]
    assert np.isfinite(history["loss"]).all()


def test_a_training_with_a_tree_is_scored_by_every_class_of_its_boxes(on_nodes):
    """A network that is unsure of all names still ranks boxes: it says more than `digit`."""
    boxes, _ = on_nodes
    model = DetectionTask(boxes, tree=TREE).build(dataclasses.replace(SMALL, multi_scale=None))
    model.compile(keras.optimizers.Adam(3e-3), loss=YOLOv2Loss(model.head.anchors, tree=TREE))
    model.fit(training_batches(boxes, batch_size=8, size=64), steps_per_epoch=40, verbose=0)
    scorer = MeanAveragePrecision(boxes)
    scorer.set_params({"epochs": 1})
    scorer.set_model(model)
    logs = {}
    scorer.on_epoch_end(0, logs)

    pictures = [load_image(record.image) for record in boxes.records]
    of_labels = KerasDetector(model, EVALUATION)
    of_nodes = of_labels.scoring(np.unique(np.concatenate([r.labels for r in boxes.records])))
    expected = evaluate(boxes, list(of_nodes.detect(pictures)), tree=TREE, every_node=True).map
    assert logs["val_map"] == pytest.approx(expected, abs=1e-3)
    assert logs["val_map"] > evaluate(boxes, list(of_labels.detect(pictures)), tree=TREE).map


def test_classes_of_joint_data_sets_must_be_the_same(tmp_path, scenes, on_nodes):
    with pytest.raises(InputError, match="11 classes are not the 10"):
        train(DetectionTask(scenes, classification=on_nodes[1]), SMALL, tmp_path)
    assert not list(tmp_path.iterdir())


def test_balanced_classes_have_the_same_share(on_nodes):
    boxes, labels = on_nodes
    ratio = (3, 2)
    weights = balanced(boxes, labels, ratio)
    examples = [(label, ratio[0] / len(boxes)) for r in boxes.records for label in r.labels]
    examples += [(record.label, ratio[1] / len(labels)) for record in labels.records]
    share = np.zeros(len(TREE))
    for label, frequency in examples:
        share[label] += frequency * weights[label]
    np.testing.assert_allclose(share[1:], share[1], rtol=1e-9)  # all digits are among the pictures
    assert share.sum() == pytest.approx(sum(frequency for _, frequency in examples))
    assert weights[0] == 1  # no picture is only of "digit"


def test_classes_with_boxes_are_those_of_the_truths_and_their_ancestors():
    data = open_digits(count=3, size=64, classes=(3, 5))
    used = {int(label) for record in data.records for label in record.labels}
    assert classes_with_boxes(data) == sorted(used)
    on_tree = map_boxes_onto_tree(data, TREE)
    assert classes_with_boxes(on_tree, TREE) == [0, *sorted(label + 1 for label in used)]


def test_spared_classes_are_in_the_loss_of_a_joint_run(tmp_path, on_nodes):
    boxes, labels = on_nodes
    recipe = dataclasses.replace(JOINT, multi_scale=None, epochs=1, spare=True, balance=True)
    train(DetectionTask(boxes, tree=TREE, classification=labels), recipe, tmp_path)
    loss = load_model(tmp_path / "last.keras").loss
    assert loss.box_classes == classes_with_boxes(boxes, TREE)
    assert loss.class_weights is not None
