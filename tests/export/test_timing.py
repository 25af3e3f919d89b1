"""Detectors are timed in processes of their own."""

import functools
import multiprocessing
import os
import signal

import numpy as np
import pytest

from sleeping_detector import Sleeper
from yolov2_tf.errors import InputError
from yolov2_tf.export.timing import InProcess, OwnProcess


@pytest.mark.parametrize("timer", [InProcess, OwnProcess])
def test_the_second_run_is_timed(timer):
    timed = timer(functools.partial(Sleeper, 0.05))
    assert timed.load_ms >= 0
    assert timed.milliseconds(np.zeros(3)) >= 50
    assert timed.milliseconds(np.zeros((4, 2, 2, 3))) >= 50 / 4  # each picture's share
    timed.close()


def test_the_detector_is_opened_elsewhere_and_its_errors_come_back():
    home = os.getpid()
    with pytest.raises(ValueError, match="opened at home"):
        InProcess(functools.partial(Sleeper, 0, home))
    OwnProcess(functools.partial(Sleeper, 0, home)).close()
    with pytest.raises(TypeError):
        OwnProcess(functools.partial(Sleeper))


def test_ctrl_c_is_left_to_the_process_that_started_them():
    timed = OwnProcess(functools.partial(Sleeper, 0))
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGINT)
    assert timed.milliseconds(np.zeros(3)) >= 0
    timed.close()
    assert process.exitcode == 0


def test_a_process_that_is_gone_is_told():
    with pytest.raises(InputError, match="ended with exit code 3"):
        OwnProcess(functools.partial(os._exit, 3))
    timed = OwnProcess(functools.partial(Sleeper, 0))
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    for _ in range(2):
        with pytest.raises(InputError, match="killed by signal 9"):
            timed.milliseconds(np.zeros(3))
    timed.close()
