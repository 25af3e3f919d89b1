"""Pictures that cannot be read any more in the middle of a run."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.shallow_networks import ShallowClassification, ShallowDetection
from tests.training.damaging import damage
from tests.training.line import At
from tests.training.squares import TINY, squares_in
from yolov2_tf.data import pixel_memory
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.stand_ins import StandIns
from yolov2_tf.data.stream_order import pictures_of
from yolov2_tf.errors import InputError
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import ClassificationRecipe
from yolov2_tf.training.run import Run
from yolov2_tf.training.scored import ScoredPictures


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return squares_in(tmp_path_factory.mktemp("scenes"))


@pytest.fixture
def nothing_kept(monkeypatch):
    """Pictures are decoded in every pass, as those of a large set are."""
    monkeypatch.setattr(pixel_memory, "MOST_PICTURES", 0)


def copy_of(scenes, folder):
    folder.mkdir()
    records = [dataclasses.replace(r, image=shutil.copy(r.image, folder)) for r in scenes.records]
    return check_images(dataclasses.replace(scenes, records=records))[0]


def many(dataset, count):
    """The same pictures again and again: a share of few is a small one."""
    records = [
        dataclasses.replace(record, image_id=f"{record.image_id} {i}")
        for i in range(count)
        for record in dataset.records
    ]
    return dataclasses.replace(dataset, records=records)


@pytest.mark.usefixtures("nothing_kept")
def test_a_damaged_picture_is_named_and_the_next_takes_its_place(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    broken = dataset.records[3].image
    recipe = dataclasses.replace(TINY, epochs=3)
    console = Console(record=True, width=300)
    cut = At(2, lambda: damage(tmp_path / "pictures" / "3.png", "cut"))
    rows = train(
        ShallowDetection(dataset), recipe, tmp_path / "run", callbacks=[cut], console=console
    )
    assert len(rows) == 3
    said = console.export_text()
    assert said.count("cannot be read any more") == 1
    assert broken in said
    assert "(1 of 12)" in said
    [entry] = Run(tmp_path / "run").record["damaged"]
    assert entry["picture"] == broken
    assert entry["reason"]


@pytest.mark.usefixtures("nothing_kept")
def test_too_many_damaged_pictures_are_an_error(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    gone = At(2, lambda: shutil.rmtree(tmp_path / "pictures"))
    recipe = dataclasses.replace(TINY, batch_size=4, checkpoint_minutes=0)
    with pytest.raises(InputError, match=r"of 12 pictures cannot be read any more, such as .*png"):
        train(ShallowDetection(dataset), recipe, tmp_path / "run", callbacks=[gone])
    load(tmp_path / "run" / "last.keras")


@pytest.mark.usefixtures("nothing_kept")
def test_a_classifier_has_stand_ins_too(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    records = [LabelledImage(r.image, int(r.labels[0])) for r in dataset.records]
    task = ShallowClassification(ClassificationDataset("scenes", ("a", "b"), records))
    recipe = ClassificationRecipe(width=0.01, size=32, epochs=4, batch_size=2)
    cut = At(1, lambda: damage(tmp_path / "pictures" / "5.png", "gone"))
    rows = train(task, recipe, tmp_path / "run", callbacks=[cut])
    assert len(rows) == 4
    assert "gradient_norm" in rows[0]
    assert len(Run(tmp_path / "run").record["damaged"]) == 1


def task_of(kind, dataset, validation):
    """A detector's or a classifier's task on these pictures, and a small recipe for it."""
    if kind == "detector":
        return ShallowDetection(dataset, validation), TINY
    sets = [
        ClassificationDataset(
            "scenes", ("a", "b"), [LabelledImage(r.image, int(r.labels[0])) for r in part.records]
        )
        for part in (dataset, validation)
    ]
    recipe = ClassificationRecipe(width=0.01, size=32, epochs=2, batch_size=4)
    return ShallowClassification(*sets), recipe


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("detector", "cut"),
        ("classifier", "gone"),
        pytest.param("detector", "gone", marks=pytest.mark.slow),
        pytest.param("classifier", "cut", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_picture_to_score_on_is_named_and_left_out(tmp_path, scenes, kind, how):
    validation = copy_of(scenes, tmp_path / "validation")
    broken = validation.records[3].image
    task, recipe = task_of(kind, scenes, validation)
    console = Console(record=True, width=300)
    cut = At(1, lambda: damage(tmp_path / "validation" / "3.png", how))
    rows = train(task, recipe, tmp_path / "run", callbacks=[cut], console=console)
    assert len(rows) == 2
    assert all(task.SCORE in row for row in rows)
    said = console.export_text()
    assert said.count("left out of the score") == 1
    assert f"{broken} cannot be read any more" in said
    assert "(1 of 12)" in said
    [entry] = Run(tmp_path / "run").record["damaged_validation"]
    assert entry["picture"] == broken
    assert entry["reason"]


def test_pictures_left_out_do_not_count_as_missed(scenes, tmp_path):
    dataset = copy_of(scenes, tmp_path / "pictures")
    damage(tmp_path / "pictures" / "3.png", "cut")

    def find(given):
        for record in given.records:
            tf.io.decode_png(tf.io.read_file(record.image))
        return [[place, *record.boxes[0]] for place, record in enumerate(given.records)]

    pictures = ScoredPictures(dataset)
    rows = pictures.found(find, batch_size=8)
    assert rows[:, 0].tolist() == list(range(11))
    left = [record for i, record in enumerate(dataset.records) if i != 3]
    assert [r.image for r in pictures.dataset.records] == [r.image for r in left]
    np.testing.assert_array_equal(rows[:, 1:], [r.boxes[0] for r in left])


@pytest.mark.parametrize("kind", ["detector", pytest.param("classifier", marks=pytest.mark.slow)])
def test_too_many_damaged_pictures_to_score_on_are_an_error(tmp_path, scenes, kind):
    validation = copy_of(scenes, tmp_path / "validation")
    task, recipe = task_of(kind, scenes, validation)
    recipe = dataclasses.replace(recipe, checkpoint_minutes=0)
    gone = At(2, lambda: shutil.rmtree(tmp_path / "validation"))
    with pytest.raises(InputError, match=r"12 of 12 pictures to score on cannot be read any more"):
        train(task, recipe, tmp_path / "run", callbacks=[gone])
    load(tmp_path / "run" / "last.keras")


def test_what_is_no_damage_is_raised_as_it_is(scenes):
    def fail(_):
        raise InputError("something else")

    with pytest.raises(InputError, match="something else"):
        ScoredPictures(scenes).found(fail, batch_size=8)


def test_stand_ins_move_no_other_picture(scenes):
    stand_ins = StandIns(12)
    options = {"batch_size": 4, "size": 64, "jitter": 0, "flip": False, "colours": False}
    before = list(training_batches(scenes, **options).take(6))
    stand_ins.faults.update({4: "cut", 5: "cut"})
    after = list(training_batches(scenes, **options, stand_ins=stand_ins).take(6))
    indices = pictures_of(range(24), 12)
    assert sorted(indices[:12]) == list(range(12))
    for place, index in enumerate(indices):
        batch, row = divmod(place, 4)
        one, two = (batches[batch][0][row].numpy() for batches in (before, after))
        assert np.array_equal(one, two) == (index not in (4, 5))
        if index in (4, 5):
            seen = tf.io.decode_png(tf.io.read_file(scenes.records[6].image)).numpy()
            np.testing.assert_array_equal(two, seen)


def test_the_last_pictures_of_a_kind_have_the_first_as_next():
    stand_ins = StandIns(3, 2)
    stand_ins.faults.update({2: "", 0: "", 4: ""})
    assert [int(stand_ins.of(tf.constant(i))) for i in range(5)] == [1, 1, 1, 3, 3]
