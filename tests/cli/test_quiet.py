"""What other libraries say does not reach the user; what the command says does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SHIPPED = Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "assets"

CHATTER = (
    "I0000 00:00:1795656555.472103    7916 cudart_stub.cc:31] Could not find cuda drivers",
    "E0000 00:00:1795656562.000689    7916 cuda_platform.cc:52] failed call to cuInit",
    "2026-11-26 01:02:03.456789: I tensorflow/core/util/port.cc:153] oneDNN custom operations",
    "[2026-11-26 08:30:37,405 E 6912 6912] core_worker.cc:2465: Actor with class name",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
)
PROGRAM = """
import os, sys, warnings
from yolov2_tf.cli.quiet import be_quiet
be_quiet()
warnings.warn("calibration: only 1 picture")
for line in sys.argv[1:]:
    os.write(2, line.encode() + b"\\n")
os.write(2, b"Fatal Python error: Segmentation fault\\n")
print("error: no such file", file=sys.stderr)
os.write(2, b"no end of line")
"""
FOREIGN = (
    ".cc:", "oneDNN", "cuda", "cuInit", "absl", "XNNPACK", "WARNING", "INFO:", "I0000", "Warning:",
)  # fmt: skip


def child(*arguments, verbose="0"):
    environment = {**os.environ, "YOLOV2_VERBOSE": verbose}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done


def test_chatter_is_left_out_and_all_else_is_kept():
    error = child("-c", PROGRAM, *CHATTER).stderr
    kept = ["Fatal Python error: Segmentation fault", "error: no such file", "no end of line"]
    assert not any(line in error for line in CHATTER)
    assert all(line in error for line in kept)
    assert "warning: calibration: only 1 picture\n" in error
    assert "UserWarning" not in error


def test_what_one_command_leaves_out_is_kept_in_others():
    logged = "WARNING:root:what a program of somebody's own logs"
    assert logged in child("-c", PROGRAM, logged).stderr
    program = PROGRAM.replace("be_quiet()", "be_quiet(); leave_out(rb'WARNING:root:')", 1)
    program = program.replace("import be_quiet", "import be_quiet, leave_out")
    error = child("-c", program, logged).stderr
    assert logged not in error
    assert "error: no such file" in error


def test_verbose_shows_everything():
    error = child("-c", PROGRAM, *CHATTER, verbose="1").stderr
    assert all(line in error for line in CHATTER)


@pytest.mark.parametrize(
    "kernel",
    [{"JPY_PARENT_PID": "1"}, {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}],
    ids=lambda kernel: next(iter(kernel)),
)
def test_no_cursor_moves_and_no_colours_in_a_notebook(kernel):
    """Kernels set FORCE_COLOR for what a cell runs, whatever its output is."""
    outside = {
        key: value
        for key, value in os.environ.items()
        if key not in ("JPY_PARENT_PID", "MPLBACKEND", "TTY_COMPATIBLE")
    }
    environment = {**outside, "FORCE_COLOR": "1", "TERM": "xterm-color"}

    def said(more):
        command = [sys.executable, "-m", "yolov2_tf.cli", "inspect", "nowhere", "--out", "report"]
        done = subprocess.run(command, capture_output=True, env={**environment, **more})
        assert done.returncode == 2
        return done.stderr

    assert b"\x1b" in said({})
    assert b"\x1b" not in said(kernel)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "digits", "--split", "val", "--no-check", "--json", "{tmp}/a.json"),
        ("anchors", "digits", "--split", "val"),
        ("train", "digits", "--split", "val", "--hold-out", "0", "--out", "{tmp}/run", "--model",
         "tiny", "--width", "0.05", "--size", "64", "--epochs", "1", "--batch-size", "64"),
        ("evaluate", "{model}", "digits", "--split", "val"),
        ("predict", "{model}", "{picture}", "--out", "{tmp}/drawn"),
        ("convert", "digits", "{tmp}/coco", "--to", "coco", "--split", "val"),
        ("models",),
        ("describe", "starter"),
        ("export", "starter", "--out", "{tmp}/a.tflite", "--quantize", "int8", "--calibrate",
         "{photos}"),
        ("export", "starter", "--out", "{tmp}/a.onnx"),
        ("export", "starter", "--out", "{tmp}/a.xml", "--quantize", "int8", "--calibrate",
         "{photos}"),
        ("export", "starter", "--format", "saved_model", "--out", "{tmp}/saved"),
        ("demo-web", "{model}", "--export", "{tmp}/page"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)  # fmt: skip
def test_commands_print_no_foreign_line(tmp_path, arguments):
    from PIL import Image

    Image.new("RGB", (64, 64), "gray").save(tmp_path / "a.png")
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):  # few, so that the command itself has a warning to say
        noise = rng.integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"{i}.png")
    places = {
        "tmp": tmp_path,
        "model": SHIPPED / "digits.tflite",
        "picture": tmp_path / "a.png",
        "photos": tmp_path / "photos",
    }
    done = child("-m", "yolov2_tf.cli", *(part.format(**places) for part in arguments))
    for word in FOREIGN:
        assert word not in done.stderr
        assert word not in done.stdout
