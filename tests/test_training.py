import csv
import dataclasses
import json

import keras
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.digits import open_digits
from yolov2_tf.data.images import check_images, load_image
from yolov2_tf.data.records import Dataset
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection import detect, detector, load_model
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation import evaluate
from yolov2_tf.recipe import Recipe
from yolov2_tf.training import build_model, train

SMALL = Recipe(
    model="tiny", width=0.125, size=64, epochs=2, batch_size=4, learning_rate=1e-3, anchors=2
)


@pytest.fixture(scope="module")
def scenes():
    dataset, unreadable = check_images(open_digits("train", count=8, size=64))
    assert not unreadable
    return dataset


def test_a_run_leaves_what_it_promises(tmp_path, scenes):
    rows = train(SMALL, scenes, tmp_path, validation=scenes)
    assert {p.name for p in tmp_path.iterdir()} == {
        *("model.keras", "last.keras", "config.json", "history.csv", "history.png", "tensorboard")
    }
    with (tmp_path / "history.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert written == rows
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"loss", "loss_box", "average_iou", "val_map", "images_per_second"} <= set(rows[0])
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["data"]["images"] == 8
    assert config["width"] == 0.125
    assert load_model(tmp_path / "model.keras").head.class_names == scenes.class_names
    with Image.open(tmp_path / "history.png") as plot:
        assert min(plot.size) > 200
    assert list((tmp_path / "tensorboard").glob("events*"))


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path, scenes):
    whole = train(SMALL, scenes, tmp_path / "whole")
    # The schedule belongs to the whole run: stop it by its files, not by another recipe.
    stopped = tmp_path / "stopped"

    class Stop(Exception):
        pass

    def stop(epoch, logs):
        if epoch == 1:
            raise Stop

    fit = keras.Model.fit
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            keras.Model,
            "fit",
            lambda self, *a, callbacks, **k: fit(self, *a, callbacks=[*callbacks, callback], **k),
        )
        with pytest.raises(Stop):
            train(SMALL, scenes, stopped)
    resumed = train(SMALL, scenes, stopped, resume=True)
    assert [row["epoch"] for row in resumed] == ["1", "2"]
    for name in ("loss", "loss_box", "average_iou", "learning_rate"):
        assert float(resumed[1][name]) == pytest.approx(float(whole[1][name]), rel=1e-4)
    pairs = zip(
        load_model(tmp_path / "whole" / "last.keras").get_weights(),
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
        train(SMALL, empty, tmp_path)
    with pytest.raises(InputError, match="nothing to resume"):
        train(SMALL, scenes, tmp_path, resume=True)
    with pytest.raises(InputError, match="distinct box shapes"):
        build_model(dataclasses.replace(SMALL, anchors=500), scenes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "yolov3"), ("size", 100), ("schedule", "linear"), ("multi_scale", (320, 600))],
)
def test_a_recipe_refuses_what_cannot_be(field, value):
    with pytest.raises(InputError):
        Recipe(**{field: value})


def test_weights_start_a_network_for_other_classes(tmp_path, scenes):
    train(SMALL, scenes, tmp_path / "first")
    fewer = Dataset("two", ("a", "b"), [
        dataclasses.replace(r, labels=r.labels % 2) for r in scenes.records
    ])  # fmt: skip
    recipe = dataclasses.replace(SMALL, freeze=True, epochs=1)
    train(recipe, fewer, tmp_path / "second", weights=tmp_path / "first" / "model.keras")
    first = load_model(tmp_path / "first" / "model.keras")
    second = load_model(tmp_path / "second" / "model.keras")
    np.testing.assert_array_equal(
        first.get_layer("conv3").get_weights()[0], second.get_layer("conv3").get_weights()[0]
    )
    assert second.head.class_names == ("a", "b")


def test_eight_real_pictures_are_learnt_by_heart(shared_data):
    """Everything between a file and a detection must be right for this: 300 steps, mAP ≥ .99."""
    dataset = open_dataset(shared_data / "voc2007_sample")
    chosen = [record for record in dataset.records if (~record.ignore).any()][:8]
    dataset, _ = check_images(dataclasses.replace(dataset, records=chosen))
    recipe = Recipe(model="tiny", width=0.25, size=224, batch_size=8)
    model = build_model(recipe, dataset)
    losses = _learn_by_heart(model, dataset, recipe)
    assert np.isfinite(losses).all()
    pictures = [load_image(record.image) for record in dataset.records]
    found = detect(detector(model, 0.005), pictures)
    assert evaluate(dataset, found).map >= 0.99


def _learn_by_heart(model, dataset, recipe, steps=300):
    from yolov2_tf.data.pipeline import training_batches
    from yolov2_tf.loss import YOLOv2Loss

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
