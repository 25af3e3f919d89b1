"""What a resumed run goes on from and may do otherwise, with a task that takes no time to learn."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from tests.training.line import (
    RECIPE,
    SCORES,
    SEEN,
    TASK,
    Line,
    Stop,
    StopAt,
    as_before,
    changed,
    contents,
    pictures,
    record,
)
from yolov2_tf.data.labelled_images import ClassificationDataset
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import ClassificationRecipe
from yolov2_tf.training.task import name_and_size
from yolov2_tf.trees.wordtree import WordTree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "run"
    train(TASK, RECIPE, folder)
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a run of two epochs of two steps of four pictures."""
    return shutil.copytree(finished, tmp_path / "run")


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path):
    recipe = changed(epochs=4)
    train(TASK, recipe, tmp_path / "whole")
    with pytest.raises(Stop):
        train(TASK, recipe, tmp_path / "stopped", callbacks=[StopAt(4)])
    rows = train(TASK, None, tmp_path / "stopped", resume=True)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    files = [tmp_path / name / "last.keras" for name in ("whole", "stopped")]
    for whole, resumed in zip(*(load_model(file).get_weights() for file in files), strict=True):
        np.testing.assert_array_equal(whole, resumed)
    records = [record(tmp_path / name) for name in ("whole", "stopped")]
    names = [one.pop("run") for one in records]
    assert names[0] != names[1]
    assert records[0] == records[1]


def test_more_epochs_have_the_rates_of_a_run_that_was_planned_with_them(run, tmp_path):
    """A finished cosine does not stay at its end."""
    for schedule in ("cosine", "steps"):
        train(TASK, changed(epochs=4, schedule=schedule), tmp_path / schedule)
        whole = [float(row["learning_rate"]) for row in csv_rows(tmp_path / schedule)]
        folder = shutil.copytree(run, tmp_path / f"{schedule} longer")
        rows = train(TASK, changed(epochs=4, schedule=schedule), folder, resume=True)
        rates = [float(row["learning_rate"]) for row in rows]
        assert len(rates) == 4
        np.testing.assert_allclose(rates[2:], whole[2:], rtol=1e-6)
        assert rates[3] <= 0.02 * RECIPE.learning_rate
    assert max(rates[2:]) <= RECIPE.learning_rate


def csv_rows(folder):
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def seconds(folder):
    return sum(float(row["seconds"]) for row in csv_rows(folder))


@pytest.mark.parametrize(
    ("batch_size", "images", "steps"),
    [(1, 8, 8), (8, 8, 1), (4, 80, 20), (4, 4, 1)],  # two steps until then
)
def test_another_length_of_the_epoch_does_not_end_a_run(run, batch_size, images, steps):
    task = dataclasses.replace(TASK, dataset=pictures(images))
    recipe = changed(epochs=4, batch_size=batch_size)
    SEEN.clear()
    rows = train(task, recipe, run, resume=True)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    model = load_model(run / "last.keras")
    assert int(model.optimizer.iterations) == 4 + 2 * steps
    assert SEEN[0] == 16  # the stream goes on behind the pictures that were seen
    taken = 16 + 2 * steps * batch_size
    position = {"epoch": 4, "step": 0, "iterations": 4 + 2 * steps, "images": taken}
    assert record(run)["progress"][-1] == position
    # At its end the rate is at its end too, and once more of the same changes nothing.
    assert float(rows[-1]["learning_rate"]) <= 0.7 * RECIPE.learning_rate
    before = contents(run)
    assert train(task, None, run, resume=True) == rows
    assert contents(run) == before


def test_what_changed_stands_in_the_record_with_its_epoch(run):
    recipe = changed(epochs=3, learning_rate=0.5)
    train(dataclasses.replace(TASK, validation=pictures(3, "new")), recipe, run, resume=True)
    written = record(run)
    assert written["changes"] == [
        {
            "epoch": 3,
            "epochs": {"was": 2, "is": 3},
            "learning_rate": {"was": 0.01, "is": 0.5},
            "validation": {"was": "none", "is": "new (3 images)"},
        }
    ]
    assert (written["epochs"], written["learning_rate"]) == (3, 0.5)
    assert written["validation"] == {"name": "new", "images": 3}


