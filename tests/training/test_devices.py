"""One device and several train alike."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf

from tests.training.devices import RECIPES, task_of
from tests.training.workers import said, start, start_workers
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.training import devices
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.recipes import DetectionRecipe

TIMES = ("seconds", "images_per_second")


def check_rows(rows, others, tolerance=0.02):
    """Figures of every epoch are the same, up to rounding that adds up."""
    assert len(rows) == len(others) == 3
    for left, right in zip(rows, others, strict=True):
        assert left.keys() == right.keys()
        for name in left.keys() - TIMES:
            if left[name] or right[name]:
                close = pytest.approx(float(left[name]), rel=tolerance, abs=tolerance)
                assert float(right[name]) == close, (name, left["epoch"])


def check_weights(name, folder, other):
    """The way from where they began is as long, and leads to the same place."""
    start = task_of(name).build(RECIPES[name]).trainable_variables
    ends = [load(place / "last.keras")[0].trainable_variables for place in (folder, other)]
    moved, apart = (
        np.sqrt(sum(np.square(np.asarray(a) - np.asarray(b)).sum() for a, b in pairs))
        for pairs in (zip(start, ends[0], strict=True), zip(*ends, strict=True))
    )
    assert moved > 0.01
    assert apart < 0.01 * moved


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Function of a task's name and batches a step: folder of its two runs, what they said."""

    @functools.cache
    def train(name, accumulate):
        folder = tmp_path_factory.mktemp(name)
        changes = json.dumps({"name": name, "accumulate": accumulate})
        return folder, said(start("both", folder, changes))

    return train


TASKS = [
    ("detection", 1),
    pytest.param("detection", 2, marks=pytest.mark.slow),
    pytest.param("classification", 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "accumulate"), TASKS)
def test_two_devices_are_as_one(both, name, accumulate):
    """And a run that two began goes on on one, where two batches make a step in mid-step."""
    folder, found = both(name, accumulate)
    one, two = (found[count]["rows"] for count in ("one", "two"))
    check_rows(one, two)
    if name == "detection":  # the limit acts, on the sum of both
        assert float(two[1]["gradient_norm"]) > RECIPES[name].clip_norm
    check_weights(name, folder / "one", folder / "two")


def test_batches_that_make_one_step_are_added_up_over_devices(both):
    _, found = both("detection", 1)
    one, two = np.array(found["pairs"])
    np.testing.assert_allclose(two, one, atol=1e-6)
    assert (one[:, -1] > 0.3).all()  # the limit acts
    weights = np.diff(one[:, :-1], axis=0)
    assert np.any(weights, axis=1).tolist() == 3 * [True, False] + [True]  # behind every second


@pytest.mark.parametrize(("name", "accumulate"), TASKS)
def test_two_processes_are_as_one(both, tmp_path, name, accumulate):
    """With multi-scale; each reads its half of each batch, and the chief alone writes."""
    folder, found = both(name, accumulate)
    changes = 2 * [{"accumulate": accumulate}]
    workers = start_workers(name, tmp_path / "run", changes=changes)
    chief, other = map(said, workers)
    assert chief["rows"] == other["rows"]
    check_rows(found["one"]["rows"], chief["rows"])
    check_rows(found["two"]["rows"], chief["rows"])
    check_weights(name, folder / "one", tmp_path / "run")
    # Each step the other half of the batch, and what is read ahead of the steps.
    assert set(chief["reads"][:4]).isdisjoint(other["reads"][:4])
    ahead = 3 * RECIPES[name].batch_size  # where a stage begins, a new stream does
    for one in (chief, other):
        assert len(one["reads"]) <= 3 * (16 / 2 + ahead)
    check_scores(name, tmp_path / "run", chief, other)


def check_scores(name, folder, chief, other):
    """Each process looks at its batches, and the score is that of one process to the last bit."""
    size, count = (8, 20) if name == "detection" else (32, 70)
    assert sorted(other["scored"]) == sorted(3 * [*range(size, 2 * size)])
    shown = [*range(8)] if name == "detection" else []  # by TensorBoard
    own = [*range(size), *range(2 * size, count)]
    assert sorted(chief["scored"]) == sorted(shown + 3 * own)
    assert chief["scores"] == other["scores"]
    score = task_of(name).SCORE
    assert chief["scores"] == [float(row[score]) for row in chief["rows"]]
    scorer, logs = task_of(name).scorer(every=1), {}
    scorer.set_model(load_model(folder / "model.keras"))
    scorer.on_epoch_end(0, logs)
    assert logs[score] == max(chief["scores"][-1:] if name == "classification" else chief["scores"])
    assert logs[score] > 0


@pytest.mark.slow
def test_keras_own_loop_still_fails_in_several_processes(tmp_path):
    """keras#20585: it takes the batch of all processes for a tensor.

    If this fails, that is mended; the other reasons for a loop of our own are in docs/scaling.md.
    """
    for process in start_workers("keras", tmp_path):
        assert "(PerReplica:" in said(process)


def test_processes_must_meet_before_tensorflow_works(monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    tf.zeros([])
    with pytest.raises(InputError, match=r"cannot find one another.*before anything else"):
        devices.strategy.__wrapped__()


def test_what_cannot_be_shared_out_is_refused(monkeypatch):
    class Three:
        num_replicas_in_sync = 3

    monkeypatch.setattr(devices, "strategy", Three)
    devices.check_recipe(DetectionRecipe(batch_size=6))
    with pytest.raises(InputError, match=r"batch_size is 8, on 3 devices \(expected a multiple"):
        devices.check_recipe(DetectionRecipe(batch_size=8))
    with pytest.raises(InputError, match="precision is mixed_float16, on 3 devices"):
        devices.check_recipe(DetectionRecipe(batch_size=6, precision="mixed_float16"))
    assert devices.precision("mixed_float16") == "float32"
    assert devices.precision("mixed_bfloat16") == "mixed_bfloat16"
