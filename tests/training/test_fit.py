"""Whether a run may begin, and what it leaves, with a task that takes no time to learn."""

import dataclasses
from types import SimpleNamespace

import keras
import pytest

from tests.training.line import (
    RECIPE,
    TASK,
    Line,
    changed,
    contents,
    pictures,
    record,
)
from yolov2_tf.errors import InputError
from yolov2_tf.training.fit import train


@pytest.fixture
def run(tmp_path):
    """The folder of a run of two epochs of two steps of four pictures."""
    train(TASK, RECIPE, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", '{"cluster": []}', '{"cluster": {"worker": 2}}']
)
def test_a_tf_config_that_cannot_be_read_is_refused(run, monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r"\$TF_CONFIG: cannot be read"):
        train(TASK, changed(epochs=3), run, resume=True)


def test_a_run_is_not_lost_by_a_second_one(run):
    (run / "notes.txt").write_text("mine")
    before = contents(run)
    with pytest.raises(InputError, match="a run is here already"):
        train(TASK, RECIPE, run)
    with pytest.raises(InputError, match="exclude each other"):
        train(TASK, RECIPE, run, resume=True, overwrite=True)
    with pytest.raises(InputError, match="no pictures"):  # it is kept until another can begin
        train(Line(pictures(0)), RECIPE, run, overwrite=True)
    assert contents(run) == before
    rows = train(TASK, changed(epochs=1, learning_rate=0.5), run, overwrite=True)
    assert [row["epoch"] for row in rows] == [1]
    assert record(run)["learning_rate"] == 0.5
    assert record(run)["changes"] == []
    assert len(record(run)["progress"]) == 1
    assert (run / "notes.txt").read_text() == "mine"


def test_nothing_is_left_of_a_run_that_could_not_begin(tmp_path):
    for folder, message in [(tmp_path / "a" / "b", "no pictures"), (tmp_path / "a", "no pictures")]:
        with pytest.raises(InputError, match=message):
            train(Line(pictures(0)), RECIPE, folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder to write to"):
        train(TASK, RECIPE, tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_one_training_at_a_time(tmp_path):
    tried = []

    def second(epoch, logs):
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(InputError, match="another training is at work here: process"):
                train(TASK, RECIPE, tmp_path / "run", **options)
            tried.append(options)

    callback = keras.callbacks.LambdaCallback(on_epoch_end=second)
    train(TASK, RECIPE, tmp_path / "run", callbacks=[callback])
    assert len(tried) == 6
    assert not (tmp_path / "run" / ".lock").exists()


def test_callbacks_see_the_score(tmp_path):
    seen = SimpleNamespace(logs=[])
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: seen.logs.append(logs))
    train(dataclasses.replace(TASK, validation=pictures(1)), RECIPE, tmp_path, callbacks=[callback])
    assert all({"loss", "score", "images_per_second"} <= set(logs) for logs in seen.logs)
    assert len(seen.logs) == 2


class ScoredLast(Line):
    def scorer(self, every, left_out=None):
        def score(epoch, logs):
            logs |= {"score": 0.25} if epoch else {}

        return keras.callbacks.LambdaCallback(on_epoch_end=score)


def test_the_rows_are_numbers_of_what_was_measured(tmp_path):
    rows = train(ScoredLast(pictures(8), pictures(1)), RECIPE, tmp_path)
    assert [(row["epoch"], row.get("score")) for row in rows] == [(1, None), (2, 0.25)]
    assert all(type(row[name]) is float for row in rows for name in row.keys() - {"epoch"})
    assert (tmp_path / "history.csv").read_text().splitlines()[1].endswith(",")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((pictures(1), RECIPE), r"a Dataset is no task .*DetectionTask\(dataset\)"),
        ((TASK, {"epochs": 1}), r"recipe is {'epochs': 1} .*a DetectionRecipe\(…\)"),
        ((TASK, type(RECIPE)), "recipe is <class"),
        ((TASK, None), "recipe is None"),
        ((dataclasses.replace(TASK, dataset=(pictures(1), [])), RECIPE), "a tuple is no data set"),
    ],
)
def test_what_is_none_of_its_arguments_is_told(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        train(*arguments, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_callback_by_itself_is_no_list_of_them(tmp_path):
    for wrong in (keras.callbacks.TerminateOnNaN(), [print], None):
        with pytest.raises(InputError, match=r"callbacks are .*a list of Keras callbacks"):
            train(TASK, RECIPE, tmp_path / "run", callbacks=wrong)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        keras.callbacks.ReduceLROnPlateau(monitor="loss"),
    ],
)
def test_callbacks_that_set_the_rate_are_refused_before_anything_is_written(tmp_path, callback):
    with pytest.raises(InputError, match=r"would set the learning rate"):
        train(TASK, RECIPE, tmp_path / "run", callbacks=[callback])
    assert not (tmp_path / "run").exists()


def test_the_policy_of_the_caller_stays(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        train(TASK, changed(precision="mixed_bfloat16"), tmp_path / "run")
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(before)