def test_another_validation_set_begins_the_search_for_the_best_anew(tmp_path):
    scored = dataclasses.replace(TASK, validation=pictures(3, "old"))
    SCORES[:] = [0.9, 0.8, 0.3, 0.2, 0.4]
    train(scored, RECIPE, tmp_path)
    best = (tmp_path / "model.keras").read_bytes()
    # The same set: 0.3 is not better. Another: 0.2 is the best of its scores, and then 0.4.
    train(scored, changed(epochs=3), tmp_path, resume=True)
    assert (tmp_path / "model.keras").read_bytes() == best
    other = dataclasses.replace(TASK, validation=pictures(3, "new"))
    train(other, changed(epochs=4), tmp_path, resume=True)
    second = (tmp_path / "model.keras").read_bytes()
    assert second != best
    train(other, changed(epochs=5), tmp_path, resume=True)
    assert (tmp_path / "model.keras").read_bytes() != second


def test_an_old_run_that_was_killed_while_it_saved_goes_on(run, tmp_path):
    """Its record was written first: it may be one epoch ahead of `last.keras`."""
    with pytest.raises(Stop):
        train(TASK, RECIPE, tmp_path / "half", callbacks=[StopAt(2)])
    as_before(tmp_path / "half")
    shutil.copy(tmp_path / "half" / "last.keras", run / "last.keras")
    old = record(run)
    before = {"epoch": 1, "step": 0, "iterations": 2, "images": 8}
    old["progress"] = [before, *old["progress"]]
    (run / "config.json").write_text(json.dumps(old))
    rows = train(TASK, None, run, resume=True)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert int(load_model(run / "last.keras").optimizer.iterations) == 4


def test_a_network_that_the_record_does_not_know_is_refused(run, tmp_path):
    train(TASK, changed(epochs=5), tmp_path / "other")
    shutil.copy(tmp_path / "other" / "last.keras", run / "last.keras")
    before = contents(run)
    with pytest.raises(InputError, match=r"last.keras is of another run"):
        train(TASK, None, run, resume=True)
    assert contents(run) == before
    as_before(run)
    with pytest.raises(InputError, match=r"saved after 10 steps .*expected 4 steps"):
        train(TASK, None, run, resume=True)


def test_a_run_of_the_first_records_goes_on(run):
    """`config.json` had no task, version, sources, tree, weights, changes, progress or run."""
    as_before(run)
    old = record(run)
    for name in ("task", "version", "sources", "tree", "weights", "changes", "progress", "run"):
        del old[name]
    (run / "config.json").write_text(json.dumps(old))
    rows = train(TASK, changed(epochs=4, batch_size=2), run, resume=True)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert record(run)["progress"][-1] == {
        **{"epoch": 4, "step": 0, "iterations": 12, "images": 32}
    }


# === What cannot be ===


class Labelled(Line):
    """With labelled pictures mixed in, for the record."""

    def facts(self):
        labelled = ClassificationDataset("labelled", ("a", "b"), [None] * 5)
        return {**super().facts(), "classification": name_and_size(labelled)}


TREE = WordTree(["a", "b"], [-1, 0])


