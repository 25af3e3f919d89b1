"""A signal after OpenVINO was at work is heard; each in a process of its own."""

import signal
import subprocess
import sys

import pytest
from PIL import Image

from yolov2_tf.export.openvino import export_openvino
from yolov2_tf.models.yolov2 import TinyYOLOv2

pytest.importorskip("openvino", reason="needs openvino")

# In the order in which they were loaded: the plugin of the second puts back the stack of the first.
PROGRAM = """
import os, signal, sys
from yolov2_tf.export.openvino import OpenVinoDetector, prefers_bfloat16
first, second = OpenVinoDetector(sys.argv[1]), OpenVinoDetector(sys.argv[1])
prefers_bfloat16()
del first
del second
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("heard")
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory, pictures):
    path = tmp_path_factory.mktemp("openvino") / "model.xml"
    export_openvino(TinyYOLOv2(["a"], width=0.05, input_size=64), path, pictures=pictures[:1])
    return path


@pytest.fixture
def start():
    """Starts a Python process that hears SIGINT, whatever shell runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored: inherited
    started = []

    def begin(*arguments):
        command = [sys.executable, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **pipes))
        return started[-1]

    yield begin
    signal.signal(signal.SIGINT, before)
    for process in started:
        process.kill()
        process.communicate()


def test_two_detectors_leave_no_stack_behind(file, start):
    process = start("-c", PROGRAM, file)
    out, error = process.communicate()
    assert process.returncode == 0, error[-3000:]
    assert out == "heard\n"


def test_ctrl_c_ends_a_long_prediction(file, start, tmp_path):
    for i in range(1000):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{i}.png")
    words = ("predict", file, tmp_path, "--jsonl", "-")
    process = start("-m", "yolov2_tf.cli", *words)
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 128 + signal.SIGINT, error[-3000:]
    assert "Traceback" not in error
