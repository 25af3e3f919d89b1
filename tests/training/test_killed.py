"""A run that is killed again and again ends as one that was left in peace, to the last bit."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.run import Run

SCRIPT = Path(__file__).with_name("killing.py")
TIMES = ("seconds", "images_per_second")


def killed(folder, kills, epochs, scenes):
    """What each of the trainings left, and the two runs."""
    root = SCRIPT.parents[2]
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *map(str, (kills, epochs, scenes))],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    left = json.loads(done.stdout.splitlines()[-1])
    return left, Run(folder / "whole"), Run(folder / "killed")


def check_equal(whole, other, epochs):
    for name in ("last", "best"):
        left, right = (load(getattr(run, name)) for run in (whole, other))
        for one, two in zip(left[0].weights, right[0].weights, strict=True):
            np.testing.assert_array_equal(one, two, err_msg=f"{name} {one.path}")
        optimizers = (model.optimizer.variables for model, _ in (left, right))
        for one, two in zip(*optimizers, strict=True):
            np.testing.assert_array_equal(one, two, err_msg=f"{name} {one.path}")
    left, right = (load(run.last)[1] for run in (whole, other))
    for one, two in zip(left.means, right.means, strict=True):
        np.testing.assert_array_equal(one, two)
    assert left.best == right.best
    assert left.position == right.position
    histories = [
        [{k: v for k, v in row.items() if k not in TIMES} for row in run.rows()]
        for run in (whole, other)
    ]
    assert histories[0] == histories[1]
    assert len(histories[0]) == epochs
    names = [sorted(path.name for path in run.folder.iterdir()) for run in (whole, other)]
    assert names[0] == names[1]  # nothing is left over


def test_twice(tmp_path):
    left, whole, other = killed(tmp_path, 2, epochs=3, scenes=8)
    assert [code for code, *_ in left] == [-9, -9, 0]
    check_equal(whole, other, 3)


@pytest.mark.slow
def test_twenty_times(tmp_path):
    # Of 48 steps, about one is won between two kills.
    left, whole, other = killed(tmp_path, 20, epochs=6, scenes=16)
    kills = [files for code, *files in left if code == -9]
    assert len(kills) == 20
    assert any(name.startswith(".last.keras.") for files in kills for name in files)
    check_equal(whole, other, 6)
    print(json.dumps(left))


def test_the_checkpoint_is_a_keras_file_with_more_in_it(tmp_path):
    import keras

    from yolov2_tf.training.checkpoint import State, save
    from yolov2_tf.training.plan import Position

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    state = State("me", Position(1, 2, 3, 4), 0.1, ({"epoch": 1},), (1 / 3,), model.get_weights())
    path, previous = tmp_path / "last.keras", tmp_path / "previous.keras"
    save(path, model, state, keep=previous)
    assert not previous.exists()
    loaded, read = load(path)
    assert (read.run, read.position, read.best) == (state.run, state.position, state.best)
    assert (read.rows, read.metrics) == (state.rows, state.metrics)
    for one, two in zip(loaded.get_weights(), read.means, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(keras.models.load_model(path).get_weights()[0], read.means[0])
    first = path.read_bytes()
    save(path, model, State("me", Position(2)), keep=previous)
    assert previous.read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        assert "mean.npz" not in archive.namelist()
    assert sorted(tmp_path.iterdir()) == [path, previous]
