"""Two processes that train together, where something goes wrong."""

import json
import random
import signal

import keras
import numpy as np
import pytest

from tests.training.devices import RECIPES, task_of
from tests.training.line import TASK, changed
from tests.training.workers import said, start, start_workers
from yolov2_tf.training import agreement, wishes
from yolov2_tf.training.agreement import any_of, check_same, total
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.fit import train
from yolov2_tf.training.run import Run

MINUTE = 60


def steps_of(process, count, what="step"):
    """Waits until a process has done so many steps, or scored so many pictures."""
    for line in process.stdout:
        if line.startswith(what) and int(line.split()[1]) >= count:
            return
    raise AssertionError(process.stderr.read()[-3000:])


def ended(process):
    """Exit code and standard error of a process that must end within a minute."""
    _, error = process.communicate(timeout=MINUTE)
    return process.returncode, error


@pytest.fixture
def running(request):
    """Starts two processes; whatever is left of them in the end is killed."""
    started = []

    def begin(*arguments, **options):
        started.extend(start_workers(*arguments, **options))
        return started[-2:]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_one_process_agrees_with_itself():
    check_same({"a": 1})
    assert any_of(True)
    assert not any_of(False)
    assert total([1, 2]).tolist() == [1, 2]


@pytest.mark.parametrize(("callbacks", "times"), [([], 3), ([keras.callbacks.Callback()], 6)])
def test_an_epoch_of_two_steps_agrees_three_times(tmp_path, monkeypatch, callbacks, times):
    """Twice as often where callbacks of the caller may end the training in one process."""

    def counted(array):
        asked.append(0)
        return np.asarray(array, np.float32)

    asked, seen = [], []
    monkeypatch.setattr(agreement, "total", counted)
    monkeypatch.setattr(wishes, "total", counted)
    for epochs in (1, 2):
        train(TASK, changed(epochs=epochs), tmp_path / str(epochs), callbacks=callbacks)
        seen.append(len(asked))
        asked.clear()
    assert seen[1] - seen[0] == times


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("name", RECIPES)
def test_a_process_that_dies_ends_the_other_and_the_run_goes_on(tmp_path, running, name, victim):
    """At a random step; then two go on, or one."""
    run = tmp_path / "run"
    both = running(name, run, changes=2 * [{"pause": 0.2}])
    steps_of(both[0], random.Random(f"{name} {victim}").randint(1, 4))
    both[victim].send_signal(signal.SIGKILL)
    code, error = ended(both[1 - victim])
    assert code == 2, error[-3000:]
    assert f"worker {victim} (127.0.0.1:" in error
    assert "is gone" in error
    resumed = start_workers(name, run) if victim else [start(name, run)]
    assert [len(said(process)["rows"]) for process in resumed] == len(resumed) * [3]
    assert Run(run).record["progress"][0]["epoch"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_while_it_scores_ends_the_other(tmp_path, running, victim):
    both = running("detection", tmp_path / "run", changes=2 * [{"scoring": 0.3}])
    steps_of(both[victim], 10, "scored")  # the chief reads eight for TensorBoard first
    both[victim].send_signal(signal.SIGKILL)
    code, error = ended(both[1 - victim])
    assert code == 2, error[-3000:]
    assert f"worker {victim} (127.0.0.1:" in error
    assert "is gone" in error


@pytest.mark.slow
def test_a_process_that_raises_ends_the_other(tmp_path, running):
    changes = [{}, {"stop": 3, "fail": True}]
    chief, other = running("detection", tmp_path / "run", changes=changes)
    code, error = ended_after_start(other)
    assert code == 1
    assert "Broken" in error
    code, error = ended(chief)
    assert code == 2
    assert "worker 1 (127.0.0.1:" in error


def ended_after_start(process):
    """The same for a process that has still to begin, which may take long."""
    _, error = process.communicate(timeout=10 * MINUTE)
    return process.returncode, error


@pytest.mark.slow
def test_a_signal_to_one_ends_both_with_a_checkpoint(tmp_path, running):
    both = running("detection", tmp_path / "run", changes=2 * [{"pause": 0.2}])
    steps_of(both[1], 2)
    both[1].send_signal(signal.SIGTERM)
    for process in both:
        code, error = ended(process)
        assert code == 128 + signal.SIGTERM, error[-3000:]
        assert "stopped by SIGTERM after" in error
    assert len(said(start("detection", tmp_path / "run"))["rows"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_loss_of_one_that_is_no_number_ends_both(tmp_path, running, name):
    """In mid-epoch; the chief keeps the batch of both, and the other process writes nothing."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    lost = {"batch_size": 4, "lose": 6, "folder": str(elsewhere)}
    both = running(name, run, changes=[{"batch_size": 4}, lost])
    steps_of(both[0], 6)  # the next is the third of the second epoch
    task = task_of(name, [])
    indices = task.pictures_of(RECIPES[name], range(24, 28))
    names = [task.dataset.records[int(i)].image_id for i in indices]
    for process in both:
        code, error = ended(process)
        assert code == 2, error[-3000:]
        assert "the loss is nan at epoch 2, step 3" in error
        assert names[0] in error
    saved = json.loads((run / "diverged" / "batch.json").read_text())
    assert [one["picture"] for one in saved["pictures"]] == names
    assert len(list((run / "diverged").glob("*.png"))) == 4
    model, state = load(run / "last.keras")
    assert (state.position.epoch, state.position.step) == (1, 2)
    for weights in model.get_weights():
        assert np.isfinite(weights).all()
    assert not elsewhere.exists()


@pytest.mark.slow
def test_processes_that_do_not_do_the_same_are_refused(tmp_path, running):
    changes = [{}, {"learning_rate": 0.1}]
    for process in running("detection", tmp_path / "run", changes=changes):
        code, error = ended_after_start(process)
        assert code == 2, error[-3000:]
        assert "learning_rate of worker 1 (127.0.0.1:" in error
    assert not (tmp_path / "run").exists()
