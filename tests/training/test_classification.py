"""The classifier's training: its files, its stages, and its trunk in a detector."""

import csv
import dataclasses
import json
import shutil
from types import SimpleNamespace
from unittest import mock

import keras
import numpy as np
import pytest
from rich.console import Console

from tests.shallow_networks import ShallowClassification, ShallowDetection
from yolov2_tf.classification.accuracy import evaluate_classifier
from yolov2_tf.classification.classifier import classifier, load_classifier
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.labels import map_onto_tree, open_classification
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.schedules import Stages, classification_schedule
from yolov2_tf.training import loop
from yolov2_tf.training.classification import ClassificationTask, ValidationAccuracy
from yolov2_tf.training.fit import train
from yolov2_tf.training.plan import Plan
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe
from yolov2_tf.training.run import Run
from yolov2_tf.trees.wordtree import WordTree

SMALL = ClassificationRecipe(
    width=1 / 16,
    size=32,
    high_resolution=(64, 2),
    epochs=1,
    batch_size=8,
    learning_rate=0.01,
    flip=False,
)
TREE = WordTree(["round", "straight", *"089147"], [-1, -1, 0, 0, 0, 1, 1, 1])


@pytest.fixture(scope="module")
def digits():
    dataset = open_classification("digits", "train")
    dataset = dataclasses.replace(dataset, records=dataset.records[:20])
    return check_images(dataset)[0]


@pytest.fixture(scope="module")
def training(digits, tmp_path_factory):
    """A run: its `folder` and `rows`, the `shapes` that its step was traced for, and in `cut` what
    a power cut would have left of it when its second (1) and third (2) epoch began.
    """
    folder, cut = tmp_path_factory.mktemp("run"), {}

    def copy(epoch, logs):
        if epoch:
            cut[epoch] = shutil.copytree(folder, tmp_path_factory.mktemp("cut") / "run")

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=copy)
    with mock.patch.object(loop, "_step_on", wraps=loop._step_on) as step:
        rows = train(ShallowClassification(digits, digits), SMALL, folder, callbacks=[callback])
    shapes = [tuple(call.args[1].shape) for call in step.call_args_list]
    return SimpleNamespace(folder=folder, rows=rows, cut=cut, shapes=shapes)


@pytest.fixture(scope="module")
def run(training):
    return training.folder, training.rows


# === Recipe and schedule ===


def test_the_defaults_are_the_papers():
    recipe = ClassificationRecipe()
    assert (recipe.size, recipe.epochs, recipe.learning_rate) == (224, 160, 0.1)
    assert (recipe.batch_size, recipe.weight_decay) == (128, 5e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 100),
        ("high_resolution", (450, 10)),
        ("high_resolution", (448, 0)),
        ("resize", "crop"),
        ("optimizer", "lion"),
        ("zoom", (2.0, 0.5)),
    ],
)
def test_a_recipe_refuses_what_cannot_be(field, value):
    with pytest.raises(InputError):
        ClassificationRecipe(**{field: value})


def test_the_rate_falls_with_the_fourth_power_and_again_from_a_hundredth():
    schedule = classification_schedule(0.1, 1000, 100)
    rates = [float(schedule(step)) for step in (0, 500, 999, 1000, 1050, 1099)]
    expected = [0.1, 0.1 / 16, 0.1 * 1e-12, 1e-3, 1e-3 / 16, 1e-3 * 1e-8]
    np.testing.assert_allclose(rates, expected, rtol=1e-3, atol=1e-12)
    again = Stages.from_config(schedule.get_config())
    assert [float(again(step)) for step in (500, 1050)] == pytest.approx([rates[1], rates[4]])
    assert float(classification_schedule(0.1, 1000)(500)) == pytest.approx(0.1 / 16)


def test_a_training_takes_the_schedule_of_its_recipe():
    recipe = ClassificationRecipe(schedule="cosine", learning_rate=0.2, epochs=10)
    schedule = ClassificationTask(None).schedule(recipe, Plan(100, 10, 4))
    assert float(schedule(500)) == pytest.approx(0.2 * (1 + 0.01) / 2)


def test_both_stages_fall_by_the_schedule():
    schedule = classification_schedule(0.1, 1000, 100, "cosine")
    rates = [float(schedule(step)) for step in (0, 500, 1000, 1050)]
    half = (1 + 0.01) / 2  # of the way between the rate and a hundredth of it
    assert rates == pytest.approx([0.1, 0.1 * half, 1e-3, 1e-3 * half], rel=1e-3)
    with pytest.raises(ValueError, match="expected steps, polynomial or cosine"):
        classification_schedule(0.1, 1000, 0, "linear")


# === A run ===


