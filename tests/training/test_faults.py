"""What a training does when it is stopped, or its files are damaged or cannot be written."""

import errno
import math
import os
import resource
import shutil
import signal
import types

import numpy as np
import pytest
from rich.console import Console

from tests.training.damaging import damage
from tests.training.line import RECIPE, SEEN, TASK, At, changed, contents
from yolov2_tf.errors import InputError, Stopped
from yolov2_tf.training import callbacks
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.fit import train
from yolov2_tf.training.run import Run


def check_same(whole, other):
    models = [load(folder / "last.keras")[0] for folder in (whole, other)]
    for one, two in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(one, two)
    rows = [Run(folder).rows() for folder in (whole, other)]
    for row in (*rows[0], *rows[1]):
        del row["seconds"], row["images_per_second"]
    assert rows[0] == rows[1]
    names = [sorted(path.name for path in folder.iterdir()) for folder in (whole, other)]
    assert names[0] == names[1]


# === Stopped ===


@pytest.fixture
def heard():
    """Signals are heard, even where a shell's background job runs the tests, which ignores some."""
    handlers = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("steps", [(1, 4, 7), pytest.param((2, 3, 5, 6), marks=pytest.mark.slow)])
def test_a_signal_ends_a_run_with_a_checkpoint_of_that_step(tmp_path, heard, steps):
    """At first: behind the first and the last step of an epoch, and before the last of all."""
    recipe = changed(epochs=2, batch_size=2, mean=0.9)  # four steps an epoch
    train(TASK, recipe, tmp_path / "whole")
    for step in steps:
        number = (signal.SIGTERM, signal.SIGINT)[step % 2]
        folder, before = tmp_path / str(step), signal.getsignal(number)
        # Callbacks come last: what saves looks for the signal at the epoch's end or the next step.
        stop = At(step, lambda number=number: os.kill(os.getpid(), number))
        with pytest.raises(Stopped, match=f"stopped by {number.name} after") as stopped:
            train(TASK, recipe, folder, callbacks=[stop])
        assert stopped.value.number == number
        assert signal.getsignal(number) == before
        _, state = load(folder / "last.keras")
        done = step if step == 4 else step + 1
        assert 4 * state.position.epoch + state.position.step == done
        SEEN.clear()
        train(TASK, None, folder, resume=True)
        assert SEEN[:1] == ([] if step == 7 else [2 * done])  # 7 is the last
        check_same(tmp_path / "whole", folder)


def test_the_history_is_drawn_first_and_last_and_before_a_stop(tmp_path, heard, monkeypatch):
    drawn, recipe = [], changed(epochs=4, batch_size=2)
    monkeypatch.setattr(callbacks, "plot_history", lambda rows, _: drawn.append(len(rows)))
    for share, expected in ((1e-9, [1, 4]), (math.inf, [1, 2, 3, 4])):
        monkeypatch.setattr(callbacks.History, "SHARE", share)
        drawn.clear()
        train(TASK, recipe, tmp_path / str(share))
        assert drawn == expected
    monkeypatch.setattr(callbacks.History, "SHARE", 1e-9)
    drawn.clear()
    stop = At(9, lambda: os.kill(os.getpid(), signal.SIGTERM))  # the first step of the third epoch
    with pytest.raises(Stopped):
        train(TASK, recipe, tmp_path / "stopped", callbacks=[stop])
    assert drawn == [1, 2]
    train(TASK, None, tmp_path / "stopped", resume=True)
    assert drawn == [1, 2, 3, 4]


def test_checkpoints_come_by_time_too(tmp_path):
    seen = []

    def look():
        path = tmp_path / "last.keras"
        seen.append(load(path)[1].position.step if path.exists() else None)

    train(TASK, changed(batch_size=2), tmp_path, callbacks=[At(i, look) for i in (2, 3)])
    assert seen == [None, None]  # not within ten minutes
    shutil.rmtree(tmp_path)
    recipe = changed(batch_size=2, checkpoint_minutes=0)
    train(TASK, recipe, tmp_path, callbacks=[At(i, look) for i in (2, 3)])
    assert seen[2:] == [2, 3]


def test_another_batch_size_in_mid_epoch_goes_on_at_the_same_pictures(tmp_path, heard):
    stop = At(1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Stopped):
        train(TASK, changed(batch_size=2), tmp_path, callbacks=[stop])
    SEEN.clear()
    rows = train(TASK, changed(batch_size=4), tmp_path, resume=True)
    assert len(rows) == 2
    assert SEEN[0] == 4
    assert load(tmp_path / "last.keras")[1].position.images == 16


# === Damaged files ===


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "gone"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, how):
    recipe = changed(epochs=3)
    train(TASK, recipe, tmp_path / "whole")
    folder = shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    for name in (".last.keras.abcdefgh", ".model.keras.01_3qrst", ".mine"):
        (folder / name).mkdir()
    damage(folder / "last.keras", how)
    console = Console(record=True, width=300)
    train(TASK, None, folder, resume=True, console=console)
    assert "going on from previous.keras" in console.export_text()
    (folder / ".mine").rmdir()  # what is not ours stays
    check_same(tmp_path / "whole", folder)
    damage(folder / "last.keras", how)
    (folder / "previous.keras").write_bytes(b"")
    with pytest.raises(InputError, match=r"damaged|no such file|cannot be read"):
        train(TASK, None, folder, resume=True)


def limit_files(size):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def test_a_full_disk_is_one_message_and_the_last_checkpoint_stays(tmp_path):
    before = {}

    def fill():
        before.update(contents(tmp_path))
        limit_files(3000)

    try:
        with pytest.raises(InputError, match=r"cannot be written to: File too large.*--resume"):
            train(TASK, changed(epochs=3), tmp_path, callbacks=[At(4, fill)])
    finally:
        limit_files(resource.RLIM_INFINITY)
    after = contents(tmp_path)
    for name in ("last.keras", "previous.keras", "config.json"):
        key = types.SimpleNamespace(name=name)
        found = [value for path, value in after.items() if path.name == key.name]
        assert found == [value for path, value in before.items() if path.name == name], name
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(train(TASK, None, tmp_path, resume=True)) == 3


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_what_the_system_says_is_said(tmp_path, monkeypatch, code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("yolov2_tf.training.callbacks.save", fail)
    with pytest.raises(InputError, match=os.strerror(code)):
        train(TASK, RECIPE, tmp_path)


def test_a_folder_that_vanishes_is_not_made_anew(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(InputError, match="the folder of the run has vanished"):
        train(TASK, RECIPE, folder, callbacks=[At(3, lambda: shutil.rmtree(folder))])
    assert not folder.exists()
