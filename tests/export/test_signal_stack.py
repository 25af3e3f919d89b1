"""A signal after OpenVINO was at work is heard; each in a process of its own."""

import os
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


# `yolov2 …`, saying each time when a detector or a process that times one is about to work.
COMMAND = """
import functools, pathlib, sys
from yolov2_tf import cli
from yolov2_tf.export import forms, openvino, timing

def told(kind, name):
    method = getattr(kind, name)
    def tell(*arguments):
        print("at work", flush=True)
        return method(*arguments)
    setattr(kind, name, tell)

_, where, file, *words = sys.argv
sys.argv = ["yolov2", *words]
if where == "timing":
    told(timing.OwnProcess, "milliseconds")
else:
    told(openvino.OpenVinoDetector, "run_batch")
opened = functools.partial(openvino.OpenVinoDetector, file)
form = forms.Form("OpenVINO", pathlib.Path(file), opened)
forms.write_forms = lambda *_, **__: ([form], [])
cli.main()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory, pictures):
    path = tmp_path_factory.mktemp("openvino") / "model.xml"
    model = TinyYOLOv2(["a"], width=0.05, input_size=64)
    model.save(path.with_suffix(".keras"))
    export_openvino(model, path, pictures=pictures[:1])
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A thousand pictures with a box."""
    folder = tmp_path_factory.mktemp("data")
    for i in range(1000):
        Image.new("RGB", (64, 64)).save(folder / f"{i}.png")
    rows = "".join(f"{i}.png,8,8,40,40,a\n" for i in range(1000))
    (folder / "boxes.csv").write_text(f"filename,xmin,ymin,xmax,ymax,class\n{rows}")
    return folder


@pytest.fixture
def start():
    """Starts a Python process that hears SIGINT, whatever shell runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored: inherited
    started = []

    def begin(*arguments):
        command = [sys.executable, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, start_new_session=True, **pipes))
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


def test_ctrl_c_ends_a_long_prediction(file, data, start):
    process = start("-m", "yolov2_tf.cli", "predict", file, data, "--jsonl", "-")
    ctrl_c_ends(process)


def test_ctrl_c_ends_a_long_evaluation(file, data, start):
    ctrl_c_ends(start("-c", COMMAND, "detecting", file, "evaluate", file, data / "boxes.csv"))


@pytest.mark.parametrize("where", ["timing", "detecting"])
def test_ctrl_c_ends_a_long_benchmark(file, data, start, where):
    """Processes that time detectors are beside it in the terminal, and hear Ctrl-C, too."""
    model = file.with_suffix(".keras")
    runs = {"timing": 1000, "detecting": 1}[where]
    words = ("benchmark", model, "--data", data / "boxes.csv", "--runs", runs)
    ctrl_c_ends(start("-c", COMMAND, where, file, *words))


def ctrl_c_ends(process):
    """Ctrl-C as a terminal gives it, to all processes of the command, once it is at work."""
    assert process.stdout.readline(), process.communicate()[1][-3000:]
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 128 + signal.SIGINT, error[-3000:]
    assert "Traceback" not in error
