import csv
import dataclasses
import json
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.shallow_networks import shallow_detector
from tests.training.small import SMALL, train_and_copy
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import load_image
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.models.detection_model import batches_seen
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.callbacks import MeanAveragePrecision
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.optimizer import iterations, make_optimizer
from yolov2_tf.training.plan import Plan, Position
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.trees.wordtree import WordTree


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
    assert written == [{name: str(value) for name, value in row.items()} for row in rows]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "loss_box", "average_iou", "val_map", "images_per_second"} <= set(rows[0])
    assert all(np.isfinite(row["loss"]) for row in rows)
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
    assert [row["epoch"] for row in resumed] == [1, 2]
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


def test_what_scores_must_have_the_classes_that_train(tmp_path, scenes):
    names = scenes.class_names
    cases = [
        ((*names, "new"), "only it has new"),
        ((*names[:9], "new"), "it has no 9, only it has new"),
        (names[::-1], "their order is another"),
    ]
    network = shallow_detector(scenes.class_names, anchors=[(1, 1)], width=0.01)
    for changed, message in cases:
        validation = dataclasses.replace(scenes, class_names=changed)
        message += r" \(.*class_names="
        with pytest.raises(InputError, match=message):
            train(DetectionTask(scenes, validation), SMALL, tmp_path)
        with pytest.raises(InputError, match=message):
            MeanAveragePrecision(validation).set_model(network)
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


def test_a_head_that_fits_trains_although_the_rest_is_held(run, scenes, tmp_path):
    weights = run[0] / "model.keras"
    train(
        DetectionTask(scenes),
        dataclasses.replace(SMALL, weights=weights, freeze=True, epochs=1),
        tmp_path,
    )
    first, second = load_model(weights), load_model(tmp_path / "last.keras")
    held = [layer.name for layer in second.layers if layer.weights and not layer.trainable]
    assert second.head.name not in held
    assert "conv3" in held
    assert (first.head.get_weights()[0] != second.head.get_weights()[0]).any()


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


def test_a_network_of_a_file_keeps_its_head_whatever_the_nodes_are_called(tmp_path):
    tree = WordTree(("thing", "dog"), (-1, 0))
    trained = shallow_detector(["a", "b"], anchors=[(1, 1)], tree=tree)
    trained.save(tmp_path / "a.keras")
    recipe = DetectionRecipe(model=str(tmp_path / "a.keras"), size=64)
    head = DetectionTask(Dataset("some", tree.names, []), tree=tree).build(recipe).head
    assert head.class_names == tree.names
    np.testing.assert_array_equal(head.kernel, trained.head.kernel)


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