def test_a_run_leaves_what_it_promises(run, digits):
    folder, rows = run
    assert {p.name for p in folder.iterdir()} == {
        *("model.keras", "last.keras", "previous.keras", "config.json"),
        *("history.csv", "history.png", "tensorboard"),
    }
    with (folder / "history.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert written == [{name: str(value) for name, value in row.items()} for row in rows]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert {"loss", "top1", "val_top1", "val_top5", "images_per_second"} <= set(rows[0])
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    config = json.loads((folder / "config.json").read_text())
    assert config["high_resolution"] == [64, 2]
    assert config["data"] == {"name": digits.name, "images": 20}


def test_the_model_is_meant_for_the_high_resolution(run, digits):
    folder, rows = run
    model = load_classifier(folder / "model.keras")
    head = find_classification_head(model)
    assert head.input_size == 64
    assert head.class_names == digits.class_names
    best = max(float(row["val_top1"]) for row in rows[1:])
    assert evaluate_classifier(classifier(model), digits).top1 == pytest.approx(best)


@pytest.mark.parametrize("epochs", [1, 2])  # between the stages, in the second
def test_a_resumed_run_equals_one_that_was_never_stopped(training, digits, epochs):
    folder, whole = training.cut[epochs], training.rows
    assert len(Run(folder).rows()) == epochs
    resumed = train(ShallowClassification(digits, digits), SMALL, folder, resume=True)
    assert [row["epoch"] for row in resumed] == [1, 2, 3]
    for name in ("loss", "learning_rate", "val_top1"):
        assert float(resumed[2][name]) == pytest.approx(float(whole[2][name]), rel=1e-4, abs=1e-9)


def test_nothing_to_resume_is_said(digits, tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        train(ShallowClassification(digits), SMALL, tmp_path, resume=True)


def test_a_single_class_is_nothing_to_learn(digits, tmp_path):
    records = [dataclasses.replace(record, label=0) for record in digits.records[:4]]
    one = dataclasses.replace(digits, class_names=("pictures",), records=records)
    with pytest.raises(InputError, match="only one class, pictures"):
        train(ClassificationTask(one), ClassificationRecipe(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_scores_must_have_the_classes_that_train(digits, tmp_path):
    names = digits.class_names[::-1]
    other = dataclasses.replace(digits, class_names=names)
    with pytest.raises(InputError, match=r"order is another .*class_names="):
        train(ClassificationTask(digits, other), SMALL, tmp_path)
    assert not list(tmp_path.iterdir())
    network = ShallowClassification(digits).build(SMALL)
    with pytest.raises(InputError, match="order is another"):
        ValidationAccuracy(other).set_model(network)


def test_one_graph_serves_all_sizes(training):
    assert training.shapes == [(8, None, None, 3)]


@pytest.mark.slow
def test_twenty_pictures_are_learnt_by_heart(digits, tmp_path):
    """With a tree, whose classes are some of its nodes; the others are left out."""
    known = [r for r in digits.records if digits.class_names[r.label] in TREE.names]
    names = tuple(name for name in digits.class_names if name in TREE.names)
    records = [
        dataclasses.replace(r, label=names.index(digits.class_names[r.label])) for r in known
    ]
    # Ten times: an epoch costs more than a step.
    dataset = dataclasses.replace(digits, class_names=names, records=records * 10)
    dataset = map_onto_tree(dataset, TREE)
    recipe = ClassificationRecipe(
        width=1 / 8,
        size=64,
        epochs=20,
        batch_size=12,
        optimizer="adam",
        learning_rate=3e-3,
        zoom=(1, 1),
        flip=False,
    )
    train(ClassificationTask(dataset, tree=TREE), recipe, tmp_path)
    model = load_classifier(tmp_path / "model.keras")
    assert find_classification_head(model).tree == TREE
    scores = evaluate_classifier(classifier(model), dataset)
    assert scores.top1 > 0.9
    assert scores.hierarchical >= scores.top1


# === The trunk of a detector ===


def test_a_detector_takes_the_trunk_and_says_what_it_did_not_load(run, tmp_path, capsys):
    scenes = check_images(open_digits("train", count=4, size=64))[0]
    common = {"width": 1 / 16, "size": 64, "epochs": 1, "batch_size": 4}
    recipe = DetectionRecipe(weights=run[0] / "model.keras", freeze=True, **common)
    console = Console(force_terminal=False, width=200)
    train(ShallowDetection(scenes), recipe, tmp_path, console=console)
    printed = capsys.readouterr().out
    assert "loaded 12 layers" in printed  # six convolutions and their batch normalisations
    for name in ("conv7", "conv8", "conv9", "conv10", "head"):
        assert f"{name} starts anew: " in printed
    source = load_classifier(run[0] / "model.keras")
    detector = keras.models.load_model(tmp_path / "last.keras")
    for i in range(1, 7):
        np.testing.assert_array_equal(
            detector.get_layer(f"conv{i}").get_weights()[0],
            source.get_layer(f"conv{i}").get_weights()[0],
        )


def test_weights_start_another_classifier(run, digits, tmp_path):
    recipe = dataclasses.replace(
        SMALL,
        epochs=1,
        high_resolution=None,
        learning_rate=1e-9,
        weights=run[0] / "model.keras",
    )
    train(ShallowClassification(digits), recipe, tmp_path)
    old, new = (load_classifier(folder / "model.keras") for folder in (run[0], tmp_path))
    np.testing.assert_allclose(
        new.get_layer("conv5").get_weights()[0], old.get_layer("conv5").get_weights()[0], atol=1e-6
    )


def test_a_training_for_a_time_ends_in_it_at_the_lowest_rate(tmp_path, digits):
    recipe = dataclasses.replace(
        SMALL, high_resolution=None, minutes=0.1, schedule="cosine", learning_rate=0.1
    )
    task = ShallowClassification(digits, digits)
    rates = []

    def rate(batch, logs):
        rates.append(float(told.model.optimizer.learning_rate))

    told = keras.callbacks.LambdaCallback(on_train_batch_end=rate)
    rows = train(task, recipe, tmp_path / "run", callbacks=[told])
    assert rates[0] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.02
    assert load_classifier(tmp_path / "run" / "model.keras")
    assert train(task, recipe, tmp_path / "run", resume=True) == rows  # it is over


def test_the_time_and_the_stage_after_so_many_epochs_exclude_each_other():
    with pytest.raises(InputError, match="high-resolution"):
        dataclasses.replace(SMALL, minutes=1)
