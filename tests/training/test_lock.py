"""A folder belongs to one training, until it ends in whatever way."""

import signal
import subprocess
import sys

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.training.lock import NAME, folder_lock

HOLD = """
import sys, time
from yolov2_tf.training.lock import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder `run`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "run"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_lock_of_a_process_that_lives_holds_and_that_of_a_killed_one_does_not(holder, tmp_path):
    folder = tmp_path / "run"
    with (
        pytest.raises(InputError, match=f"process {holder.pid} on ") as refused,
        folder_lock(folder),
    ):
        pass
    assert refused.value.where == str(folder)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / NAME).is_file()  # nobody was there to take it away
    with folder_lock(folder), pytest.raises(InputError), folder_lock(folder):
        pass
    assert not list(folder.iterdir())


def test_a_lock_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "kept.txt").write_text("")
    with folder_lock(tmp_path):
        assert (tmp_path / NAME).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    with pytest.raises(RuntimeError), folder_lock(tmp_path / "a" / "b"):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
