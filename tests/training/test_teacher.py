"""A training with a teacher is a run as any other."""

import dataclasses

import keras
import numpy as np
import pytest
from PIL import Image

from tests.shallow_networks import ShallowDetection, shallow_detector
from tests.training.line import Stop, StopAt
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.auto import auto_recipe
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe

ANCHORS = ((0.5, 0.7), (1.1, 0.9))


@pytest.fixture(scope="module")
def scenes():
    return open_digits("train", count=4, size=64)


@pytest.fixture
def recipe(tmp_path, scenes):
    path = tmp_path / "teacher.keras"
    shallow_detector(scenes.class_names, anchors=ANCHORS, width=0.01, input_size=64).save(path)
    return DetectionRecipe(
        model="tiny", width=0.01, size=32, epochs=2, batch_size=2, teacher=str(path)
    )


def test_a_resumed_run_has_its_teacher_again(tmp_path, scenes, recipe):
    task = ShallowDetection(scenes)
    whole = train(task, recipe, tmp_path / "whole")
    with pytest.raises(Stop):
        train(task, recipe, tmp_path / "stopped", callbacks=[StopAt(2)])
    resumed = train(task, None, tmp_path / "stopped", resume=True)
    assert [row["loss_teacher"] for row in resumed] == [row["loss_teacher"] for row in whole]
    assert all(float(row["loss_teacher"]) > 0 for row in whole)
    first, second = (load_model(tmp_path / name / "last.keras") for name in ("whole", "stopped"))
    np.testing.assert_allclose(first.head.anchors, ANCHORS, rtol=1e-6)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_teacher_the_weights_are_others(tmp_path, scenes, recipe):
    small = tmp_path / "small.keras"
    shallow_detector(scenes.class_names, anchors=ANCHORS, width=0.01, input_size=32).save(small)
    recipe = dataclasses.replace(recipe, model=str(small), epochs=1)
    train(ShallowDetection(scenes), recipe, tmp_path / "taught")
    train(ShallowDetection(scenes), dataclasses.replace(recipe, teacher=None), tmp_path / "alone")
    taught, alone = (load_model(tmp_path / n / "last.keras") for n in ("taught", "alone"))
    assert not np.array_equal(taught.head.get_weights()[0], alone.head.get_weights()[0])


def test_a_teacher_of_other_classes_leaves_the_folder_as_it_was(tmp_path, scenes, recipe):
    path = tmp_path / "letters.keras"
    shallow_detector(tuple("abcdefghij"), anchors=ANCHORS, width=0.01, input_size=64).save(path)
    with pytest.raises(InputError, match="a teacher of 10 classes"):
        train(
            ShallowDetection(scenes),
            dataclasses.replace(recipe, teacher=str(path)),
            tmp_path / "run",
        )
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_keeps_its_teacher(tmp_path, scenes, recipe):
    task = ShallowDetection(scenes)
    train(task, dataclasses.replace(recipe, epochs=1), tmp_path / "run")
    with pytest.raises(InputError, match="teacher was"):
        train(task, dataclasses.replace(recipe, teacher=None), tmp_path / "run", resume=True)


def test_the_automatic_recipe_counts_the_anchors_of_the_teacher(scenes, recipe):
    chosen = auto_recipe(scenes, teacher=recipe.teacher, model="tiny", width=0.01, size=32)
    assert chosen.anchors == len(ANCHORS)


def test_a_teacher_is_loaded_once(tmp_path, scenes, recipe, monkeypatch):
    loaded, load = [], keras.models.load_model

    def counted(path, *arguments, **options):
        loaded.append(str(path))
        return load(path, *arguments, **options)

    monkeypatch.setattr(keras.models, "load_model", counted)
    chosen = auto_recipe(scenes, teacher=recipe.teacher, model="tiny", width=0.01, size=32)
    chosen = dataclasses.replace(chosen, epochs=1, passes=1)
    train(ShallowDetection(scenes), chosen, tmp_path / "run")
    assert loaded.count(recipe.teacher) == 1


def test_the_command_names_its_option(run, tmp_path, recipe):
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,label\none.png,1,1,9,9,1\n")
    Image.new("RGB", (32, 32)).save(tmp_path / "one.png")
    train = ("train", tmp_path / "boxes.csv", "--out", tmp_path / "run")
    code, _, err = run(*train, "--teacher", recipe.teacher, "--anchors", "3")
    assert code == 2
    assert "--anchors with --teacher" in err
    code, out, err = run(*train, "--teacher", tmp_path / "none.keras")
    assert code == 2
    assert "none.keras" in err
    assert out == ""  # before it looks at the pictures
    assert not (tmp_path / "run").exists()