@pytest.mark.parametrize(
    ("task", "recipe", "message"),
    [
        (TASK, changed(model="tiny"), "model was yolov2, now tiny"),
        (TASK, changed(width=0.5), "width was 1.0, now 0.5"),
        (TASK, changed(size=96), "size was 64, now 96"),
        (TASK, changed(resize="letterbox"), "resize was stretch, now letterbox"),
        (TASK, changed(anchors=3), "anchors was 2, now 3"),
        (TASK, changed(optimizer="adam"), "optimizer was sgd, now adam"),
        (TASK, changed(weight_decay=0.1), "weight_decay was 0.0005, now 0.1"),
        (TASK, changed(precision="mixed_bfloat16"), "precision was float32, now mixed_bfloat16"),
        (TASK, changed(seed=7), "seed was 0, now 7"),
        (TASK, changed(balance=True), "balance was False, now True"),
        (TASK, changed(width=0.5, size=96, epochs=9), "width was .*; size was"),
        (
            Line(pictures(8, "other")),
            RECIPE,
            r"data was lines \(8 images\), now other \(8 images\)",
        ),
        (Line(pictures(8, classes=("a",))), RECIPE, r"classes was 2 \(a, b\), now 1 \(a\)"),
        (Line(pictures(8, classes=("b", "a"))), RECIPE, r"was 2 \(a, b\), now 2 \(b, a\)"),
        (Line(pictures(8), tree=TREE), RECIPE, "tree was None, now 2 nodes"),
        (Labelled(pictures(8)), RECIPE, r"classification was none, now labelled \(5 images\)"),
        (TASK, changed(epochs=1), "epochs was 2, now 1"),
    ],
)
def test_a_contradiction_is_refused_and_the_folder_stays(run, task, recipe, message):
    before = contents(run)
    with pytest.raises(InputError, match=message):
        train(task, recipe, run, resume=True)
    assert contents(run) == before


def test_data_of_the_same_name_elsewhere_may_be_the_same_or_not(tmp_path):
    def task(count, place):
        return Line(pictures(count), sources={"data": place})

    train(task(8, "here/boxes.csv"), changed(epochs=1), tmp_path)
    with pytest.raises(InputError, match=r"lines \(8 images in here.*lines \(9 images in there"):
        train(task(9, "there/boxes.csv"), RECIPE, tmp_path, resume=True)
    train(task(8, "there/boxes.csv"), RECIPE, tmp_path, resume=True)  # it was moved
    assert record(tmp_path)["sources"] == {"data": "there/boxes.csv"}
    assert len(train(task(9, "there/boxes.csv"), changed(epochs=3), tmp_path, resume=True)) == 3
    assert record(tmp_path)["changes"][-1]["data"]["is"] == "lines (9 images in there/boxes.csv)"


def test_weights_belong_to_the_beginning(run, finished, tmp_path):
    with pytest.raises(InputError, match=r"none\.keras: no such file"):
        train(TASK, changed(weights=tmp_path / "none.keras"), run, resume=True)
    with pytest.raises(InputError, match=r"weights was None, now .*model\.keras"):
        train(TASK, changed(weights=finished / "model.keras"), run, resume=True)
    recipe = changed(weights=finished / "model.keras")
    train(TASK, recipe, tmp_path / "from")
    assert record(tmp_path / "from")["weights"] == str(finished / "model.keras")
    assert len(train(TASK, dataclasses.replace(recipe, epochs=3), tmp_path / "from", resume=True))


def test_a_detector_does_not_go_on_as_a_classifier(run):
    class Classifying(Line):
        NAME = "classification"
        RECIPE = ClassificationRecipe

    with pytest.raises(InputError, match="a run of detection, not of classification"):
        train(Classifying(pictures(8)), None, run, resume=True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"data": 3}', "no json"])
def test_a_record_that_is_none_is_refused(run, text):
    (run / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config.json: cannot be read as the record"):
        train(TASK, None, run, resume=True)


def test_a_run_by_epochs_that_goes_on_by_minutes_has_its_place_in_the_schedule(run, monkeypatch):
    """Its time counts, so that a cosine does not begin at its top again."""
    spent = []

    def clock(minutes, schedule, **options):
        spent.append(options["spent"])
        raise InputError("enough")

    monkeypatch.setattr("yolov2_tf.training.start.Clock", clock)
    with pytest.raises(InputError, match="enough"):
        train(TASK, changed(minutes=60.0), run, resume=True)
    assert spent == [pytest.approx(seconds(run))]
